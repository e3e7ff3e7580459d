/**
 * Kernels that do the same to every element, a few at a time, with constants that differ between channels. Channels
 * are interleaved, so constants repeat with the channels: they are stored for the least common multiple of channels
 * and lanes, and a second counter walks that table round and round.
 */
import {
  type Address,
  type Asm,
  addressIn,
  type Expr,
  type Local,
  type Place,
  plus,
  repeat,
  rounds,
  scaled,
} from '../../asm.js';
import type { KernelBase } from '../../kernel.js';
import { roundUp, type Storage, storageBytes } from '../../storage.js';

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Entries of a table of constants. */
export const tableLength = (base: KernelBase, lanes: number): number =>
  Math.min(roundUp(base.length, lanes), (base.channels * lanes) / gcd(base.channels, lanes));

/** A table of constants for `elementRounds`: the element at k has the constant of its channel. */
export const channelTable = <A extends Float32Array | Int32Array>(
  base: KernelBase,
  lanes: number,
  make: (length: number) => A,
  of: (channel: number) => number,
): A => {
  const table = make(tableLength(base, lanes));
  for (let k = 0; k < table.length; k++) table[k] = of(k % base.channels);
  return table;
};

/**
 * Runs `body` for elements 0, lanes, 2 * lanes, ...: `index` counts elements, `at` entries of tables of constants.
 */
export const elementRounds = (
  asm: Asm,
  base: KernelBase,
  lanes: number,
  body: (index: () => Expr, at: () => Expr) => ReadonlyArray<Expr>,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const padded = roundUp(base.length, lanes);
  const entries = tableLength(base, lanes);
  if (entries === padded) return unrolledRounds(asm, padded, lanes, (index) => body(index, index));
  if (entries === lanes)
    return unrolledRounds(asm, padded, lanes, (index) => body(index, () => m.i32.const(0)));
  const [index, at] = [asm.i32(), asm.i32()];
  const next = (): Expr => m.i32.add(at.get(), m.i32.const(lanes));
  return [
    index.set(m.i32.const(0)),
    at.set(m.i32.const(0)),
    repeat(asm, index, lanes, () => m.i32.const(padded), [
      ...body(index.get, at.get),
      at.set(m.select(m.i32.eq(next(), m.i32.const(entries)), m.i32.const(0), next())),
    ]),
  ];
};

/** Elements that are done one by one go through four at a time: half of such a loop is counting. */
const UNROLLED = 4;

/** `body` for 0, lanes, ... below `length`, a multiple of `lanes`. */
const unrolledRounds = (
  asm: Asm,
  length: number,
  lanes: number,
  body: (index: () => Expr) => ReadonlyArray<Expr>,
): ReadonlyArray<Expr> => {
  if (lanes > 1) return rounds(asm, length / lanes, lanes, body);
  const { m } = asm;
  const whole = Math.floor(length / UNROLLED);
  return [
    ...rounds(asm, whole, UNROLLED, (index) =>
      Array.from({ length: UNROLLED }, (_, k) =>
        body(() => (k === 0 ? index() : m.i32.add(index(), m.i32.const(k)))),
      ).flat(),
    ),
    ...Array.from({ length: length - whole * UNROLLED }, (_, k) =>
      body(() => m.i32.const(whole * UNROLLED + k)),
    ).flat(),
  ];
};

/** Where the elements of a round are: `index` counts elements, `at` entries of tables of constants. */
export interface Round {
  readonly index: () => Expr;
  readonly at: () => Expr;
}

/** The address of element `lane` of a round. */
export const elementAt = (
  asm: Asm,
  place: Place,
  storage: Storage,
  { index }: Round,
  lane: number,
): Address => {
  const bytes = storageBytes(storage);
  return plus(
    addressIn(asm, place, () => scaled(asm.m, index(), bytes)),
    lane * bytes,
  );
};

/**
 * What has to be computed before an expression. A node of binaryen has one parent: what is read twice is held in a local,
 * one of `make` each.
 */
export const holder = (
  make: () => Local,
): { readonly before: Expr[]; readonly held: (value: Expr) => () => Expr } => {
  const before: Expr[] = [];
  const held = (value: Expr): (() => Expr) => {
    const local = make();
    before.push(local.set(value));
    return local.get;
  };
  return { before, held };
};
