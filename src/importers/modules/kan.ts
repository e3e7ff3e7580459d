/** KAN layers of whole modules: their kind by their tensors, what these do not say by what the modules tell. */

import type { Activation } from '../../numeric/activations.js';
import { layerAt } from '../arch/detect.js';
import type { LayerSpec } from '../arch/layers.js';
import { lastPart, type ModuleFacts } from '../containers/modules.js';
import type { TensorFile } from '../containers/tensor.js';
import { functionOfModule, functionOfName, type TorchFunction } from '../torch-functions.js';
import { extentsAt, field, numberAt } from './fields.js';

/** A layer, or the function of its base that kanc does not have. */
export type KanLayer = { readonly spec: LayerSpec } | { readonly unknownBase: string };

const within = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

/** The base activation: a module of the layer, or an attribute that names a function or a class. */
const baseOf = (file: TensorFile, prefix: string, facts: ModuleFacts): TorchFunction | undefined => {
  const module = file.modules?.get(within(prefix, 'base_activation'));
  if (module !== undefined) return functionOfModule(module.type, (key) => field(module, key));
  const value = field(facts, 'base_activation');
  if (typeof value !== 'object' || value === null || !('named' in value)) return undefined;
  const known = functionOfName(value.named);
  return known.activation === undefined ? functionOfModule(value.named, () => undefined) : known;
};

const epsilonOf = (file: TensorFile, at: string): { readonly epsilon?: number } => {
  const norm = file.modules?.get(at);
  const epsilon = norm === undefined ? undefined : numberAt(norm, 'eps');
  return epsilon === undefined ? {} : { epsilon };
};

const rangeOf = (facts: ModuleFacts): { readonly gridRange?: readonly [number, number] } => {
  const value = field(facts, 'grid_range');
  if (!Array.isArray(value)) return {};
  const [lo, hi] = value;
  return typeof lo === 'number' && typeof hi === 'number' && lo < hi ? { gridRange: [lo, hi] } : {};
};

/** Width and kernel of a radial basis, which its own module tells. */
const radialOf = (
  file: TensorFile,
  prefix: string,
  withBase: boolean,
): { readonly rbf?: 'gaussian' | 'reflectional-switch'; readonly rbfWidth?: number } => {
  const facts = file.modules?.get(within(prefix, 'rbf'));
  if (facts === undefined) return {};
  const name = lastPart(facts.type);
  const switches = /reflectional/i.test(name);
  const width = numberAt(facts, 'denominator');
  const known = switches || /^(?:Gaussian)?RadialBasisFunction$/.test(name);
  return {
    ...(!known || withBase ? {} : { rbf: switches ? 'reflectional-switch' : 'gaussian' }),
    ...(width !== undefined && width > 0 ? { rbfWidth: width } : {}),
  };
};

const orderOf = (facts: ModuleFacts): { readonly splineOrder?: number } => {
  const order = numberAt(facts, 'spline_order');
  return order === undefined ? {} : { splineOrder: order };
};

/** The KAN layer at a path; undefined where the tensors are of none. */
export const kanLayer = (file: TensorFile, prefix: string, facts: ModuleFacts): KanLayer | undefined => {
  const type = layerAt(file, prefix);
  const base = baseOf(file, prefix, facts);
  const withBase = (spec: (activation: { readonly baseActivation?: Activation }) => LayerSpec): KanLayer => {
    if (base !== undefined && base.activation === undefined) return { unknownBase: base.shown };
    return { spec: spec(base?.activation === undefined ? {} : { baseActivation: base.activation }) };
  };
  const sizes = extentsAt(facts, ['stride', 'padding', 'dilation']);
  const groups = numberAt(facts, 'groups');
  const conv = {
    prefix,
    ...sizes,
    ...(groups === undefined ? {} : { groups }),
    ...epsilonOf(file, within(prefix, 'layer_norm.0')),
  };
  switch (type) {
    case 'efficient-kan':
      return withBase((activation) => ({ type, prefix, ...activation }));
    case 'fast-kan': {
      const has = file.tensors.has(within(prefix, 'base_linear.weight'));
      const radial = { ...radialOf(file, prefix, has), ...epsilonOf(file, within(prefix, 'layernorm')) };
      return has
        ? withBase((activation) => ({ type, prefix, ...radial, ...activation }))
        : { spec: { type, prefix, ...radial } };
    }
    case 'cheby-kan':
      return { spec: { type, prefix } };
    case 'kan-conv2d':
      return withBase((activation) => ({
        type,
        ...conv,
        ...orderOf(facts),
        ...rangeOf(facts),
        ...activation,
      }));
    case 'fast-kan-conv2d':
      return withBase((activation) => ({ type, ...conv, ...radialOf(file, prefix, true), ...activation }));
    case 'kacn-conv2d':
      return { spec: { type, ...conv } };
    case 'kagn-conv2d':
    case 'kajn-conv2d':
      return withBase((activation) => ({ type, ...conv, ...activation }));
    default:
      return undefined;
  }
};
