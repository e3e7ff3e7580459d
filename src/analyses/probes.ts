/**
 * Inputs for comparing implementations: where rounding, clamping and special values could make a difference.
 * The same seed gives the same inputs.
 */
import { definitionsOf, type Graph, type ValueName } from '../ir/graph.js';
import { refusesNaN } from '../ir/interpret.js';
import { isShared, thresholdList } from '../ir/quantizer.js';
import type { Tensor } from '../ir/tensor.js';
import { channelIndex, levelsOf, sizeOf, type ValueType } from '../ir/types.js';
import { floatAt, HIGHEST, LOWEST, orderOf } from '../numeric/float-order.js';

/** Mulberry32: uniform integers of 32 bits. */
const generator = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  };
};

/** NaN, infinities, zeros of both signs, the smallest denormals, the ends of the denormals and of finite floats. */
export const SPECIAL_FLOATS = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1e-45,
  -1e-45,
  1.17549435e-38,
  -1.1754942e-38,
  3.4028234e38,
  -3.4028234e38,
];

const SPECIALS = [...SPECIAL_FLOATS, 1, -1];

/** Where the quantizers of the input change their code, by input feature. */
type Edges = ReadonlyArray<Float32Array>;

/** The index of the input feature behind each feature of a value, through `gather`; undefined for other values. */
const originOf = (graph: Graph, value: ValueName): ((feature: number) => number) | undefined => {
  if (value === graph.inputs[0]?.name) return (f) => f;
  const node = definitionsOf(graph).get(value);
  if (node?.op.kind !== 'gather') return undefined;
  const { indices } = node.op.attrs;
  const before = originOf(graph, node.operands[0]!);
  return before === undefined ? undefined : (f) => before(indices.data[f] ?? 0);
};

const edgesOf = (graph: Graph, features: number): Edges => {
  const edges: Float32Array[] = Array.from({ length: features }, () => new Float32Array(0));
  for (const node of graph.nodes) {
    if (node.op.kind !== 'quantize') continue;
    const origin = originOf(graph, node.operands[0]!);
    if (origin === undefined) continue;
    const { quantizer } = node.op.attrs;
    const shared = isShared(quantizer) ? thresholdList(quantizer, 0) : undefined;
    const channel = channelIndex(node.type);
    for (let f = 0; f < sizeOf(node.type); f++) {
      edges[origin(f)] = shared ?? thresholdList(quantizer, channel(f));
    }
  }
  return edges;
};

/** Any finite value between the ends of the thresholds and as far again on either side. */
const within = (thresholds: Float32Array, share: number): number => {
  const lo = thresholds[0] ?? -1;
  const hi = thresholds[thresholds.length - 1] ?? 1;
  const width = Number.isFinite(hi - lo) && hi > lo ? hi - lo : 2;
  return (Number.isFinite(lo) ? lo : -1) + (2 * share - 0.5) * width;
};

const neighbour = (x: number, by: number): number =>
  Number.isNaN(x) ? x : floatAt(Math.min(HIGHEST, Math.max(LOWEST, orderOf(x) + by)));

const floatProbes = (graph: Graph, type: ValueType, samples: number, seed: number): Tensor => {
  const features = sizeOf(type);
  const edges = edgesOf(graph, features);
  const specials = refusesNaN(graph) ? SPECIALS.filter((x) => !Number.isNaN(x)) : SPECIALS;
  const random = generator(seed);
  const data = new Float32Array(samples * features);
  for (let j = 0; j < data.length; j++) {
    const sample = Math.floor(j / features);
    const thresholds = edges[j % features]!;
    const draw = random();
    const kind = draw % 16;
    // The first samples hold one special value in all features.
    if (sample < specials.length) data[j] = specials[sample]!;
    else if (kind < 6) data[j] = within(thresholds, random() / 2 ** 32);
    else if (kind < 13 && thresholds.length > 0) {
      data[j] = neighbour(thresholds[random() % thresholds.length]!, ((draw >>> 8) % 3) - 1);
    } else if (kind < 14) data[j] = specials[random() % specials.length]!;
    else data[j] = floatAt(LOWEST + Math.floor((random() / 2 ** 32) * (HIGHEST - LOWEST + 1)));
  }
  return { type, batch: samples, data };
};

/** Every code of every feature in turn, then random ones. */
const codeProbes = (type: ValueType, samples: number, seed: number): Tensor => {
  const features = sizeOf(type);
  const levels = Math.min(256, levelsOf(type));
  const random = generator(seed);
  const data = new Uint8Array(samples * features);
  for (let j = 0; j < data.length; j++) {
    const sample = Math.floor(j / features);
    data[j] = sample < levels ? (sample + (j % features) * 37) % levels : random() % levels;
  }
  return { type, batch: samples, data };
};

/** Inputs for a graph with one input. */
export const probes = (graph: Graph, type: ValueType, samples: number, seed: number): Tensor =>
  type.element.kind === 'f32' ? floatProbes(graph, type, samples, seed) : codeProbes(type, samples, seed);
