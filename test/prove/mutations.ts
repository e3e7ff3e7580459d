/** Changes of a graph that a wrong compiler could have made of it, and what the prover has to say about each. */
import { channel, constant, type PerChannel } from '../../src/ir/constant.js';
import { F32 } from '../../src/ir/element.js';
import type { Graph } from '../../src/ir/graph.js';
import { slabOf } from '../../src/ir/ops/table-edge.js';
import { channelsOf } from '../../src/ir/types.js';
import { floatAt, orderOf } from '../../src/numeric/float-order.js';
import { changed, nodesOf, withOp } from './support.js';

export interface Mutation {
  readonly what: string;
  readonly graph: Graph<'table'>;
  /** The value whose stage is wrong. */
  readonly value: string;
  /** What the place of a mismatch looks like. */
  readonly where: RegExp;
  readonly output: RegExp;
}

/** Moves an entry towards 0, so that ranges stay proven. */
const towardsZero = (v: number): number => (v > 0 ? v - 1 : v + 1);

/** One entry of the table of layer `k`, at an input, code and output. */
export const wrongEntry = (
  graph: Graph<'table'>,
  k: number,
  input: number,
  code: number,
  output: number,
): Mutation => {
  const node = nodesOf(graph, 'table.edge')[k]!;
  const { attrs } = node.op;
  const [, levels, width] = [attrs.table.shape[0]!, attrs.table.shape[1]!, attrs.table.shape[2]!];
  const table = changed(attrs.table, (data) => {
    const at = (slabOf(attrs, input) * levels + code) * width + output;
    data[at] = towardsZero(data[at]!);
  });
  return {
    what: `the entry of layer ${k} at input ${input}, code ${code}, output ${output}`,
    graph: withOp(graph, node, { kind: 'table.edge', attrs: { ...attrs, table } }),
    value: node.name,
    where: new RegExp(`^input ${input} at code ${code}\\b`),
    output: new RegExp(`^output ${output}$`),
  };
};

/** The rows of two codes of an input, changed for one another. */
export const swappedRows = (
  graph: Graph<'table'>,
  k: number,
  input: number,
  [a, b]: readonly [number, number],
): Mutation => {
  const node = nodesOf(graph, 'table.edge')[k]!;
  const { attrs } = node.op;
  const [levels, width] = [attrs.table.shape[1]!, attrs.table.shape[2]!];
  const row = (code: number): number => (slabOf(attrs, input) * levels + code) * width;
  const table = changed(attrs.table, (data) => {
    data.set(attrs.table.data.subarray(row(a), row(a) + width), row(b));
    data.set(attrs.table.data.subarray(row(b), row(b) + width), row(a));
  });
  return {
    what: `the rows of codes ${a} and ${b} of input ${input} of layer ${k}, swapped`,
    graph: withOp(graph, node, { kind: 'table.edge', attrs: { ...attrs, table } }),
    value: node.name,
    where: new RegExp(`^input ${input} at code (?:${a}|${b})\\b`),
    output: /^output \d+$/,
  };
};

/** One threshold of a list, moved to the next float. */
export const movedThreshold = (graph: Graph<'table'>, row: number, step: number): Mutation => {
  const node = nodesOf(graph, 'quantize')[0]!;
  const { attrs } = node.op;
  if (attrs.quantizer._tag !== 'thresholds') throw new Error('a quantizer with a closed form');
  const count = attrs.quantizer.levels - 1;
  const shared = attrs.quantizer.thresholds.shape[0] === 1;
  const thresholds = changed(attrs.quantizer.thresholds, (data) => {
    const at = (shared ? 0 : row) * count + step;
    data[at] = floatAt(orderOf(data[at]!) + 1);
  });
  const quantizer = { ...attrs.quantizer, thresholds };
  return {
    what: `threshold ${step} of feature ${row}, one float further`,
    graph: withOp(graph, node, { kind: 'quantize', attrs: { ...attrs, quantizer } }),
    value: node.name,
    where: /^element \d+ from /,
    output: shared ? /^output \d+$/ : new RegExp(`^output ${row}$`),
  };
};

/** The lowest end of a uniform quantizer, moved to the next float for one feature. */
export const movedEdge = (graph: Graph<'table'>, feature: number): Mutation => {
  const node = nodesOf(graph, 'quantize')[0]!;
  const { attrs } = node.op;
  if (attrs.quantizer._tag !== 'uniform') throw new Error('a quantizer without a closed form');
  const features = channelsOf(node.type);
  const { lo } = attrs.quantizer;
  const moved: PerChannel = constant(
    F32,
    [features],
    Float32Array.from({ length: features }, (_, f) => {
      const own = channel(lo, f);
      return f === feature ? floatAt(orderOf(own) + 2) : own;
    }),
  );
  return {
    what: `the quantizer of feature ${feature}, moved by two floats`,
    graph: withOp(graph, node, {
      kind: 'quantize',
      attrs: { ...attrs, quantizer: { ...attrs.quantizer, lo: moved } },
    }),
    value: node.name,
    where: new RegExp(`^element ${feature} from `),
    output: new RegExp(`^output ${feature}$`),
  };
};

/** A multiplier of a requantization, a little too large. */
export const wrongMultiplier = (graph: Graph<'table'>): Mutation => {
  const node = nodesOf(graph, 'requantize')[0]!;
  const { attrs } = node.op;
  const more = (m: number): number => m + Math.max(1, Math.round(m / 4096));
  const mul: PerChannel =
    typeof attrs.mul === 'number' ? more(attrs.mul) : changed(attrs.mul, (data) => data.set(data.map(more)));
  return {
    what: 'the multiplier of a requantization',
    graph: withOp(graph, node, { kind: 'requantize', attrs: { ...attrs, mul } }),
    value: node.name,
    where: /^element \d+ from -?\d+ in %/,
    output: /^(?:output \d+|channel \d+, place \d+)$/,
  };
};
