/** From units and choices to the layers of an architecture file, with the shapes between them. */
import * as E from 'fp-ts/lib/Either.js';
import { printable } from '../../../diagnostics/index.js';
import { elementCount } from '../../../ir/constant.js';
import { usualImage } from '../../families/reskanet.js';
import type { FoundLayer, LayerFacts } from '../detect.js';
import type { LayerSpec } from '../layers.js';
import { type Choices, takesActivation, USUAL_BASE } from './choices.js';
import type { Unit } from './units.js';

type Image = readonly [number, number, number];
/** What flows between layers. */
type Shape = readonly [number] | Image;

export interface Composed {
  readonly input: ReadonlyArray<number>;
  readonly layers: ReadonlyArray<LayerSpec>;
  /** What was guessed, for people. */
  readonly guesses: ReadonlyArray<string>;
  /** Why the layers do not fit each other yet; an edit of strides or poolings may help. */
  readonly unfinished?: string;
}

/** Why no edit of strides, poolings or activations makes a network of layers one after another. */
export type Unfit = string;

const isImage = (shape: Shape): shape is Image => shape.length === 3;

const named = ({ prefix, type }: FoundLayer): string => `'${printable(prefix, 60)}' (${type})`;

/** The state of the walk; one for each composition. */
interface Walk {
  readonly choices: Choices;
  readonly layers: LayerSpec[];
  readonly guesses: string[];
  shape: Shape;
  unfinished?: string;
}

/** The shape of a sample: as it was given, or as the first layer takes it. */
const inputOf = (units: ReadonlyArray<Unit>, given: ReadonlyArray<number> | undefined): Shape => {
  const first = units.find(({ main }) => main !== undefined)?.facts;
  const inputs = first?.inputs ?? 1;
  const size = given === undefined ? undefined : elementCount(given);
  if (first?.takes === 'image') {
    const [channels, height, width] = given ?? [];
    if (channels !== undefined && height !== undefined && width !== undefined)
      return [channels, height, width];
    const side = size === undefined ? Number.NaN : Math.sqrt(size / inputs);
    return Number.isInteger(side) ? [inputs, side, side] : usualImage(inputs);
  }
  return [size ?? inputs];
};

/** Left where layers of these shapes cannot follow each other. `input` is the shape of a sample where it is known. */
export const compose = (
  units: ReadonlyArray<Unit>,
  choices: Choices,
  given?: ReadonlyArray<number>,
): E.Either<Unfit, Composed> => {
  const input = inputOf(units, given);
  const walk: Walk = { choices, layers: [], guesses: [], shape: input };
  if (isImage(input) && given === undefined) {
    walk.guesses.push(`input: images of ${input[1]}x${input[2]} pixels`);
  }
  let before: FoundLayer | undefined;
  for (const [k, unit] of units.entries()) {
    const added = addUnit(walk, units, k, before);
    if (added !== undefined) return E.left(added);
    before = unit.main ?? before;
  }
  if (choices.last !== undefined) walk.layers.push({ type: 'activation', function: choices.last });
  const { layers, guesses, unfinished } = walk;
  return E.right({ input, layers, guesses, ...(unfinished === undefined ? {} : { unfinished }) });
};

const addUnit = (
  walk: Walk,
  units: ReadonlyArray<Unit>,
  k: number,
  previous: FoundLayer | undefined,
): Unfit | undefined => {
  const { before, main, facts, after } = units[k]!;
  const { choices } = walk;
  if (main !== undefined && facts.takes === 'features' && isImage(walk.shape)) {
    const unfit = addBridge(walk, main, facts, previous);
    if (unfit !== undefined) return unfit;
  }
  const unfit = main === undefined ? undefined : unfitOf(walk.shape, main, facts, previous);
  if (unfit !== undefined) return unfit;
  const entry = walk.shape;
  const body: LayerSpec[] = before.map((norm) => normOf(walk, norm));
  if (main !== undefined) body.push(mainOf(walk, main, facts, choices.strides[k] ?? 1));
  const act: ReadonlyArray<LayerSpec> =
    choices.activation !== undefined && takesActivation(units, k)
      ? [{ type: 'activation', function: choices.activation }]
      : [];
  const norms = after.map((norm) => normOf(walk, norm));
  body.push(...(choices.beforeNorm ? [...act, ...norms] : [...norms, ...act]));
  const keeps =
    main !== undefined && entry.length === walk.shape.length && entry.every((d, j) => d === walk.shape[j]);
  if (choices.residual && keeps) walk.layers.push({ type: 'residual', body });
  else walk.layers.push(...body);
  addPool(walk, choices.pools[k] ?? 'none');
  return undefined;
};

/** Why the layer cannot take what the one before it gives. */
const unfitOf = (
  shape: Shape,
  main: FoundLayer,
  facts: LayerFacts,
  previous: FoundLayer | undefined,
): Unfit | undefined => {
  const source = previous === undefined ? 'a sample' : `${named(previous)} before it`;
  if (facts.takes === 'image' && !isImage(shape)) {
    return `${named(main)} takes images, but ${source} gives ${shape[0]} features`;
  }
  const inputs = facts.inputs;
  if (inputs === undefined) return undefined;
  // Groups of a plain convolution are told by nothing but the channels.
  const fits = main.type === 'conv2d' ? shape[0] % inputs === 0 : shape[0] === inputs;
  if (fits) return undefined;
  const what = isImage(shape) ? 'channels' : 'features';
  return `${named(main)} takes ${inputs} ${what}, but ${source} gives ${shape[0]}`;
};

/** From an image to the features of a layer: a global average where the channels fit, smaller ones or none else. */
const addBridge = (
  walk: Walk,
  main: FoundLayer,
  { inputs }: LayerFacts,
  previous: FoundLayer | undefined,
): Unfit | undefined => {
  const { shape } = walk;
  if (inputs === undefined || !isImage(shape)) return undefined;
  const [channels, height, width] = shape;
  if (inputs % channels !== 0) {
    return `${named(main)} takes ${inputs} features, which are no multiple of the ${channels} channels of ${previous === undefined ? 'a sample' : named(previous)}`;
  }
  const at = `layers[${walk.layers.length}]`;
  const side = Math.sqrt(inputs / channels);
  const factor = height / side;
  if (inputs === channels) {
    walk.layers.push({ type: 'avgpool' });
    walk.guesses.push(
      `${at}: a global average pooling, as the next layer takes as many features as there are channels`,
    );
  } else if (height === width && Number.isInteger(side) && Number.isInteger(factor) && factor > 1) {
    walk.layers.push({ type: 'avgpool', kernel: factor });
    walk.guesses.push(
      `${at}: an average pooling of ${factor}x${factor}, as the next layer takes ${inputs} features; strides or other poolings before it may stand for it`,
    );
  } else if (channels * height * width === inputs) {
    walk.guesses.push(`${at}: a flattening`);
  } else {
    const why = `a flattening of ${channels}x${height}x${width} values, though the next layer takes ${inputs} features: strides or poolings are missing before it`;
    walk.guesses.push(`${at}: ${why}`);
    walk.unfinished ??= `${at}: ${why}`;
  }
  walk.layers.push({ type: 'flatten' });
  walk.shape = [inputs];
  return undefined;
};

const mainOf = (walk: Walk, main: FoundLayer, facts: LayerFacts, stride: number): LayerSpec => {
  const { prefix, type } = main;
  const { base, padded } = walk.choices;
  const { shape } = walk;
  if (facts.takes !== 'image' || !isImage(shape)) {
    walk.shape = [facts.outputs ?? shape[0]];
    const based = type === 'efficient-kan' || type === 'fast-kan';
    return based && base !== undefined ? { type, prefix, baseActivation: base } : { type, prefix };
  }
  const kernel = facts.kernel ?? [1, 1];
  const padding = padded
    ? ([Math.floor(kernel[0] / 2), Math.floor(kernel[1] / 2)] as const)
    : ([0, 0] as const);
  const size = (n: number, axis: 0 | 1): number =>
    Math.floor((n + 2 * padding[axis] - kernel[axis]) / stride) + 1;
  walk.shape = [facts.outputs ?? shape[0], size(shape[1], 0), size(shape[2], 1)];
  if (!(walk.shape[1] > 0 && walk.shape[2] > 0)) {
    walk.unfinished ??= `${named(main)}: a ${kernel.join('x')} window does not fit an image of ${shape[1]}x${shape[2]}`;
  }
  const usual = USUAL_BASE[type];
  const own = usual === undefined ? {} : { baseActivation: base ?? usual };
  const splines = type === 'kan-conv2d' ? { splineOrder: 3, gridRange: [-1, 1] as const } : {};
  const shown = padding[0] === padding[1] ? padding[0] : padding;
  walk.guesses.push(
    `layers[${walk.layers.length}] (${printable(prefix, 60)}): stride ${stride}, padding ${padding[0] === padding[1] ? padding[0] : padding.join('x')}, dilation 1${
      type === 'kan-conv2d' ? ', splines of order 3 over [-1, 1]' : ''
    }${usual === undefined ? '' : `, base activation ${base ?? usual}`}`,
  );
  return { type, prefix, stride, dilation: 1, padding: shown, ...splines, ...own };
};

/** Norms of vectors over images are those of channels: an instance norm where there are no statistics. */
const normOf = (walk: Walk, { prefix, type }: FoundLayer): LayerSpec => {
  if (type === 'layer-norm' && isImage(walk.shape)) {
    walk.guesses.push(
      `'${printable(prefix, 60)}': an instance norm; a GroupNorm has the same tensors, and kanc has no such layer`,
    );
    return { type: 'instance-norm', prefix };
  }
  return { type, prefix };
};

const addPool = (walk: Walk, pool: Choices['pools'][number]): void => {
  const { shape } = walk;
  if (pool === 'none' || !isImage(shape)) return;
  walk.layers.push({ type: pool === 'max' ? 'maxpool' : 'avgpool', kernel: 2 });
  walk.shape = [shape[0], Math.floor(shape[1] / 2), Math.floor(shape[2] / 2)];
};
