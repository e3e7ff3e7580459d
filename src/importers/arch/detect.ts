/** Which kind of layer tensors under a prefix are, by their names and ranks alone. */
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
