/**
 * ChebyKAN: layers with `cheby_coeffs` [I, O, D+1] under names that the user chose.
 *
 *   y_o = sum_i sum_d cheby_coeffs[i,o,d] * T_d(tanh(x_i)),  T_d the Chebyshev polynomials
 *
 * The library has no network class, so the order is not stored: names are taken in natural order (conv2 before
 * conv10), and normalisations are put between the layers as cheby-norms.ts says.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { builder } from '../../ir/builder.js';
import { constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { Graph } from '../../ir/graph.js';
import { floatType } from '../../ir/types.js';
import type { FileTensor, TensorFile } from '../containers/tensor.js';
import type { Assumption, Family, ImportOptions, Reading } from '../family.js';
import { naturalOrder } from '../natural-order.js';
import { finiteTensor } from '../tensors.js';
import { type Norm, normsOf, placeNorms } from './cheby-norms.js';

const COEFFICIENTS = /^(?:(.+)\.)?cheby_coeffs$/s;

export const chebyKan: Family = {
  name: 'cheby-kan',
  signature: '<any name>.cheby_coeffs',
  recognises: (file) => [...file.tensors.keys()].some((name) => COEFFICIENTS.test(name)),
  read: (file, options) => read(file, options),
};

export interface ChebyLayer {
  /** What stands before `.cheby_coeffs`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly coefficients: FileTensor;
}

const read = (file: TensorFile, options: ImportOptions): Checked<Reading> => {
  const names = [...file.tensors.keys()].flatMap((name) => {
    const match = COEFFICIENTS.exec(name);
    return match === null ? [] : [match[1] ?? ''];
  });
  if (names.length === 0) return fail('K0202', 'no tensor is named <any name>.cheby_coeffs');
  const layers: ChebyLayer[] = [];
  for (const name of names.sort(naturalOrder)) {
    const tensor = name === '' ? 'cheby_coeffs' : `${name}.cheby_coeffs`;
    const read = finiteTensor(file, tensor, 3);
    if (E.isLeft(read)) return read;
    // A constant of the library, 0 to D; no part of what is computed otherwise.
    file.tensors.get(name === '' ? 'arange' : `${name}.arange`);
    const [inputs, outputs, count] = [read.right.shape[0]!, read.right.shape[1]!, read.right.shape[2]!];
    if (count > 64) {
      return fail('K0203', `the degree is ${count - 1}`, { place: { tensor }, expected: 'at most 63' });
    }
    const before = layers.at(-1);
    if (before !== undefined && before.outputs !== inputs) {
      return fail(
        'K0203',
        `the layer takes ${inputs} inputs, but ${printable(before.name, 60)}, the one before it by name, has ${before.outputs} outputs`,
        {
          place: { tensor },
          hint: 'Rename the layers so that their natural order is the order of the network.',
        },
      );
    }
    layers.push({ name, inputs, outputs, coefficients: read.right });
  }
  const norms = normsOf(file);
  if (E.isLeft(norms)) return norms;
  const placed = placeNorms(layers, norms.right);
  if (E.isLeft(placed)) return placed;
  return E.map(
    (graph: Graph): Reading => ({
      graph,
      assumptions: [...orderNotes(layers), ...placed.right.assumptions],
    }),
  )(graphOf(layers, placed.right.before, placed.right.after, options.name ?? 'model'));
};

const graphOf = (
  layers: ReadonlyArray<ChebyLayer>,
  before: ReadonlyArray<Norm | undefined>,
  after: ReadonlyArray<Norm | undefined>,
  name: string,
): Checked<Graph> => {
  const b = builder(name, 'float');
  let value = b.input('x', floatType([layers[0]?.inputs ?? 0]));
  const addNorm = (norm: Norm | undefined, hint: string): void => {
    if (norm !== undefined) value = b.add(hint, norm.op, [value]);
  };
  for (const [l, { coefficients }] of layers.entries()) {
    addNorm(before[l], `norm${l}`);
    const basis = {
      _tag: 'polynomial',
      family: 'chebyshev',
      degree: coefficients.shape[2]! - 1,
      squash: 'tanh',
      outer: 'identity',
    } as const;
    const branches = [{ basis, weights: weightsOf(coefficients) }];
    value = b.add(`layer${l}`, { kind: 'kan', attrs: { branches } }, [value]);
    addNorm(after[l], `norm${l}_after`);
  }
  return b.build([value]);
};

/** f32[I, D+1, O] from [I, O, D+1]. */
const weightsOf = ({ data, shape }: FileTensor) => {
  const [inputs, outputs, functions] = [shape[0]!, shape[1]!, shape[2]!];
  const weights = new Float32Array(data.length);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      for (let d = 0; d < functions; d++) {
        weights[(i * functions + d) * outputs + o] = data[(i * outputs + o) * functions + d]!;
      }
    }
  }
  return constant(F32, [inputs, functions, outputs], weights);
};

const orderNotes = (layers: ReadonlyArray<ChebyLayer>): ReadonlyArray<Assumption> =>
  layers.length < 2
    ? []
    : [
        {
          what: 'the order of the layers is not stored',
          assumed: `that of their names: ${layers.map(({ name }) => printable(name, 60)).join(', ')}`,
          option: 'rename the tensors',
        },
      ];
