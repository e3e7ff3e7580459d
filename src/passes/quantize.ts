/** Gives every KAN layer codes instead of floats, and says how finely its functions are to be tabulated. */
import { hasBasisForm } from '../analyses/form-cost.js';
import { rewrite } from '../ir/builder.js';
import { constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import { type Graph, typesOf } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { coderOf, decodeValue, isShared, type Quantizer } from '../ir/quantizer.js';
import { channelsOf } from '../ir/types.js';
import { chooseQuantizer, type RangeOptions } from './choose-quantizer.js';
import { type CodePoint, codePoints } from './code-points.js';
import {
  autoIntegerOption,
  bytesOption,
  choiceOption,
  declareOptions,
  integerOption,
  numberOption,
} from './options.js';
import { definePass, note, type Remark, withRemarks } from './pass.js';

const { codec, help } = declareOptions({
  act: autoIntegerOption(
    'bits of activations, 1 to 16; auto: 8, fewer where tables outgrow the budget',
    1,
    16,
  ),
  hidden: autoIntegerOption('bits of activations after the first layer; auto: as act', 1, 16),
  table: integerOption('bits of edge-table entries', 2, 16, 8),
  coef: integerOption('bits of coefficients in the basis form', 2, 16, 8),
  basis: integerOption('bits of B-spline values in the basis form', 1, 16, 8),
  budget: bytesOption('edge-table bytes per layer that act=auto stays below', '4MiB'),
  clip: numberOption('percent of calibration values cut off each end of the range', 0, 49, 0),
  margin: numberOption('percent of its width that a hidden range grows at each end', 0, 100, 1),
  range: choiceOption('clamp: the calibrated range; extend: widened to the grid', ['clamp', 'extend']),
  hiddenRanges: choiceOption('one range for each hidden value or one for all', ['feature', 'tensor']),
  align: choiceOption('knots: codes split into interval and fraction by shift and mask', ['free', 'knots']),
  values: choiceOption('a code stands for the mean of the values in its cell, or for its middle', [
    'mean',
    'middle',
  ]),
  nan: choiceOption('NaN has code 0, or is refused', ['zero', 'refuse']),
});

interface QuantizeOptions extends RangeOptions {
  readonly act: number | 'auto';
  readonly hidden: number | 'auto';
  readonly table: number;
  readonly coef: number;
  readonly basis: number;
  readonly budget: number;
  readonly values: 'mean' | 'middle';
  readonly nan: 'zero' | 'refuse';
}

export const quantize = definePass<'float', 'quantized', QuantizeOptions>({
  name: 'quantize',
  summary: 'makes codes at every observed code point and sets the precision of all layers',
  options: codec,
  help,
  from: 'float',
  to: 'quantized',
  run: (options) => (graph) => {
    const points = new Map(codePoints(graph).map((p) => [p.name, p]));
    const bitsOf = pointBits(options, graph, [...points.values()]);
    const remarks: Remark[] = [];
    const result = rewrite(graph, 'quantized', (node, r) => {
      if (node.op.kind === 'kan') {
        const { table, coef, basis } = options;
        const attrs: KanAttrs = { ...node.op.attrs, precision: { table, coef, basis } };
        return r.add(node.name, { kind: 'kan', attrs }, node.operands.map(r.of));
      }
      const point = node.op.kind === 'observe' ? points.get(node.operands[0]!) : undefined;
      if (node.op.kind !== 'observe' || point === undefined) return r.keep(node);
      const observed = r.keep(node);
      const stats = node.op.attrs;
      const bits = bitsOf(point);
      const { quantizer, notes } = chooseQuantizer(options, bits, stats, point);
      const stem = point.layers[0]?.name ?? point.name;
      for (const message of notes) remarks.push(note(message, stem));
      remarks.push(
        note(`${channelsOf(node.type)} channels of ${bits} bits, ${quantizer.levels} levels`, stem),
      );
      const codes = r.add(
        `${stem}_code`,
        { kind: 'quantize', attrs: { quantizer, bits, nan: options.nan } },
        [observed],
      );
      const values =
        options.values === 'mean' && options.align === 'free'
          ? cellMeans(quantizer, stats, channelsOf(node.type))
          : undefined;
      return r.add(`${stem}_in`, { kind: 'decode', attrs: values === undefined ? {} : { values } }, [codes]);
    });
    return withRemarks(result, remarks);
  },
});

/** Bits of every code point; those that are joined side by side get the most that one of them needs. */
const pointBits = (
  options: QuantizeOptions,
  graph: Graph,
  points: ReadonlyArray<CodePoint>,
): ((point: CodePoint) => number) => {
  const types = typesOf(graph);
  const byGroup = new Map<number, number>();
  for (const point of points) {
    const bits = wantedBits(options, point, channelsOf(types.get(point.name)!));
    byGroup.set(point.group, Math.max(byGroup.get(point.group) ?? 1, bits));
  }
  return (point) => byGroup.get(point.group) ?? 8;
};

/** Values that no layer reads are read once per element, so that their tables may be finer. */
const VALUE_BITS = 10;

const wantedBits = (options: QuantizeOptions, point: CodePoint, channels: number): number => {
  const asked = point.first || options.hidden === 'auto' ? options.act : options.hidden;
  if (asked !== 'auto') return asked;
  if (point.layers.length === 0) return channels <= 64 ? VALUE_BITS : 8;
  return Math.max(...point.layers.map(({ attrs }) => activationBits(options, attrs)));
};

/** Above this many bytes at 5 bits a layer is better served by the basis form, whose size codes do not change. */
const EDGE_LIMIT = 64 * 2 ** 20;

/** 8 bits, or as few as 5 where the edge table of the layer would outgrow the budget. */
const activationBits = (options: QuantizeOptions, layer: KanAttrs): number => {
  const [inputs, , outputs] = layer.branches[0]!.weights.shape;
  const perCode = inputs! * outputs! * (options.table <= 8 ? 1 : 2);
  if (perCode * 2 ** 5 > EDGE_LIMIT && hasBasisForm(layer)) return 8;
  for (let bits = 8; bits > 5; bits--) {
    if (perCode * 2 ** bits <= options.budget) return bits;
  }
  return 5;
};

/**
 * For every feature and code the mean of the calibration values in the cell, the quantizer's own value where
 * the cell is empty: f32[F, levels]. Undefined without data.
 */
const cellMeans = (q: Quantizer, stats: ObserveAttrs, features: number) => {
  if (stats.samples === 0) return undefined;
  const bins = stats.counts.shape[1]!;
  const values = new Float32Array(features * q.levels);
  const counts = new Float64Array(q.levels);
  const sums = new Float64Array(q.levels);
  const sharedCoder = isShared(q) ? coderOf(q, 0) : undefined;
  for (let f = 0; f < features; f++) {
    const coder = sharedCoder ?? coderOf(q, f);
    counts.fill(0);
    sums.fill(0);
    for (let b = f * bins; b < (f + 1) * bins; b++) {
      const count = stats.counts.data[b]!;
      if (count === 0) continue;
      const mean = stats.means.data[b]!;
      const code = coder(mean);
      counts[code]! += count;
      sums[code]! += count * mean;
    }
    for (let c = 0; c < q.levels; c++) {
      values[f * q.levels + c] = counts[c]! > 0 ? sums[c]! / counts[c]! : decodeValue(q, f, c);
    }
  }
  return constant(F32, [features, q.levels], values);
};
