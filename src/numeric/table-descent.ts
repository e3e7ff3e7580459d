/**
 * Rounding the entries of a layer together: coordinate descent on
 *
 *     |R|^2 + penalty |T - towards|^2
 *
 * over integer tables T, for R the residuals of the samples; one entry of all outputs after the other takes the best
 * integer given all others. The penalty is that of ridge regression, so that what samples do not tell stays as it was. The
 * first sweep starts from the unrounded table, so that an entry sees the rounding errors of those before it: error
 * feedback, as in GPTQ (Frantar et al., arXiv 2210.17323), with the residuals themselves in place of their propagation
 * through an inverse Hessian. Later sweeps choose again, as AdaRound does (Nagel et al., arXiv 2004.10568), by descent
 * in place of a relaxation.
 */
import { type CodedLayer, type CodeSamples, type Features, featureRow } from './coded-layer.js';
import { addRow, moveListed, sumListed } from './rows.js';
import { nearestEntry } from './table-scale.js';

/** Samples sorted by their code, for every input: sums over the samples of a code are then sums over a list. */
export interface CodeLists {
  readonly samples: number;
  /** [inputs, samples]: the samples of code 0, then those of code 1, and so on. */
  readonly order: Uint32Array;
  /** [inputs, levels + 1]: where in its row of `order` the list of every code starts. */
  readonly starts: Uint32Array;
  /** [inputs]: the code that most samples have. */
  readonly commonest: Uint16Array;
}

export const codeLists = (
  { inputs, levels }: CodedLayer,
  { samples, codes }: Pick<CodeSamples, 'samples' | 'codes'>,
): CodeLists => {
  const order = new Uint32Array(inputs * samples);
  const starts = new Uint32Array(inputs * (levels + 1));
  const commonest = new Uint16Array(inputs);
  const next = new Uint32Array(levels);
  for (let i = 0; i < inputs; i++) {
    const first = i * (levels + 1);
    for (let n = 0; n < samples; n++) starts[first + codes[n * inputs + i]! + 1]!++;
    let most = 0;
    for (let c = 0; c < levels; c++) {
      const count = starts[first + c + 1]!;
      if (count > most) [most, commonest[i]] = [count, c];
      starts[first + c + 1]! += starts[first + c]!;
      next[c] = starts[first + c]!;
    }
    for (let n = 0; n < samples; n++) order[i * samples + next[codes[n * inputs + i]!]!++] = n;
  }
  return { samples, order, starts, commonest };
};

/**
 * Residuals of samples as coordinate descent uses them: summed by the code of one input, and moved by an amount for
 * each code.
 *
 * The code that most samples have (the background of images) costs nothing: its sum is the total less the
 * other sums, and a move of its samples is a move of all, kept in one number for each output, less a move of the others.
 */
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

export interface Descent {
  /** [inputs, entries, outputs]: where the penalty pulls, in units of an entry. */
  readonly towards: Float32Array;
  readonly penalty: number;
  readonly sweeps: number;
  /** Entries are integers of at most this magnitude. */
  readonly top: number;
}

/**
 * The rounded table, [inputs, entries, outputs]. `residual`, [samples, outputs], is that of `towards` and becomes that
 * of the result.
 */
export const roundTogether = (
  layer: CodedLayer,
  lists: CodeLists,
  residual: Float64Array,
  options: Descent,
): Float32Array => {
  const table = options.towards.slice();
  const rows = movableRows(layer, lists, residual);
  const { features } = layer;
  const step =
    features === undefined
      ? codeStep(layer, rows, table, options)
      : featureStep(layer, features, rows, table, options);
  for (let sweep = 0; sweep < options.sweeps; sweep++) {
    for (let i = 0; i < layer.inputs; i++) step(i);
  }
  rows.finish();
  // Codes that no sample has were passed over.
  for (let e = 0; e < table.length; e++) table[e] = nearestEntry(table[e]!, options.top);
  return table;
};

/** Rounds the entries of an input and moves the residuals by what changed. */
type Step = (input: number) => void;

/** Entries of codes do not meet in a sample, so each is chosen by itself: a parabola's best integer is the nearest to its end. */
const codeStep = (
  { levels, outputs }: CodedLayer,
  rows: MovableRows,
  table: Float32Array,
  { towards, penalty, top }: Descent,
): Step => {
  const changes = new Float64Array(levels * outputs);
  return (i) => {
    const first = i * levels * outputs;
    rows.eachSum(i, (code, count, sums) => {
      const weight = count + penalty;
      for (let o = 0, e = code * outputs; o < outputs; o++, e++) {
        const now = table[first + e]!;
        const entry = nearestEntry(now + (sums[o]! + penalty * (towards[first + e]! - now)) / weight, top);
        table[first + e] = entry;
        changes[e] = entry - now;
      }
    });
    rows.moveEach(i, (code, move) => {
      for (let o = 0; o < outputs; o++) move[o] = changes[code * outputs + o]!;
    });
  };
};

/** The entries of an input meet in every sample: after each, the slopes of those behind it are those of what is left. */
const featureStep = (
  layer: CodedLayer,
  features: Features,
  rows: MovableRows,
  table: Float32Array,
  { towards, penalty, top }: Descent,
): Step => {
  const { entries, outputs } = layer;
  const { values } = features;
  const normal = new Float64Array(entries * entries);
  const slopes = new Float64Array(entries * outputs);
  const changes = new Float64Array(entries * outputs);
  return (i) => {
    normal.fill(0);
    slopes.fill(0);
    rows.eachSum(i, (code, count, sums) => {
      const at = featureRow(layer, features, i, code);
      for (let k = 0; k < entries; k++) {
        const v = values[at + k]!;
        if (v === 0) continue;
        addRow(normal, k * entries, values, at, count * v, entries);
        addRow(slopes, k * outputs, sums, 0, v, outputs);
      }
    });
    const first = i * entries * outputs;
    for (let k = 0; k < entries; k++) {
      const weight = normal[k * entries + k]! + penalty;
      for (let o = 0, e = k * outputs; o < outputs; o++, e++) {
        const now = table[first + e]!;
        const best = weight > 0 ? (slopes[e]! + penalty * (towards[first + e]! - now)) / weight : 0;
        table[first + e] = nearestEntry(now + best, top);
        changes[e] = table[first + e]! - now;
      }
      for (let l = k + 1; l < entries; l++) {
        const shared = normal[k * entries + l]!;
        if (shared !== 0) addRow(slopes, l * outputs, changes, k * outputs, -shared, outputs);
      }
    }
    rows.moveEach(i, (code, move) => {
      const at = featureRow(layer, features, i, code);
      for (let k = 0; k < entries; k++) {
        const v = values[at + k]!;
        if (v !== 0) addRow(move, 0, changes, k * outputs, v, outputs);
      }
    });
  };
};
