/**
 * pykan's MultKAN (0.2.x): `saveckpt(path)` writes `path_state` (the tensors), `path_config.yml` (pykan-config.ts)
 * and `path_cache_data`, which is not needed. Per layer l, of I inputs and S sub-nodes:
 *
 *   numeric_s = sum_i mask[i,s] * (scale_base[i,s] * base(x_i) + scale_sp[i,s] * sum_k coef[i,s,k] * B_k(x_i))
 *   z = subnode_scale * (numeric + symbolic) + subnode_bias      (symbolic: pykan-symbolic.ts)
 *   y = node_scale * nodes(z) + node_bias                        (nodes: pykan-nodes.ts)
 *
 * Masks and scales are folded into the weights. The scale of a multiplication node goes to its first factor, so that
 * only its bias, if it has one, is left to be added after the product.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { builder } from '../../ir/builder.js';
import { constant } from '../../ir/constant.js';
import { F32, uint } from '../../ir/element.js';
import type { Graph, Op } from '../../ir/index.js';
import { floatType } from '../../ir/types.js';
import { type Activation, isActivation } from '../../numeric/activations.js';
import type { TensorFile } from '../containers/tensor.js';
import type { Assumption, Family, ImportOptions, Reading } from '../family.js';
import { activationOf, assumedActivation } from '../options.js';
import { companions, type Source } from '../source.js';
import { finiteTensor } from '../tensors.js';
import { NO_CONFIG, type PykanConfig, readPykanConfig } from './pykan-config.js';
import { type PykanLayer, readLayer } from './pykan-layer.js';
import { addProducts, factorsOf } from './pykan-nodes.js';

const KEY = /^act_fun\.(\d+)\.(?:coef|grid)$/;

export const pykan: Family = {
  name: 'pykan',
  signature: 'act_fun.0.coef, act_fun.0.grid, symbolic_fun.0.affine',
  recognises: (file) => file.tensors.has('act_fun.0.coef') || file.tensors.has('act_fun.0.grid'),
  read: (file, options, source) => read(file, options, source),
};

const read = (file: TensorFile, options: ImportOptions, source: Source): Checked<Reading> => {
  const config = configOf(source);
  if (E.isLeft(config)) return config;
  const activation = baseOf(config.right, options);
  if (E.isLeft(activation)) return activation;
  let count = 0;
  for (const name of file.tensors.keys()) count = Math.max(count, Number(KEY.exec(name)?.[1] ?? -1) + 1);
  if (count === 0) return fail('K0202', 'no tensor is named act_fun.<number>.coef');
  const layers: PykanLayer[] = [];
  for (let l = 0; l < count; l++) {
    const layer = readLayer(file, config.right, l, activation.right);
    if (E.isLeft(layer)) return layer;
    const before = layers.at(-1);
    if (before !== undefined && before.nodes !== layer.right.inputs) {
      return fail(
        'K0203',
        `layer ${l} takes ${layer.right.inputs} inputs, but the layer before it has ${before.nodes} nodes`,
        { place: { tensor: `act_fun.${l}.coef` } },
      );
    }
    layers.push(layer.right);
  }
  const inputs = keptInputs(file, config.right, layers[0]!.inputs, options);
  if (E.isLeft(inputs)) return inputs;
  const graph = graphOf(layers, inputs.right, options.name ?? 'model');
  if (E.isLeft(graph)) return graph;
  return E.right({
    graph: graph.right,
    assumptions: [
      ...(config.right === NO_CONFIG
        ? [
            {
              what: 'there is no _config.yml file beside the state',
              assumed: 'what the shapes of the tensors say',
              option: 'put the file that saveckpt wrote beside it',
            },
          ]
        : []),
      ...(config.right.baseFunction !== undefined && isActivation(config.right.baseFunction)
        ? []
        : assumedActivation(options, activation.right)),
      ...(layers.some((layer) => layer.arityAssumed)
        ? [{ what: 'the factors of a multiplication node are not stored', assumed: '2' }]
        : []),
      ...inputs.right.assumptions,
    ],
  });
};

const configOf = ({ name, bytes: main, beside }: Source): Checked<PykanConfig> => {
  for (const companion of companions(name, main)) {
    const bytes = beside.get(companion);
    if (bytes !== undefined) return readPykanConfig(bytes, companion);
  }
  return E.right(NO_CONFIG);
};

/** The base function: what the user says, else the configuration. A name that is not plain text counts as none. */
const baseOf = (config: PykanConfig, options: ImportOptions): Checked<Activation> => {
  const name = config.baseFunction;
  if (options.baseActivation !== undefined || name === undefined) return activationOf(options, 'silu');
  return isActivation(name)
    ? E.right(name)
    : fail('K0206', `base_fun_name is '${printable(name, 60)}' in the configuration`, {
        hint: 'Say which activation it is with --base-activation.',
      });
};

/** The inputs that a pruned network still reads. */
interface KeptInputs {
  readonly features: number;
  /** Absent where all are kept, in order. */
  readonly indices?: Uint32Array;
  readonly assumptions: ReadonlyArray<Assumption>;
}

const keptInputs = (
  file: TensorFile,
  config: PykanConfig,
  inputs: number,
  options: ImportOptions,
): Checked<KeptInputs> => {
  const stored = file.tensors.has('input_id')
    ? finiteTensor(file, 'input_id', 1, [inputs])
    : E.right(undefined);
  if (E.isLeft(stored)) return stored;
  const place = { tensor: 'input_id' };
  const kept = stored.right === undefined ? config.inputId : [...stored.right.data];
  if (kept !== undefined && kept.length !== inputs) {
    return fail('K0203', `${kept.length} inputs are kept, but the first layer has ${inputs}`, { place });
  }
  const wrong = kept?.find((i) => !Number.isInteger(i) || i < 0 || i > 2 ** 24);
  if (wrong !== undefined) return fail('K0203', `an input has the number ${wrong}`, { place });
  const least = kept === undefined ? inputs : kept.reduce((n, i) => Math.max(n, i + 1), 0);
  const features = options.inputFeatures ?? least;
  if (features < least || (kept === undefined && features !== inputs)) {
    return fail('K0203', `the network reads ${least} inputs, not ${features}`, {
      place: { option: '--input-features' },
    });
  }
  if (kept === undefined || (features === inputs && kept.every((i, k) => i === k))) {
    return E.right({ features, assumptions: [] });
  }
  const assumption = {
    what: 'how many inputs there were before some were pruned is not stored',
    assumed: `${features}, up to the last one that is kept`,
    option: '--input-features',
  };
  return E.right({
    features,
    indices: Uint32Array.from(kept),
    assumptions: options.inputFeatures === undefined ? [assumption] : [],
  });
};

const graphOf = (layers: ReadonlyArray<PykanLayer>, inputs: KeptInputs, name: string): Checked<Graph> => {
  const b = builder(name, 'float');
  let value = b.input('x', floatType([inputs.features]));
  if (inputs.indices !== undefined) {
    const indices = constant(uint(32), [inputs.indices.length], inputs.indices);
    value = b.add('kept', { kind: 'gather', attrs: { indices } }, [value]);
  }
  for (const [l, { branches, bias, arities, sum, shift }] of layers.entries()) {
    const attrs = { branches, ...(bias === undefined ? {} : { bias }) };
    value = b.add(`layer${l}`, { kind: 'kan', attrs }, [value]);
    value = addProducts(b, `product${l}`, value, factorsOf({ sum, arities, assumed: false }));
    if (shift !== undefined) {
      const op: Op = { kind: 'affine', attrs: { scale: 1, shift: constant(F32, [shift.length], shift) } };
      value = b.add(`node${l}`, op, [value]);
    }
  }
  return b.build([value]);
};
