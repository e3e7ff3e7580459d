/** The ops that add up tables, as sums that are not made yet. */
import { channel } from '../../ir/constant.js';
import type { Node } from '../../ir/graph.js';
import type { OpOf } from '../../ir/ops/index.js';
import { channelIndex, sizeOf, type ValueType } from '../../ir/types.js';
import { requantizeCode } from '../../numeric/fixed-point.js';
import { boundsOf } from './codes.js';
import { edgeSums } from './edges.js';
import { type Element, type Lowering, type Sum, termOf } from './element.js';
import { bitsFor } from './net.js';
import { planSum } from './sums.js';

type Elements = ReadonlyArray<Element>;

/** A layer of edges; undefined where its operand is not codes. */
export const layerElements = (
  { options }: Lowering,
  node: Node,
  x: Elements,
  type: ValueType,
): Elements | undefined => {
  const coded = x.flatMap((e) => (e.kind === 'codes' ? [e.coded] : []));
  const sums = edgeSums(node, type);
  if (coded.length < x.length || sums === undefined) return undefined;
  const weight = new Float64Array(x.length);
  const made = sums.map(({ bias, edges }) => ({
    bias,
    terms: edges.map(({ element, value }) => {
      const term = termOf(coded[element]!, value);
      const { lo, hi } = boundsOf(term.table);
      weight[element]! += bitsFor(hi - lo);
      return { element, ...term };
    }),
  }));
  // Narrow terms first: sums grow late, and all sums of a layer want the same inputs at the same time.
  return made.map(({ bias, terms }): Element => {
    const ordered = [...terms].sort(
      (a, b) => weight[a.element]! - weight[b.element]! || a.element - b.element,
    );
    return { kind: 'sum', plan: planSum(ordered, bias, options.chain) };
  });
};

/** A sum of univariate tables, element by element. */
export const sumElements = (
  state: Lowering,
  node: Node,
  { tables, bias }: OpOf<'table.sum'>['attrs'],
  operands: ReadonlyArray<Elements>,
): Elements | undefined => {
  const clamped = clampedSums(state, node, tables[0]!, bias?.data);
  if (clamped !== undefined) return clamped;
  const channelOf = channelIndex(node.type);
  const elements = Array.from({ length: sizeOf(node.type) }, (_, e): Element | undefined => {
    const c = channelOf(e);
    const terms = operands.flatMap((values, k) => {
      const v = values[e]!;
      const table = tables[k]!;
      const row = table.shape[0] === 1 ? 0 : c * table.shape[1]!;
      return v.kind === 'codes' ? [termOf(v.coded, (code) => table.data[row + code]!)] : [];
    });
    if (terms.length < operands.length) return undefined;
    return { kind: 'sum', plan: planSum(terms, bias?.data[c] ?? 0, state.options.chain) };
  });
  const whole = elements.flatMap((e) => e ?? []);
  return whole.length === elements.length ? whole : undefined;
};

/**
 * Where a table only gives names to the codes of a clamped sum: that clamped sum itself. The last layer of a network of
 * truth tables is so.
 */
const clampedSums = (
  { graph, values }: Lowering,
  node: Node,
  table: OpOf<'table.sum'>['attrs']['tables'][number],
  bias: ArrayLike<number> | undefined,
): Elements | undefined => {
  const [operand, ...others] = node.operands;
  const source = graph.nodes.find((n) => n.name === operand);
  if (source?.op.kind !== 'requantize' || others.length > 0) return undefined;
  const { attrs } = source.op;
  const levels = table.shape[1]!;
  const channelOf = channelIndex(node.type);
  const sums = values.get(source.operands[0]!) ?? [];
  const elements = sums.map((element, e): Sum | undefined => {
    if (element.kind !== 'sum' || element.clamp !== undefined) return undefined;
    const c = channelOf(e);
    const row = table.shape[0] === 1 ? 0 : c * levels;
    const first = table.data[row]!;
    for (let code = 0; code < levels; code++) if (table.data[row + code] !== first + code) return undefined;
    // The code must be the sum and a constant, clamped.
    const offset = attrs.bias?.data[c] ?? 0;
    const { plan } = element;
    for (let acc = plan.base; acc <= plan.base + plan.range; acc++) {
      const code = requantizeCode(acc, offset, channel(attrs.mul, c), attrs.shift, attrs.quantizer.levels);
      if (code !== Math.max(0, Math.min(levels - 1, acc + offset))) return undefined;
    }
    const lo = first + (bias?.[c] ?? 0);
    return {
      kind: 'sum',
      plan: { ...plan, base: plan.base + lo + offset },
      clamp: { lo, hi: lo + levels - 1 },
    };
  });
  const whole = elements.flatMap((e) => e ?? []);
  return whole.length === elements.length && whole.length > 0 ? whole : undefined;
};
