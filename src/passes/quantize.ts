/** Gives every KAN layer codes instead of floats, and says how finely its functions are to be tabulated. */
import { rewrite } from '../ir/builder.js';
import { constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import { definitionsOf, type Node } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { coderOf, decodeValue, isShared, type Quantizer } from '../ir/quantizer.js';
import { chooseQuantizer, type RangeOptions } from './choose-quantizer.js';
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
  summary: 'turns the inputs of every observed KAN layer into codes and sets the precision of its functions',
  options: codec,
  help,
  from: 'float',
  to: 'quantized',
  run: (options) => (graph) => {
    const definitions = definitionsOf(graph);
    const remarks: Remark[] = [];
    const result = rewrite(graph, 'quantized', (node, r) => {
      if (node.op.kind !== 'kan') return r.keep(node);
      const observed = definitions.get(node.operands[0]!);
      if (observed?.op.kind !== 'observe') return r.keep(node);
      const first = isFirst(observed, definitions);
      const layer = layerShape(node.op.attrs);
      const bits = activationBits(options, layer, first);
      const stats = observed.op.attrs;
      const chosen = chooseQuantizer(options, bits, stats, node.op.attrs, !first);
      for (const message of chosen.notes) remarks.push(note(message, node.name));
      const { quantizer } = chosen;
      remarks.push(note(`${layer.inputs} inputs of ${bits} bits, ${quantizer.levels} levels`, node.name));

      const codes = r.add(
        `${node.name}_code`,
        { kind: 'quantize', attrs: { quantizer, bits, nan: options.nan } },
        [r.of(observed.name)],
      );
      const values =
        options.values === 'mean' && options.align === 'free'
          ? cellMeans(quantizer, stats, layer.inputs)
          : undefined;
      const decoded = r.add(
        `${node.name}_in`,
        { kind: 'decode', attrs: values === undefined ? {} : { values } },
        [codes],
      );
      const { table, coef, basis } = options;
      const attrs: KanAttrs = { ...node.op.attrs, precision: { table, coef, basis } };
      return r.add(node.name, { kind: 'kan', attrs }, [decoded]);
    });
    return withRemarks(result, remarks);
  },
});

interface LayerShape {
  readonly inputs: number;
  readonly outputs: number;
}

const layerShape = (a: KanAttrs): LayerShape => {
  const [inputs, , outputs] = a.branches[0]!.weights.shape;
  return { inputs: inputs!, outputs: outputs! };
};

/** Whether no KAN layer stands before the value. */
const isFirst = (node: Node, definitions: ReturnType<typeof definitionsOf>): boolean =>
  node.operands.every((o) => {
    const before = definitions.get(o);
    return before === undefined || (before.op.kind !== 'kan' && isFirst(before, definitions));
  });

/** 8 bits, or as few as 5 where the edge table of the layer would outgrow the budget. */
const activationBits = (
  options: QuantizeOptions,
  { inputs, outputs }: LayerShape,
  first: boolean,
): number => {
  const asked = first || options.hidden === 'auto' ? options.act : options.hidden;
  if (asked !== 'auto') return asked;
  const perCode = inputs * outputs * (options.table <= 8 ? 1 : 2);
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
