/**
 * A first version of an architecture file from the names and shapes of tensors. What has no tensors (strides,
 * padding, pooling, activations, the size of images) is guessed, and every guess is told in `assumed`.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable, visibleJson } from '../../diagnostics/index.js';
import type { TensorFile } from '../containers/tensor.js';
import { isResKanet, type ResKanetReading, resKanetArchitecture, usualImage } from '../families/reskanet.js';
import { type Architecture, LAYER_LIMIT } from './architecture.js';
import { type FoundLayer, factsOf, findLayers, type LayerFacts } from './detect.js';
import type { LayerSpec } from './layers.js';

/** What flows between layers, as far as it is known. */
type Shape = readonly [number] | readonly [number, number, number];

export const draftArchitecture = (file: TensorFile): Checked<Architecture> => {
  if (isResKanet(file)) {
    return E.map(({ architecture, assumptions }: ResKanetReading) => ({
      ...architecture,
      assumed: assumptions({}).map(({ what, assumed }) => `${what}: ${assumed}`),
    }))(resKanetArchitecture(file));
  }
  const { layers, strange } = findLayers(file);
  const first = layers.find((layer) => factsOf(file, layer).inputs !== undefined);
  if (first === undefined || layers.length > LAYER_LIMIT) {
    return fail(
      'K0201',
      first === undefined
        ? 'no tensors are those of a layer that an architecture file can name'
        : `the tensors are of ${layers.length} layers`,
      { expected: `1 to ${LAYER_LIMIT} layers` },
    );
  }
  return E.right(sequential(file, layers, strange, factsOf(file, first)));
};

const sequential = (
  file: TensorFile,
  found: ReadonlyArray<FoundLayer>,
  strange: ReadonlyArray<string>,
  first: LayerFacts,
): Architecture => {
  const inputs = first.inputs ?? 1;
  const input: Shape = first.takes === 'image' ? usualImage(inputs) : [inputs];
  const layers: LayerSpec[] = [];
  const assumed: string[] = [];
  if (input.length === 3) assumed.push(`input: images of ${input[1]}x${input[2]} pixels`);
  let shape: Shape = input;
  for (const layer of found) {
    const facts = factsOf(file, layer);
    if (facts.takes === 'features' && shape.length === 3) {
      const bridge = flattening(shape, facts.inputs ?? 0);
      assumed.push(`layers[${layers.length}]: ${bridge.why}`);
      layers.push(...bridge.layers);
      shape = [facts.inputs ?? 0];
    }
    const { spec, guess, after } = placed(layer, facts, shape);
    if (guess !== undefined) assumed.push(`layers[${layers.length}] (${layer.prefix}): ${guess}`);
    layers.push(spec);
    shape = after;
  }
  assumed.push(...gaps(found));
  assumed.push('activations, dropout and other modules without tensors: none');
  for (const prefix of strange) assumed.push(`tensors under '${printable(prefix, 60)}' belong to no layer`);
  return { input, layers, assumed };
};

/** From an image to the features of a layer: a global average where the channels fit, smaller ones or none else. */
const flattening = (
  [channels, height, width]: readonly [number, number, number],
  features: number,
): { readonly layers: ReadonlyArray<LayerSpec>; readonly why: string } => {
  if (features === channels) {
    return {
      layers: [{ type: 'avgpool' }, { type: 'flatten' }],
      why: 'a global average pooling, as the next layer takes as many features as there are channels',
    };
  }
  const side = Math.sqrt(features / channels);
  const factor = height / side;
  if (height === width && Number.isInteger(side) && Number.isInteger(factor) && factor > 1) {
    return {
      layers: [{ type: 'avgpool', kernel: factor }, { type: 'flatten' }],
      why: `an average pooling of ${factor}x${factor}, as the next layer takes ${features} features; strides or other poolings before it may stand for it`,
    };
  }
  const fits = channels * height * width === features;
  return {
    layers: [{ type: 'flatten' }],
    why: fits
      ? 'a flattening'
      : `a flattening of ${channels}x${height}x${width} values, though the next layer takes ${features} features: strides or poolings are missing before it`,
  };
};

const CONVOLUTION = { stride: 1, dilation: 1 } as const;

/** The layer as it is written, what was guessed, and the shape after it. */
const placed = (
  { prefix, type }: FoundLayer,
  facts: LayerFacts,
  shape: Shape,
): { readonly spec: LayerSpec; readonly guess?: string; readonly after: Shape } => {
  if (facts.takes !== 'image') {
    const outputs = facts.outputs ?? shape[0];
    const after: Shape = facts.takes === 'features' ? [outputs] : shape;
    return { spec: { type, prefix }, after };
  }
  const kernel = facts.kernel ?? [1, 1];
  const padding = Math.floor(kernel[0] / 2);
  const spec: LayerSpec = { type, prefix, ...CONVOLUTION, padding };
  const splines = type === 'kan-conv2d' ? { splineOrder: 3, gridRange: [-1, 1] as const } : {};
  const base = type === 'kan-conv2d' ? 'gelu' : type === 'fast-kan-conv2d' ? 'silu' : undefined;
  const size = (n: number, k: number): number => n + 2 * padding - k + 1;
  const after: Shape =
    shape.length === 3
      ? [facts.outputs ?? shape[0], size(shape[1], kernel[0]), size(shape[2], kernel[1])]
      : shape;
  const knots = type === 'kan-conv2d' ? ', splines of order 3 over [-1, 1]' : '';
  const activation = base === undefined ? '' : `, base activation ${base}`;
  return {
    spec: { ...spec, ...splines, ...(base === undefined ? {} : { baseActivation: base }) },
    guess: `stride 1, padding ${padding}, dilation 1${knots}${activation}`,
    after,
  };
};

/** Modules of a Sequential that have no tensors. */
const gaps = (found: ReadonlyArray<FoundLayer>): ReadonlyArray<string> => {
  const numbers = found.map(({ prefix }) => (/^\d{1,6}$/.test(prefix) ? Number(prefix) : -1));
  if (numbers.some((n) => n < 0)) return [];
  const has = new Set(numbers);
  const missing = Array.from({ length: Math.max(...numbers) }, (_, n) => n).filter((n) => !has.has(n));
  return missing.length === 0
    ? []
    : [
        `modules ${missing.slice(0, 20).join(', ')} have no tensors: activations, poolings, flattenings or dropouts stand there`,
      ];
};

/** JSON on one line, with spaces. */
const line = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(line).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return visibleJson(JSON.stringify(value));
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{ ${entries.map(([k, v]) => `${visibleJson(JSON.stringify(k))}: ${line(v)}`).join(', ')} }`;
};

/** The text of an architecture file. */
export const showArchitecture = (arch: Architecture): string => {
  const list = (items: ReadonlyArray<unknown>): string =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${line(item)}`).join(',\n')}\n  ]`;
  const assumed = arch.assumed === undefined ? '' : `,\n  "assumed": ${list(arch.assumed)}`;
  return `{\n  "input": ${line(arch.input)},\n  "layers": ${list(arch.layers)}${assumed}\n}\n`;
};
