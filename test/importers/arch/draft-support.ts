/** Small networks, drafts of them, and golden data that they have computed. */
import { parseArchitecture } from '../../../src/importers/arch/architecture.js';
import { draftArchitecture, goldenOf, showArchitecture } from '../../../src/importers/arch/draft/index.js';
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { sizeOf } from '../../../src/ir/index.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { build, f32, fileOf, run, uniform } from './support.js';

const r = randomOf(20240611);
export type Tensors = Readonly<Record<string, FileTensor>>;

export const zero = (shape: ReadonlyArray<number>): FileTensor =>
  f32(shape, Array(shape.reduce((n, d) => n * d, 1)).fill(0));

export const linear = (prefix: string, I: number, O: number): Tensors => ({
  [`${prefix}.weight`]: uniform(r, [O, I]),
  [`${prefix}.bias`]: uniform(r, [O]),
});

export const batchNorm = (prefix: string, C: number): Tensors => ({
  [`${prefix}.weight`]: uniform(r, [C], 0.5, 2),
  [`${prefix}.bias`]: uniform(r, [C]),
  [`${prefix}.running_mean`]: uniform(r, [C]),
  [`${prefix}.running_var`]: uniform(r, [C], 0.5, 2),
  [`${prefix}.num_batches_tracked`]: f32([], [7]),
});

export const kan = (prefix: string, I: number, O: number): Tensors => ({
  [`${prefix}.grid`]: f32([I, 9], Array.from({ length: I }, () => [-4, -3, -2, -1, 0, 1, 2, 3, 4]).flat()),
  [`${prefix}.base_weight`]: uniform(r, [O, I]),
  [`${prefix}.spline_weight`]: uniform(r, [O, I, 5]),
});

export const draft = (tensors: Tensors) => draftArchitecture(fileOf(tensors));

/** Golden data of the network that the layers say. */
export const goldenFor = (
  tensors: Tensors,
  input: ReadonlyArray<number>,
  layers: ReadonlyArray<unknown>,
  end: (row: ReadonlyArray<number>) => ReadonlyArray<number> = (row) => row,
  samples = 16,
) => {
  const { graph } = rightOf(build(tensors, input, layers));
  const x = uniform(r, [samples, ...input], -2, 2);
  const y = Array.from(run(graph, x.data).get('outputs')!);
  const width = sizeOf(graph.nodes.at(-1)!.type);
  const rows = Array.from({ length: samples }, (_, n) => end(y.slice(n * width, (n + 1) * width)));
  return rightOf(
    goldenOf(
      { shape: x.shape, dtype: 'f4', data: Float32Array.from(x.data) },
      { shape: [samples, width], dtype: 'f4', data: Float32Array.from(rows.flat()) },
    ),
  );
};

/** What the draft says, once it went through its text. */
export const layersOf = (result: ReturnType<typeof draft>) =>
  rightOf(parseArchitecture(showArchitecture(rightOf(result)), 'draft')).layers;
