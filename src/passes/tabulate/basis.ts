/**
 * Basis tables: B-spline values and coefficients quantized apart (KANtize), only the p + 1 functions that can
 * be non-zero multiplied (KAN-SAs), and the base branch as one more product per edge.
 */
import { invariant } from '../../diagnostics/index.js';
import { functionCount } from '../../ir/basis.js';
import { constant, f32Data, perChannel } from '../../ir/constant.js';
import { allocate, F32, int, uint } from '../../ir/element.js';
import { basisTableRange } from '../../ir/ops/basis-range.js';
import type { TableBasisAttrs } from '../../ir/ops/table-basis.js';
import {
  baseRatio,
  distinctRows,
  type QuantizedBasis,
  quantizeBasis,
  type Rows,
  type SampledBasis,
  sampleBase,
  sampleBasis,
} from '../basis-values.js';
import { frequentCodes, type LayerSite, rowsOf } from '../layer-site.js';
import { note, type Remark } from '../pass.js';
import type { Evidence } from '../refit/index.js';
import { type IntegerTable, nearestTable, type RealTable, refitTable } from '../refit/table.js';

export interface BasisTables {
  readonly attrs: TableBasisAttrs;
  /** Bits of basis values that were used: fewer than asked for where 32-bit accumulators would overflow. */
  readonly basisBits: number;
  readonly said: ReadonlyArray<Remark>;
}

/** What the entries of a layer are multiplied by, before and after it is quantized. */
interface Values {
  readonly site: LayerSite;
  readonly rows: Rows;
  readonly sampled: SampledBasis;
  readonly quantized: QuantizedBasis;
}

/**
 * The tables of one layer, with as many bits of basis values as accumulators of 32 bits have room for, and refit where
 * there is evidence. Undefined where accumulators have no room for one.
 */
export const tabulateBasis = (
  site: LayerSite,
  granularity: 'output' | 'tensor' = 'output',
  evidence?: Evidence,
): BasisTables | undefined => {
  const { layer } = site;
  const branch = layer.branches.find((b) => b.basis._tag === 'bspline');
  invariant(branch?.basis._tag === 'bspline', 'a layer with a B-spline branch');
  const spline = branch.basis;
  const rows = distinctRows(site, spline);
  const sampled = sampleBasis(site, spline, rows.owners);
  const baseValues = sampleBase(site, layer, rows.owners);
  const { basis } = layer.precision ?? { basis: 8 };
  const ratio = baseRatio(layer);
  for (let bits = basis; ; bits--) {
    const quantized = quantizeBasis(
      sampled,
      baseValues?.map((v) => v * ratio),
      spline.order + 1,
      bits,
    );
    const values = { site, rows, sampled, quantized };
    const table = basisTable(values, weightsOf(values, ratio), granularity);
    const attrs = assemble(values, nearestTable(table));
    // Fewer bits of basis values make the unit coarser, in which the base branch must fit its own bits.
    if (quantized.baseFits && attrs !== undefined) {
      const refit = evidence === undefined ? undefined : refitBasis(values, table, evidence);
      return { attrs: refit?.attrs ?? attrs, basisBits: bits, said: refit?.said ?? [] };
    }
    // Coefficients and base values of 16 bits each: a few products fill an accumulator, whatever the basis values.
    if (bits === 1) return undefined;
  }
};

/** Above so many values of functions at codes a layer is not refit: knots of many inputs at fine codes. */
const FEATURE_LIMIT = 2 ** 24;

const refitBasis = (
  values: Values,
  table: RealTable,
  evidence: Evidence,
): { readonly attrs?: TableBasisAttrs; readonly said: ReadonlyArray<Remark> } => {
  const size = values.rows.owners.length * rowsOf(values.site) * entriesOf(values);
  if (size > FEATURE_LIMIT)
    return { said: [note('not refit: too many codes of inputs with knots of their own')] };
  const refit = refitTable(evidence, withFeatures(values, table));
  const attrs = assemble(values, refit.table);
  return attrs === undefined
    ? { said: [note('not refit: accumulators would need more than 32 bits')] }
    : { attrs, said: refit.said };
};

/** Entries of an input: the coefficients of the functions that spans reach, and the base weight. */
const entriesOf = ({ sampled, quantized }: Values): number =>
  sampled.functions + (quantized.base === undefined ? 0 : 1);

/** Coefficients, 0 for functions beyond the ends of the spline, and behind them base weights as parts of `ratio`. */
const weightsOf = (values: Values, ratio: number): Float32Array => {
  const { site, sampled } = values;
  const { inputs, outputs, layer } = site;
  const entries = entriesOf(values);
  const data = new Float32Array(inputs * entries * outputs);
  for (const { basis, weights } of layer.branches) {
    const w = f32Data(weights);
    const functions = functionCount(basis);
    const isBase = basis._tag === 'base';
    for (let i = 0; i < inputs; i++) {
      for (let k = 0; k < (isBase ? 1 : sampled.functions); k++) {
        const from = isBase ? k : k + sampled.firstFunction;
        if (from < 0 || from >= functions) continue;
        const to = (i * entries + (isBase ? entries - 1 : k)) * outputs;
        for (let o = 0; o < outputs; o++)
          data[to + o] = w[(i * functions + from) * outputs + o]! / (isBase ? ratio : 1);
      }
    }
  }
  return data;
};

/** With what the entries are multiplied by at every code; in the padding by 0. */
const withFeatures = (values: Values, table: RealTable): RealTable => {
  const { site, rows, sampled, quantized } = values;
  const { levels } = site.coded;
  const [padded, entries, width] = [rowsOf(site), entriesOf(values), quantized.table.shape[1]!];
  const features = new Float64Array(rows.owners.length * padded * entries);
  for (let r = 0; r < rows.owners.length; r++) {
    for (let c = 0; c < levels; c++) {
      const cell = r * levels + c;
      const at = (r * padded + c) * entries;
      for (let j = 0; j < width; j++) {
        const value = quantized.table.data[quantized.frac[cell]! * width + j]! << quantized.shift;
        features[at + sampled.span[cell]! + j] = value * quantized.unit;
      }
      if (quantized.base !== undefined)
        features[at + entries - 1] = quantized.base.data[cell]! * quantized.unit;
    }
  }
  const taps = site.inputs / table.groups.length;
  return {
    ...table,
    groups: table.groups.map((group, g) => ({
      ...group,
      features: { values: features, rowOf: rows.rowOf.subarray(g * taps, (g + 1) * taps) },
    })),
  };
};

/** The integers of a layer as its attributes; undefined where accumulators would need more than 32 bits. */
const assemble = (values: Values, { entries, scales, bias }: IntegerTable): TableBasisAttrs | undefined => {
  const { site, rows, sampled, quantized } = values;
  const { inputs, outputs, layer } = site;
  const element = int(layer.precision?.coef ?? 8);
  const shape = [rows.owners.length, site.coded.levels];
  const coefficients = allocate(element, inputs * sampled.functions * outputs);
  const base = allocate(element, quantized.base === undefined ? 0 : inputs * outputs);
  const [row, size] = [sampled.functions * outputs, entriesOf(values) * outputs];
  for (let i = 0; i < inputs; i++) {
    coefficients.set(entries.subarray(i * size, i * size + row), i * row);
    if (base.length > 0) base.set(entries.subarray(i * size + row, (i + 1) * size), i * outputs);
  }
  const parts = {
    coefficients: constant(element, [inputs, sampled.functions, outputs], coefficients),
    basis: quantized.table,
    span: constant(uint(16), shape, sampled.span),
    frac: constant(uint(32), shape, quantized.frac),
    shift: quantized.shift,
    bias: constant(int(32), [bias.length], bias),
    scale: perChannel(
      F32,
      Float32Array.from(scales, (s) => s * quantized.unit),
    ),
    // Products are formed in 32 bits, so a narrower accumulator would save nothing.
    acc: 32,
    ...(layer.window === undefined ? {} : { window: layer.window }),
    ...frequentCodes(site),
    ...(rows.owners.length === 1 ? {} : { rows: constant(uint(32), [inputs], rows.rowOf) }),
    ...(quantized.base === undefined
      ? {}
      : {
          base: constant(element, [inputs, outputs], base),
          baseTable: constant(int(quantized.base.bits), shape, quantized.base.data),
        }),
  };
  const { lo, hi } = basisTableRange(parts, inputs);
  return lo >= -(2 ** 31) && hi < 2 ** 31 ? { ...parts, lo, hi } : undefined;
};

/**
 * Weights in units of each output or of all: the largest uses all bits; not so fine that the bias, in accumulators of
 * `unit` times it, would need more than 28 bits.
 */
const basisTable = (values: Values, weights: Float32Array, granularity: 'output' | 'tensor'): RealTable => {
  const { site, quantized } = values;
  const { inputs, outputs, layer } = site;
  const { unit } = quantized;
  const groups = layer.window?.groups ?? 1;
  const group = { inputs: inputs / groups, levels: rowsOf(site), entries: entriesOf(values), outputs };
  const top = 2 ** ((layer.precision?.coef ?? 8) - 1) - 1;
  const size = weights.length / groups;
  const largest = new Float64Array(groups * outputs);
  const outputOf = (e: number): number => Math.floor(e / size) * outputs + (e % outputs);
  for (let e = 0; e < weights.length; e++) {
    const o = outputOf(e);
    largest[o] = Math.max(largest[o]!, Math.abs(weights[e]!));
  }
  const spread = (v: Float64Array): Float64Array =>
    granularity === 'tensor' ? v.fill(v.reduce((a, b) => Math.max(a, b), 0)) : v;
  const biases = Float64Array.from(largest, (_, o) => layer.bias?.data[o] ?? 0);
  const bounds = spread(biases.map(Math.abs));
  const scales = spread(largest).map((v, o) => {
    const forBias = (bounds[o]! * 2 ** -28) / unit;
    // Not finer than what keeps scales of accumulators within f32.
    return v > 0 || forBias > 0 ? Math.max(v / top, forBias, 2 ** -100) : 1;
  });
  return {
    groups: Array.from({ length: groups }, () => group),
    scales,
    offset: biases.map((b, o) => b / scales[o]!),
    biasUnit: unit,
    top,
    oneScale: granularity === 'tensor',
    size: weights.length,
    write: (to, finish) => {
      for (let e = 0; e < weights.length; e++) to[e] = finish(weights[e]! / scales[outputOf(e)]!);
    },
  };
};
