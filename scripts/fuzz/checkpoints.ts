/** Random checkpoints of the families that detect themselves, and convolutions with their architecture file. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import type { Checked } from '../../src/diagnostics/index.js';
import type { FileTensor } from '../../src/importers/containers/tensor.js';
import { importSource, type Source } from '../../src/importers/index.js';
import { sourceOf } from '../../src/importers/source.js';
import type { Graph } from '../../src/ir/index.js';
import { f32, uniform } from '../../test/importers/arch/support.js';
import { randomPykan, safetensorsOf, type Tensors } from '../../test/importers/families/pykan-support.js';
import { type Random, randomOf } from '../../test/support/random.js';

const FAMILIES = ['efficient-kan', 'fast-kan', 'cheby-kan', 'pykan', 'kanele', 'conv'] as const;
type Family = (typeof FAMILIES)[number];

export interface CheckpointSpec {
  readonly family: Family;
  readonly seed: number;
  /** Features between layers; channels of images. */
  readonly widths: ReadonlyArray<number>;
  /** Intervals of a grid, centers, or the degree. */
  readonly grid: number;
  readonly order: number;
  /** Scalers, norms or symbolic functions, where the family may have them. */
  readonly more: boolean;
}

export const checkpoints: fc.Arbitrary<CheckpointSpec> = fc.record({
  family: fc.constantFrom(...FAMILIES),
  seed: fc.nat(2 ** 31 - 1),
  widths: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 4 }),
  grid: fc.integer({ min: 2, max: 6 }),
  order: fc.integer({ min: 1, max: 4 }),
  more: fc.boolean(),
});

const count = (n: number, from = 0): ReadonlyArray<number> => Array.from({ length: n }, (_, k) => from + k);

/** The tensors of all layers. */
const layersOf = (
  s: CheckpointSpec,
  layer: (l: number, inputs: number, outputs: number) => Tensors,
): Tensors => Object.assign({}, ...s.widths.slice(1).map((outputs, l) => layer(l, s.widths[l]!, outputs)));

const efficient = (r: Random, s: CheckpointSpec): Tensors =>
  layersOf(s, (l, inputs, outputs) => {
    const knots = s.grid + 2 * s.order + 1;
    const wander = r.chance(0.5) ? 0 : 0.8;
    return {
      [`layers.${l}.grid`]: f32(
        [inputs, knots],
        count(inputs).flatMap(() =>
          count(knots).map((j) => -1 + ((j - s.order + wander * r.unit()) * 2) / s.grid),
        ),
      ),
      [`layers.${l}.base_weight`]: uniform(r, [outputs, inputs]),
      [`layers.${l}.spline_weight`]: uniform(r, [outputs, inputs, s.grid + s.order]),
      ...(s.more ? { [`layers.${l}.spline_scaler`]: uniform(r, [outputs, inputs]) } : {}),
    };
  });

const fast = (r: Random, s: CheckpointSpec): Tensors =>
  layersOf(s, (l, inputs, outputs) => ({
    ...(s.more
      ? {
          [`layers.${l}.layernorm.weight`]: uniform(r, [inputs], 0.5, 1.5),
          [`layers.${l}.layernorm.bias`]: uniform(r, [inputs]),
        }
      : {}),
    [`layers.${l}.rbf.grid`]: f32(
      [s.grid],
      count(s.grid).map((m) => -2 + (4 * m) / (s.grid - 1)),
    ),
    [`layers.${l}.spline_linear.weight`]: uniform(r, [outputs, inputs * s.grid]),
    [`layers.${l}.base_linear.weight`]: uniform(r, [outputs, inputs]),
    [`layers.${l}.base_linear.bias`]: uniform(r, [outputs]),
  }));

const cheby = (r: Random, s: CheckpointSpec): Tensors =>
  layersOf(s, (l, inputs, outputs) => ({
    [`chebykan${l + 1}.cheby_coeffs`]: uniform(r, [inputs, outputs, s.grid + 1]),
    [`chebykan${l + 1}.arange`]: f32([s.grid + 1], count(s.grid + 1)),
    ...(s.more && l + 2 < s.widths.length
      ? { [`ln${l + 1}.weight`]: uniform(r, [outputs], 0.5, 1.5), [`ln${l + 1}.bias`]: uniform(r, [outputs]) }
      : {}),
  }));

const utf8 = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const pykan = (r: Random, s: CheckpointSpec): Source => {
  const nodes = s.widths.map((sum, l) => ({
    sum,
    arities: s.more && l > 0 ? count(r.whole(0, 2)).map(() => r.whole(1, 3)) : [],
  }));
  const { tensors, config } = randomPykan({
    seed: s.seed,
    nodes,
    grid: s.grid,
    order: s.order,
    masked: 0.2,
    symbolic: s.more ? 0.3 : 0,
  });
  return sourceOf(safetensorsOf(tensors), 'net_state', new Map([['net_config.yml', utf8(config)]]));
};

const kanele = (r: Random, s: CheckpointSpec): Source => {
  const bits = s.widths.map(() => r.whole(1, 6));
  const tables = layerPairs(s.widths).flatMap(([inputs, outputs], l) =>
    count(inputs).flatMap((i) =>
      count(outputs).map((o) => {
        const limit = 2 ** bits[l + 1]!;
        const values = count(2 ** bits[l]!).map(() => r.whole(-limit, limit));
        return [`${l}_${i}_${o}`, { acive: r.chance(0.8) ? 1 : 0, values_int: values }] as const;
      }),
    ),
  );
  const config = {
    grid_size: 30,
    spline_order: 10,
    grid_range: [-2, 2],
    layers: s.widths,
    layers_bitwidth: bits,
  };
  return sourceOf(
    utf8(Object.fromEntries(tables)),
    'truth_tables.json',
    new Map([['config.json', utf8(config)]]),
  );
};

const layerPairs = (widths: ReadonlyArray<number>): ReadonlyArray<readonly [number, number]> =>
  widths.slice(1).map((outputs, l) => [widths[l]!, outputs]);

/** One convolution of a kind that torch-conv-kan has, and its architecture. */
const conv = (r: Random, s: CheckpointSpec): readonly [Tensors, unknown] => {
  const [C, O] = [Math.min(s.widths[0]!, 4), Math.min(s.widths[1]!, 4)];
  const kernel = [r.whole(1, 3), r.whole(1, 3)];
  const weight = (name: string, functions: number): Record<string, FileTensor> => ({
    [`c.${name}.0.weight`]: uniform(r, [O, C * functions, ...kernel]),
  });
  const [type, tensors] = r.pick([
    [
      'kan-conv2d',
      { ...weight('base_conv', 1), ...weight('spline_conv', 8), 'c.prelus.0.weight': f32([1], [0.25]) },
    ],
    [
      'fast-kan-conv2d',
      {
        ...weight('base_conv', 1),
        ...weight('spline_conv', s.grid),
        'c.rbf.grid': f32(
          [s.grid],
          count(s.grid).map((m) => -2 + (4 * m) / (s.grid - 1)),
        ),
      },
    ],
    [
      'kacn-conv2d',
      { ...weight('poly_conv', s.grid + 1), 'c.arange': f32([1, 1, s.grid + 1, 1, 1], count(s.grid + 1)) },
    ],
  ] as const);
  const layer = {
    type,
    prefix: 'c',
    stride: [r.whole(1, 2), r.whole(1, 2)],
    padding: kernel.map((k) => r.whole(0, k - 1)),
    dilation: [1, 1],
    groups: 1,
  };
  return [tensors, { input: [C, r.whole(3, 6), r.whole(3, 6)], layers: [layer] }];
};

/** The file of a checkpoint, and the architecture where the family has one. */
export const checkpointOf = (s: CheckpointSpec): { readonly source: Source; readonly arch?: string } => {
  const r = randomOf(s.seed);
  const alone = (tensors: Tensors) => ({ source: sourceOf(safetensorsOf(tensors), 'm.safetensors') });
  return match(s.family)
    .with('efficient-kan', () => alone(efficient(r, s)))
    .with('fast-kan', () => alone(fast(r, s)))
    .with('cheby-kan', () => alone(cheby(r, s)))
    .with('pykan', () => ({ source: pykan(r, s) }))
    .with('kanele', () => ({ source: kanele(r, s) }))
    .with('conv', () => {
      const [tensors, arch] = conv(r, s);
      return { ...alone(tensors), arch: JSON.stringify(arch) };
    })
    .exhaustive();
};

/** What the importer makes of it. */
export const importedFrom = (s: CheckpointSpec): Checked<Graph> => {
  const { source, arch } = checkpointOf(s);
  const architecture = arch === undefined ? {} : { architecture: { text: arch, file: 'arch.json' } };
  const read = importSource(source, architecture);
  return E.isLeft(read) ? read : E.right(read.right.graph);
};
