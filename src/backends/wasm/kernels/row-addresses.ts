/**
 * The addresses of the rows of foreground pairs, computed for eight pairs at once from the lists of their ranks and codes.
 * Rows are then found by one load each.
 */
import { type Asm, type Expr, type Local, loadVector, repeat, splatI32, storeVector } from '../asm.js';
import { type CodeSource, layerCode } from './code-source.js';
import { unlessDone } from './edge-rows.js';
import { applyLinear, type LinearMap, linearMap } from './recode-linear.js';

/** How codes of a pair's two bytes become codes of the layer: as they are, by arithmetic, or byte by byte. */
export type CodeMap =
  | { readonly _tag: 'none' }
  | ({ readonly _tag: 'linear' } & LinearMap)
  | { readonly _tag: 'bytes'; readonly bytes: Uint8Array };

export const codeMapOf = (source: CodeSource): CodeMap => {
  if (source.map === undefined) return { _tag: 'none' };
  const map = Uint8Array.from({ length: source.levels }, (_, code) => layerCode(source, code));
  const linear = linearMap(map);
  return linear === undefined ? { _tag: 'bytes', bytes: map } : { _tag: 'linear', ...linear };
};

export interface AddressPlaces {
  /** Lists of the ranks and codes of pairs; `end` is where the list of ranks ends. */
  readonly ranks: number;
  readonly codes: number;
  readonly end: Local;
  /** Where addresses are written: for every four pairs those of their first rows, then those of their second. */
  readonly addresses: number;
  /** The bytes of a map of that kind. */
  readonly map: number;
}

/** How rows lie: byte distances, and the rank of a pair whose rows are zeros at every code. */
export interface RowLayout {
  readonly codeStride: number;
  readonly pairBytes: number;
  readonly zeroRank: number;
}

/** Bytes of the addresses of four pairs. */
export const QUAD_BYTES = 32;

/**
 * Writes the addresses of rows relative to a tile, without `rowBytes` for second rows, and fills up with zero rows to a
 * multiple of four pairs. `addressesEnd` is set to where they end.
 */
export const writeAddresses = (
  asm: Asm,
  map: CodeMap,
  layout: RowLayout,
  places: AddressPlaces,
  addressesEnd: Local,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { ranks, codes, end } = places;
  const at = asm.i32();
  const [stop, both, rank] = [asm.i32(), asm.v128(), asm.v128()];
  const members = [asm.v128(), asm.v128()] as const;
  const splat16 = (value: number): Expr => m.i16x8.splat(m.i32.const(value));
  /** Bytes from the first list entry, rounded up to a multiple. */
  const listed = (multiple: number): Expr =>
    m.i32.and(m.i32.add(end.get(), m.i32.const(multiple - 1 - ranks)), m.i32.const(-multiple));
  const mapped = (code: Expr): Expr => (map._tag === 'linear' ? applyLinear(asm, map, code) : code);
  const half = (k: 0 | 1, lanes: Local): Expr =>
    k === 0 ? m.i32x4.extend_low_i16x8_u(lanes.get()) : m.i32x4.extend_high_i16x8_u(lanes.get());
  const slabs = [asm.v128(), asm.v128()] as const;
  const write = ([0, 1] as const).flatMap((k) => [
    slabs[k].set(timesVector(asm, half(k, rank), layout.pairBytes)),
    ...members.map((code, member) =>
      storeVector(
        asm,
        {
          pointer: () => m.i32.shl(at.get(), m.i32.const(2)),
          offset: places.addresses + k * QUAD_BYTES + 16 * member,
        },
        m.i32x4.add(timesVector(asm, half(k, code), layout.codeStride), slabs[k].get()),
      ),
    ),
  ]);
  return [
    ...(map._tag === 'bytes' ? mapBytes(asm, places) : []),
    storeVector(asm, { pointer: end.get, offset: 0 }, splat16(layout.zeroRank)),
    storeVector(asm, { pointer: end.get, offset: codes - ranks }, splat16(0)),
    addressesEnd.set(m.i32.add(m.i32.shl(listed(8), m.i32.const(2)), m.i32.const(places.addresses))),
    stop.set(listed(16)),
    at.set(m.i32.const(0)),
    unlessDone(asm, at, stop.get, [
      repeat(asm, at, 16, stop.get, [
        rank.set(loadVector(asm, { pointer: at.get, offset: ranks })),
        both.set(loadVector(asm, { pointer: at.get, offset: codes })),
        members[0].set(mapped(m.v128.and(both.get(), splat16(0xff)))),
        members[1].set(mapped(m.i16x8.shr_u(both.get(), m.i32.const(8)))),
        ...write,
      ]),
    ]),
  ];
};

/** Sends the bytes of listed codes through a map. */
const mapBytes = (asm: Asm, { ranks, codes, end, map }: AddressPlaces): ReadonlyArray<Expr> => {
  const { m } = asm;
  const at = asm.i32();
  const entry = (member: number): number => codes - ranks + member;
  return [
    at.set(m.i32.const(ranks)),
    unlessDone(asm, at, end.get, [
      repeat(
        asm,
        at,
        2,
        end.get,
        [0, 1].map((member) =>
          m.i32.store8(
            entry(member),
            1,
            at.get(),
            m.i32.load8_u(map, 1, m.i32.load8_u(entry(member), 1, at.get())),
          ),
        ),
      ),
    ]),
  ];
};

const timesVector = (asm: Asm, lanes: Expr, factor: number): Expr => {
  const log = Math.log2(factor);
  return Number.isInteger(log)
    ? asm.m.i32x4.shl(lanes, asm.m.i32.const(log))
    : asm.m.i32x4.mul(lanes, splatI32(asm, factor));
};
