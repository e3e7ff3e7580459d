/**
 * The layers that an architecture file may name: a codec each, which is their type, their check and what
 * docs/architecture-files.md describes.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { ActivationCodec, RadialKernelCodec } from '../../ir/basis.js';
import { Finite, integer, record } from '../../ir/codec.js';

/** Height and width: one number for both, or two. */
export type Extent = number | readonly [number, number];

const checked = <A>(name: string, is: (u: unknown) => u is A): t.Type<A, A, unknown> =>
  new t.Type(name, is, (u, c) => (is(u) ? t.success(u) : t.failure(u, c)), t.identity);

const extent = (lo: number): t.Type<Extent, Extent, unknown> => {
  const one = integer(lo, 65535);
  return checked(
    `${one.name}, or two of them`,
    (u): u is Extent => one.is(u) || (Array.isArray(u) && u.length === 2 && u.every((v) => one.is(v))),
  );
};

const Range = checked('two ascending numbers', (u): u is readonly [number, number] => {
  if (!Array.isArray(u) || u.length !== 2) return false;
  const [lo, hi]: ReadonlyArray<unknown> = u;
  return Finite.is(lo) && Finite.is(hi) && lo < hi;
});

const Positive = checked('positive number', (u): u is number => Finite.is(u) && u > 0);

const Squash = t.union([t.literal('tanh'), t.literal('none')]);

const geometry = { stride: extent(1), padding: extent(0), dilation: extent(1) };
const prefixed = <K extends string>(type: K) => ({ type: t.literal(type), prefix: t.string });
const kernels = { ...geometry, groups: integer(1, 65535) };
const normed = { norm: t.union([t.literal('stored'), t.literal('none')]), epsilon: Positive };
const radial = { rbf: RadialKernelCodec, rbfWidth: Positive };
const pool = { kernel: extent(1), stride: extent(1), padding: extent(0) };

const CODECS = {
  'kan-conv2d': record(prefixed('kan-conv2d'), {
    ...kernels,
    ...normed,
    splineOrder: integer(0, 15),
    gridRange: Range,
    baseActivation: ActivationCodec,
  }),
  'fast-kan-conv2d': record(prefixed('fast-kan-conv2d'), {
    ...kernels,
    ...normed,
    ...radial,
    baseActivation: ActivationCodec,
  }),
  'kacn-conv2d': record(prefixed('kacn-conv2d'), { ...kernels, ...normed }),
  'kagn-conv2d': record(prefixed('kagn-conv2d'), { ...kernels, ...normed, baseActivation: ActivationCodec }),
  'kajn-conv2d': record(prefixed('kajn-conv2d'), { ...kernels, ...normed, baseActivation: ActivationCodec }),
  /** Known so that it can be refused with a reason. */
  'kaln-conv2d': record(prefixed('kaln-conv2d'), { ...kernels, ...normed }),
  conv2d: record(prefixed('conv2d'), kernels),
  linear: record(prefixed('linear'), {}),
  'batch-norm': record(prefixed('batch-norm'), { epsilon: Positive }),
  'instance-norm': record({ type: t.literal('instance-norm') }, { prefix: t.string, epsilon: Positive }),
  'layer-norm': record({ type: t.literal('layer-norm') }, { prefix: t.string, epsilon: Positive }),
  activation: record({ type: t.literal('activation'), function: ActivationCodec }, {}),
  prelu: record(prefixed('prelu'), {}),
  avgpool: record({ type: t.literal('avgpool') }, pool),
  maxpool: record({ type: t.literal('maxpool') }, pool),
  flatten: record({ type: t.literal('flatten') }, {}),
  'efficient-kan': record(prefixed('efficient-kan'), { baseActivation: ActivationCodec }),
  'fast-kan': record(prefixed('fast-kan'), { baseActivation: ActivationCodec, ...radial, epsilon: Positive }),
  'cheby-kan': record(prefixed('cheby-kan'), { squash: Squash, epsilon: Positive }),
} as const;

type PlainSpecs = { [K in keyof typeof CODECS]: t.TypeOf<(typeof CODECS)[K]> };

/** The sum of two ways: through `body`, and through `shortcut` (nothing there: the value as it is). */
export interface ResidualSpec {
  readonly type: 'residual';
  readonly body: ReadonlyArray<LayerSpec>;
  readonly shortcut?: ReadonlyArray<LayerSpec>;
}

export type LayerSpec = PlainSpecs[keyof PlainSpecs] | ResidualSpec;

export const LAYER_TYPES: ReadonlyArray<string> = [...Object.keys(CODECS), 'residual'];

/** Layers inside layers: found when it is used, as the two refer to each other. */
const lazyLayers: t.Type<ReadonlyArray<LayerSpec>, unknown, unknown> = new t.Type(
  'list of layers',
  (u): u is ReadonlyArray<LayerSpec> => Layers.is(u),
  (u, c) => Layers.validate(u, c),
  (a) => a,
);

const Residual: t.Type<ResidualSpec, unknown, unknown> = record(
  { type: t.literal('residual'), body: lazyLayers },
  { shortcut: lazyLayers },
);

const isType = (type: string): type is keyof typeof CODECS => Object.hasOwn(CODECS, type);

/** Goes by `type` alone: a union would tell the errors of all its members. */
const LayerCodec: t.Type<LayerSpec, unknown, unknown> = new t.Type<LayerSpec, unknown, unknown>(
  'layer',
  (u): u is LayerSpec => E.isRight(LayerCodec.decode(u)),
  (u, c) => {
    if (typeof u !== 'object' || u === null || Array.isArray(u)) return t.failure(u, c);
    const type: unknown = 'type' in u ? u.type : undefined;
    if (type === 'residual') return Residual.validate(u, c);
    if (typeof type === 'string' && isType(type)) return CODECS[type].validate(u, c);
    const found = type === undefined ? 'has no type' : `has the unknown type ${JSON.stringify(type)}`;
    return t.failure(u, c, `${found} (known: ${LAYER_TYPES.join(', ')})`);
  },
  (a) => a,
);

export const Layers: t.Type<ReadonlyArray<LayerSpec>, unknown, unknown> = t.readonlyArray(LayerCodec);
