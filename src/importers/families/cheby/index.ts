/**
 * ChebyKAN: layers with `cheby_coeffs` [I, O, D+1] under names that the user chose.
 *
 *   y_o = sum_i sum_d cheby_coeffs[i,o,d] * T_d(tanh(x_i)),  T_d the Chebyshev polynomials
 *
 * The library has no network class, so the order is that of cheby-order.ts, and normalisations are put between the
 * layers as cheby-norms.ts says. What stands between them without tensors (an activation) is in no file.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import { builder } from '../../../ir/builder.js';
import { constant } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import type { Graph } from '../../../ir/graph.js';
import { floatType } from '../../../ir/types.js';
import type { FileTensor, TensorFile } from '../../containers/tensor.js';
import type { Assumption, Family, ImportOptions, Reading } from '../../family.js';
import { gapName, moduleGaps, refuseGap } from '../../module-gaps.js';
import { assumedEpsilon } from '../../options.js';
import { countsUp, finiteTensor } from '../../tensors.js';
import { type Norm, normsOf } from './norms.js';
import { type ChebyLayer, inOrder } from './order.js';
import { type Placed, placeNorms } from './places.js';

const COEFFICIENTS = /^(?:(.+)\.)?cheby_coeffs$/s;

export const chebyKan: Family = {
  name: 'cheby-kan',
  recognises: (file) => [...file.tensors.keys()].some((name) => COEFFICIENTS.test(name)),
  read: (file, options) => read(file, options),
};

const read = (file: TensorFile, options: ImportOptions): Checked<Reading> => {
  const found = layersOf(file);
  if (E.isLeft(found)) return found;
  const ordered = inOrder(file, found.right);
  if (E.isLeft(ordered)) return ordered;
  const { layers } = ordered.right;
  const norms = normsOf(file, options);
  if (E.isLeft(norms)) return norms;
  const gaps = gapNotes([...file.tensors.keys()]);
  if (E.isLeft(gaps)) return gaps;
  const placed = placeNorms(file, layers, norms.right);
  if (E.isLeft(placed)) return placed;
  const squash = squashOf(options);
  if (E.isLeft(squash)) return squash;
  return E.map(
    (graph: Graph): Reading => ({
      graph,
      assumptions: [
        ...ordered.right.assumptions,
        ...placed.right.assumptions,
        ...gaps.right,
        ...(norms.right.length === 0 ? [] : assumedEpsilon(options)),
        ...assumedSquash(options),
      ],
    }),
  )(graphOf(layers, placed.right, squash.right, options.name ?? 'model'));
};

/** All layers, in file order. */
const layersOf = (file: TensorFile): Checked<ReadonlyArray<ChebyLayer>> => {
  const layers: ChebyLayer[] = [];
  for (const tensor of file.tensors.keys()) {
    const match = COEFFICIENTS.exec(tensor);
    if (match === null) continue;
    const name = match[1] ?? '';
    const read = finiteTensor(file, tensor, 3);
    if (E.isLeft(read)) return read;
    const [inputs, outputs, count] = [read.right.shape[0]!, read.right.shape[1]!, read.right.shape[2]!];
    if (count > 64) {
      return fail('K0203', `the degree is ${count - 1}`, { place: { tensor }, expected: 'at most 63' });
    }
    const degrees = countsUp(file, name === '' ? 'arange' : `${name}.arange`, count);
    if (E.isLeft(degrees)) return degrees;
    layers.push({ name, inputs, outputs, coefficients: read.right });
  }
  return layers.length === 0 ? fail('K0202', 'no tensor is named <any name>.cheby_coeffs') : E.right(layers);
};

/** K0212 where a list leaves out a module between others; the one before all is mostly a flattening, and told. */
const gapNotes = (names: ReadonlyArray<string>): Checked<ReadonlyArray<Assumption>> => {
  const gaps = moduleGaps(names);
  const between = gaps.find(({ before }) => before !== undefined);
  if (between !== undefined) return refuseGap(between);
  return E.right(
    gaps.map((gap) => ({
      what: `no tensor tells what ${gapName(gap)} is, before the first layer`,
      assumed: 'nothing, or a flattening',
      option: '--arch',
    })),
  );
};

const SQUASHES = ['tanh', 'none'] as const;
type Squash = (typeof SQUASHES)[number];

const squashOf = ({ squash = 'tanh' }: ImportOptions): Checked<Squash> => {
  const known = SQUASHES.find((name) => name === squash);
  return known === undefined
    ? fail('K0206', `there is no squashing function '${printable(squash, 60)}'`, {
        place: { option: '--squash' },
        expected: `one of ${SQUASHES.join(', ')}`,
      })
    : E.right(known);
};

const assumedSquash = ({ squash }: ImportOptions): ReadonlyArray<Assumption> =>
  squash === undefined
    ? [
        {
          what: 'what the inputs of the polynomials go through is not stored',
          assumed: 'tanh',
          option: '--squash none',
        },
      ]
    : [];

const graphOf = (
  layers: ReadonlyArray<ChebyLayer>,
  { before, after }: Placed,
  squash: Squash,
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
      squash,
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
