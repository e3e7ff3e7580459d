/**
 * What tensors do not say about a network of layers, as axes of a few choices each. The first of every axis is what a
 * draft assumes. A check tries others, those first that are fewest steps away.
 */
import type { Activation } from '../../../numeric/activations.js';
import type { FoundType } from '../detect.js';
import type { Unit } from './units.js';

export type Pool = 'none' | 'max' | 'avg';

export interface Choices {
  /** Of normalisations in lists of their own. */
  readonly normSide: 'after' | 'before';
  /** After plain layers (linear, conv2d) but the last. */
  readonly activation: Activation | undefined;
  /** Whether it stands between a plain layer and its normalisation. */
  readonly beforeNorm: boolean;
  /** Of base branches; that of the library when undefined. */
  readonly base: Activation | undefined;
  /** After the last layer. */
  readonly last: Activation | undefined;
  /** Padding that keeps the size of images, or none. */
  readonly padded: boolean;
  /** Whether the input of layers that keep the number of features or channels is added to their output. */
  readonly residual: boolean;
  /** By number of the unit; 1 where it says nothing. */
  readonly strides: ReadonlyArray<number>;
  /** 2x2, after the unit of the number; none where it says nothing. */
  readonly pools: ReadonlyArray<Pool>;
}

export const USUAL: Choices = {
  normSide: 'after',
  activation: undefined,
  beforeNorm: false,
  base: undefined,
  last: undefined,
  padded: true,
  residual: false,
  strides: [],
  pools: [],
};

/** Steps away from the usual, and what each of them changes. */
interface Axis {
  readonly options: ReadonlyArray<{ readonly cost: number; readonly change: (c: Choices) => Choices }>;
}

const axis = <A>(
  values: ReadonlyArray<A>,
  change: (choices: Choices, value: A) => Choices,
  cost: (index: number) => number,
): Axis => ({
  options: [
    { cost: 0, change: (c) => c },
    ...values.map((value, index) => ({ cost: cost(index), change: (c: Choices) => change(c, value) })),
  ],
});

const ACTIVATIONS: ReadonlyArray<Activation> = [
  'relu',
  'silu',
  'tanh',
  'gelu',
  'sigmoid',
  'leaky_relu',
  'elu',
  'softplus',
  'selu',
  'mish',
  'gelu_tanh',
];
const BASES: ReadonlyArray<Activation> = [
  'silu',
  'gelu',
  'tanh',
  'relu',
  'identity',
  'sigmoid',
  'gelu_tanh',
  'elu',
];
const LAST: ReadonlyArray<Activation> = ['sigmoid', 'tanh', 'relu', 'silu', 'softplus'];

const put = <A>(list: ReadonlyArray<A>, at: number, value: A, rest: A): ReadonlyArray<A> =>
  Array.from({ length: Math.max(list.length, at + 1) }, (_, k) => (k === at ? value : (list[k] ?? rest)));

const isImage = ({ facts }: Unit): boolean => facts.takes === 'image';

const isPlain = ({ main }: Unit): boolean => main?.type === 'linear' || main?.type === 'conv2d';

/** Whether the activation of a choice may stand here: after plain layers but the last one. */
export const takesActivation = (units: ReadonlyArray<Unit>, index: number): boolean => {
  const unit = units[index];
  if (unit === undefined || !isPlain(unit) || index === units.length - 1) return false;
  return !unit.after.some(({ type }) => type === 'prelu') && hasRoom(unit, units[index + 1]);
};

/** Whether a module without tensors can stand inside of a unit or behind it: numbers of a Sequential are left out. */
const hasRoom = ({ main, after }: Unit, next: Unit | undefined): boolean => {
  const chain = [main, ...after, next?.before[0] ?? next?.main].flatMap((layer) => layer?.prefix ?? []);
  return chain.some((prefix, k) => k > 0 && isGap(chain[k - 1] ?? '', prefix));
};

/** A module of a Sequential: its name is a number. `fc1` and `fc2` are attributes, between which anything may stand. */
const LISTED = /^(|.*\.)(\d{1,9})$/s;

const isGap = (a: string, b: string): boolean => {
  const [x, y] = [LISTED.exec(a), LISTED.exec(b)];
  // Names in no common list say nothing about what stands between them.
  return x === null || y === null || x[1] !== y[1] || Number(y[2]) - Number(x[2]) > 1;
};

/** Layers beyond this number have the usual strides and no pooling. */
const IMAGE_LAYERS = 6;

/** The base activations of convolutions in their library. */
export const USUAL_BASE: Readonly<Partial<Record<FoundType, Activation>>> = {
  'kan-conv2d': 'gelu',
  'fast-kan-conv2d': 'silu',
  'kagn-conv2d': 'silu',
  'kajn-conv2d': 'silu',
};

const HAS_BASE: ReadonlySet<string> = new Set([...Object.keys(USUAL_BASE), 'efficient-kan', 'fast-kan']);

/** The axes that these units have. `inLists`: whether there are normalisations in lists of their own. */
// Long: one list, in the order in which choices are tried.
export const axesOf = (units: ReadonlyArray<Unit>, inLists: boolean): ReadonlyArray<Axis> => {
  const images = units.flatMap((unit, k) => (isImage(unit) ? [k] : [])).slice(0, IMAGE_LAYERS);
  const sites = units.flatMap((_, k) => (takesActivation(units, k) ? [k] : []));
  const normed = sites.some((k) => units[k]?.after.some(({ type }) => type !== 'prelu'));
  const keeps = units.some(({ facts }) => facts.inputs !== undefined && facts.inputs === facts.outputs);
  const pooled = images.filter((k) => hasRoom(units[k]!, units[k + 1]));
  const when = (is: boolean, one: Axis): ReadonlyArray<Axis> => (is ? [one] : []);
  return [
    ...images.map((k) =>
      axis(
        [2],
        (c, stride) => ({ ...c, strides: put(c.strides, k, stride, 1) }),
        () => 1,
      ),
    ),
    ...when(
      sites.length > 0,
      axis(
        ACTIVATIONS,
        (c, activation) => ({ ...c, activation }),
        (k) => 1 + (k > 2 ? 1 : 0),
      ),
    ),
    ...pooled.map((k) =>
      axis<Pool>(
        ['max', 'avg'],
        (c, pool) => ({ ...c, pools: put<Pool>(c.pools, k, pool, 'none') }),
        (j) => 1 + j,
      ),
    ),
    ...when(
      inLists,
      axis(
        ['before' as const],
        (c, normSide) => ({ ...c, normSide }),
        () => 1,
      ),
    ),
    ...when(
      normed,
      axis(
        [true],
        (c, beforeNorm) => ({ ...c, beforeNorm }),
        () => 1,
      ),
    ),
    ...when(
      units.some(({ main }) => HAS_BASE.has(main?.type ?? '')),
      axis(
        BASES,
        (c, base) => ({ ...c, base }),
        (k) => 1 + (k > 2 ? 1 : 0),
      ),
    ),
    ...when(
      images.length > 0,
      axis(
        [false],
        (c, padded) => ({ ...c, padded }),
        () => 1,
      ),
    ),
    ...when(
      keeps,
      axis(
        [true],
        (c, residual) => ({ ...c, residual }),
        () => 1,
      ),
    ),
    axis(
      LAST,
      (c, last) => ({ ...c, last }),
      (k) => 1 + (k > 1 ? 1 : 0),
    ),
  ];
};

/** All choices of exactly this many steps, in a fixed order. */
function* atDistance(axes: ReadonlyArray<Axis>, steps: number, choices: Choices): Generator<Choices> {
  const [first, ...rest] = axes;
  if (first === undefined) {
    if (steps === 0) yield choices;
    return;
  }
  for (const { cost, change } of first.options) {
    if (cost <= steps) yield* atDistance(rest, steps - cost, change(choices));
  }
}

/** The usual choices first, then those of more and more steps, at most `limit`. */
export function* nearestFirst(axes: ReadonlyArray<Axis>, limit: number): Generator<Choices> {
  const farthest = axes.reduce((n, { options }) => n + Math.max(...options.map(({ cost }) => cost)), 0);
  let count = 0;
  for (let steps = 0; steps <= farthest; steps++) {
    for (const choices of atDistance(axes, steps, USUAL)) {
      if (count++ === limit) return;
      yield choices;
    }
  }
}
