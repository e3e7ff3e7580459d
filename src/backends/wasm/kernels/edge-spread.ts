/**
 * Edge tables over windows of stride 1, taken apart by pixels: what a pixel adds is the same row for every window that holds
 * it, up to the tap. So first, for every pixel, rows of its channels are summed that hold the outputs of all taps
 * (*spread* sums: [pixel, tap, output]); then an accumulator is the sum of one spread sum for each tap.
 *
 * A code is looked up once and not once for every tap, and rows are as many times longer: the addition is the same work, finding
 * rows is less, and a lookup touches neighbouring cache lines. All sums are modulo 2^16, in which final accumulators fit.
 */
import type { TypedArray } from '../../../ir/element.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { type Block, blockOf, roundUp, storageBytes } from '../storage.js';
import { type CodeSource, slotList } from './code-source.js';
import { analyseEdges, type EdgeTable, groupInputs } from './edge-analysis.js';
import { type EdgeCode, ownBytes } from './edge-emit.js';
import { codeStride, packTable } from './edge-layout.js';
import { roundsOf } from './edge-rounds.js';
import { emitSpread, emitSums } from './edge-spread-emit.js';
import { OUTPUTS, type Spread } from './edge-spread-plan.js';
import { tileConstants } from './tile-loops.js';
import { startsByClass, windowGeometry } from './window.js';

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
  source: CodeSource,
  result: 'i16' | 'i32',
): Kernel => {
  const { geometry: g, tiling } = s;
  const first = analyseEdges(spreadTable(table, s));
  const groups = groupInputs(first, capacity);
  const { slots, rounds: rowRounds } = roundsOf(groups);
  const channels: CodeSource = { storage: source.storage, levels: source.levels };
  const stride = codeStride(tiling, slots.length);
  const code: EdgeCode = {
    tiling,
    source: channels,
    list: slotList(channels, slots, undefined),
    window: windowGeometry(PIXEL, [g.channels, g.height, g.width]),
    frame: roundUp(s.bytes, 64),
    result: 'i16',
    sums: 'narrow',
    shared: false,
    slabOffsets: slots.map((_, k) => k * tiling.rowBytes),
    codeStride: stride,
    tileBytes: stride * table.codes,
    firstSlab: 0,
    foreground: undefined,
    rounds: rowRounds,
  };
  const blocks: ReadonlyArray<Block> = [
    blockOf(tileConstants(tiling, first.offset, (n) => new Int16Array(n))),
    code.list.block,
    blockOf(new Uint32Array(0)),
    packTable(tiling, first, slots),
    blockOf(spreadWords(s)),
    blockOf(Int16Array.from(startsOf(table, s))),
  ];
  return {
    ...base,
    result,
    reach: base.length + OUTPUTS,
    // The spread sums, then as in edge.ts, then a sum of taps.
    scratch: ownBytes(code) + 16,
    blocks,
    emit: (asm, bound) => [
      ...emitSpread(asm, bound, code, s),
      ...emitSums(asm, bound, s, table.width, storageBytes(result), bound.scratch + ownBytes(code)),
    ],
    summary: {
      op: 'table.edge',
      form: [
        tiling.mode._tag,
        `spread over ${s.places} taps`,
        `groups ${groups.quads.length / 4}x4 ${groups.pairs.length / 2}x2 ${groups.singles.length}x1`,
        `${g.starts.length} windows`,
      ].join(', '),
      inputs: table.inputs,
      outputs: table.width,
      bits,
    },
  };
};

const PIXEL = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
