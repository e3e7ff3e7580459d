/** The recursion, evaluated for the last time: basis functions at every code of every distinct row of knots. */
import { type BSpline, knotRow } from '../ir/basis.js';
import { allocate, type ElementType, uint } from '../ir/element.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { ACTIVATIONS } from '../numeric/activations.js';
import { basisAt } from '../numeric/bspline.js';
import { inputChannel, type LayerSite } from './layer-site.js';
import type { CodedChannel } from './tabulate/coded.js';

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
export const distinctFractions = (sampled: SampledBasis, scale: number, width: number) => {
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
