/**
 * pykan's MultKAN (0.2.x): `saveckpt(path)` writes `path_state` (the tensors), `path_config.yml` (pykan-config.ts)
 * and `path_cache_data`, which is not needed. Per layer l, of I inputs and S sub-nodes:
 *
 *   numeric_s = sum_i mask[i,s] * (scale_base[i,s] * base(x_i) + scale_sp[i,s] * sum_k coef[i,s,k] * B_k(x_i))
 *   z = subnode_scale * (numeric + symbolic) + subnode_bias      (symbolic: pykan-symbolic.ts)
 *   y = node_scale * nodes(z) + node_bias                        (nodes: pykan-nodes.ts)
 *
 * Masks and scales are folded into the weights. The scale of a multiplication node goes to its first factor, so that
 * only its bias, if it has one, is left to be added after the product. Versions before 0.1: pykan-old.ts.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import { builder } from '../../../ir/builder.js';
import { constant } from '../../../ir/constant.js';
import { F32, uint } from '../../../ir/element.js';
import type { Graph, Op } from '../../../ir/index.js';
import { floatType } from '../../../ir/types.js';
import { ACTIVATIONS, type Activation } from '../../../numeric/activations.js';
import type { TensorFile } from '../../containers/tensor.js';
import type { Assumption, Family, ImportOptions, Reading } from '../../family.js';
import { activationOf, assumedActivation } from '../../options.js';
import { under } from '../../scope.js';
import { companions, type Source } from '../../source.js';
import { numbersTensor } from '../../tensors.js';
import { NO_CONFIG, type PykanConfig, readPykanConfig } from './config.js';
import { type PykanLayer, type PykanStyle, readLayer } from './layer.js';
import { addProducts, factorsOf } from './nodes.js';
import { isOld, modernLayer } from './old.js';

const KEY = /^(|.*\.)act_fun\.(\d+)\.(?:coef|grid)$/;

export const pykan: Family = {
  name: 'pykan',
  lone: true,
  recognises: (file) => starts(file).length > 0,
  read: (file, options, source) => {
    const prefix = prefixOf(file, options);
    return E.isLeft(prefix) ? prefix : under(file, prefix.right, (own) => read(own, options, source));
  },
};

/** What the names of networks begin with: nothing, or the name that a larger module has for one. */
const starts = (file: TensorFile): ReadonlyArray<string> => {
  const names = [...file.tensors.keys()].map((name) => KEY.exec(name));
  return [...new Set(names.flatMap((match) => (match?.[2] === '0' ? [match[1] ?? ''] : [])))];
};

/** The only network of the file; with --prefix, which was taken off the names, the one that has no other. */
const prefixOf = (file: TensorFile, options: ImportOptions): Checked<string> => {
  const found = starts(file);
  const [first, ...others] = found;
  if (first === undefined) return fail('K0202', 'no tensor is named act_fun.<number>.coef');
  if (others.length === 0 || (options.prefix !== undefined && found.includes(''))) {
    return E.right(found.includes('') ? '' : first);
  }
  const list = found.map((start) => printable(`'${start}'`, 60)).join(', ');
  return fail('K0208', `there are ${found.length} networks, with the prefixes ${list}`, {
    hint: 'Choose one with --prefix. How they are connected where a model uses several is not in the checkpoint.',
  });
};

const NEW_FORMULAS = 'Keep the files that saveckpt wrote in one folder.';
const OLD_FORMULAS =
  'pykan before 0.1 saves no names of functions: write the file beside the state, with symbolic.funs_name.<layer>: a list for each output of a name for each input.';

const read = (file: TensorFile, options: ImportOptions, source: Source): Checked<Reading> => {
  const config = configOf(source);
  if (E.isLeft(config)) return config;
  const base = baseOf(config.right, options);
  const old = isOld(file);
  const layers = readLayers(file, old, {
    config: config.right,
    // Where it has no part in any layer nobody needs to know it.
    activation: E.isRight(base) ? base.right : 'zero',
    // Without nan_to_num, which pykan has since 0.2.2, nothing could be trained on such a grid.
    repeated: old ? 'nan' : 'vanish',
    formulas: old ? OLD_FORMULAS : NEW_FORMULAS,
  });
  if (E.isLeft(layers)) return layers;
  if (E.isLeft(base) && layers.right.some(({ usesBase }) => usesBase)) return base;
  const inputs = keptInputs(file, config.right, layers.right[0]!.inputs, options);
  if (E.isLeft(inputs)) return inputs;
  const graph = graphOf(layers.right, inputs.right, options.name ?? 'model');
  if (E.isLeft(graph)) return graph;
  return E.right({
    graph: graph.right,
    assumptions: [
      ...configAssumption(config.right, old),
      ...(E.isRight(base) && config.right.base === undefined && layers.right.some(({ usesBase }) => usesBase)
        ? assumedActivation(options, base.right)
        : []),
      ...(layers.right.some((layer) => layer.arityAssumed)
        ? [{ what: 'the factors of a multiplication node are not stored', assumed: '2' }]
        : []),
      ...layers.right.flatMap(layerAssumptions),
      ...inputs.right.assumptions,
    ],
  });
};

const readLayers = (
  file: TensorFile,
  old: boolean,
  style: PykanStyle,
): Checked<ReadonlyArray<PykanLayer>> => {
  let count = 0;
  for (const name of file.tensors.keys()) {
    const match = KEY.exec(name);
    if (match?.[1] === '') count = Math.max(count, Number(match[2]) + 1);
  }
  const { width } = style.config;
  if (width !== undefined && width.length !== count + 1) {
    return fail('K0203', `the configuration has ${width.length} layers of nodes, the state ${count + 1}`, {
      expected: 'the _config.yml file of the same network',
    });
  }
  const layers: PykanLayer[] = [];
  for (let l = 0; l < count; l++) {
    const modern = old ? modernLayer(file, l) : E.right(file);
    if (E.isLeft(modern)) return modern;
    const layer = readLayer(modern.right, l, style);
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
  return E.right(layers);
};

/** Old versions write no such file. */
const configAssumption = (config: PykanConfig, old: boolean): ReadonlyArray<Assumption> =>
  config === NO_CONFIG && !old
    ? [
        {
          what: 'there is no _config.yml file beside the state',
          assumed: 'what the shapes of the tensors say',
          option: 'put the file that saveckpt wrote beside it',
        },
      ]
    : [];

/** What a layer leaves out, as pykan does with it, which its user may not know. */
const layerAssumptions = ({ leftOut, isConstant }: PykanLayer, l: number): ReadonlyArray<Assumption> => [
  ...(leftOut === 0
    ? []
    : [
        {
          what: `${leftOut} edge${leftOut === 1 ? ' is a formula' : 's are formulas'} in layer ${l}, but symbolic_enabled is false`,
          assumed: 'without formulas, as pykan computes it',
          option: 'symbolic_enabled: true in the _config.yml file',
        },
      ]),
  ...(isConstant
    ? [
        {
          what: `every edge of layer ${l} is masked or fixed to 0`,
          assumed: 'constant outputs, as pykan computes it',
        },
      ]
    : []),
];

const configOf = ({ name, bytes: main, beside }: Source): Checked<PykanConfig> => {
  for (const companion of companions(name, main)) {
    const bytes = beside.get(companion);
    if (bytes !== undefined) return readPykanConfig(bytes, companion);
  }
  return E.right(NO_CONFIG);
};

/** The base function: what the user says, else the configuration, else the library's own. */
const baseOf = ({ base }: PykanConfig, options: ImportOptions): Checked<Activation> => {
  if (options.baseActivation !== undefined || base === undefined) return activationOf(options, 'silu');
  return base.activation !== undefined
    ? E.right(base.activation)
    : fail('K0206', `the base function of the configuration is ${printable(base.shown, 80)}`, {
        expected: `one that kanc has: ${Object.keys(ACTIVATIONS).join(', ')}`,
        hint: 'If it computes what one of these does, say so with --base-activation (gaussian is exp(-x^2)). If none fits, kanc cannot compile the network.',
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
    ? numbersTensor(file, 'input_id', 1, [inputs])
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
