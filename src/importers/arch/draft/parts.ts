/** The tensors that each kind of layer may have: what stands under a prefix is one of ours only if it has no others. */
import type { FileTensor } from '../../containers/tensor.js';
import { suspectOf } from '../../suspects.js';
import type { FoundType } from '../detect.js';

interface Part {
  /** The name behind the prefix. */
  readonly name: RegExp;
  readonly ranks: ReadonlyArray<number>;
  readonly needed?: true;
}

const part = (name: string, ...ranks: ReadonlyArray<number>): Part => ({
  name: new RegExp(`^(?:${name})$`),
  ranks,
});
const needed = (name: string, ...ranks: ReadonlyArray<number>): Part => ({
  ...part(name, ...ranks),
  needed: true,
});

const CHANNEL_NORM = part('layer_norm\\.(?:\\d+\\.)?(?:weight|bias|running_mean|running_var)', 1);
const BIAS = part('bias', 1);
/** Of FasterKAN. */
const SWITCH = part('rbf\\.inv_denominator', 0);

/** KALN, KAJN and KABN convolutions alike. */
const OF_JACOBI = [needed('base_conv\\.\\d+\\.weight', 4), needed('poly_weights', 5), CHANNEL_NORM];

const PARTS: Readonly<Record<FoundType, ReadonlyArray<Part>>> = {
  'kan-conv2d': [
    needed('base_conv\\.\\d+\\.weight', 4),
    needed('spline_conv\\.\\d+\\.weight', 4),
    needed('prelus\\.\\d+\\.weight', 1),
    CHANNEL_NORM,
  ],
  'fast-kan-conv2d': [
    needed('base_conv\\.\\d+\\.weight', 4),
    needed('spline_conv\\.\\d+\\.weight', 4),
    needed('rbf\\.grid', 1),
    SWITCH,
    CHANNEL_NORM,
  ],
  'kacn-conv2d': [needed('poly_conv\\.\\d+\\.weight', 4), part('arange', 5), CHANNEL_NORM],
  'kagn-conv2d': [
    needed('base_conv\\.(?:\\d+\\.)?weight', 4),
    needed('poly_weights|poly_conv\\.weight', 4, 5),
    needed('beta_weights', 1),
    CHANNEL_NORM,
  ],
  'kajn-conv2d': OF_JACOBI,
  'kaln-conv2d': OF_JACOBI,
  conv2d: [needed('weight', 4), BIAS],
  linear: [needed('weight', 2), BIAS],
  'batch-norm': [part('weight', 1), BIAS, needed('running_mean', 1), needed('running_var', 1)],
  'layer-norm': [needed('weight', 1), needed('bias', 1)],
  prelu: [needed('weight', 1)],
  'efficient-kan': [
    needed('grid', 2),
    needed('base_weight', 2),
    needed('spline_weight', 3),
    part('spline_scaler', 2),
  ],
  'fast-kan': [
    needed('rbf\\.grid', 1),
    SWITCH,
    needed('spline_linear\\.weight', 2),
    part('(?:layernorm|base_linear)\\.bias|layernorm\\.weight', 1),
    part('base_linear\\.weight', 2),
  ],
  'cheby-kan': [needed('cheby_coeffs', 3), part('arange', 1)],
};

/** Whether layers of the type have such a tensor. */
export const isPartOf = (type: FoundType | undefined, name: string): boolean =>
  type !== undefined && PARTS[type].some((own) => own.name.test(name));

/** The tensors under a prefix, by the rest of their names. */
export type Members = ReadonlyMap<string, FileTensor>;

export interface Misfit {
  /** Behind the prefix. */
  readonly name: string;
  /** In the middle of a sentence: what the tensor is, or what is missing. */
  readonly why: string;
  /** Whether the layer may be one of ours all the same. */
  readonly unclear?: true;
}

const NOT_TOLD_APART =
  'of a KALN, KAJN or KABN convolution (Legendre, Jacobi, Bernstein), which their names do not tell apart';

const describeRank = (rank: number): string => `a tensor of ${rank} dimensions`;

/** Names of whole modules whose weights have the shape of another layer's. */
const LOOKALIKES: ReadonlyArray<{
  readonly of: ReadonlyArray<FoundType>;
  readonly is: (prefix: string, members: Members) => string | undefined;
}> = [
  {
    of: ['linear'],
    is: (prefix, members) =>
      !members.has('bias') && /emb(?:ed|edding|eddings)?(?:_\w+|s)?$|^wte$|^wpe$/i.test(prefix)
        ? 'an embedding (a lookup by integers), by its name and as it has no bias'
        : undefined,
  },
  {
    of: ['conv2d'],
    is: (prefix, members) => {
      const [outputs, inputs] = members.get('weight')?.shape ?? [];
      const bias = members.get('bias')?.shape[0];
      const turned = bias !== undefined && bias !== outputs && bias === inputs;
      return turned || /(?:deconv|upconv|transpose|convt)\w*(?:\.\d+)?$/i.test(prefix)
        ? 'a transposed convolution'
        : undefined;
    },
  },
  {
    of: ['prelu'],
    is: (prefix) =>
      /(?:^|[._])(?:\w*norm|ln|rms\w*|bn|gn)\d*(?:\.\d+)?$/i.test(prefix)
        ? 'a normalisation without a bias (RMSNorm, or LayerNorm with bias=False)'
        : undefined,
  },
  {
    of: ['linear', 'conv2d', 'layer-norm', 'batch-norm', 'prelu'],
    is: (prefix, members) => {
      const [first] = members;
      const what = first === undefined ? undefined : suspectOf(`${prefix}.${first[0]}`, first[1])?.what;
      return what === 'attention' || what === 'a mixture of experts' ? what : undefined;
    },
  },
];

/** What under a prefix is no part of a layer of this type; nothing when all fits. */
export const misfitsOf = (type: FoundType, prefix: string, members: Members): ReadonlyArray<Misfit> => {
  if (type === 'kaln-conv2d') return [{ name: 'poly_weights', why: NOT_TOLD_APART, unclear: true }];
  const parts = PARTS[type];
  const strange = [...members].flatMap(([name, tensor]) => strangePart(type, name, tensor) ?? []);
  if (strange.length > 0) return strange;
  const [first = ''] = members.keys();
  const missing = parts.find(
    (p) => p.needed === true && ![...members.keys()].some((name) => p.name.test(name)),
  );
  if (missing !== undefined) {
    return [{ name: first, why: `of ${type} without its ${readable(missing.name)}` }];
  }
  const other = LOOKALIKES.flatMap(({ of, is }) => (of.includes(type) ? (is(prefix, members) ?? []) : []));
  return other.slice(0, 1).map((why) => ({ name: first, why }));
};

const strangePart = (type: FoundType, name: string, tensor: FileTensor): Misfit | undefined => {
  const own = PARTS[type].find((p) => p.name.test(name));
  const what = suspectOf(name, tensor)?.what;
  const rank = tensor.shape.length;
  if (own === undefined) return { name, why: `${what ?? 'a tensor'}, which ${type} layers do not have` };
  return own.ranks.includes(rank)
    ? undefined
    : {
        name,
        why: `${what ?? describeRank(rank)}, where ${type} layers have ${own.ranks.join(' or ')} dimensions`,
      };
};

/** A pattern as the name that it is mostly. */
const readable = ({ source }: RegExp): string =>
  source
    .replace(/^\^\(\?:|\)\$$/g, '')
    .replaceAll('(?:\\d+\\.)?', '')
    .replaceAll('\\d+', '0')
    .replaceAll('\\', '')
    .replaceAll('|', ' or ');
