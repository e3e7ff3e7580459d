/** Ranges without calibration data: from the grids, and for hidden values from random inputs as well. */
import * as E from 'fp-ts/lib/Either.js';
import type { Branch } from '../ir/basis.js';
import { samplesAtOnce } from '../ir/batches.js';
import { f32Data } from '../ir/constant.js';
import { allocate } from '../ir/element.js';
import { definitionsOf, type Graph, type Node, typesOf, type ValueName } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import { channelsOf, sizeOf, type ValueType } from '../ir/types.js';
import { emptyHistogram, type Histogram } from '../numeric/histogram.js';
import type { Range } from '../numeric/range-search.js';
import { codePoints } from './code-points.js';

/** Random inputs that go through the network. */
const PROBES = 16;

/**
 * Empty histograms for all code points. The range of an input is that of the values that pixels decode to, or of
 * the grids of the layers that read it; that of a hidden value also holds what random inputs give, twice as wide,
 * because real inputs are less even than random ones.
 */
export const assumedHistograms = (graph: Graph, bins: number): ReadonlyMap<ValueName, Histogram> => {
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  const points = codePoints(graph);
  const told = new Map<ValueName, Range>();
  for (const { name, layers } of points) {
    const read = layers.filter((l) => l.asItIs).flatMap((l) => l.attrs.branches);
    const known = decodedRange(definitions.get(name)) ?? gridRange(read);
    if (known !== undefined) told.set(name, known);
  }
  const firstPoint = points.find((p) => p.first);
  const inputRange = (firstPoint === undefined ? undefined : told.get(firstPoint.name)) ?? { lo: -1, hi: 1 };
  const probed = probe(graph, inputRange);
  return new Map(
    points.map(({ name, layers, first }) => {
      const known = [told.get(name), first ? undefined : probed.get(name)].flatMap((r) => r ?? []);
      // A layer without a grid was trained on normalised values; so was whatever a norm or a sum gives.
      const ranges =
        known.length > 0 ? known : [layers.some((l) => l.asItIs) ? { lo: -1, hi: 1 } : { lo: -4, hi: 4 }];
      const lo = Math.min(...ranges.map((r) => r.lo));
      const hi = Math.max(...ranges.map((r) => r.hi));
      return [name, emptyHistogram(channelsOf(types.get(name)!), bins, lo, hi)];
    }),
  );
};

/** Twice the range that every value takes over random inputs. Seeded: the same graph has the same ranges. */
const probe = (graph: Graph, range: Range): ReadonlyMap<ValueName, Range> => {
  const [input] = graph.inputs;
  const seen = new Map<ValueName, Range>();
  if (input === undefined || graph.inputs.length > 1) return seen;
  const batch = samplesAtOnce([graph], PROBES);
  const x = { type: input.type, batch, data: randomValues(input.type, batch, range) };
  const ran = interpret(graph, [x], (name, value) => {
    if (!(value.data instanceof Float32Array)) return;
    let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const v of value.data) {
      if (!Number.isFinite(v)) continue;
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
    const [middle, half] = [(lo + hi) / 2, (hi - lo) / 2];
    const wide = { lo: Math.fround(middle - 2 * half), hi: Math.fround(middle + 2 * half) };
    if (Number.isFinite(wide.lo) && Number.isFinite(wide.hi)) seen.set(name, wide);
  });
  return E.isRight(ran) ? seen : new Map();
};

/** Uniform over the range, or over all codes of an unsigned type, by a linear congruential generator. */
const randomValues = (type: ValueType, batch: number, { lo, hi }: Range) => {
  const data = allocate(type.element, batch * sizeOf(type));
  let state = 1;
  for (let j = 0; j < data.length; j++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const unit = state / 2 ** 32;
    data[j] =
      type.element.kind === 'f32'
        ? lo + unit * (hi - lo)
        : Math.floor(unit * 2 ** Math.min(8, type.element.bits));
  }
  return data;
};

const decodedRange = (node: Node | undefined): Range | undefined => {
  if (node?.op.kind !== 'decode' || node.op.attrs.values === undefined) return undefined;
  const values = f32Data(node.op.attrs.values);
  return { lo: values.reduce((a, b) => Math.min(a, b)), hi: values.reduce((a, b) => Math.max(a, b)) };
};

/** From the p-th knot to the p-th last of all rows: where the splines were meant to be used. */
const gridRange = (branches: ReadonlyArray<Branch>): Range | undefined => {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const { basis } of branches) {
    if (basis._tag !== 'bspline') continue;
    const [rows, count] = [basis.knots.shape[0]!, basis.knots.shape[1]!];
    for (let r = 0; r < rows; r++) {
      lo = Math.min(lo, basis.knots.data[r * count + basis.order]!);
      hi = Math.max(hi, basis.knots.data[(r + 1) * count - 1 - basis.order]!);
    }
  }
  return lo < hi ? { lo, hi } : undefined;
};
