/** Modules of torch itself as layers of an architecture file. */
import * as E from 'fp-ts/lib/Either.js';
import { printable, type Rule } from '../../diagnostics/index.js';
import type { LayerSpec } from '../arch/layers.js';
import { lastPart, type ModuleFacts } from '../containers/modules.js';
import { functionOfModule, isTorch } from '../torch-functions.js';
import { extentAt, extentsAt, field, numberAt } from './fields.js';

type Layers = Rule<ReadonlyArray<LayerSpec>>;
type Reader = (facts: ModuleFacts, prefix: string) => Layers;

const one = (spec: LayerSpec): Layers => E.right([spec]);
const nothing: Reader = () => E.right([]);

/** The first attribute that has another value than the layer of ours; those that the file does not tell have the usual one. */
const refuseUnless = (facts: ModuleFacts, usual: Readonly<Record<string, unknown>>): string | undefined => {
  for (const [name, value] of Object.entries(usual)) {
    const found = field(facts, name);
    if (found === undefined || found === value || sameNumbers(found, value)) continue;
    return `${lastPart(facts.type)} with ${name} = ${printable(JSON.stringify(found), 40)}`;
  }
  return undefined;
};

/** One number for all sizes, or each of them. */
const sameNumbers = (found: unknown, value: unknown): boolean =>
  Array.isArray(found) && found.length > 0 && found.every((item) => item === value);

const checked =
  (usual: Readonly<Record<string, unknown>>, reader: Reader): Reader =>
  (facts, prefix) => {
    const wrong = refuseUnless(facts, usual);
    return wrong === undefined ? reader(facts, prefix) : E.left(wrong);
  };

const epsilonAt = (facts: ModuleFacts): { readonly epsilon?: number } => {
  const epsilon = numberAt(facts, 'eps');
  return epsilon === undefined ? {} : { epsilon };
};

/** Sizes of windows, without which a layer is not known: programs of TorchScript have them in their code. */
const conv: Reader = (facts, prefix) => {
  const sizes = extentsAt(facts, ['stride', 'padding', 'dilation']);
  const groups = numberAt(facts, 'groups');
  if (sizes.stride === undefined || sizes.padding === undefined) {
    return E.left(`${lastPart(facts.type)} whose stride and padding the file does not tell`);
  }
  return one({ type: 'conv2d', prefix, ...sizes, ...(groups === undefined ? {} : { groups }) });
};

const pool =
  (type: 'avgpool' | 'maxpool'): Reader =>
  (facts) => {
    const kernel = extentAt(facts, 'kernel_size');
    if (kernel === undefined) return E.left(`${lastPart(facts.type)} whose kernel the file does not tell`);
    return one({ type, kernel, ...extentsAt(facts, ['stride', 'padding']) });
  };

const adaptive =
  (type: 'avgpool' | 'maxpool'): Reader =>
  (facts) =>
    extentAt(facts, 'output_size') === 1
      ? one({ type })
      : E.left(`${lastPart(facts.type)} to another size than 1`);

const averagePadding: Reader = (facts, prefix) =>
  extentAt(facts, 'padding') !== 0 && field(facts, 'count_include_pad') === false
    ? E.left('AvgPool2d that does not count its padding')
    : pool('avgpool')(facts, prefix);

const batchNorm: Reader = (facts, prefix) => one({ type: 'batch-norm', prefix, ...epsilonAt(facts) });

const READERS: Readonly<Record<string, Reader>> = {
  Linear: (_, prefix) => one({ type: 'linear', prefix }),
  Conv2d: checked({ padding_mode: 'zeros' }, conv),
  BatchNorm1d: batchNorm,
  BatchNorm2d: batchNorm,
  LayerNorm: (facts, prefix) =>
    one({
      type: 'layer-norm',
      ...(field(facts, 'elementwise_affine') === false ? {} : { prefix }),
      ...epsilonAt(facts),
    }),
  InstanceNorm2d: checked({ track_running_stats: false }, (facts, prefix) =>
    one({
      type: 'instance-norm',
      ...(field(facts, 'affine') === true ? { prefix } : {}),
      ...epsilonAt(facts),
    }),
  ),
  PReLU: (_, prefix) => one({ type: 'prelu', prefix }),
  Dropout: nothing,
  Dropout1d: nothing,
  Dropout2d: nothing,
  AlphaDropout: nothing,
  FeatureAlphaDropout: nothing,
  Identity: nothing,
  Flatten: checked({ start_dim: 1, end_dim: -1 }, () => one({ type: 'flatten' })),
  AvgPool2d: checked({ ceil_mode: false, divisor_override: null }, averagePadding),
  MaxPool2d: checked({ ceil_mode: false, dilation: 1, return_indices: false }, pool('maxpool')),
  AdaptiveAvgPool2d: adaptive('avgpool'),
  AdaptiveMaxPool2d: adaptive('maxpool'),
};

/**
 * A module of torch as layers: none where it does nothing outside of training. undefined for what is no module of
 * torch; left with its name where no layer of ours computes what it does.
 */
export const plainLayer = (facts: ModuleFacts, prefix: string): Layers | undefined => {
  if (!isTorch(facts.type)) return undefined;
  const name = lastPart(facts.type);
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (reader !== undefined) return reader(facts, prefix);
  const { shown, activation } = functionOfModule(facts.type, (key) => field(facts, key));
  return activation === undefined ? E.left(shown) : one({ type: 'activation', function: activation });
};
