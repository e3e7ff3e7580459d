/**
 * The values that the entries of a basis table are multiplied by: the recursion, evaluated for the last time, at every code
 * of every distinct row of knots, and what it gives in integers.
 */
import { type BSpline, knotRow } from '../ir/basis.js';
import { type Constant, constant, f32Data } from '../ir/constant.js';
import { allocate, type ElementType, int, maxOf, type TypedArray, uint } from '../ir/element.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { ACTIVATIONS } from '../numeric/activations.js';
import { basisAt } from '../numeric/bspline.js';
import { nearestEntry } from '../numeric/table-scale.js';
import { inputChannel, type LayerSite } from './layer-site.js';
import type { CodedChannel } from './tabulate/coded.js';

/** Bits that base-table entries should at least use, so that a coarse basis does not coarsen the base branch. */
const BASE_BITS = 8;

export interface QuantizedBasis {
  readonly bits: number;
  readonly table: Constant;
  /** [rows, levels]: row of the table. */
  readonly frac: Uint32Array;
  readonly shift: number;
  /** Value of one unit of (basis << shift) and of base entries. */
  readonly unit: number;
  /** [rows, levels]. */
  readonly base: { readonly data: TypedArray; readonly bits: number } | undefined;
  /** Whether the largest base value is below 2^15 units. */
  readonly baseFits: boolean;
}

/** B-spline values at `bits` bits, and the finer unit in which the base branch counts beside them. */
export const quantizeBasis = (
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
  const base = int(baseBits);
  return {
    bits,
    table: constant(uint(bits), [fractions.count, width], fractions.table(bits)),
    frac: fractions.index,
    shift,
    unit,
    base:
      baseValues === undefined
        ? undefined
        : {
            data: fill(base, baseValues.length, (e) => nearestEntry(baseValues[e]! / unit, maxOf(base))),
            bits: baseBits,
          },
    baseFits: bits === 1 || baseLargest / unit <= 2 ** 15 - 1,
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

const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((n, v) => n + v * v, 0) / Math.max(1, values.length));

/**
 * By how much base weights are larger than coefficients, as a power of two. Both share the scale of their output, so the
 * weights are divided by it and what they are multiplied by takes it: else the larger of the two would take all bits of
 * the other.
 */
export const baseRatio = ({ branches }: KanAttrs): number => {
  const of = (tag: 'base' | 'bspline'): number =>
    branches.filter((b) => b.basis._tag === tag).reduce((n, b) => n + rootMeanSquare(f32Data(b.weights)), 0);
  const [base, spline] = [of('base'), of('bspline')];
  if (base === 0 || spline === 0) return 1;
  return 2 ** Math.max(-MOST_RATIO, Math.min(MOST_RATIO, Math.round(Math.log2(base / spline))));
};

/** Ratios are kept within 2^-4 and 2^4, so that base values keep bits enough beside basis values. */
const MOST_RATIO = 4;

/** An integer array of an element type, filled by index. */
export const fill = (element: ElementType, length: number, value: (e: number) => number) => {
  const data = allocate(element, length);
  for (let e = 0; e < length; e++) data[e] = value(e);
  return data;
};

export interface Rows {
  /** For each distinct row an input that has it. */
  readonly owners: ReadonlyArray<number>;
  /** The row of each input. */
  readonly rowOf: Uint32Array;
}

/** Inputs share a row of tables when they have the same knots and their codes stand for the same values. */
export const distinctRows = (site: LayerSite, spline: BSpline): Rows => {
  const { inputs } = site;
  const owners: number[] = [];
  const rowOf = new Uint32Array(inputs);
  const known = new Map<string, number>();
  const codeKeys = new Map<CodedChannel, string>();
  for (let i = 0; i < inputs; i++) {
    const channel = inputChannel(site, i);
    const codes = codeKeys.get(channel) ?? middles(channel, site.coded.levels).join(',');
    codeKeys.set(channel, codes);
    const { knots, offset, count } = knotRow(spline, i);
    const key = `${spline.knots.shape[0] === 1 ? '' : knots.subarray(offset, offset + count).join(',')};${codes}`;
    const row = known.get(key) ?? owners.length;
    if (row === owners.length) {
      owners.push(i);
      known.set(key, row);
    }
    rowOf[i] = row;
  }
  return { owners, rowOf };
};

const middles = (channel: CodedChannel, levels: number): ReadonlyArray<number> =>
  Array.from({ length: levels }, (_, c) => channel.middle(c));

export interface SampledBasis {
  /** [rows, levels, p + 1]: basis values at every code. */
  readonly values: Float64Array;
  /** [rows, levels]: first function, counted from `firstFunction`. */
  readonly span: Uint16Array;
  readonly firstFunction: number;
  /** Functions that spans reach, from firstFunction on. */
  readonly functions: number;
}

/** Evaluates the recursion once at every code of every distinct row. */
export const sampleBasis = (
  site: LayerSite,
  spline: BSpline,
  owners: ReadonlyArray<number>,
): SampledBasis => {
  const { levels } = site.coded;
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
    const channel = inputChannel(site, input);
    for (let c = 0; c < levels; c++) {
      const cell = row * levels + c;
      const first = basisAt(knots, spline.order, channel.middle(c), out) ?? outside;
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
export const sampleBase = (
  site: LayerSite,
  layer: KanAttrs,
  owners: ReadonlyArray<number>,
): Float64Array | undefined => {
  const base = layer.branches.map((b) => b.basis).find((b) => b._tag === 'base');
  if (base === undefined || base._tag !== 'base') return undefined;
  const { levels } = site.coded;
  const f = ACTIVATIONS[base.activation];
  return Float64Array.from({ length: owners.length * levels }, (_, cell) =>
    f(inputChannel(site, owners[Math.floor(cell / levels)]!).middle(cell % levels)),
  );
};
