/**
 * The loops around a table layer: groups of outputs, tiles whose accumulators stay in registers, and, over windows,
 * positions. Positions are innermost, so that the table of a tile stays in the cache for all of them.
 */
import {
  type Address,
  type Asm,
  addressIn,
  type Expr,
  fixed,
  type Place,
  repeat,
  rounds,
  scaled,
} from '../asm.js';
import type { WindowGeometry } from './window.js';

/** Outputs cut into tiles: of each group, `tiles` tiles of `tile` outputs, the last of which may be less full. */
export interface Tiles {
  readonly groups: number;
  readonly tiles: number;
  readonly tile: number;
  /** Outputs of a group. */
  readonly outputs: number;
}

/** What positions need. */
export interface Positions {
  readonly geometry: WindowGeometry;
  /** Address of the words of `positionWords`. */
  readonly words: number;
  readonly codeBytes: number;
}

/** Where codes are read: an address to which a code's own offset is added. */
export interface CodeBase {
  readonly pointer: (() => Expr) | undefined;
  readonly offset: number;
}

/** One tile at one position. */
export interface TilePlace {
  readonly codes: CodeBase;
  /** Where its accumulators start. */
  readonly constants: Address;
  readonly target: Address;
  /** Outputs that may be written: nothing beyond them belongs to this tile. */
  readonly valid: number;
}

export interface TileLoops {
  readonly tiles: Tiles;
  readonly source: Place;
  readonly target: number;
  readonly resultBytes: number;
  readonly constants: number;
  readonly constantBytes: number;
  readonly positions: Positions | undefined;
}

/** `enter` runs once for a tile with the number of its group and its own over all groups, `body` for every place. */
export const tileLoops = (
  asm: Asm,
  loops: TileLoops,
  enter: (group: () => Expr, number: () => Expr) => ReadonlyArray<Expr>,
  body: (place: TilePlace) => ReadonlyArray<Expr>,
): ReadonlyArray<Expr> =>
  loops.positions === undefined
    ? plainLoops(asm, loops, enter, body)
    : windowLoops(asm, loops, loops.positions, enter, body);

/** Where the codes of a value are. */
export const codesAt = (asm: Asm, place: Place): CodeBase =>
  place._tag === 'fixed' ? { pointer: undefined, offset: place.address } : { pointer: asm.input, offset: 0 };

/** Tiles are written in order: what one writes too much, the next one or nobody reads. */
const plainLoops: (
  asm: Asm,
  loops: TileLoops,
  enter: Parameters<typeof tileLoops>[2],
  body: Parameters<typeof tileLoops>[3],
) => ReadonlyArray<Expr> = (asm, loops, enter, body) => {
  const { m } = asm;
  const { tile, tiles } = loops.tiles;
  const codes = codesAt(asm, loops.source);
  return rounds(asm, tiles, 1, (t) => {
    const at = (address: number, bytes: number): Address =>
      addressIn(asm, fixed(address), () => scaled(m, t(), tile * bytes));
    return [
      ...enter(() => m.i32.const(0), t),
      ...body({
        codes,
        constants: at(loops.constants, loops.constantBytes),
        target: at(loops.target, loops.resultBytes),
        valid: tile,
      }),
    ];
  });
};

const windowLoops = (
  asm: Asm,
  loops: TileLoops,
  positions: Positions,
  enter: Parameters<typeof tileLoops>[2],
  body: Parameters<typeof tileLoops>[3],
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { groups, tiles, tile, outputs } = loops.tiles;
  const { geometry, codeBytes } = positions;
  const [origin, constants, target, record, tileConstants, groupCodes] = [
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
    asm.i32(),
  ];
  const lastOutputs = outputs - (tiles - 1) * tile;
  const runs =
    lastOutputs === tile
      ? [{ first: 0, count: tiles, valid: tile }]
      : [
          { first: 0, count: tiles - 1, valid: tile },
          { first: tiles - 1, count: 1, valid: lastOutputs },
        ];
  const groupBytes = (geometry.channels / groups) * codeBytes;
  const end = positions.words + 8 * geometry.starts.length;
  const from = loops.source;
  const inputPart = (): Expr => (from._tag === 'fixed' ? m.i32.const(0) : asm.input());
  return rounds(asm, groups, 1, (g) =>
    runs.flatMap(({ first, count, valid }) =>
      rounds(asm, count, 1, (t) => {
        const inGroup = (): Expr => m.i32.add(t(), m.i32.const(first));
        const number = (): Expr => m.i32.add(scaled(m, g(), tiles), inGroup());
        const firstOutput = m.i32.add(scaled(m, g(), outputs), scaled(m, inGroup(), tile));
        return [
          ...enter(g, number),
          groupCodes.set(m.i32.add(scaled(m, g(), groupBytes), inputPart())),
          tileConstants.set(scaled(m, number(), tile * loops.constantBytes)),
          target.set(m.i32.add(m.i32.const(loops.target), scaled(m, firstOutput, loops.resultBytes))),
          record.set(m.i32.const(positions.words)),
          repeat(asm, record, 8, () => m.i32.const(end), [
            origin.set(m.i32.add(m.i32.load(0, 4, record.get()), groupCodes.get())),
            constants.set(m.i32.add(m.i32.load(4, 4, record.get()), tileConstants.get())),
            ...body({
              codes: { pointer: origin.get, offset: from._tag === 'fixed' ? from.address : 0 },
              constants: { pointer: constants.get, offset: loops.constants },
              target: { pointer: target.get, offset: 0 },
              valid,
            }),
            target.set(m.i32.add(target.get(), m.i32.const(groups * outputs * loops.resultBytes))),
          ]),
        ];
      }),
    ),
  );
};

/** The constants of accumulators by class, group and tile, padded to whole tiles: [class, group, tile, output]. */
export const tileConstants = <A extends Int16Array | Int32Array>(
  t: Tiles,
  starts: ArrayLike<number>,
  make: (length: number) => A,
): A => {
  const perClass = t.groups * t.outputs;
  const classes = starts.length / perClass;
  const padded = t.tiles * t.tile;
  const data = make(classes * t.groups * padded);
  for (let k = 0; k < classes * t.groups; k++) {
    // Whole numbers below 2^53; what is stored is their residue, as in the sums of the kernels.
    for (let o = 0; o < t.outputs; o++) data[k * padded + o] = starts[k * t.outputs + o]!;
  }
  return data;
};

/** Bytes of the constants of one class. */
export const classBytes = (t: Tiles, entryBytes: number): number => t.groups * t.tiles * t.tile * entryBytes;
