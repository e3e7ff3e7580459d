/** Which layers the tensors of a checkpoint make up, by their names and ranks alone. */
import type { TensorFile } from '../containers/tensor.js';
import type { LayerSpec } from './layers.js';

/** The layers that have tensors and so can be found by them. */
export type FoundType = Exclude<
  LayerSpec['type'],
  'residual' | 'activation' | 'avgpool' | 'maxpool' | 'flatten' | 'instance-norm'
>;

export interface FoundLayer {
  readonly prefix: string;
  readonly type: FoundType;
}

/** Names that only one kind of layer has. */
const MARKS =
  /^(?:(.*?)\.)??(?:spline_conv\.\d+\.weight|poly_conv\.(?:\d+\.)?weight|poly_weights|cheby_coeffs|spline_weight|spline_linear\.weight)$/s;

/** What such a layer has besides. */
const PARTS =
  /^(?:(?:base_conv|spline_conv|poly_conv|layer_norm|prelus)\.(?:\d+\.)?\w+|(?:spline_linear|base_linear|layernorm)\.\w+|rbf\.grid|poly_weights|beta_weights|arange|cheby_coeffs|grid|base_weight|spline_weight|spline_scaler)$/;

const parentOf = (name: string): string | undefined => {
  const dot = name.lastIndexOf('.');
  return name === '' ? undefined : dot < 0 ? '' : name.slice(0, dot);
};

/** The prefix of the layer that a tensor belongs to. */
const ownerOf = (name: string, marked: ReadonlySet<string>): string => {
  for (let at = parentOf(name); at !== undefined; at = parentOf(at)) {
    const rest = at === '' ? name : name.slice(at.length + 1);
    if (marked.has(at) && PARTS.test(rest)) return at;
  }
  return parentOf(name) ?? '';
};

/** The kind of layer whose tensors stand under a prefix; undefined when it is none of ours. */
export const layerAt = (file: TensorFile, prefix: string): FoundType | undefined => {
  const from = prefix === '' ? '' : `${prefix}.`;
  const has = (part: string): boolean => file.tensors.has(`${from}${part}`);
  if (has('spline_conv.0.weight')) return has('rbf.grid') ? 'fast-kan-conv2d' : 'kan-conv2d';
  if (has('poly_weights')) return has('beta_weights') ? 'kagn-conv2d' : 'kaln-conv2d';
  if (has('poly_conv.weight')) return 'kagn-conv2d';
  if (has('poly_conv.0.weight')) return 'kacn-conv2d';
  if (has('cheby_coeffs')) return 'cheby-kan';
  if (has('spline_weight')) return 'efficient-kan';
  if (has('spline_linear.weight')) return 'fast-kan';
  if (has('running_mean')) return 'batch-norm';
  const rank = file.tensors.get(`${from}weight`)?.shape.length;
  if (rank === 4) return 'conv2d';
  if (rank === 2) return 'linear';
  return rank === 1 ? (has('bias') ? 'layer-norm' : 'prelu') : undefined;
};

interface Tree {
  readonly children: Map<string, Tree>;
  layer: boolean;
}

const insert = (root: Tree, prefix: string): void => {
  let node = root;
  for (const segment of prefix === '' ? [] : prefix.split('.')) {
    const child = node.children.get(segment) ?? { children: new Map(), layer: false };
    node.children.set(segment, child);
    node = child;
  }
  node.layer = true;
};

/**
 * Prefixes in the order of the network, as far as names say it: the modules of a Sequential are numbered, others
 * stand in the order of the file, which is mostly that of their definition.
 */
const inOrder = (root: Tree): ReadonlyArray<string> => {
  const found: string[] = [];
  // Not recursion: names come out of files, and their depth with them.
  const stack: Array<readonly [string, Tree]> = [['', root]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [prefix, node] = next;
    if (node.layer) found.push(prefix);
    const children = [...node.children];
    if (children.every(([segment]) => /^\d{1,9}$/.test(segment))) {
      children.sort(([a], [b]) => Number(a) - Number(b));
    }
    for (const [segment, child] of children.reverse()) {
      stack.push([prefix === '' ? segment : `${prefix}.${segment}`, child]);
    }
  }
  return found;
};

/** Longest name of a tensor that a layer is looked for. */
const NAME_LIMIT = 256;

/** All layers, and the prefixes of tensors that belong to none. */
export const findLayers = (
  file: TensorFile,
): { readonly layers: ReadonlyArray<FoundLayer>; readonly strange: ReadonlyArray<string> } => {
  // Names come out of files: looking for the layer of one takes time that grows with the square of its length.
  const all = [...file.tensors.keys()];
  const names = all.filter((name) => name.length <= NAME_LIMIT);
  const marked = new Set(
    names.flatMap((name) => {
      const match = MARKS.exec(name);
      return match === null ? [] : [match[1] ?? ''];
    }),
  );
  const root: Tree = { children: new Map(), layer: false };
  for (const name of names) insert(root, ownerOf(name, marked));
  const layers: FoundLayer[] = [];
  const strange = all.filter((name) => name.length > NAME_LIMIT);
  for (const prefix of inOrder(root)) {
    const type = layerAt(file, prefix);
    if (type === undefined) strange.push(prefix);
    else layers.push({ prefix, type });
  }
  return { layers, strange };
};

/** What the tensors of a layer say about its input and output. */
export interface LayerFacts {
  /** Of an image, of features, or of either. */
  readonly takes: 'image' | 'features' | 'any';
  readonly inputs?: number;
  readonly outputs?: number;
  readonly kernel?: readonly [number, number];
}

const isConv = (type: FoundType): boolean => type.endsWith('conv2d');

export const factsOf = (file: TensorFile, { prefix, type }: FoundLayer): LayerFacts => {
  const shape = (part: string): ReadonlyArray<number> =>
    file.tensors.get(prefix === '' ? part : `${prefix}.${part}`)?.shape ?? [];
  if (isConv(type)) {
    const list = type === 'kacn-conv2d' ? 'poly_conv' : 'base_conv';
    const stack = type === 'conv2d' ? shape('weight') : shape(`${list}.weight`);
    let groups = 0;
    while (shape(`${list}.${groups}.weight`).length > 0) groups++;
    const [outputs, channels, height, width] = groups > 0 ? shape(`${list}.0.weight`) : stack;
    // The degree of a Chebyshev layer is that of its constants; 3 unless they say otherwise.
    const functions = type === 'kacn-conv2d' ? (shape('arange')[2] ?? 4) : 1;
    if (outputs === undefined || channels === undefined || height === undefined || width === undefined) {
      return { takes: 'image' };
    }
    const count = Math.max(groups, 1);
    return {
      takes: 'image',
      inputs: (channels * count) / functions,
      outputs: outputs * count,
      kernel: [height, width],
    };
  }
  const features = (inputs: number | undefined, outputs: number | undefined): LayerFacts =>
    inputs === undefined || outputs === undefined
      ? { takes: 'features' }
      : { takes: 'features', inputs, outputs };
  if (type === 'linear') return features(shape('weight')[1], shape('weight')[0]);
  if (type === 'efficient-kan') return features(shape('spline_weight')[1], shape('spline_weight')[0]);
  if (type === 'cheby-kan') return features(shape('cheby_coeffs')[0], shape('cheby_coeffs')[1]);
  if (type === 'fast-kan') {
    const [outputs, expanded] = shape('spline_linear.weight');
    const functions = shape('rbf.grid')[0];
    return features(
      expanded === undefined || functions === undefined ? undefined : expanded / functions,
      outputs,
    );
  }
  return { takes: 'any' };
};
