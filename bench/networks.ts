/** Networks with random weights, as efficient-kan makes them: for sizes that no trained checkpoint ships in. */
import * as E from 'fp-ts/lib/Either.js';
import type { NpyArray } from '../src/importers/containers/index.js';
import { builder } from '../src/ir/builder.js';
import { constant } from '../src/ir/constant.js';
import { F32 } from '../src/ir/element.js';
import type { Graph } from '../src/ir/graph.js';
import { floatType } from '../src/ir/types.js';
import type { Samples } from './models.js';
import { randomOf } from './random.js';

/** B-splines of an order on G intervals of [-1, 1] and a SiLU branch, in layers of the given widths. */
export const randomNetwork = (
  widths: ReadonlyArray<number>,
  { intervals = 5, order = 3, seed = 1 } = {},
): Graph => {
  const random = randomOf(seed);
  const b = builder('random', 'float');
  const functions = intervals + order;
  const step = 2 / intervals;
  const row = Float32Array.from({ length: intervals + 2 * order + 1 }, (_, k) => -1 + (k - order) * step);
  const knots = constant(F32, [1, row.length], row);
  let value = b.input('x', floatType([widths[0]!]));
  for (let l = 0; l + 1 < widths.length; l++) {
    const [inputs, outputs] = [widths[l]!, widths[l + 1]!];
    // Outputs keep the size of the inputs.
    const size = Math.sqrt(3 / inputs);
    const weights = (k: number, factor: number) =>
      constant(
        F32,
        [inputs, k, outputs],
        Float32Array.from({ length: inputs * k * outputs }, () => random() * size * factor),
      );
    const branches = [
      { basis: { _tag: 'bspline', order, knots }, weights: weights(functions, 1) } as const,
      { basis: { _tag: 'base', activation: 'silu' }, weights: weights(1, 1) } as const,
    ];
    value = b.add(`layer${l}`, { kind: 'kan', attrs: { branches } }, [value]);
  }
  const graph = b.build([value]);
  if (E.isLeft(graph)) throw new Error(graph.left[0].message);
  return graph.right;
};

/** Uniform in [-1, 1). */
export const randomSamples = (features: number, batch: number, seed = 2): Samples => {
  const random = randomOf(seed);
  const floats = Float32Array.from({ length: batch * features }, () => random());
  return { features, own: floats, floats };
};

export const asArray = ({ floats, features }: Samples): NpyArray => ({
  dtype: 'f4',
  shape: [floats.length / features, features],
  data: floats,
});

export const edgesOf = (widths: ReadonlyArray<number>): number =>
  widths.slice(1).reduce((n, width, l) => n + width * widths[l]!, 0);
