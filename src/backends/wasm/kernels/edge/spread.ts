/**
 * Edge tables over windows of stride 1, taken apart by pixels: what a pixel adds is the same row for every window that holds
 * it, up to the tap. So first, for every pixel, rows of its channels are summed that hold the outputs of all taps
 * (*spread* sums: [pixel, tap, output]); then an accumulator is the sum of one spread sum for each tap.
 *
 * A code is looked up once and not once for every tap, and rows are as many times longer: the addition is the same work, finding
 * rows is less, and a lookup touches neighbouring cache lines. All sums are modulo 2^16, in which final accumulators fit.
 */
import type { TypedArray } from '../../../../ir/element.js';
import { type Asm, type Expr, loadVector, repeat, rounds, scaled, storeVector } from '../../asm.js';
import { type Addresses, type Bound, type Kernel, type KernelBase, withBlocks } from '../../kernel.js';
import { blockOf, roundUp, storageBytes } from '../../storage.js';
import { accumulatorInMemory } from '../accumulators.js';
import { type CodeSource, slotList } from '../code-source.js';
import { tileConstants } from '../tile-loops.js';
import { startsByClass, type WindowGeometry, windowGeometry } from '../window.js';
import { analyseEdges, type EdgeTable, groupInputs, groupsText } from './analysis.js';
import { type EdgeBound, type EdgeCode, ownBytes } from './code.js';
import { layerCode } from './emit.js';
import { codeStride, type EdgeMode, type EdgeTiling, MAX_UNITS, packTable, tilesOf } from './layout.js';
import { roundsOf } from './rows.js';

/** Spread sums that do not stay in a second-level cache cost more than they save. */
const MOST_BYTES = 1024 * 1024;
/** Instructions that find a row. */
const FIND = 5;
/** What a cache line costs in instructions, in tables that stay in the second-level cache and in others. */
const [LINE, LINE_BEYOND, CACHED] = [1, 6, 512 * 1024];
/** Outputs of a vector of 16-bit sums. */
export const OUTPUTS = 8;

/** How a layer is taken apart. */
export interface Spread {
  readonly geometry: WindowGeometry;
  readonly places: number;
  /** Outputs of a tap, in whole vectors. */
  readonly outputs: number;
  readonly tiling: EdgeTiling;
  /** Bytes of the spread sums of a pixel, and of all pixels with their frame, which stays zero. */
  readonly pixelBytes: number;
  readonly bytes: number;
}

/**
 * Instructions for a row of a tile: four for 16 outputs of one byte, three for a half vector, and those that a cache line is
 * worth.
 */
const rowCost = (mode: EdgeMode, units: number, line: number): number => {
  const vectors = mode._tag === 'direct16' ? 2 * units : 4 * Math.floor(units / 2) + 3 * (units % 2);
  const bytes = units * mode.unit * mode.entry;
  return FIND + vectors + line * Math.ceil(bytes / 64 + (bytes % 64 === 0 ? 0 : 0.5));
};

const tilingOf = (mode: EdgeMode, outputs: number, line: number): EdgeTiling => {
  const all = Math.ceil(outputs / mode.unit);
  const cost = (units: number): number => Math.ceil(all / units) * rowCost(mode, units, line);
  const sizes = Array.from({ length: Math.min(MAX_UNITS, all) }, (_, k) => k + 1);
  const units = sizes.reduce((a, b) => (cost(b) <= cost(a) ? b : a));
  return tilesOf(mode, outputs, 1, units);
};

/** Undefined where the layer is better summed window by window. `isUnit`: stride 1; `mode`: of 16-bit lanes. */
export const spreadOf = (
  g: WindowGeometry,
  isUnit: boolean,
  mode: EdgeMode,
  { width, codes }: EdgeTable,
): Spread | undefined => {
  if (!isUnit || g.groups > 1 || g.area === 1 || mode.lane !== 2) return undefined;
  const outputs = roundUp(width, OUTPUTS);
  const line = g.taps * codes * width * mode.entry > CACHED ? LINE_BEYOND : LINE;
  const tiling = tilingOf(mode, g.area * outputs, line);
  const pixelBytes = 2 * tiling.tiles * tiling.tile;
  const bytes = (g.height + 2 * g.frame[0]) * (g.width + 2 * g.frame[1]) * pixelBytes;
  const pixels = g.height * g.width;
  const spread =
    pixels * g.channels * tiling.tiles * rowCost(mode, tiling.units, line) +
    g.starts.length * (outputs / OUTPUTS) * 2 * (g.area + 1);
  const direct = g.starts.length * g.taps * rowCost(mode, Math.ceil(width / mode.unit), line);
  return bytes > MOST_BYTES || direct <= spread
    ? undefined
    : { geometry: g, places: g.area, outputs, tiling, pixelBytes, bytes };
};

/** The table of the first sums: input c is channel c, its outputs are those of all taps. */
const spreadTable = (t: EdgeTable, s: Spread): EdgeTable => {
  const { channels } = s.geometry;
  const width = s.places * s.outputs;
  const length = channels * t.codes * width;
  const data: TypedArray = t.data instanceof Int8Array ? new Int8Array(length) : new Int32Array(length);
  for (let c = 0; c < channels; c++) {
    for (let place = 0; place < s.places; place++) {
      const first = t.first(t.slabOf(c * s.places + place), 0);
      for (let code = 0; code < t.codes; code++) {
        const to = (c * t.codes + code) * width + place * s.outputs;
        const from = first + code * t.width;
        for (let o = 0; o < t.width; o++) data[to + o] = t.data[from + o]!;
      }
    }
  }
  return {
    data,
    inputs: channels,
    slabs: channels,
    codes: t.codes,
    padded: false,
    groups: 1,
    width,
    outputs: width,
    slabOf: (input) => input,
    first: (slab) => slab * t.codes * width,
    bias: undefined,
  };
};

/** Where accumulators start, by class: the bias, and what taps in the padding add. [class, outputs] */
const startsOf = (t: EdgeTable, s: Spread): Float64Array => {
  const bias = Float64Array.from({ length: s.outputs }, (_, o) => (o < t.width ? (t.bias?.[o] ?? 0) : 0));
  const beyond = new Float64Array(s.places * s.outputs);
  if (t.padded) {
    for (let i = 0; i < t.inputs; i++) {
      const from = t.first(t.slabOf(i), 0) + t.codes * t.width;
      const to = (i % s.places) * s.outputs;
      for (let o = 0; o < t.width; o++) beyond[to + o]! += t.data[from + o]!;
    }
  }
  return startsByClass(s.geometry, bias, beyond);
};

/** By position, two words: the byte offset of the spread sums of its first pixel and that of the constants of its class. */
const spreadWords = ({ geometry: g, pixelBytes, outputs }: Spread): Uint32Array => {
  const words = new Uint32Array(2 * g.starts.length);
  for (let p = 0; p < g.starts.length; p++) {
    words[2 * p] = (g.starts[p]! / g.channels) * pixelBytes;
    words[2 * p + 1] = g.classOf[p]! * 2 * outputs;
  }
  return words;
};

/**
 * `table`: the layer's, whose accumulators fit 16 bits, of entries of `bits`. `capacity`: what an entry holds in memory.
 * `source`: of the image, without a map, as those of windows are.
 */
export const edgeSpread = (
  base: KernelBase,
  { table, bits }: { readonly table: EdgeTable; readonly bits: number },
  s: Spread,
  capacity: number,
  { storage, levels }: CodeSource,
  result: 'i16' | 'i32',
): Kernel => {
  const { geometry: g, tiling } = s;
  // Its channels stand as they are.
  const source: CodeSource = { storage, levels };
  const first = analyseEdges(spreadTable(table, s));
  const groups = groupInputs(first, capacity);
  const { slots, rounds: rowRounds } = roundsOf(groups);
  const stride = codeStride(tiling, slots.length);
  const code: EdgeCode = {
    tiling,
    source,
    list: slotList(source, slots, undefined),
    window: windowGeometry(PIXEL, [g.channels, g.height, g.width]),
    frame: roundUp(s.bytes, 64),
    result: 'i16',
    sums: 'narrow',
    shared: false,
    slabOffsets: slots.map((_, k) => k * tiling.rowBytes),
    codeStride: stride,
    tileBytes: stride * table.codes,
    firstSlab: 0,
    rounds: rowRounds,
  };
  const blocks = {
    constants: blockOf(tileConstants(tiling, first.offset, (n) => new Int16Array(n))),
    list: code.list.block,
    rowOffsets: blockOf(new Uint32Array(0)),
    table: packTable(tiling, first, slots),
    positions: blockOf(spreadWords(s)),
    starts: blockOf(Int16Array.from(startsOf(table, s))),
  };
  return {
    ...base,
    result,
    reach: base.length + OUTPUTS,
    // The spread sums, then as in index.ts, then a sum of taps.
    scratch: ownBytes(code) + 16,
    ...withBlocks(blocks, (asm, bound) => [
      ...emitSpread(asm, bound, code, s),
      ...emitSums(asm, bound, s, table.width, storageBytes(result), bound.scratch + ownBytes(code)),
    ]),
    summary: {
      op: 'table.edge',
      form: `${tiling.mode._tag}, spread over ${s.places} taps, ${groupsText(groups)}, ${g.starts.length} windows`,
      inputs: table.inputs,
      outputs: table.width,
      bits,
    },
  };
};

const PIXEL = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;

/** The sums of all pixels, tile by tile. */
export const emitSpread = (asm: Asm, bound: EdgeBound, code: EdgeCode, s: Spread): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { tiling } = code;
  const { height, width, channels, frame } = s.geometry;
  const layer = layerCode(asm, bound, code, undefined);
  const from = layer.source;
  const [origin, rowEnd, target, constants] = [asm.i32(), asm.i32(), asm.i32(), asm.i32()];
  const pixel = channels * storageBytes(code.source.storage);
  const first = (frame[0] * (width + 2 * frame[1]) + frame[1]) * s.pixelBytes;
  return [
    ...layer.once,
    ...rounds(asm, tiling.tiles, 1, (t) => [
      ...layer.enter(t),
      constants.set(scaled(m, t(), 2 * tiling.tile)),
      target.set(m.i32.add(m.i32.const(bound.scratch + first), scaled(m, t(), 2 * tiling.tile))),
      origin.set(from._tag === 'fixed' ? m.i32.const(0) : asm.input()),
      ...rounds(asm, height, 1, () => [
        rowEnd.set(m.i32.add(origin.get(), m.i32.const(width * pixel))),
        repeat(asm, origin, pixel, rowEnd.get, [
          ...layer.at({
            codes: { pointer: origin.get, offset: from._tag === 'fixed' ? from.address : 0 },
            constants: { pointer: constants.get, offset: bound.blocks.constants },
            target: { pointer: target.get, offset: 0 },
            valid: tiling.tile,
          }),
          target.set(m.i32.add(target.get(), m.i32.const(s.pixelBytes))),
        ]),
        target.set(m.i32.add(target.get(), m.i32.const(2 * frame[1] * s.pixelBytes))),
      ]),
    ]),
  ];
};

/** Taps that are loaded together: V8 loads all of a stretch of code before it adds. */
const TOGETHER = 12;

/** The accumulators of all positions from the spread sums. */
export const emitSums = (
  asm: Asm,
  bound: Bound<Addresses<'positions' | 'starts'>>,
  s: Spread,
  width: number,
  bytes: number,
  kept: number,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const from = bound.blocks;
  const [record, pixel, starts, target] = [asm.i32(), asm.i32(), asm.i32(), asm.i32()];
  const sum = asm.v128();
  const partial = accumulatorInMemory(asm, kept);
  const tapOffset = (place: number): number =>
    (s.geometry.offsets[place]! / s.geometry.channels) * s.pixelBytes + 2 * place * s.outputs;
  const taps = Array.from({ length: s.places }, (_, place) => tapOffset(place));
  const vectors = s.outputs / OUTPUTS;
  const chunk = [4, 3, 2, 1].find((n) => vectors % n === 0)!;
  const vector = (k: number, at: () => Expr): ReadonlyArray<Expr> => {
    const tap = (offset: number): Expr =>
      loadVector(asm, {
        pointer: () => m.i32.add(pixel.get(), at()),
        offset: bound.scratch + offset + 16 * k,
      });
    const start = (): Expr =>
      loadVector(asm, { pointer: () => m.i32.add(starts.get(), at()), offset: from.starts + 16 * k });
    const groups = Array.from({ length: Math.ceil(taps.length / TOGETHER) }, (_, n) =>
      taps.slice(n * TOGETHER, (n + 1) * TOGETHER),
    );
    const steps = groups.map((group, n) => {
      const value = [n === 0 ? start() : partial.get(), ...group.map(tap)].reduce(m.i16x8.add);
      return n === groups.length - 1 ? sum.set(value) : partial.set(value);
    });
    const to = (offset: number, value: Expr): Expr =>
      storeVector(
        asm,
        {
          pointer: () => m.i32.add(target.get(), scaled(m, at(), bytes / 2)),
          offset: (bytes / 2) * 16 * k + offset,
        },
        value,
      );
    const { extend_low_i16x8_s: low, extend_high_i16x8_s: high } = m.i32x4;
    const stores = bytes === 2 ? [to(0, sum.get())] : [to(0, low(sum.get())), to(16, high(sum.get()))];
    return [...steps, ...stores];
  };
  return [
    record.set(m.i32.const(from.positions)),
    target.set(m.i32.const(bound.target)),
    repeat(asm, record, 8, () => m.i32.const(from.positions + 8 * s.geometry.starts.length), [
      pixel.set(m.i32.load(0, 4, record.get())),
      starts.set(m.i32.load(4, 4, record.get())),
      ...rounds(asm, vectors / chunk, 16 * chunk, (at) =>
        Array.from({ length: chunk }, (_, k) => vector(k, at)).flat(),
      ),
      target.set(m.i32.add(target.get(), m.i32.const(width * bytes))),
    ]),
  ];
};
