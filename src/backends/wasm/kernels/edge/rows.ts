/** The inputs of a layer in rounds of rows, adding these rows to the sums of a tile, and the loops over rounds. */
import { type Asm, type Expr, type Local, repeat, scaled } from '../../asm.js';
import type { Accumulator } from '../accumulators.js';
import { type CodeSource, loadSourceCode } from '../code-source.js';
import type { CodeBase } from '../tile-loops.js';
import type { EdgeGroups } from './analysis.js';
import type { EdgeMode } from './layout.js';
import type { Piece } from './sums.js';

/** Where a row is. */
export interface Row {
  readonly pointer: () => Expr;
  readonly offset: number;
}

/** Rows that are added together before they are widened. */
export type Group = ReadonlyArray<Row>;

/**
 * Rows that are added to the sums at once. Each needs a register for its address, of which x86 has twelve beside those
 * that V8 keeps for itself; the sums are loaded and stored once for all of them.
 */
export const ROUND = 8;

/**
 * Code that adds the rows of some groups, `ROUND` rows at most. `fresh`: nothing has been added before, and accumulators hold
 * anything. `then`: what follows for a piece.
 */
export type AddRows = (
  groups: ReadonlyArray<Group>,
  fresh?: boolean,
  then?: (piece: Piece) => ReadonlyArray<Expr>,
) => ReadonlyArray<Expr>;

/** Addresses of the rows first, then vector by vector their sum. */
export const rowAdder = (asm: Asm, mode: EdgeMode, pieces: ReadonlyArray<Piece>): AddRows => {
  const { m } = asm;
  const pointers = Array.from({ length: ROUND }, () => asm.i32());
  const totals = Array.from({ length: ROUND }, () => asm.v128());
  const add = (a: Expr, b: Expr): Expr => (mode.lane === 2 ? m.i16x8.add(a, b) : m.i32x4.add(a, b));
  const shift = (v: Expr): Expr =>
    mode.lane === 2 ? m.i16x8.shr_u(v, m.i32.const(8)) : m.i32x4.shr_u(v, m.i32.const(16));
  const load = (half: boolean, pointer: Expr, offset: number): Expr =>
    !half
      ? m.v128.load(offset, 1, pointer)
      : mode.entry === 1
        ? m.v128.load8x8_u(offset, 1, pointer)
        : m.v128.load16x4_u(offset, 1, pointer);
  return (groups, fresh = false, then = () => []) => {
    const grow = (sum: Accumulator, more: Expr): Expr => sum.set(fresh ? more : add(more, sum.get()));
    const placed = placeRows(groups, pointers);
    const find = placed.flat().map(({ row, at }) => at.set(row.pointer()));
    const sums = pieces.flatMap((piece) => {
      const total = (group: (typeof placed)[number]): Expr =>
        group.map(({ row, at }) => load(piece.half, at.get(), row.offset + piece.offset)).reduce(add);
      if (piece.high === undefined) return [grow(piece.sum, placed.map(total).reduce(add)), ...then(piece)];
      const kept = totals.slice(0, placed.length);
      return [
        ...kept.map((local, g) => local.set(total(placed[g]!))),
        grow(piece.sum, kept.map((local) => local.get()).reduce(add)),
        grow(piece.high, kept.map((local) => shift(local.get())).reduce(add)),
        ...then(piece),
      ];
    });
    return [...find, ...sums];
  };
};

const placeRows = (groups: ReadonlyArray<Group>, pointers: ReadonlyArray<Local>) => {
  let next = 0;
  return groups.map((group) => group.map((row) => ({ row, at: pointers[next++]! })));
};

/** The byte offset of the row of a code, from that of code 0. `map`: address of these offsets by source code. */
export const rowOffset = (
  asm: Asm,
  source: CodeSource,
  codes: CodeBase,
  at: (() => Expr) | number,
  codeStride: number,
  map: number,
): Expr => {
  const { m } = asm;
  const found = loadSourceCode(asm, source, codes, at);
  return source.map === undefined ? scaled(m, found, codeStride) : m.i32.load(map, 1, scaled(m, found, 4));
};

/** How sums are kept from overflowing: after `limit` groups they are emptied by `flush`. */
export interface Flushing {
  readonly limit: number;
  readonly flush: () => ReadonlyArray<Expr>;
}

/**
 * Runs `body` while `counter` is not at `end`, in steps of `step`; at least once. `most`: how many rounds there may be.
 */
export const groupLoop = (
  asm: Asm,
  counter: Local,
  step: number,
  end: () => Expr,
  most: number,
  body: ReadonlyArray<Expr>,
  flushing: Flushing | undefined,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  if (flushing === undefined) return [repeat(asm, counter, step, end, body)];
  const { limit, flush } = flushing;
  if (most <= limit) return [repeat(asm, counter, step, end, body), ...flush()];
  const stop = asm.i32();
  const next = (): Expr => m.i32.add(counter.get(), m.i32.const(limit * step));
  const label = asm.label();
  return [
    m.loop(
      label,
      m.block(null, [
        stop.set(m.select(m.i32.lt_u(next(), end()), next(), end())),
        repeat(asm, counter, step, stop.get, body),
        ...flush(),
        m.br(label, m.i32.ne(counter.get(), end())),
      ]),
    ),
  ];
};

/** Runs code unless a counter is at its end. */
export const unlessDone = (asm: Asm, counter: Local, end: () => Expr, body: ReadonlyArray<Expr>): Expr => {
  const { m } = asm;
  const label = asm.label();
  return m.block(label, [m.br(label, m.i32.eq(counter.get(), end())), ...body]);
};

/** Rounds of one form; the slots of all rounds stand one after the other. */
export interface Rounds {
  /** The sizes of the groups that a round adds. */
  readonly groups: ReadonlyArray<number>;
  readonly count: number;
}

export const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0);

/** Every round by itself. */
export const unrolledRounds = (rounds: ReadonlyArray<Rounds>): ReadonlyArray<Rounds> =>
  rounds.flatMap(({ groups, count }) => Array.from({ length: count }, () => ({ groups, count: 1 })));

/**
 * The groups of a layer in rounds: as many rounds of quads, pairs and singles as are whole, then rounds of what is
 * left of each. Returns the slots in that order.
 */
export const roundsOf = (
  groups: EdgeGroups,
): { readonly slots: ReadonlyArray<number>; readonly rounds: ReadonlyArray<Rounds> } => {
  const kinds = [
    { size: 4, inputs: groups.quads },
    { size: 2, inputs: groups.pairs },
    { size: 1, inputs: groups.singles },
  ].map(({ size, inputs }) => {
    const count = Math.floor(inputs.length / ROUND);
    const whole: Rounds = { groups: Array.from({ length: ROUND / size }, () => size), count };
    const rest = Array.from({ length: (inputs.length % ROUND) / size }, () => size);
    return { whole, inputs: inputs.slice(0, count * ROUND), rest, left: inputs.slice(count * ROUND) };
  });
  const last: number[][] = [];
  for (const size of kinds.flatMap((k) => k.rest)) {
    const open = last[last.length - 1];
    if (open !== undefined && sum(open) + size <= ROUND) open.push(size);
    else last.push([size]);
  }
  return {
    slots: [...kinds.flatMap((k) => k.inputs), ...kinds.flatMap((k) => k.left)],
    rounds: [...kinds.map((k) => k.whole), ...last.map((sizes) => ({ groups: sizes, count: 1 }))].filter(
      (r) => r.count > 0,
    ),
  };
};
