/** The accumulators of the edge-table kernel, and what is written of them. */
import { type Address, type Asm, type Expr, loadVector, plus, storeVector } from '../../asm.js';
import type { Accumulator } from '../accumulators.js';
import { storeBytes } from '../store-lanes.js';
import type { TilePlace } from '../tile-loops.js';
import type { EdgeTiling } from './layout.js';

/**
 * What sums are: `narrow`, 16 bits, whose final value fits them; `wide`, 32 bits; `unsigned`, sums of
 * unsigned entries that fit 16 bits, to which a constant of 32 bits is added; `flushed`, the same for so many
 * entries that sums are emptied into memory before they can overflow.
 */
export type EdgeSums = 'narrow' | 'wide' | 'unsigned' | 'flushed';

/** A vector of a row: one accumulator, or two for an interleaved pair of units. */
export interface Piece {
  readonly offset: number;
  readonly half: boolean;
  readonly sum: Accumulator;
  readonly high: Accumulator | undefined;
}

/** `make`: accumulator k of the tile. */
export const piecesOf = (t: EdgeTiling, make: (k: number) => Accumulator): ReadonlyArray<Piece> => {
  const direct = t.mode._tag === 'direct16';
  return Array.from({ length: direct ? t.units : Math.ceil(t.units / 2) }, (_, v) => {
    const half = !direct && 2 * v + 1 === t.units;
    const first = direct ? v : 2 * v;
    return { offset: 16 * v, half, sum: make(first), high: direct || half ? undefined : make(first + 1) };
  });
};

/** The number of the first unit of a piece. */
export const unitOf = (t: EdgeTiling, { offset }: Piece): number => offset / (t.mode.unit * t.mode.entry);

type Units = ReadonlyArray<() => Expr>;

/** The sums of each unit, in the lanes of the mode, without the constant part. */
export const unitsOf = (asm: Asm, t: EdgeTiling, pieces: ReadonlyArray<Piece>): Units => {
  const { m } = asm;
  return pieces.flatMap(({ sum, high }) => {
    if (high === undefined) return [sum.get];
    const low = (): Expr =>
      t.mode.lane === 2
        ? m.i16x8.sub(sum.get(), m.i16x8.shl(high.get(), m.i32.const(8)))
        : m.i32x4.sub(sum.get(), m.i32x4.shl(high.get(), m.i32.const(16)));
    return [low, high.get];
  });
};

/** Writes the outputs of a tile: constant plus sum. `first`: the number of the first unit. */
export const storeUnits = (
  asm: Asm,
  sums: Exclude<EdgeSums, 'flushed'>,
  result: 'i16' | 'i32',
  units: Units,
  place: TilePlace,
  first = 0,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const bytes = result === 'i16' ? 2 : 4;
  const store = (output: number, value: Expr): ReadonlyArray<Expr> =>
    storeBytes(asm, plus(place.target, output * bytes), value, (place.valid - output) * bytes);
  return units.flatMap((unit, k) => {
    const u = first + k;
    const constant = (vector: number): Expr => loadVector(asm, plus(place.constants, 16 * vector));
    if (sums === 'wide') return store(4 * u, m.i32x4.add(unit(), constant(u)));
    const kept = asm.v128();
    if (sums === 'unsigned') {
      return [
        kept.set(unit()),
        ...store(8 * u, m.i32x4.add(m.i32x4.extend_low_i16x8_u(kept.get()), constant(2 * u))),
        ...store(8 * u + 4, m.i32x4.add(m.i32x4.extend_high_i16x8_u(kept.get()), constant(2 * u + 1))),
      ];
    }
    const total = m.i16x8.add(unit(), constant(u));
    if (result === 'i16') return store(8 * u, total);
    return [
      kept.set(total),
      ...store(8 * u, m.i32x4.extend_low_i16x8_s(kept.get())),
      ...store(8 * u + 4, m.i32x4.extend_high_i16x8_s(kept.get())),
    ];
  });
};

/** target += units, from unsigned 16 to 32 bits. */
export const addUnits = (asm: Asm, target: Address, units: Units): ReadonlyArray<Expr> => {
  const { m } = asm;
  return units.flatMap((unit, u) => {
    const kept = asm.v128();
    const [low, high] = [plus(target, 32 * u), plus(target, 32 * u + 16)];
    return [
      kept.set(unit()),
      storeVector(asm, low, m.i32x4.add(loadVector(asm, low), m.i32x4.extend_low_i16x8_u(kept.get()))),
      storeVector(asm, high, m.i32x4.add(loadVector(asm, high), m.i32x4.extend_high_i16x8_u(kept.get()))),
    ];
  });
};

/** Copies `count` words of 32 bits. */
export const copyWords = (asm: Asm, from: Address, to: Address, count: number): ReadonlyArray<Expr> =>
  Array.from({ length: Math.ceil(count / 4) }, (_, k) =>
    storeBytes(asm, plus(to, 16 * k), loadVector(asm, plus(from, 16 * k)), (count - 4 * k) * 4),
  ).flat();
