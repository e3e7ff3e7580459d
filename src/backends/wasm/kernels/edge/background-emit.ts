/** Code that finds the background of a sample, and adds what it adds. */
import {
  type Address,
  type Asm,
  type Expr,
  type Local,
  loadVector,
  plus,
  repeat,
  scaled,
  storeVector,
} from '../../asm.js';
import type { CodeBase } from '../tile-loops.js';
import type { Background } from './background.js';

/** Addresses of what `findForeground` reads and writes. */
export interface BackgroundPlaces {
  /** `intervalBlock`, `compactionBlock` and `rankBlock`. */
  readonly intervals: number;
  readonly compaction: number;
  readonly ranks: number;
  /** The list of foreground pairs: their ranks, 16 bits each. */
  readonly foreground: number;
  /** The codes of these pairs, two bytes each. */
  readonly codes: number;
  /** The list of 16-bit numbers of pairs where background begins or ends. */
  readonly borders: number;
}

export interface Foreground {
  readonly code: ReadonlyArray<Expr>;
  /** Where the list of foreground pairs ends. */
  readonly end: Local;
  /** Where the list of borders ends, an even number of them. */
  readonly bordersEnd: Local;
}

/** Elements that are looked at, from the first of the background: multiples of 32. */
export interface ElementRange {
  readonly from: number;
  readonly to: number;
}

/** Makes the lists of foreground pairs and of borders: begin of a run of background, its end, and so on. */
export const findForeground = (
  asm: Asm,
  b: Background,
  { from, to }: ElementRange,
  codes: CodeBase,
  places: BackgroundPlaces,
): Foreground => {
  const { m } = asm;
  const [end, bordersEnd, element] = [asm.i32(), asm.i32(), asm.i32()];
  const [bits, changes, before] = [asm.i32(), asm.i32(), asm.i32()];
  const numbers = asm.v128();
  const vectors = [asm.v128(), asm.v128()] as const;
  const pattern = asm.v128();
  const pointer = (): Expr =>
    codes.pointer === undefined ? element.get() : m.i32.add(codes.pointer(), element.get());
  const background = backgroundBits(asm, b, places.intervals, element, vectors);
  const append = appender(asm, places.compaction, pattern);
  const appendPairs = (half: 0 | 1, eight: () => Expr): ReadonlyArray<Expr> =>
    append(end, eight, [
      { offset: 0, of: () => m.v128.load(places.ranks + 16 * half, 1, element.get()) },
      { offset: places.codes - places.foreground, of: vectors[half].get },
    ]);
  const appendBorders = (eight: () => Expr): ReadonlyArray<Expr> =>
    append(bordersEnd, eight, [{ offset: 0, of: numbers.get }]);
  const low = (of: Local) => (): Expr => m.i32.and(of.get(), m.i32.const(255));
  const high = (of: Local) => (): Expr => m.i32.shr_u(of.get(), m.i32.const(8));
  const eightMore = (): Expr => numbers.set(m.i16x8.add(numbers.get(), m.i16x8.splat(m.i32.const(8))));
  return {
    end,
    bordersEnd,
    code: [
      end.set(m.i32.const(places.foreground)),
      bordersEnd.set(m.i32.const(places.borders)),
      numbers.set(eightNumbers(asm, from / 2)),
      element.set(m.i32.const(from)),
      // Whatever comes before the first pair is foreground.
      before.set(m.i32.const(1)),
      repeat(asm, element, 32, () => m.i32.const(to), [
        ...vectors.map((v, half) => v.set(m.v128.load(codes.offset + b.first + 16 * half, 1, pointer()))),
        bits.set(m.i32.xor(background(), m.i32.const(0xffff))),
        changes.set(
          m.i32.and(
            m.i32.xor(bits.get(), m.i32.or(m.i32.shl(bits.get(), m.i32.const(1)), before.get())),
            m.i32.const(0xffff),
          ),
        ),
        before.set(m.i32.shr_u(bits.get(), m.i32.const(15))),
        ...appendPairs(0, low(bits)),
        ...appendBorders(low(changes)),
        eightMore(),
        ...appendPairs(1, high(bits)),
        ...appendBorders(high(changes)),
        eightMore(),
      ]),
      // A run of background may reach to the end.
      m.i32.store16(0, 1, bordersEnd.get(), m.i32.const(to / 2)),
      bordersEnd.set(m.i32.and(m.i32.add(bordersEnd.get(), m.i32.const(2)), m.i32.const(~3))),
    ],
  };
};

const eightNumbers = ({ m }: Asm, first: number): Expr =>
  m.i16x8.add(
    m.i16x8.splat(m.i32.const(first)),
    m.v128.const([0, 1, 2, 3, 4, 5, 6, 7].flatMap((lane) => [lane, 0])),
  );

/** Of sixteen pairs in two vectors, a bit for each of which both elements are background. */
const backgroundBits = (
  { m }: Asm,
  { count }: Background,
  intervals: number,
  element: Local,
  vectors: readonly [Local, Local],
): (() => Expr) => {
  const constants = (part: number, at: number): Expr =>
    m.v128.load(intervals + part * count + at, 1, element.get());
  /** Pairs of which both are background, of sixteen elements: lanes of all ones. */
  const bothIn = (half: 0 | 1): Expr => {
    const above = m.i8x16.sub(vectors[half].get(), constants(0, 16 * half));
    return m.i16x8.eq(m.i8x16.le_u(above, constants(1, 16 * half)), m.i32x4.splat(m.i32.const(-1)));
  };
  return () => m.i8x16.bitmask(m.i8x16.narrow_i16x8_s(bothIn(0), bothIn(1)));
};

/** Appends to lists, at given distances from their end, those of eight lanes whose bits are set. */
const appender = (asm: Asm, compaction: number, pattern: Local) => {
  const { m } = asm;
  return (
    to: Local,
    eight: () => Expr,
    lanes: ReadonlyArray<{ readonly offset: number; readonly of: () => Expr }>,
  ): ReadonlyArray<Expr> => [
    pattern.set(m.v128.load(compaction, 1, m.i32.shl(eight(), m.i32.const(4)))),
    ...lanes.map(({ offset, of }) =>
      storeVector(asm, { pointer: to.get, offset }, m.i8x16.swizzle(of(), pattern.get())),
    ),
    to.set(m.i32.add(to.get(), m.i32.shl(m.i32.popcnt(eight()), m.i32.const(1)))),
  ];
};

/** Accumulators that stay in registers beside the rows that are added to them. */
const CHUNK = 8;

/**
 * target = constants + what the background adds, for the outputs of a tile. `prefixes`: the sums of the tile.
 */
export const addBackground = (
  asm: Asm,
  borders: { readonly begin: number; readonly end: Local },
  constants: Address,
  prefixes: Address,
  target: Address,
  tile: { readonly outputs: number; readonly entry: 2 | 4 },
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const add = tile.entry === 2 ? m.i16x8.add : m.i32x4.add;
  const sub = tile.entry === 2 ? m.i16x8.sub : m.i32x4.sub;
  const rowBytes = tile.outputs * tile.entry;
  const vectors = rowBytes / 16;
  const [at, begin, end] = [asm.i32(), asm.i32(), asm.i32()];
  const sums = Array.from({ length: Math.min(CHUNK, vectors) }, () => asm.v128());
  const row = (k: number): Expr =>
    m.i32.add(prefixes.pointer(), scaled(m, m.i32.load16_u(2 * k, 1, at.get()), rowBytes));
  return Array.from({ length: Math.ceil(vectors / CHUNK) }, (_, c) => {
    const chunk = sums.slice(0, vectors - c * CHUNK).map((sum, k) => ({ sum, bytes: 16 * (c * CHUNK + k) }));
    const label = asm.label();
    return [
      ...chunk.map(({ sum, bytes }) => sum.set(loadVector(asm, plus(constants, bytes)))),
      at.set(m.i32.const(borders.begin)),
      m.block(label, [
        m.br(label, m.i32.eq(at.get(), borders.end.get())),
        repeat(asm, at, 4, borders.end.get, [
          begin.set(row(0)),
          end.set(row(1)),
          ...chunk.map(({ sum, bytes }) =>
            sum.set(
              add(
                sub(sum.get(), loadVector(asm, { pointer: begin.get, offset: prefixes.offset + bytes })),
                loadVector(asm, { pointer: end.get, offset: prefixes.offset + bytes }),
              ),
            ),
          ),
        ]),
      ]),
      ...chunk.map(({ sum, bytes }) => storeVector(asm, plus(target, bytes), sum.get())),
    ];
  }).flat();
};
