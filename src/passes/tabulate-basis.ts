/**
 * Basis tables: B-spline values and coefficients quantized apart (KANtize), only the p + 1 functions that can
 * be non-zero multiplied (KAN-SAs), and the base branch as one more product per edge.
 */
import { invariant } from '../diagnostics/index.js';
import { functionCount } from '../ir/basis.js';
import { type Constant, constant, f32Data, perChannel } from '../ir/constant.js';
import { allocate, type ElementType, F32, int, maxOf, uint } from '../ir/element.js';
import type { TableBasisAttrs } from '../ir/ops/table-basis.js';
import { basisTableRange } from '../ir/ops/table-basis-range.js';
import { frequentCodes } from './frequent-codes.js';
import { type LayerSite, outputIndex } from './layer-site.js';
import {
  distinctFractions,
  distinctRows,
  fill,
  type Rows,
  type SampledBasis,
  sampleBase,
  sampleBasis,
} from './sample-basis.js';

/** Bits that base-table entries should at least use, so that a coarse basis does not coarsen the base branch. */
const BASE_BITS = 8;

export interface BasisTables {
  readonly attrs: TableBasisAttrs;
  /** Bits of basis values that were used: fewer than asked for where 32-bit accumulators would overflow. */
  readonly basisBits: number;
}

/** The tables of one layer, with as many bits of basis values as accumulators of 32 bits have room for. */
export const tabulateBasis = (site: LayerSite): BasisTables => {
  const { inputs, layer } = site;
  const branch = layer.branches.find((b) => b.basis._tag === 'bspline');
  invariant(branch?.basis._tag === 'bspline', 'a layer with a B-spline branch');
  const spline = branch.basis;
  const rows = distinctRows(site, spline);
  const sampled = sampleBasis(site, spline, rows.owners);
  const baseValues = sampleBase(site, layer, rows.owners);
  const { coef, basis } = layer.precision ?? { coef: 8, basis: 8 };
  for (let bits = basis; ; bits--) {
    const values = quantizeBasis(sampled, baseValues, spline.order + 1, bits);
    const scales = coefficientScales(site, 2 ** (coef - 1) - 1, values.unit);
    const coefficients = quantizedCoefficients(
      site,
      f32Data(branch.weights),
      functionCount(spline),
      sampled,
      scales,
      coef,
    );
    const parts = assemble(site, rows, sampled, coefficients, scales, values);
    const range = basisTableRange({ ...parts, lo: 0, hi: 0 }, inputs);
    // Fewer bits of basis values make the unit coarser, in which the base branch must fit its own bits.
    if (values.baseFits && range.lo >= -(2 ** 31) && range.hi < 2 ** 31) {
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
  /** Whether the largest base value is below 2^15 units. */
  readonly baseFits: boolean;
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
    baseFits: bits === 1 || baseLargest / unit <= 2 ** 15 - 1,
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
  const { inputs, layer } = site;
  const { levels } = site.coded;
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
      [accScales.length],
      Int32Array.from(accScales, (scale, o) => Math.round((layer.bias?.data[o] ?? 0) / scale)),
    ),
    scale: perChannel(F32, accScales),
    // Products are formed in 32 bits, so a narrower accumulator would save nothing.
    acc: 32,
    ...(layer.window === undefined ? {} : { window: layer.window }),
    ...frequentCodes(site),
    ...(rows.owners.length === 1 ? {} : { rows: constant(uint(32), [inputs], rows.rowOf) }),
    ...quantizedBase(site, shape, scales, coefficients.element, basis),
  };
};

/** The base branch on the scales of the spline branch: weights like coefficients, values in basis units. */
const quantizedBase = (
  site: LayerSite,
  shape: ReadonlyArray<number>,
  scales: Float64Array,
  weight: ElementType,
  { base, unit }: QuantizedBasis,
): Pick<TableBasisAttrs, 'base' | 'baseTable'> => {
  const { inputs, outputs, layer } = site;
  const weights = layer.branches.find((b) => b.basis._tag === 'base')?.weights;
  if (weights === undefined || base === undefined) return {};
  const value = int(base.bits);
  const round = (v: number, top: number): number => Math.max(-top, Math.min(top, Math.round(v)));
  return {
    base: constant(
      weight,
      [inputs, outputs],
      fill(weight, inputs * outputs, (e) => {
        const scale = scales[outputIndex(site, Math.floor(e / outputs)) + (e % outputs)]!;
        return round(weights.data[e]! / scale, maxOf(weight));
      }),
    ),
    baseTable: constant(
      value,
      shape,
      fill(value, base.values.length, (e) => round(base.values[e]! / unit, maxOf(value))),
    ),
  };
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

/**
 * The value of one unit of a coefficient, for each output, over spline and base weights together; not so fine
 * that the bias, in accumulators of `unit` times it, would need more than 28 bits.
 */
const coefficientScales = (site: LayerSite, top: number, unit: number): Float64Array => {
  const { inputs, outputs, layer } = site;
  const largest = new Float64Array(outputs * (layer.window?.groups ?? 1));
  for (const { weights } of layer.branches) {
    const row = weights.shape[1]! * outputs;
    for (let i = 0; i < inputs; i++) {
      const first = outputIndex(site, i);
      for (let e = i * row; e < (i + 1) * row; e++) {
        const o = first + (e % outputs);
        largest[o] = Math.max(largest[o]!, Math.abs(weights.data[e]!));
      }
    }
  }
  return largest.map((v, o) => {
    const forBias = (Math.abs(layer.bias?.data[o] ?? 0) * 2 ** -28) / unit;
    // Not finer than what keeps scales of accumulators within f32.
    return v > 0 || forBias > 0 ? Math.max(v / top, forBias, 2 ** -100) : 1;
  });
};

/** int[I, K', O]: coefficients of the functions that spans reach, 0 for those beyond the spline's ends. */
const quantizedCoefficients = (
  site: LayerSite,
  weights: Float32Array,
  functions: number,
  sampled: SampledBasis,
  scales: Float64Array,
  bits: number,
) => {
  const { inputs, outputs } = site;
  const top = 2 ** (bits - 1) - 1;
  const element = int(bits);
  const data = allocate(element, inputs * sampled.functions * outputs);
  for (let i = 0; i < inputs; i++) {
    const scaleAt = outputIndex(site, i);
    for (let k = 0; k < sampled.functions; k++) {
      const from = k + sampled.firstFunction;
      if (from < 0 || from >= functions) continue;
      for (let o = 0; o < outputs; o++) {
        const v = Math.round(weights[(i * functions + from) * outputs + o]! / scales[scaleAt + o]!);
        data[(i * sampled.functions + k) * outputs + o] = Math.max(-top, Math.min(top, v));
      }
    }
  }
  return constant(element, [inputs, sampled.functions, outputs], data);
};
