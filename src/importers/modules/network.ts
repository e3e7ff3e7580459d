/**
 * The order of layers in a whole module. Containers of torch run their modules one after another, and so do the
 * networks of KAN libraries, which have one list of layers. What another class does with its modules stands in its code:
 * it is taken to run each of them once, in the order of their definition, and that is told.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { type Architecture, LAYER_LIMIT } from '../arch/architecture.js';
import { factsOf } from '../arch/detect.js';
import type { LayerSpec } from '../arch/layers.js';
import { lastPart, type ModuleFacts } from '../containers/modules.js';
import type { TensorFile } from '../containers/tensor.js';
import type { Assumption, ImportOptions } from '../family.js';
import { listed } from '../listed.js';
import { isTorch } from '../torch-functions.js';
import { kanLayer } from './kan.js';
import { plainLayer } from './plain.js';

export interface ModuleNetwork {
  readonly architecture: Architecture;
  readonly assumptions: ReadonlyArray<Assumption>;
}

/** Layers in the order of running, and the classes whose code was not seen. */
interface Run {
  readonly layers: LayerSpec[];
  readonly unseen: {
    readonly path: string;
    readonly type: string;
    readonly children: ReadonlyArray<string>;
  }[];
}

const IN_CODE =
  'Describe the network in an architecture file, which --arch takes (docs/architecture-files.md), or read the tensors by their names alone with --family.';

const within = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const isList = (facts: ModuleFacts): boolean =>
  isTorch(facts.type) && /^(?:Sequential|ModuleList)$/.test(lastPart(facts.type));

const isLayer = (spec: LayerSpec): boolean => 'prefix' in spec && spec.prefix !== undefined;

const unknown = (path: string, what: string): Checked<never> =>
  fail('K0212', `the module ${printable(path === '' ? 'itself' : path, 80)} is ${printable(what, 120)}`, {
    expected: 'KAN layers, and modules of torch that an architecture file can say',
    hint: IN_CODE,
  });

/** Functions that a class mostly has once and runs between all its layers, wherever their definition stands. */
const isBetween = (spec: LayerSpec | undefined): boolean =>
  spec?.type === 'activation' && spec.function !== 'sigmoid' && spec.function !== 'tanh';

/** An activation after all layers of a class of one's own: nothing tells between which layers it runs. */
const isMisplaced = (layers: ReadonlyArray<LayerSpec>): boolean =>
  isBetween(layers.at(-1)) &&
  layers.filter(isLayer).length > 1 &&
  layers.slice(0, -1).every((spec) => spec.type !== 'activation');

// Long: one decision for each kind of module, in the order in which they are asked.
const runModule = (file: TensorFile, path: string, run: Run): Checked<void> => {
  const facts = file.modules?.get(path);
  if (facts === undefined) return unknown(path, 'not described by the file');
  const kan = kanLayer(file, path, facts);
  if (kan !== undefined) {
    if ('unknownBase' in kan) return unknown(path, `a layer whose base function is ${kan.unknownBase}`);
    run.layers.push(kan.spec);
    return E.right(undefined);
  }
  if (!isList(facts)) {
    const plain = plainLayer(facts, path);
    if (plain !== undefined) {
      if (E.isLeft(plain)) return unknown(path, `a ${plain.left}, which kanc does not have`);
      run.layers.push(...plain.right);
      return E.right(undefined);
    }
  }
  if (facts.children.length === 0) {
    return isList(facts)
      ? E.right(undefined)
      : unknown(path, `of the class ${facts.type}, whose code no file holds`);
  }
  const own: Run = { layers: [], unseen: run.unseen };
  for (const child of facts.children) {
    const done = runModule(file, within(path, child), own);
    if (E.isLeft(done)) return done;
    if (run.layers.length + own.layers.length > LAYER_LIMIT) {
      return fail('K0113', `the module has more than ${LAYER_LIMIT} layers`);
    }
  }
  if (!isList(facts) && !isLibraryNetwork(file, path, facts, own.layers)) {
    if (isMisplaced(own.layers)) {
      return unknown(
        path,
        `of the class ${facts.type}, which has an activation behind all its layers: between which it runs stands in its code`,
      );
    }
    run.unseen.push({ path, type: facts.type, children: facts.children });
  }
  run.layers.push(...own.layers);
  return E.right(undefined);
};

/** A network of a KAN library has one list of layers of one kind, and nothing else. */
const isLibraryNetwork = (
  file: TensorFile,
  path: string,
  { children }: ModuleFacts,
  layers: ReadonlyArray<LayerSpec>,
): boolean => {
  const [only, ...others] = children;
  const list = only === undefined ? undefined : file.modules?.get(within(path, only));
  const kinds = new Set(layers.map(({ type }) => type));
  const [kind] = kinds;
  return (
    others.length === 0 &&
    list !== undefined &&
    isList(list) &&
    kinds.size === 1 &&
    (kind === 'efficient-kan' || kind === 'fast-kan')
  );
};

const assumptionOf = ({ path, type, children }: Run['unseen'][number]): Assumption => ({
  what: `what ${printable(lastPart(type), 60)}${path === '' ? '' : ` (${printable(path, 60)})`} does with its modules stands in its code, which no file holds`,
  assumed: `it runs ${listed(children, 8, (name) => printable(name, 40))} one after another, and nothing else`,
  option: '--arch',
});

/** The shape of a sample: as the first layer with tensors takes it, where that is a layer of features. */
const inputOf = (
  file: TensorFile,
  layers: ReadonlyArray<LayerSpec>,
  { inputShape }: ImportOptions,
): Checked<ReadonlyArray<number>> => {
  if (inputShape !== undefined) return E.right(inputShape);
  for (const spec of layers) {
    if (spec.type === 'flatten' || spec.type === 'activation') continue;
    if (
      spec.type === 'linear' ||
      spec.type === 'efficient-kan' ||
      spec.type === 'fast-kan' ||
      spec.type === 'cheby-kan'
    ) {
      const { inputs } = factsOf(file, { prefix: spec.prefix, type: spec.type });
      if (inputs !== undefined) return E.right([inputs]);
    }
    const rank = spec.type === 'batch-norm' || (spec.type === 'layer-norm' && spec.prefix !== undefined);
    const weight =
      rank && spec.prefix !== undefined ? file.tensors.get(within(spec.prefix, 'weight')) : undefined;
    if (weight !== undefined && !layers.some(({ type }) => type.includes('conv')))
      return E.right([weight.data.length]);
    break;
  }
  return fail('K0206', 'the module does not tell the size of its images', {
    place: { option: '--input-shape' },
    expected: 'channels, height and width of a sample',
  });
};

/**
 * The network of a whole module. K0212 where a module is of a class whose code would have to be known, K0206 where the
 * size of images is to be said, K0113 beyond the limit of layers.
 */
export const networkOfModules = (file: TensorFile, options: ImportOptions): Checked<ModuleNetwork> => {
  const run: Run = { layers: [], unseen: [] };
  const done = runModule(file, '', run);
  if (E.isLeft(done)) return done;
  const input = inputOf(file, run.layers, options);
  if (E.isLeft(input)) return input;
  return E.right({
    architecture: { input: input.right, layers: run.layers },
    assumptions: run.unseen.map(assumptionOf),
  });
};
