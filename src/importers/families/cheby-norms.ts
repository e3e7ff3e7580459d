/**
 * The normalisations between ChebyKAN layers. They are modules of torch (`<name>.weight` and `<name>.bias`), and a
 * state dict does not say where they stand. They are placed by the first of these rules that fits them all:
 *
 *   1. names of one list (`net.0`, `net.1`, `net.2`): a normalisation stands where its number stands;
 *   2. numbers that are those of layers (`kan1`, `ln1`, `kan2`): the one of a number stands beside the layer of it;
 *   3. otherwise the k-th by name stands beside the k-th layer.
 *
 * Beside a layer means after it when its size is that of the outputs, else before it when it is that of the inputs.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { perChannel } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { Op } from '../../ir/ops/index.js';
import type { TensorFile } from '../containers/tensor.js';
import type { Assumption } from '../family.js';
import { naturalOrder } from '../natural-order.js';
import { finiteTensor } from '../tensors.js';
import type { ChebyLayer } from './cheby-kan.js';

/** torch's own, for layer and batch norms alike. */
const EPSILON = 1e-5;

export interface Norm {
  readonly name: string;
  readonly features: number;
  readonly op: Op;
}

const TENSOR = /^(?:(.+)\.)?(weight|bias|running_mean|running_var|num_batches_tracked)$/s;
const OWN = /(?:^|\.)(?:cheby_coeffs|arange)$/;

/** All normalisations by natural order of their names. K0201 for any tensor that belongs to none. */
export const normsOf = (file: TensorFile): Checked<ReadonlyArray<Norm>> => {
  const names = new Set<string>();
  for (const [tensor, { shape }] of file.tensors) {
    if (OWN.test(tensor)) continue;
    const match = TENSOR.exec(tensor);
    if (match === null || shape.length > 1) {
      return fail('K0201', `the tensor has shape [${shape.join(', ')}] and is of no layer of a ChebyKAN`, {
        place: { tensor: printable(tensor, 60) },
        expected: 'cheby_coeffs, and the weights of layer or batch norms',
        hint: 'A network with other layers is told by an architecture file: --arch.',
      });
    }
    names.add(match[1] ?? '');
  }
  const norms: Norm[] = [];
  for (const name of [...names].sort(naturalOrder)) {
    const norm = readNorm(file, name);
    if (E.isLeft(norm)) return norm;
    norms.push(norm.right);
  }
  return E.right(norms);
};

const readNorm = (file: TensorFile, name: string): Checked<Norm> => {
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
      epsilon: EPSILON,
      scale: perChannel(F32, scale),
      shift: perChannel(F32, shift),
    } as const;
    return E.right({ name, features, op: { kind: 'norm', attrs } });
  }
  // A batch norm: with the statistics of the training it is a scale and a shift.
  const mean = finiteTensor(file, tensor('running_mean'), 1, [features]);
  if (E.isLeft(mean)) return mean;
  const variance = finiteTensor(file, tensor('running_var'), 1, [features]);
  if (E.isLeft(variance)) return variance;
  file.tensors.get(tensor('num_batches_tracked'));
  const factors = scale.map((s, f) => s / Math.sqrt(variance.right.data[f]! + EPSILON));
  const shifts = shift.map((s, f) => s - mean.right.data[f]! * factors[f]!);
  return E.right({
    name,
    features,
    op: { kind: 'affine', attrs: { scale: perChannel(F32, factors), shift: perChannel(F32, shifts) } },
  });
};

export interface Placed {
  readonly before: ReadonlyArray<Norm | undefined>;
  readonly after: ReadonlyArray<Norm | undefined>;
  readonly assumptions: ReadonlyArray<Assumption>;
}

/** The last number of a name, and the name without it. */
const numbered = (name: string): { stem: string; number: string } | undefined => {
  const match = /^(.*?)(\d+)(\D*)$/s.exec(name);
  return match === null ? undefined : { stem: `${match[1]}#${match[3]}`, number: match[2]! };
};

/** The layer beside which each normalisation stands, by the rules above; undefined where none is. */
const partners = (
  layers: ReadonlyArray<ChebyLayer>,
  norms: ReadonlyArray<Norm>,
): { readonly index: ReadonlyArray<number>; readonly how: string; readonly listed: boolean } => {
  const stems = new Set([...layers, ...norms].map(({ name }) => numbered(name)?.stem));
  if (stems.size === 1 && !stems.has(undefined)) {
    // -1: before the first layer.
    const index = norms.map((n) => layers.filter((l) => naturalOrder(l.name, n.name) < 0).length - 1);
    return { index, how: 'by their numbers in the list', listed: true };
  }
  const numbers = layers.map(({ name }) => numbered(name)?.number);
  const byNumber = norms.map(({ name }) => {
    const number = numbered(name)?.number;
    return number === undefined ? -1 : numbers.indexOf(number);
  });
  if (byNumber.every((l) => l >= 0) && new Set(byNumber).size === norms.length) {
    return { index: byNumber, how: 'beside the layers of their numbers', listed: false };
  }
  return { index: norms.map((_, k) => k), how: 'beside the layers of their order', listed: false };
};

/** Puts every normalisation before or after a layer. K0203 where its size fits neither side, or two share a place. */
export const placeNorms = (
  layers: ReadonlyArray<ChebyLayer>,
  norms: ReadonlyArray<Norm>,
): Checked<Placed> => {
  const before: (Norm | undefined)[] = layers.map(() => undefined);
  const after: (Norm | undefined)[] = layers.map(() => undefined);
  const { index, how, listed } = partners(layers, norms);
  const told: string[] = [];
  // One side for all of them where one fits: after the layers, as the examples of the library have it.
  const fitsAfter = norms.every((n, k) => layers[index[k]!]?.outputs === n.features);
  for (const [k, norm] of norms.entries()) {
    const l = index[k]!;
    const layer = layers[Math.max(0, l)];
    const isAfter = l >= 0 && (fitsAfter || listed || layer?.outputs === norm.features);
    const place = isAfter ? after : before;
    const at = Math.max(0, l);
    const size = isAfter ? layer?.outputs : layer?.inputs;
    const taken = place[at] !== undefined || (isAfter ? before[at + 1] : after[at - 1]) !== undefined;
    if (layer === undefined || size !== norm.features || taken) {
      return fail(
        'K0203',
        `the normalisation has ${norm.features} features and fits no place between the layers`,
        {
          place: { tensor: `${norm.name}.weight` },
          expected: `the outputs or inputs of a layer, beside ${layer?.name ?? 'a layer'}, one for each place`,
          hint: 'Names are paired by number, else by order: see docs/checkpoints.md.',
        },
      );
    }
    place[at] = norm;
    told.push(`${printable(norm.name, 60)} ${isAfter ? 'after' : 'before'} ${printable(layer.name, 60)}`);
  }
  if (norms.length === 0) {
    return E.right({
      before,
      after,
      assumptions: [
        { what: 'normalisations without weights leave no tensors', assumed: 'none between the layers' },
      ],
    });
  }
  return E.right({
    before,
    after,
    assumptions: [
      {
        what: 'the places of the normalisations are not stored',
        assumed: `${how}: ${told.join(', ')}`,
        option: 'rename the tensors',
      },
      { what: 'the epsilon of the normalisations is not stored', assumed: String(EPSILON) },
    ],
  });
};
