/** Gives every KAN layer codes instead of floats, and says how finely its functions are to be tabulated. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { rewrite } from '../ir/builder.js';
import { constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { Graph, ValueName } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { coderOf, decodeValue, isShared, type Quantizer, quantizerFault } from '../ir/quantizer.js';
import { channelsOf } from '../ir/types.js';
import { type Chosen, chooseQuantizer, type Wanted } from './choose-quantizer.js';
import { layerSlopes, type RangeOptions } from './choose-range.js';
import { type CodePoint, codePoints } from './code-points.js';
import { checkLayers, layersOption } from './layer-settings.js';
import {
  autoIntegerOption,
  autoNumberOption,
  bytesOption,
  choiceOption,
  declareOptions,
  integerOption,
  numberOption,
} from './options.js';
import { definePass, note, type Remark, withRemarks } from './pass.js';
import { LAYER_KNOBS, type PointOptions, pointChoices, precisionOf } from './point-choices.js';
import { eachSeenBin } from './seen-bins.js';

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
  ranges: choiceOption(
    'how ranges come from calibration: minmax: all values; percentile: without the ends that clip says; mse: least squared error of the values; histogram: least squared error of what the layers that read them compute',
    ['minmax', 'percentile', 'mse', 'histogram'],
  ),
  clip: autoNumberOption(
    'percent of calibration values cut off each end of the range; auto: 0, with ranges=percentile 0.1',
    0,
    49,
  ),
  symmetry: choiceOption(
    'affine: ranges as they are; symmetric: from -m to m, one level less, so that 0 has a code',
    ['affine', 'symmetric'],
  ),
  margin: numberOption(
    'percent of its width that a hidden range grows at each end, unless it is searched (mse, histogram)',
    0,
    100,
    1,
  ),
  range: choiceOption('clamp: the calibrated range; extend: widened to the grid', ['clamp', 'extend']),
  inputRanges: choiceOption('one range for all inputs or one for each', ['tensor', 'feature']),
  hiddenRanges: choiceOption('one range for each hidden value or one for all', ['feature', 'tensor']),
  quantizer: choiceOption(
    'uniform: levels at equal distances; lloyd: cells of least squared error in place of a range',
    ['uniform', 'lloyd'],
  ),
  align: choiceOption('knots: codes split into interval and fraction by shift and mask', ['free', 'knots']),
  values: choiceOption('a code stands for the mean of the values in its cell, or for its middle', [
    'mean',
    'middle',
  ]),
  nan: choiceOption('NaN has code 0, or is refused', ['zero', 'refuse']),
  layers: layersOption('options of single layers', LAYER_KNOBS),
});

interface QuantizeOptions extends RangeOptions, PointOptions {
  readonly range: 'clamp' | 'extend';
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
    const known = checkLayers(options.layers, graph, 'quantize');
    if (E.isLeft(known)) return known;
    const quantizers = chooseAll(options, graph);
    const finite = checkFinite(graph, quantizers);
    if (E.isLeft(finite)) return finite;
    const remarks: Remark[] = [];
    const result = rewrite(graph, 'quantized', (node, r) => {
      if (node.op.kind === 'kan') {
        const attrs: KanAttrs = { ...node.op.attrs, precision: precisionOf(options, node.name) };
        return r.add(node.name, { kind: 'kan', attrs }, node.operands.map(r.of));
      }
      const choice = node.op.kind === 'observe' ? quantizers.get(node.operands[0]!) : undefined;
      if (node.op.kind !== 'observe' || choice === undefined) return r.keep(node);
      const observed = r.keep(node);
      const stats = node.op.attrs;
      const { point, quantizer, notes, wanted } = choice;
      const { bits } = wanted;
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
        options.values === 'mean' && wanted.align === 'free'
          ? cellMeans(quantizer, stats, channelsOf(node.type), point.mixed)
          : undefined;
      return r.add(`${stem}_in`, { kind: 'decode', attrs: values === undefined ? {} : { values } }, [codes]);
    });
    return withRemarks(result, remarks);
  },
});

/** Values may be finite and their range, or what margins and symmetry make of it, too wide for an f32 (K0204). */
const checkFinite = (graph: Graph, quantizers: ReadonlyMap<ValueName, Choice>): Checked<void> => {
  for (const node of graph.nodes) {
    const choice = node.op.kind === 'observe' ? quantizers.get(node.operands[0]!) : undefined;
    if (choice === undefined) continue;
    const { quantizer } = choice;
    const fits = quantizerFault(quantizer, channelsOf(node.type), choice.wanted.bits);
    if (E.isLeft(fits)) return tooWide(choice.point.name, fits.left);
    for (let f = 0; f < (isShared(quantizer) ? 1 : channelsOf(node.type)); f++) {
      const ends = [0, quantizer.levels - 1].map((code) => decodeValue(quantizer, f, code));
      if (ends.every(Number.isFinite)) continue;
      return tooWide(choice.point.name, 'wider than 32-bit floats hold');
    }
  }
  return E.right(undefined);
};

const tooWide = (op: ValueName, why: string): Checked<never> =>
  fail('K0204', `the range of its values has no codes: ${why}`, {
    place: { pass: 'quantize', op },
    expected: 'calibration values whose range, margins included, 32-bit floats hold and divide',
    hint: 'The training probably diverged: take an earlier checkpoint.',
  });

interface Choice extends Chosen {
  readonly point: CodePoint;
  readonly wanted: Wanted;
}

/** The quantizer of every code point that was observed. Those that are joined side by side have equally many levels. */
const chooseAll = (options: QuantizeOptions, graph: Graph): ReadonlyMap<ValueName, Choice> => {
  const points = codePoints(graph);
  const wishes = pointChoices(options, graph, points);
  const observed = new Map(
    graph.nodes.flatMap((n) => (n.op.kind === 'observe' ? [[n.operands[0]!, n.op.attrs] as const] : [])),
  );
  const chosen = new Map<ValueName, Choice>();
  const choose = (point: CodePoint, wanted: Wanted, notes: ReadonlyArray<string>): void => {
    const stats = observed.get(point.name);
    if (stats === undefined) return;
    const { quantizer, notes: more } = chooseQuantizer(options, wanted, stats, point, (h) =>
      layerSlopes(graph, point, h),
    );
    chosen.set(point.name, { point, wanted, quantizer, notes: [...notes, ...more] });
  };
  for (const point of points) {
    const wish = wishes.get(point.name);
    if (wish !== undefined) choose(point, wish.wanted, wish.notes);
  }
  for (const group of new Set(points.map((p) => p.group))) {
    const beside = [...chosen.values()].filter((c) => c.point.group === group);
    if (new Set(beside.map((c) => c.quantizer.levels)).size < 2) continue;
    const said = 'codes are uniform and free: what stands beside them must have equally many levels';
    for (const { point, wanted } of beside) {
      choose(point, { ...wanted, align: 'free', quantizer: 'uniform' }, [said]);
    }
  }
  return chosen;
};

/**
 * For every feature and code the mean of the calibration values in the cell, the quantizer's own value where
 * the cell is empty: f32[F, levels], or f32[1, levels] of all features together (`mixed`). Undefined without data.
 */
const cellMeans = (q: Quantizer, stats: ObserveAttrs, features: number, mixed: boolean) => {
  if (stats.samples === 0) return undefined;
  const rows = mixed ? 1 : features;
  const values = new Float32Array(rows * q.levels);
  const counts = new Float64Array(q.levels);
  const sums = new Float64Array(q.levels);
  const sharedCoder = isShared(q) ? coderOf(q, 0) : undefined;
  for (let f = 0; f < features; f++) {
    const coder = sharedCoder ?? coderOf(q, f);
    if (!mixed || f === 0) {
      counts.fill(0);
      sums.fill(0);
    }
    eachSeenBin(stats, q, f, (mean, count) => {
      const code = coder(mean);
      counts[code]! += count;
      sums[code]! += count * mean;
    });
    const row = mixed ? 0 : f;
    for (let c = 0; c < q.levels; c++) {
      values[row * q.levels + c] = counts[c]! > 0 ? sums[c]! / counts[c]! : decodeValue(q, f, c);
    }
  }
  return constant(F32, [rows, q.levels], values);
};
