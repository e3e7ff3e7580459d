/**
 * An estimate, before any synthesis, of the six-input LUTs that a table graph takes on an FPGA. It is for comparing
 * configurations of one network, not for choosing a device.
 *
 * Assumed is what KANELE (arXiv 2512.12850) builds: every edge has hardware of its own, all inputs of a sample come at
 * once as codes, and no DSP block or block RAM is used. Of a convolution one window is built, of an image one pixel.
 *
 * - A function of n bits takes for each result bit 1/2 LUT up to n = 5 (a LUT6 holds two functions of five inputs),
 *   1 at n = 6, and 2^(n - 6) beyond, with the dedicated multiplexers up to n = 8 and then one LUT for every 4:1
 *   multiplexer (AMD UG474, 7 Series CLB, chapter 2).
 * - An adder, subtractor or comparison takes 1 LUT a bit, along the carry chain (UG474).
 * - A product of a x b bits takes a * b LUTs: one row of an array multiplier for each bit.
 *
 * Edges lose their smallest entry to the bias, and constant edges cost nothing. Not counted: quantization of f32 and
 * conversion to f32, integer norms, pipeline registers, and what logic minimisation saves.
 */
import { match } from 'ts-pattern';
import { type Constant, channel } from '../ir/constant.js';
import { type Graph, type Node, typesOf, type ValueName } from '../ir/graph.js';
import { hasRole, type Op, type OpOf } from '../ir/ops/index.js';
import { channelsOf, levelsOf, type ValueType } from '../ir/types.js';
import { ceilLog2 } from '../numeric/fixed-point.js';

/** LUTs of `outputs` functions of the same n bits. */
export const functionLuts = (n: number, outputs: number): number => {
  if (n <= 0) return 0;
  if (n <= 5) return outputs / 2;
  const leaves = 2 ** (n - 6);
  return outputs * (leaves + Math.ceil((leaves / 4 - 1) / 3));
};

/** Bits of the integers from 0 to `range`. */
export const bitsFor = (range: number): number => ceilLog2(range + 1);

/**
 * LUTs of a tree that adds unsigned terms: the narrowest two first, as many times as it takes. Sorts and changes
 * `widths`; 0 where there are no two terms.
 */
export const adderTreeLuts = (widths: number[]): number => {
  let terms = widths.sort((a, b) => a - b);
  let luts = 0;
  while (terms.length > 1) {
    const sums: number[] = [];
    for (let k = 0; k + 1 < terms.length; k += 2) {
      const width = Math.max(terms[k]!, terms[k + 1]!);
      luts += width;
      sums.push(width + 1);
    }
    if (terms.length % 2 === 1) sums.push(terms.at(-1)!);
    terms = sums;
  }
  return luts;
};

/** Bits of the range of every row of `count` entries that are `stride` apart: what a row needs after its minimum is taken off. */
const rangeBits = (data: ArrayLike<number>, from: number, count: number, stride: number): number => {
  let [lo, hi] = [data[from]!, data[from]!];
  for (let k = 1; k < count; k++) {
    const v = data[from + k * stride]!;
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return bitsFor(hi - lo);
};

const elementBits = ({ element }: Pick<Constant, 'element'>): number =>
  element.kind === 'f32' ? 32 : element.bits;

const edgeLuts = ({ attrs }: OpOf<'table.edge'>, operand: ValueType): number => {
  const { table, slabs, window } = attrs;
  const [rows, outputs] = [table.shape[1]!, table.shape[2]!];
  const groups = window?.groups ?? 1;
  const inputs = slabs?.shape[0] ?? table.shape[0]!;
  const n = bitsFor(levelsOf(operand) - 1);
  let luts = 0;
  const widths: number[] = [];
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < outputs; o++) {
      widths.length = 0;
      for (let i = (g * inputs) / groups; i < ((g + 1) * inputs) / groups; i++) {
        const bits = rangeBits(table.data, (slabs?.data[i] ?? i) * rows * outputs + o, rows, outputs);
        if (bits === 0) continue;
        luts += functionLuts(n, bits);
        widths.push(bits);
      }
      luts += adderTreeLuts(widths);
    }
  }
  return luts;
};

/** Spans, fractions and base values are read once for an input; coefficients of an edge are functions of the span. */
const basisLuts = ({ attrs }: OpOf<'table.basis'>, operand: ValueType): number => {
  const { coefficients, basis, base, baseTable, span, window } = attrs;
  const [inputs, functions, outputs] = [
    coefficients.shape[0]!,
    coefficients.shape[1]!,
    coefficients.shape[2]!,
  ];
  const groups = window?.groups ?? 1;
  const [n, width] = [bitsFor(levelsOf(operand) - 1), basis.shape[1]!];
  let lastSpan = 0;
  for (let k = 0; k < span.data.length; k++) lastSpan = Math.max(lastSpan, span.data[k]!);
  const spanBits = bitsFor(lastSpan);
  const [w, b] = [elementBits(coefficients), elementBits(basis)];
  const [baseW, baseB] = base === undefined ? [0, 0] : [elementBits(base), elementBits(baseTable ?? base)];
  const read = functionLuts(n, width * b + spanBits + baseB);
  const product = functionLuts(spanBits, w) + w * b;
  const edge = Math.min(width, functions) * product + baseW * baseB;
  const terms = [...new Array<number>(width).fill(w + b), ...(base === undefined ? [] : [baseW + baseB])];
  const sums = adderTreeLuts(Array.from({ length: inputs / groups }, () => terms).flat());
  return inputs * (read + outputs * edge) + groups * outputs * sums;
};

/** Digits other than 0 in the canonical signed form: shifted copies that a product with a constant adds. */
const signedDigits = (constant: number): number => {
  let [rest, digits] = [constant, 0];
  while (rest > 0) {
    if (rest % 2 === 1) {
      digits++;
      rest += rest % 4 === 3 ? 1 : -1;
    }
    rest /= 2;
  }
  return digits;
};

const accumulatorBits = ({ meaning, element }: ValueType): number =>
  meaning?._tag === 'scaled' ? bitsFor(meaning.hi - meaning.lo) : element.kind === 'f32' ? 32 : element.bits;

const requantizeLuts = ({ attrs }: OpOf<'requantize'>, operand: ValueType, channels: number): number => {
  const width = accumulatorBits(operand);
  let luts = 0;
  for (let c = 0; c < channels; c++) {
    // The additions between the copies, that of bias and rounding, and the clamping of the code.
    luts += signedDigits(channel(attrs.mul, c)) * width + attrs.bits;
  }
  return luts;
};

/** A table for each channel; shared tables are built as often as they are read. */
const mapLuts = (map: Constant, channels: number): number => {
  const [rows, levels] = [map.shape[0]!, map.shape[1]!];
  const n = bitsFor(levels - 1);
  let luts = 0;
  for (let r = 0; r < rows; r++) luts += functionLuts(n, rangeBits(map.data, r * levels, levels, 1));
  return rows === 1 ? luts * channels : luts;
};

const opLuts = (op: Op, operands: ReadonlyArray<ValueType>, type: ValueType): number => {
  const [operand] = operands;
  // Floats are not counted, and moves are wires.
  if (operand === undefined || hasRole(op, 'univariate', 'observer', 'layout', 'decoder')) return 0;
  const channels = channelsOf(type);
  return (
    match(op)
      .with({ kind: 'table.edge' }, (o) => edgeLuts(o, operand))
      .with({ kind: 'table.basis' }, (o) => basisLuts(o, operand))
      .with({ kind: 'table.sum' }, ({ attrs }) => {
        const tables = attrs.tables.reduce((n, t) => n + mapLuts(t, channels), 0);
        return tables + channels * adderTreeLuts(attrs.tables.map(elementBits));
      })
      .with({ kind: 'recode' }, ({ attrs }) => mapLuts(attrs.map, channels))
      .with({ kind: 'requantize' }, (o) => requantizeLuts(o, operand, channels))
      // A comparison with every threshold; the code is how many hold.
      .with({ kind: 'bucketize' }, ({ attrs }) => {
        const thresholds = attrs.quantizer.levels - 1;
        const counted = adderTreeLuts(new Array<number>(thresholds).fill(1));
        return channels * (thresholds * accumulatorBits(operand) + counted);
      })
      .with({ kind: 'multiply' }, () => channels * accumulatorBits(operand) ** 2)
      .with({ kind: 'pool' }, ({ attrs }) => {
        const taps = attrs.window.kernel[0] * attrs.window.kernel[1];
        return channels * (taps - 1) * accumulatorBits(operand);
      })
      .with(
        { kind: 'add' },
        { kind: 'kan' },
        { kind: 'norm' },
        { kind: 'quantize' },
        { kind: 'softmax' },
        { kind: 'table.norm' },
        () => 0,
      )
      .exhaustive()
  );
};

const lutsOf = ({ op, operands, type }: Node, types: ReadonlyMap<ValueName, ValueType>): number =>
  opLuts(
    op,
    operands.flatMap((name) => types.get(name) ?? []),
    type,
  );

/** The estimate for a whole table graph, a whole number of LUTs. */
export const estimateLuts = (graph: Graph): number => {
  const types = typesOf(graph);
  return Math.ceil(graph.nodes.reduce((luts, node) => luts + lutsOf(node, types), 0));
};
