/**
 * Residuals of samples as coordinate descent uses them: summed by the code of one input, and moved by an amount for
 * each code.
 *
 * The code that most samples have (the background of images) costs nothing: its sum is the total less the
 * other sums, and a move of its samples is a move of all, kept in one number for each output, less a move of the others.
 */
import type { CodeLists } from './code-lists.js';
import type { CodedLayer } from './coded-layer.js';
import { addRow, moveListed, sumListed } from './rows.js';

export interface MovableRows {
  /** Calls back for every code that some samples have, with their number and the sums of their residuals. */
  readonly eachSum: (input: number, visit: (code: number, count: number, sums: Float64Array) => void) => void;
  /**
   * Takes something off the residuals of the samples of every code: `write` is to write it to `move`, which is all 0.
   */
  readonly moveEach: (input: number, write: (code: number, move: Float64Array) => void) => void;
  /** Writes back what is kept apart; nothing may be summed or moved afterwards. */
  readonly finish: () => void;
}

/** `residual`, [samples, outputs], is what moves; it is up to date after `finish`. */
export const movableRows = (
  { levels, outputs }: CodedLayer,
  { samples, order, starts, commonest }: CodeLists,
  residual: Float64Array,
): MovableRows => {
  const row = new Float64Array(outputs);
  const rest = new Float64Array(outputs);
  // A residual is what is stored plus `apart` of its output.
  const apart = new Float64Array(outputs);
  const totals = new Float64Array(outputs);
  for (let j = 0; j < residual.length; j++) totals[j % outputs]! += residual[j]!;
  const countOf = (input: number, code: number): number =>
    starts[input * (levels + 1) + code + 1]! - starts[input * (levels + 1) + code]!;
  const listOf = (input: number, code: number): number =>
    input * samples + starts[input * (levels + 1) + code]!;

  return {
    eachSum: (input, visit) => {
      const common = commonest[input]!;
      rest.set(totals);
      for (let c = 0; c < levels; c++) {
        const count = countOf(input, c);
        if (c === common || count === 0) continue;
        const first = listOf(input, c);
        sumListed(row, residual, order, first, first + count, outputs);
        addRow(row, 0, apart, 0, count, outputs);
        addRow(rest, 0, row, 0, -1, outputs);
        visit(c, count, row);
      }
      visit(common, countOf(input, common), rest);
    },
    moveEach: (input, write) => {
      const common = commonest[input]!;
      rest.fill(0);
      write(common, rest);
      addRow(totals, 0, rest, 0, -samples, outputs);
      addRow(apart, 0, rest, 0, -1, outputs);
      for (let c = 0; c < levels; c++) {
        const count = countOf(input, c);
        if (c === common || count === 0) continue;
        row.fill(0);
        write(c, row);
        addRow(row, 0, rest, 0, -1, outputs);
        addRow(totals, 0, row, 0, -count, outputs);
        const first = listOf(input, c);
        moveListed(residual, order, first, first + count, row, outputs);
      }
    },
    finish: () => {
      for (let j = 0; j < residual.length; j++) residual[j]! += apart[j % outputs]!;
    },
  };
};
