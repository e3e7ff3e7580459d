/** Random layers that suit an operand of a given shape: features [I], or an image [C, H, W] under a window. */
import {
  accumulatorFor,
  type Basis,
  type Branch,
  basisTableRange,
  constant,
  edgeTableRange,
  F32,
  functionCount,
  int,
  isPadded,
  type KanAttrs,
  layerInputs,
  RADIAL_KERNELS,
  type TableBasisAttrs,
  type TableEdgeAttrs,
  uint,
  type Window,
  windowOutput,
} from '../../src/ir/index.js';
import { ACTIVATIONS, type Activation, isActivation } from '../../src/numeric/activations.js';
import { isSymbolicFunction, SYMBOLIC_FUNCTIONS } from '../../src/numeric/symbolic.js';
import { anyScale, ascendingRows, constantBy, floats, integers } from './quantizers.js';
import { type Random, randomOf } from './random.js';

export const activations: ReadonlyArray<Activation> = Object.keys(ACTIVATIONS).filter(isActivation);
const symbolicFunctions = Object.keys(SYMBOLIC_FUNCTIONS).filter(isSymbolicFunction);

/** Results of windows are at most so high and wide, so that graphs of many windows stay small. */
const LARGEST_RESULT = 6;

/** A window with strides, padding and dilation that fits the image; groups only where they divide the channels. */
export const anyWindow = (r: Random, shape: ReadonlyArray<number>, grouped: boolean): Window => {
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const divisors = [1, 2, 3, 4, 5, 6].filter((g) => channels % g === 0);
  for (;;) {
    const pair = (lo: number, hi: number): [number, number] => [r.whole(lo, hi), r.whole(lo, hi)];
    const window: Window = {
      kernel: pair(1, 3),
      stride: pair(1, 3),
      padding: r.chance(0.5) ? [0, 0] : pair(0, 2),
      dilation: r.chance(0.6) ? [1, 1] : pair(1, 2),
      groups: grouped && r.chance(0.4) ? r.pick(divisors) : 1,
    };
    const size = windowOutput(window, height, width);
    if (size?.every((d) => d <= Math.max(LARGEST_RESULT, height, width)) === true) return window;
  }
};

const maybeWindow = (r: Random, shape: ReadonlyArray<number>): { readonly window?: Window } =>
  shape.length === 3 ? { window: anyWindow(r, shape, true) } : {};

/** Functions that are finite everywhere, of one parameter or two. */
export const EXPRESSIONS = [
  'sin(3 * tanh(p0 * x) + tanh(p1))',
  'let t = x - p0; t * exp(-(t * t)) * p1',
  'where(lt(x, p0), 0, p1 * x)',
  'x / (1 + abs(p0 * x)) * -2.5e-1',
  'max(x - p0, 0) * (2 + tanh(p1 + x))',
] as const;

/** A basis for `inputs` inputs and `outputs` outputs; over windows of `taps` one that the places of a channel share. */
const anyBasis = (r: Random, inputs: number, shared: boolean, taps: number, outputs: number): Basis => {
  const expression = (): Basis => {
    const rows = r.chance(0.5) ? 1 : inputs;
    const edges = r.chance(0.4);
    const shape = [r.whole(1, 3), ...(edges ? [outputs] : []), 2];
    const size = shape.reduce((n, d) => n * d, 1);
    const own = Array.from({ length: Math.ceil(inputs / taps) }, () => floats(r, [size]).data);
    const data = Float32Array.from(
      { length: rows * size },
      (_, e) => own[Math.floor(Math.floor(e / size) / taps)]![e % size]!,
    );
    const parameters = constant(F32, [rows, ...shape], data);
    const text = r.pick(EXPRESSIONS);
    return edges
      ? { _tag: 'expression', function: text, parameters, edges: true }
      : { _tag: 'expression', function: text, parameters };
  };
  const spline = (): Basis => {
    const order = r.whole(0, 3);
    const knots = ascendingRows(r, shared ? 1 : r.pick([1, inputs]), 2 * order + 1 + r.whole(1, 4), false);
    return { _tag: 'bspline', order, knots };
  };
  const polynomial = (): Basis => {
    const degree = r.whole(0, 5);
    const family = r.pick(['chebyshev', 'legendre', 'gram'] as const);
    const beta = constantBy(F32, [degree + 1], () => r.unit() - 0.5);
    return {
      _tag: 'polynomial',
      family,
      degree,
      squash: r.chance(0.7) ? 'tanh' : 'none',
      outer: r.chance(0.7) ? 'identity' : r.pick(activations),
      ...(family === 'gram' ? { beta } : {}),
    };
  };
  const symbolic = (): Basis => {
    const functions = Array.from({ length: r.whole(1, 6) }, () => r.pick(symbolicFunctions));
    const count = r.whole(1, 3);
    return {
      _tag: 'symbolic',
      functions,
      kinds: integers(r, uint(8), [inputs, count], 0, functions.length - 1),
      inner: constantBy(F32, [inputs, count, 2], () => (r.unit() - 0.5) * 4),
    };
  };
  return r.pick([
    spline,
    spline,
    (): Basis => ({ _tag: 'base', activation: r.pick(activations) }),
    (): Basis => ({
      _tag: 'rbf',
      centers: floats(r, [r.whole(1, 4)]),
      width: 0.1 + 2 * r.unit(),
      ...(r.chance(0.5) ? { kernel: r.pick(RADIAL_KERNELS) } : {}),
    }),
    polynomial,
    expression,
    shared ? polynomial : symbolic,
  ])();
};

/** A branch that reads all inputs, or, without groups, those of some neighbouring channels. */
const anyBranch = (
  r: Random,
  channels: number,
  area: number,
  whole: boolean,
  shared: boolean,
  outputs: number,
): Branch => {
  const first = whole || r.chance(0.6) ? 0 : r.whole(0, channels - 1);
  const last = whole || r.chance(0.5) ? channels : r.whole(first + 1, channels);
  const inputs = (last - first) * area;
  const basis = anyBasis(r, inputs, shared, area, outputs);
  return {
    basis,
    weights: floats(r, [inputs, functionCount(basis), outputs]),
    ...(first > 0 || r.chance(0.1) ? { from: first * area } : {}),
  };
};

export const anyKan = (r: Random, shape: ReadonlyArray<number>): KanAttrs => {
  const { window } = maybeWindow(r, shape);
  const channels = shape[0]!;
  const width = r.whole(1, channels > 20 ? 2 : 4);
  const area = window === undefined ? 1 : window.kernel[0] * window.kernel[1];
  const groups = window?.groups ?? 1;
  return {
    branches: Array.from({ length: r.whole(1, 3) }, () =>
      anyBranch(r, channels, area, groups > 1, window !== undefined, width),
    ),
    ...(r.chance(0.5) ? { bias: floats(r, [width * groups]) } : {}),
    ...(r.chance(0.5)
      ? { precision: { table: r.whole(2, 16), coef: r.whole(2, 16), basis: r.whole(1, 16) } }
      : {}),
    ...(window === undefined ? {} : { window }),
    ...(window !== undefined && r.chance(0.2) ? { outside: Math.fround(4 * r.unit() - 2) } : {}),
  };
};

/** Accumulators with a proven range, or undefined where it does not fit 32 bits. */
export const accumulate = <A extends { readonly lo: number; readonly hi: number }>(
  range: { readonly lo: number; readonly hi: number },
  make: (acc: number, lo: number, hi: number) => A,
): A | undefined => {
  const e = accumulatorFor(range.lo, range.hi);
  return e === undefined || e.kind === 'f32' ? undefined : make(e.bits, range.lo, range.hi);
};

const maybeBias = (r: Random, outputs: number): Pick<TableEdgeAttrs, 'bias'> =>
  r.chance(0.5) ? { bias: integers(r, int(32), [outputs], -999, 999) } : {};

/**
 * Frequent codes of some inputs, at times; the number of levels says that an input has none. They change no value, so
 * they have random numbers of their own.
 */
const maybeFrequent = (
  inputs: number,
  levels: number,
  window: Window | undefined,
): Pick<TableEdgeAttrs, 'frequent'> => {
  const r = randomOf(inputs * 1000 + levels);
  return window === undefined && r.chance(0.4)
    ? { frequent: integers(r, uint(Math.ceil(Math.log2(levels + 1))), [inputs], 0, levels) }
    : {};
};

export const anyEdge = (
  r: Random,
  shape: ReadonlyArray<number>,
  levels: number,
): TableEdgeAttrs | undefined => {
  const windowed = maybeWindow(r, shape);
  const { window } = windowed;
  const inputs = layerInputs(shape, window);
  const width = r.whole(1, inputs > 20 ? 2 : 5);
  const outputs = width * (window?.groups ?? 1);
  const slabs = r.chance(0.4) ? r.whole(1, inputs) : undefined;
  const rows = window !== undefined && isPadded(window) ? levels + 1 : levels;
  const layer = {
    ...windowed,
    table: integers(r, int(r.whole(1, 17)), [slabs ?? inputs, rows, width]),
    ...(slabs === undefined ? {} : { slabs: integers(r, uint(9), [inputs], 0, slabs - 1) }),
    ...maybeBias(r, outputs),
    ...maybeFrequent(inputs, levels, window),
  };
  const scale = anyScale(r, outputs);
  return accumulate(edgeTableRange(layer, inputs), (acc, lo, hi) => ({ ...layer, scale, acc, lo, hi }));
};

export const anyBasisTable = (
  r: Random,
  shape: ReadonlyArray<number>,
  levels: number,
): TableBasisAttrs | undefined => {
  const windowed = maybeWindow(r, shape);
  const inputs = layerInputs(shape, windowed.window);
  const outputs = r.whole(1, inputs > 20 ? 2 : 4);
  const all = outputs * (windowed.window?.groups ?? 1);
  const width = r.whole(1, 4);
  const functions = width + r.whole(0, 4);
  const fractions = r.whole(1, 4);
  const rows = r.chance(0.5) ? undefined : r.whole(1, 3);
  const table = [rows ?? 1, levels] as const;
  const layer = {
    ...windowed,
    coefficients: integers(r, int(r.whole(2, 8)), [inputs, functions, outputs]),
    basis: integers(r, uint(r.whole(1, 8)), [fractions, width]),
    span: integers(r, uint(8), table, 0, functions - width),
    frac: integers(r, uint(8), table, 0, fractions - 1),
    shift: r.whole(0, 4),
    ...(rows === undefined ? {} : { rows: integers(r, uint(8), [inputs], 0, rows - 1) }),
    ...(r.chance(0.5)
      ? { base: integers(r, int(8), [inputs, outputs]), baseTable: integers(r, int(9), table) }
      : {}),
    ...maybeBias(r, all),
    ...maybeFrequent(inputs, levels, windowed.window),
  };
  const scale = anyScale(r, all);
  const whole: TableBasisAttrs = { ...layer, scale, acc: 32, lo: 0, hi: 0 };
  return accumulate(basisTableRange(whole, inputs), (acc, lo, hi) => ({ ...layer, scale, acc, lo, hi }));
};
