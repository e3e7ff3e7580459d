/** The normalisations of a ChebyKAN: modules of torch, `<name>.weight` and `<name>.bias`. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import { perChannel } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import type { Op } from '../../../ir/ops/index.js';
import type { TensorFile } from '../../containers/tensor.js';
import type { ImportOptions } from '../../family.js';
import { IN_A_FILE } from '../../module-gaps.js';
import { naturalOrder } from '../../natural-order.js';
import { epsilonOf } from '../../options.js';
import { finiteTensor } from '../../tensors.js';

export interface Norm {
  readonly name: string;
  /** Its first tensor. */
  readonly weight: string;
  readonly features: number;
  readonly op: Op;
}

const TENSOR = /^(?:(.+)\.)?(weight|bias|running_mean|running_var|num_batches_tracked)$/s;
const OWN = /(?:^|\.)(?:cheby_coeffs|arange)$/;

/** All normalisations by natural order of their names. K0201 for any tensor that belongs to none. */
export const normsOf = (file: TensorFile, options: ImportOptions): Checked<ReadonlyArray<Norm>> => {
  const names = new Set<string>();
  for (const [tensor, { shape }] of file.tensors) {
    if (OWN.test(tensor)) continue;
    const match = TENSOR.exec(tensor);
    if (match === null || shape.length > 1) {
      return fail('K0201', `the tensor has shape [${shape.join(', ')}] and is of no layer of a ChebyKAN`, {
        place: { tensor: printable(tensor, 60) },
        expected: 'cheby_coeffs, and the weights of layer or batch norms',
        hint: IN_A_FILE,
      });
    }
    names.add(match[1] ?? '');
  }
  if (names.size === 0) return E.right([]);
  const epsilon = epsilonOf(options);
  if (E.isLeft(epsilon)) return epsilon;
  const norms: Norm[] = [];
  for (const name of [...names].sort(naturalOrder)) {
    const norm = readNorm(file, name, epsilon.right);
    if (E.isLeft(norm)) return norm;
    norms.push(norm.right);
  }
  return E.right(norms);
};

const readNorm = (file: TensorFile, name: string, epsilon: number): Checked<Norm> => {
  const tensor = (part: string): string => (name === '' ? part : `${name}.${part}`);
  const weight = finiteTensor(file, tensor('weight'), 1);
  if (E.isLeft(weight)) return weight;
  const features = weight.right.shape[0]!;
  const bias = finiteTensor(file, tensor('bias'), 1, [features]);
  if (E.isLeft(bias)) return bias;
  const [scale, shift] = [Float32Array.from(weight.right.data), Float32Array.from(bias.right.data)];
  if (!file.tensors.has(tensor('running_var')) && !file.tensors.has(tensor('running_mean'))) {
    const attrs = {
      over: 'sample',
      epsilon,
      scale: perChannel(F32, scale),
      shift: perChannel(F32, shift),
    } as const;
    return E.right({ name, weight: tensor('weight'), features, op: { kind: 'norm', attrs } });
  }
  // A batch norm: with the statistics of the training it is a scale and a shift.
  const mean = finiteTensor(file, tensor('running_mean'), 1, [features]);
  if (E.isLeft(mean)) return mean;
  const variance = finiteTensor(file, tensor('running_var'), 1, [features]);
  if (E.isLeft(variance)) return variance;
  const factors = scale.map((s, f) => s / Math.sqrt(variance.right.data[f]! + epsilon));
  const shifts = shift.map((s, f) => s - mean.right.data[f]! * factors[f]!);
  return E.right({
    name,
    weight: tensor('weight'),
    features,
    op: { kind: 'affine', attrs: { scale: perChannel(F32, factors), shift: perChannel(F32, shifts) } },
  });
};
