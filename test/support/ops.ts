/** Random ops that suit values of given types. */
import * as E from 'fp-ts/lib/Either.js';
import {
  channelsOf,
  inferType,
  int,
  type Level,
  levelsOf,
  OPS,
  type Op,
  type OpKind,
  sizeOf,
  sumRange,
  type TableSumAttrs,
  uint,
  type Value,
  type ValueName,
  type ValueType,
} from '../../src/ir/index.js';
import type { UnivariateFunction } from '../../src/ir/ops/activate.js';
import { multiplierFor, shiftFor } from '../../src/numeric/fixed-point.js';
import { accumulate, activations, anyBasisTable, anyEdge, anyKan, anyWindow, EXPRESSIONS } from './layers.js';
import { anyPerChannel, anyQuantizer, anyScale, constantBy, floats, integers } from './quantizers.js';
import type { Random } from './random.js';

/** An op and what it is applied to. */
export interface Use {
  readonly op: Op;
  readonly operands: ReadonlyArray<ValueName>;
}

/** One way to use a value; undefined when the dice made none. */
type Way = readonly [kind: OpKind, make: () => Op | Use | undefined];

const made = <A, B>(attrs: A | undefined, make: (attrs: A) => B): B | undefined =>
  attrs === undefined ? undefined : make(attrs);

const anyObserve = (r: Random, features: number): Op => {
  const bins = r.whole(1, 5);
  return {
    kind: 'observe',
    attrs: {
      samples: r.whole(1, 2 ** 32 - 1),
      lo: -r.unit(),
      hi: r.unit(),
      counts: integers(r, uint(32), [features, bins]),
      means: floats(r, [features, bins]),
    },
  };
};

const anyGather = (r: Random, features: number): Op => ({
  kind: 'gather',
  attrs: { indices: integers(r, uint(32), [r.whole(1, 6)], 0, features - 1) },
});

/** The elements in another shape of one to three dimensions. */
const anyReshape = (r: Random, type: ValueType): Op => {
  const shape: number[] = [];
  let rest = sizeOf(type);
  // Features of one dimension feed dense layers, which grow with them.
  const dimensions = rest > 40 ? 3 : r.whole(1, 3);
  while (shape.length < dimensions - 1) {
    const divisors = [1, 2, 3, 4, 5, 6].filter((d) => rest % d === 0);
    const next = r.pick(divisors);
    shape.push(next);
    rest /= next;
  }
  return { kind: 'reshape', attrs: { shape: [...shape, rest] } };
};

const anyPool = (r: Random, shape: ReadonlyArray<number>): Op => {
  const window = anyWindow(r, shape, false);
  const { kernel, padding } = window;
  const inside = [Math.min(padding[0], kernel[0] - 1), Math.min(padding[1], kernel[1] - 1)] as const;
  return r.chance(0.5)
    ? { kind: 'pool', attrs: { reduce: 'mean', window } }
    : { kind: 'pool', attrs: { reduce: 'max', window: { ...window, padding: inside, dilation: [1, 1] } } };
};

/** Indices of features, and one more that stands for 1. */
const anyMultiply = (r: Random, features: number): Op => {
  const nodes = r.whole(1, 4);
  const indices = (): ReturnType<typeof integers> => integers(r, uint(16), [nodes], 0, features);
  return { kind: 'multiply', attrs: { left: indices(), right: indices() } };
};

/** The value beside one to three that may stand with it; itself too. */
const anyConcat = (r: Random, value: Value, values: ReadonlyArray<Value>): Use => {
  const like = values.filter(
    ({ type }) =>
      type.element.kind === value.type.element.kind &&
      type.shape.slice(1).join() === value.type.shape.slice(1).join() &&
      channelsOf(type) <= 12,
  );
  const more = Array.from({ length: r.whole(0, 2) }, () => r.pick([value, ...like]).name);
  return { op: { kind: 'concat', attrs: {} }, operands: [value.name, ...more] };
};

const waysOfAll = (r: Random, value: Value, values: ReadonlyArray<Value>): ReadonlyArray<Way> => [
  ['gather', () => anyGather(r, channelsOf(value.type))],
  ['reshape', () => anyReshape(r, value.type)],
  ['concat', () => anyConcat(r, value, values)],
];

const waysOfFloats = (r: Random, value: Value, values: ReadonlyArray<Value>): ReadonlyArray<Way> => {
  const { type } = value;
  const channels = channelsOf(type);
  const quantize = (): Op => {
    const bits = r.whole(1, 6);
    return {
      kind: 'quantize',
      attrs: { bits, nan: r.pick(['zero', 'refuse'] as const), quantizer: anyQuantizer(r, channels, bits) },
    };
  };
  const activate = (): Op => ({
    kind: 'activate',
    attrs: {
      function: r.pick([
        (): UnivariateFunction => ({ _tag: 'activation', activation: r.pick(activations) }),
        (): UnivariateFunction => ({ _tag: 'prelu', slope: anyPerChannel(r, channels, r.float) }),
        (): UnivariateFunction => ({
          _tag: 'expression',
          function: r.pick(EXPRESSIONS),
          parameters: floats(r, [r.pick([1, channels]), 2]),
        }),
      ])(),
    },
  });
  const norm = (): Op => ({
    kind: 'norm',
    attrs: {
      over: r.pick(['sample', 'channel'] as const),
      epsilon: 10 ** -r.whole(1, 6),
      scale: anyPerChannel(r, channels, r.float),
      shift: anyPerChannel(r, channels, r.float),
    },
  });
  const add = (): Use => {
    const alike = values.filter(
      (v) => v.type.element.kind === 'f32' && v.type.shape.join() === type.shape.join(),
    );
    return { op: { kind: 'add', attrs: {} }, operands: [value.name, r.pick(alike).name] };
  };
  const affine = (): Op => ({
    kind: 'affine',
    attrs: { scale: anyPerChannel(r, channels, r.float), shift: anyPerChannel(r, channels, r.float) },
  });
  const common: ReadonlyArray<Way> = [
    ['quantize', quantize],
    ['quantize', quantize],
    ['observe', () => anyObserve(r, channels)],
    ['activate', activate],
    ['norm', norm],
    ['add', add],
    ['affine', affine],
  ];
  const softmax: Way = ['softmax', () => ({ kind: 'softmax', attrs: { log: r.chance(0.5) } })];
  const kan: Way = ['kan', () => ({ kind: 'kan', attrs: anyKan(r, type.shape) })];
  if (type.shape.length === 1)
    return [...common, kan, kan, ['multiply', () => anyMultiply(r, channels)], softmax];
  return type.shape.length === 3 ? [...common, kan, kan, ['pool', () => anyPool(r, type.shape)]] : common;
};

/** Tables for operands of these levels. */
export const anyTableSum = (
  r: Random,
  channels: number,
  levels: ReadonlyArray<number>,
): TableSumAttrs | undefined => {
  const sum = {
    tables: levels.map((l) => integers(r, int(r.whole(1, 17)), [r.pick([1, channels]), l])),
    ...(r.chance(0.5) ? { bias: integers(r, int(32), [channels], -999, 999) } : {}),
  };
  const scale = anyScale(r, channels);
  return accumulate(sumRange(sum, channels), (acc, lo, hi) => ({ ...sum, scale, acc, lo, hi }));
};

const useTableSum = (r: Random, value: Value, values: ReadonlyArray<Value>): Use | undefined => {
  const alike = values.filter(
    (v) => v.type.element.kind === 'uint' && v.type.shape.join() === value.type.shape.join(),
  );
  const operands = [value, ...Array.from({ length: r.whole(0, 2) }, () => r.pick(alike))];
  const sum = anyTableSum(
    r,
    channelsOf(value.type),
    operands.map((v) => levelsOf(v.type)),
  );
  return made(sum, (attrs) => ({ op: { kind: 'table.sum', attrs }, operands: operands.map((v) => v.name) }));
};

const waysOfCodes = (r: Random, value: Value, values: ReadonlyArray<Value>): ReadonlyArray<Way> => {
  const { type } = value;
  const channels = channelsOf(type);
  const levels = levelsOf(type);
  const recode = (): Op => {
    const bits = r.whole(1, 6);
    const quantizer = anyQuantizer(r, channels, bits);
    const map = integers(r, uint(8), [r.pick([1, channels]), levels], 0, quantizer.levels - 1);
    return { kind: 'recode', attrs: { map, bits, quantizer } };
  };
  const decode = (): Op => {
    const own = type.meaning === undefined || r.chance(0.5);
    return { kind: 'decode', attrs: own ? { values: floats(r, [r.pick([1, channels]), levels]) } : {} };
  };
  const common: ReadonlyArray<Way> = [
    ['recode', recode],
    ['decode', decode],
    ['table.sum', () => useTableSum(r, value, values)],
  ];
  if (type.shape.length === 2) return common;
  const edge: Way = [
    'table.edge',
    () => made(anyEdge(r, type.shape, levels), (attrs) => ({ kind: 'table.edge', attrs })),
  ];
  const basis: Way = [
    'table.basis',
    () => made(anyBasisTable(r, type.shape, levels), (attrs) => ({ kind: 'table.basis', attrs })),
  ];
  return [...common, edge, basis];
};

const anyRequantize = (r: Random, channels: number): Op => {
  const bits = r.whole(1, 8);
  const quantizer = anyQuantizer(r, channels, bits);
  const ratios = Float64Array.from({ length: channels }, () => 2 ** -r.whole(0, 12) * (1 + r.unit()));
  const shift = shiftFor(Math.max(...ratios), quantizer.levels);
  const mul = r.chance(0.5)
    ? multiplierFor(ratios[0]!, shift)
    : constantBy(int(32), [channels], (o) => multiplierFor(ratios[o]!, shift));
  const bias = r.chance(0.5) ? { bias: integers(r, int(32), [channels], -9999, 9999) } : {};
  return { kind: 'requantize', attrs: { mul, shift, bits, quantizer, ...bias } };
};

/** Ascending rows over the proven range and a little beyond it, with repetitions. */
const anyBucketize = (r: Random, type: ValueType): Op => {
  const channels = channelsOf(type);
  const bits = r.whole(1, 8);
  const quantizer = anyQuantizer(r, channels, bits);
  const [lo, hi] = type.meaning?._tag === 'scaled' ? [type.meaning.lo, type.meaning.hi] : [0, 0];
  const held = (v: number): number => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, v));
  const [rows, width] = [r.pick([1, channels]), quantizer.levels - 1];
  const sorted = Array.from({ length: rows }, () =>
    Int32Array.from({ length: width }, () => r.whole(held(lo - 2), held(hi + 2))).sort(),
  );
  const thresholds = constantBy(int(32), [rows, width], (e) => sorted[Math.floor(e / width)]![e % width]!);
  return { kind: 'bucketize', attrs: { thresholds, bits, quantizer } };
};

const anyTableNorm = (r: Random, channels: number): Op => {
  const bits = r.whole(1, 8);
  const many = (next: () => number): ReturnType<typeof anyPerChannel> =>
    r.chance(0.5) ? next() : constantBy(int(32), [channels], next);
  return {
    kind: 'table.norm',
    attrs: {
      over: r.pick(['sample', 'channel'] as const),
      epsilon: r.chance(0.2) ? 1 : Math.fround(r.whole(1, 2 ** r.whole(1, 45))),
      gain: many(() => r.whole(-(2 ** 15) + 1, 2 ** 15 - 1)),
      gainShift: r.whole(4, 16),
      offset: many(() => r.whole(-3, 2 ** bits)),
      bits,
      quantizer: anyQuantizer(r, channels, bits),
    },
  };
};

const waysOfAccumulators = (r: Random, { type }: Value): ReadonlyArray<Way> => {
  const channels = channelsOf(type);
  const common: ReadonlyArray<Way> = [
    ['dequantize', () => ({ kind: 'dequantize', attrs: {} })],
    ['requantize', () => anyRequantize(r, channels)],
    ['requantize', () => anyRequantize(r, channels)],
    ['bucketize', () => anyBucketize(r, type)],
    ['table.norm', () => anyTableNorm(r, channels)],
  ];
  if (type.shape.length === 1) return [...common, ['multiply', () => anyMultiply(r, channels)]];
  return type.shape.length === 3 ? [...common, ['pool', () => anyPool(r, type.shape)]] : common;
};

/** Kinds whose type rule may refuse what was made here: meanings that do not join, products beyond 32 bits. */
const MAY_BE_REFUSED: ReadonlySet<OpKind> = new Set(['concat', 'multiply', 'pool', 'reshape', 'table.norm']);

/** An op that may stand at the level, on `value` (and others of `values`); undefined when the dice made none. */
export const anyUse = (
  r: Random,
  level: Level,
  value: Value,
  values: ReadonlyArray<Value>,
): Use | undefined => {
  const { kind } = value.type.element;
  const own = kind === 'f32' ? waysOfFloats : kind === 'uint' ? waysOfCodes : waysOfAccumulators;
  const ways = [...own(r, value, values), ...waysOfAll(r, value, values)].filter(([k]) =>
    (OPS[k].levels as ReadonlyArray<Level>).includes(level),
  );
  const found = r.pick(ways)[1]();
  if (found === undefined) return undefined;
  const use = 'op' in found ? found : { op: found, operands: [value.name] };
  const types = use.operands.flatMap((o) => values.find((v) => v.name === o)?.type ?? []);
  return MAY_BE_REFUSED.has(use.op.kind) && E.isLeft(inferType(use.op, types)) ? undefined : use;
};
