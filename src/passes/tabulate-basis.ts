/**
 * Basis tables: B-spline values and coefficients quantized apart (KANtize), only the p + 1 functions that can
 * be non-zero multiplied (KAN-SAs), and the base branch as one more product per edge.
 */
import { invariant } from '../diagnostics/index.js';
import { type BSpline, functionCount, knotRow } from '../ir/basis.js';
import { type Constant, constant, f32Data, perChannel } from '../ir/constant.js';
import { allocate, type ElementType, F32, int, maxOf, uint } from '../ir/element.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { TableBasisAttrs } from '../ir/ops/table-basis.js';
import { basisTableRange } from '../ir/ops/table-basis-range.js';
import { decodeValue, isShared } from '../ir/quantizer.js';
import { ACTIVATIONS } from '../numeric/activations.js';
import { basisAt } from '../numeric/bspline.js';
import type { LayerSite } from './tabulate.js';

/** Bits that base-table entries should at least use, so that a coarse basis does not coarsen the base branch. */
const BASE_BITS = 8;

export interface BasisTables {
  readonly attrs: TableBasisAttrs;
  /** Bits of basis values that were used: fewer than asked for where 32-bit accumulators would overflow. */
  readonly basisBits: number;
}

/** The tables of one layer, with as many bits of basis values as accumulators of 32 bits have room for. */
export const tabulateBasis = (site: LayerSite): BasisTables => {
  const { inputs, outputs, layer } = site;
  const branch = layer.branches.find((b) => b.basis._tag === 'bspline');
  invariant(branch?.basis._tag === 'bspline', 'a layer with a B-spline branch');
  const spline = branch.basis;
  const rows = distinctRows(site, spline);
  const sampled = sampleBasis(site, spline, rows.owners);
  const baseValues = sampleBase(site, layer, rows.owners);
  const { coef, basis } = layer.precision ?? { coef: 8, basis: 8 };
  const scales = coefficientScales(layer, inputs, outputs, 2 ** (coef - 1) - 1);
  const coefficients = quantizedCoefficients(
    f32Data(branch.weights),
    functionCount(spline),
    sampled,
    inputs,
    scales,
    coef,
  );
  for (let bits = basis; ; bits--) {
    const values = quantizeBasis(sampled, baseValues, spline.order + 1, bits);
    const parts = assemble(site, rows, sampled, coefficients, scales, values);
    const range = basisTableRange({ ...parts, lo: 0, hi: 0 }, inputs);
    if (range.lo >= -(2 ** 31) && range.hi < 2 ** 31) {
      return { attrs: { ...parts, lo: range.lo, hi: range.hi }, basisBits: bits };
    }
    invariant(
      bits > 1,
      'coefficients of at most 16 bits and basis values of one bit fit 32-bit accumulators',
    );
  }
};

interface QuantizedBasis {
  readonly bits: number;
  readonly table: Constant;
  /** [rows, levels]: row of the table. */
  readonly frac: Uint32Array;
  readonly shift: number;
  /** Value of one unit of (basis << shift) and of base entries. */
  readonly unit: number;
  readonly base: { readonly values: Float64Array; readonly bits: number } | undefined;
}

/** B-spline values at `bits` bits, and the finer unit in which the base branch counts beside them. */
const quantizeBasis = (
  sampled: SampledBasis,
  baseValues: Float64Array | undefined,
  width: number,
  bits: number,
): QuantizedBasis => {
  const largest = sampled.values.reduce((a, b) => Math.max(a, b), 0);
  const scale = largest > 0 ? largest / (2 ** bits - 1) : 1;
  const fractions = distinctFractions(sampled, scale, width);
  const baseLargest = baseValues?.reduce((a, v) => Math.max(a, Math.abs(v)), 0) ?? 0;
  const shift = baseShift(scale, baseLargest, bits);
  const unit = scale / 2 ** shift;
  const baseBits = Math.min(16, Math.max(2, Math.ceil(Math.log2(baseLargest / unit + 1)) + 1));
  return {
    bits,
    table: constant(uint(bits), [fractions.count, width], fractions.table(bits)),
    frac: fractions.index,
    shift,
    unit,
    base: baseValues === undefined ? undefined : { values: baseValues, bits: baseBits },
  };
};

const assemble = (
  site: LayerSite,
  rows: Rows,
  sampled: SampledBasis,
  coefficients: Constant,
  scales: Float64Array,
  basis: QuantizedBasis,
): Omit<TableBasisAttrs, 'lo' | 'hi'> => {
  const { inputs, outputs, layer } = site;
  const { levels } = site.quantizer;
  const shape = [rows.owners.length, levels];
  const accScales = Float32Array.from(scales, (s) => s * basis.unit);
  return {
    coefficients,
    basis: basis.table,
    span: constant(uint(16), shape, sampled.span),
    frac: constant(uint(32), shape, basis.frac),
    shift: basis.shift,
    bias: constant(
      int(32),
      [outputs],
      Int32Array.from(accScales, (scale, o) => Math.round((layer.bias?.data[o] ?? 0) / scale)),
    ),
    scale: perChannel(F32, accScales),
    // Products are formed in 32 bits, so a narrower accumulator would save nothing.
    acc: 32,
    ...(rows.owners.length === 1 ? {} : { rows: constant(uint(32), [inputs], rows.rowOf) }),
    ...quantizedBase(layer, inputs, outputs, shape, scales, coefficients.element, basis),
  };
};

/** The base branch on the scales of the spline branch: weights like coefficients, values in basis units. */
const quantizedBase = (
  layer: KanAttrs,
  inputs: number,
  outputs: number,
  shape: ReadonlyArray<number>,
  scales: Float64Array,
  weight: ElementType,
  { base, unit }: QuantizedBasis,
): Pick<TableBasisAttrs, 'base' | 'baseTable'> => {
  const weights = layer.branches.find((b) => b.basis._tag === 'base')?.weights;
  if (weights === undefined || base === undefined) return {};
  const value = int(base.bits);
  const round = (v: number, top: number): number => Math.max(-top, Math.min(top, Math.round(v)));
  return {
    base: constant(
      weight,
      [inputs, outputs],
      fill(weight, inputs * outputs, (e) => round(weights.data[e]! / scales[e % outputs]!, maxOf(weight))),
    ),
    baseTable: constant(
      value,
      shape,
      fill(value, base.values.length, (e) => round(base.values[e]! / unit, maxOf(value))),
    ),
  };
};

const fill = (element: ElementType, length: number, value: (e: number) => number) => {
  const data = allocate(element, length);
  for (let e = 0; e < length; e++) data[e] = value(e);
  return data;
};

interface Rows {
  /** For each distinct row an input that has it. */
  readonly owners: ReadonlyArray<number>;
  /** The row of each input. */
  readonly rowOf: Uint32Array;
}

/** Inputs share a row of tables when they have the same knots and the same quantizer. */
const distinctRows = (site: LayerSite, spline: BSpline): Rows => {
  const { inputs, quantizer } = site;
  const owners: number[] = [];
  const rowOf = new Uint32Array(inputs);
  const known = new Map<string, number>();
  const shared = isShared(quantizer);
  for (let i = 0; i < inputs; i++) {
    const { knots, offset, count } = knotRow(spline, i);
    const codes = shared ? '' : `${decodeValue(quantizer, i, 0)},${decodeValue(quantizer, i, 1)}`;
    const key = `${knots.subarray(offset, offset + count).join(',')};${codes}`;
    const row = known.get(key) ?? owners.length;
    if (row === owners.length) {
      owners.push(i);
      known.set(key, row);
    }
    rowOf[i] = row;
  }
  return { owners, rowOf };
};

interface SampledBasis {
  /** [rows, levels, p + 1]: basis values at every code. */
  readonly values: Float64Array;
  /** [rows, levels]: first function, counted from `firstFunction`. */
  readonly span: Uint16Array;
  readonly firstFunction: number;
  /** Functions that spans reach, from firstFunction on. */
  readonly functions: number;
}

/** Evaluates the recursion once at every code of every distinct row. */
const sampleBasis = (site: LayerSite, spline: BSpline, owners: ReadonlyArray<number>): SampledBasis => {
  const { quantizer } = site;
  const { levels } = quantizer;
  const width = spline.order + 1;
  const values = new Float64Array(owners.length * levels * width);
  const firsts = new Int32Array(owners.length * levels);
  const out = new Float64Array(width);
  const outside = Number.MIN_SAFE_INTEGER;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  const isOutside = new Uint8Array(firsts.length);
  owners.forEach((input, row) => {
    const knots = knotRow(spline, input);
    for (let c = 0; c < levels; c++) {
      const cell = row * levels + c;
      const first = basisAt(knots, spline.order, decodeValue(quantizer, input, c), out) ?? outside;
      values.set(out, cell * width);
      isOutside[cell] = first === outside ? 1 : 0;
      if (first === outside) continue;
      firsts[cell] = first;
      lowest = Math.min(lowest, first);
      highest = Math.max(highest, first);
    }
  });
  if (lowest > highest) [lowest, highest] = [0, 0];
  const span = Uint16Array.from(firsts, (first, cell) => (isOutside[cell] === 1 ? 0 : first - lowest));
  return { values, span, firstFunction: lowest, functions: highest - lowest + width };
};

/** Basis values rounded to `scale`, each distinct row once. */
const distinctFractions = (sampled: SampledBasis, scale: number, width: number) => {
  const cells = sampled.span.length;
  const index = new Uint32Array(cells);
  const rows: number[][] = [];
  const known = new Map<string, number>();
  for (let cell = 0; cell < cells; cell++) {
    const row = Array.from({ length: width }, (_, j) =>
      Math.round(sampled.values[cell * width + j]! / scale),
    );
    const key = row.join(',');
    const at = known.get(key) ?? rows.length;
    if (at === rows.length) {
      rows.push(row);
      known.set(key, at);
    }
    index[cell] = at;
  }
  return {
    index,
    count: rows.length,
    table: (bits: number) =>
      fill(uint(bits), rows.length * width, (e) => rows[Math.floor(e / width)]![e % width]!),
  };
};

/** [rows, levels]: the base activation at every code; undefined for a layer without one. */
const sampleBase = (
  site: LayerSite,
  layer: KanAttrs,
  owners: ReadonlyArray<number>,
): Float64Array | undefined => {
  const base = layer.branches.map((b) => b.basis).find((b) => b._tag === 'base');
  if (base === undefined || base._tag !== 'base') return undefined;
  const { levels } = site.quantizer;
  const f = ACTIVATIONS[base.activation];
  return Float64Array.from({ length: owners.length * levels }, (_, cell) =>
    f(decodeValue(site.quantizer, owners[Math.floor(cell / levels)]!, cell % levels)),
  );
};

/** Left shift of basis values that gives base entries at least BASE_BITS bits and keeps both within i16. */
const baseShift = (basisScale: number, baseLargest: number, basisBits: number): number => {
  if (baseLargest === 0) return 0;
  let shift = 0;
  while (
    shift + basisBits < 15 &&
    baseLargest / (basisScale / 2 ** shift) < 2 ** (BASE_BITS - 1) - 1 &&
    baseLargest / (basisScale / 2 ** (shift + 1)) <= 2 ** 15 - 1
  ) {
    shift++;
  }
  return shift;
};

/** The value of one unit of a coefficient, for each output, over spline and base weights together. */
const coefficientScales = (layer: KanAttrs, inputs: number, outputs: number, top: number): Float64Array => {
  const largest = new Float64Array(outputs);
  for (const { weights } of layer.branches) {
    const functions = weights.shape[1]!;
    for (let e = 0; e < inputs * functions * outputs; e++) {
      const o = e % outputs;
      largest[o] = Math.max(largest[o]!, Math.abs(weights.data[e]!));
    }
  }
  return largest.map((v) => (v > 0 ? v / top : 1));
};

/** int[I, K', O]: coefficients of the functions that spans reach, 0 for those beyond the spline's ends. */
const quantizedCoefficients = (
  weights: Float32Array,
  functions: number,
  sampled: SampledBasis,
  inputs: number,
  scales: Float64Array,
  bits: number,
) => {
  const outputs = scales.length;
  const top = 2 ** (bits - 1) - 1;
  const element = int(bits);
  const data = allocate(element, inputs * sampled.functions * outputs);
  for (let i = 0; i < inputs; i++) {
    for (let k = 0; k < sampled.functions; k++) {
      const from = k + sampled.firstFunction;
      if (from < 0 || from >= functions) continue;
      for (let o = 0; o < outputs; o++) {
        const v = Math.round(weights[(i * functions + from) * outputs + o]! / scales[o]!);
        data[(i * sampled.functions + k) * outputs + o] = Math.max(-top, Math.min(top, v));
      }
    }
  }
  return constant(element, [inputs, sampled.functions, outputs], data);
};
