/** What a tensor that no layer of ours takes probably is, by its name and rank: for messages, never for reading. */
import type { FileTensor } from './containers/tensor.js';

export interface Suspect {
  /** In the middle of a sentence: `a bias`. */
  readonly what: string;
  /** What can be done about it; absent where nothing of kanc can say such a tensor. */
  readonly way?: string;
  /** Whether no network computes with it: leaving it out is known to be right. */
  readonly idle?: true;
}

interface Rule {
  readonly name: RegExp;
  readonly rank?: (rank: number) => boolean;
  readonly is: Suspect;
}

const scalar = (rank: number): boolean => rank === 0;

const NORM_WAY = 'an architecture file can say a norm that stands before or after a layer';

/** In the order in which they are tried. */
const RULES: ReadonlyArray<Rule> = [
  {
    name: /^(?:criterion|loss|loss_fn|loss_func|loss_function|criteria)\./,
    is: { what: 'a part of the loss, which training alone computes', idle: true },
  },
  {
    name: /(?:^|\.)(?:weight|bias)_(?:ih|hh)(?:_l\d+)?(?:_reverse)?$/,
    is: { what: 'a recurrent layer (LSTM, GRU, RNN)' },
  },
  {
    name: /(?:^|\.)(?:in_proj_(?:weight|bias)|bias_[kv]|[qkv]_proj\.\w+|(?:attn|attention)\.(?:\w+\.)*\w+)$/,
    is: { what: 'attention' },
  },
  {
    name: /(?:^|\.)(?:w_gate|w_noise|experts?\..*|router\..*)$/,
    is: { what: 'a mixture of experts' },
  },
  {
    name: /(?:^|\.)\w*inv_denominator$/,
    is: {
      what: 'the scale of the reflectional switch of FasterKAN, which is another function than a Gaussian',
    },
  },
  {
    name: /(?:^|\.)weight_(?:g|v|orig|u)$|(?:^|\.)parametrizations\./,
    is: {
      what: 'a reparametrised weight (weight_norm, spectral_norm, parametrize)',
      way: 'torch removes it before saving: remove_weight_norm, remove_parametrizations',
    },
  },
  {
    name: /(?:^|\.)act_fun\.\d+\.|(?:^|\.)(?:sub)?node_(?:bias|scale)_\d+$|(?:^|\.)symbolic_fun\.\d+\./,
    is: { what: 'a part of a pykan network', way: 'the family pykan reads such a network by itself' },
  },
  {
    name: /(?:^|\.)\w*(?:coeffs?|coefficients|wavelet\w*|poly_weights?(?:\.\d+)?|basis_weights|translation|phase_\w+)(?:\.(?:\d+|weight|\w+\.weight))*$/,
    is: { what: 'a KAN layer of a kind that kanc does not have' },
  },
  {
    name: /(?:^|\.)\w*emb(?:ed|edding|eddings)?\w*(?:\.\w+)*$/,
    is: { what: 'an embedding, a lookup by integers' },
  },
  {
    name: /(?:^|\.)\w*(?:norms?|ln|bn|gn|rms)\d*(?:\.\d+)*\.(?:weight|bias|gamma|beta|scale|running_mean|running_var)$|(?:^|\.)running_(?:mean|var)$/,
    is: { what: 'a normalisation', way: NORM_WAY },
  },
  {
    name: /(?:^|\.)(?:gamma|beta)$/,
    is: { what: 'the scale or shift of a normalisation, or a parameter of an activation' },
  },
  { name: /(?:^|\.)\w*bias(?:\.\d+)?$/, is: { what: 'a bias' } },
  { name: /(?:^|\.)weight$/, rank: (r) => r === 3, is: { what: 'a one-dimensional convolution' } },
  { name: /(?:^|\.)weight$/, rank: (r) => r === 5, is: { what: 'a three-dimensional convolution' } },
  {
    name: /(?:^|\.)\w*(?:scale|scaler|alpha|temperature)(?:\.\d+)?$/,
    is: { what: 'a scale' },
  },
  { name: /(?:^|\.)\w*(?:grid|knots|centers?)(?:[._]\d+)?$/, is: { what: 'the grid of a KAN layer' } },
  { name: /(?:^|\.)\w*$/, rank: scalar, is: { what: 'a single parameter' } },
];

/** Counters that training and profilers keep beside the weights: no network computes with them. */
export const isCounter = (name: string, { shape }: Pick<FileTensor, 'shape'>): boolean =>
  /(?:^|\.)(?:n_averaged|num_batches_tracked|total_ops|total_params)$/.test(name) &&
  shape.every((d) => d === 1);

/** Names come out of files: long ones are told by nothing else. */
const NAME_LIMIT = 256;

/** What the tensor probably is; undefined where its name and rank say nothing. */
export const suspectOf = (name: string, { shape }: Pick<FileTensor, 'shape'>): Suspect | undefined =>
  name.length > NAME_LIMIT
    ? undefined
    : RULES.find((rule) => rule.name.test(name) && (rule.rank?.(shape.length) ?? true))?.is;
