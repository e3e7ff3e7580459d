/**
 * The order of ChebyKAN layers. A torch file has them in that of definition, which is mostly that of use; safetensors
 * files are sorted by name. So the file decides where it keeps an order in which the sizes fit, and otherwise names do,
 * in natural order (conv2 before conv10).
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import type { FileTensor, TensorFile } from '../../containers/tensor.js';
import type { Assumption } from '../../family.js';
import { IN_A_FILE } from '../../module-gaps.js';
import { naturalOrder } from '../../natural-order.js';

export interface ChebyLayer {
  /** What stands before `.cheby_coeffs`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly coefficients: FileTensor;
}

/** Whether the order of tensors in the file is that of their definition. */
export const keepsOrder = ({ container }: TensorFile): boolean => container !== 'safetensors';

/** The place of a tensor in the order of the file. */
export const placeIn = (file: TensorFile): ((tensor: string) => number) => {
  const places = new Map([...file.tensors.keys()].map((name, k) => [name, k]));
  return (tensor) => places.get(tensor) ?? -1;
};

/** The tensor that makes a layer one of this family. */
export const coefficients = ({ name }: ChebyLayer): string =>
  name === '' ? 'cheby_coeffs' : `${name}.cheby_coeffs`;

/** Whether these layers stand in the order of a file that keeps one. */
export const isInFileOrder = (file: TensorFile, layers: ReadonlyArray<ChebyLayer>): boolean => {
  const place = placeIn(file);
  const places = layers.map((layer) => place(coefficients(layer)));
  return keepsOrder(file) && places.every((p, k) => k === 0 || p > places[k - 1]!);
};

/** The first layer that does not take what the one before it gives. */
const misfit = (layers: ReadonlyArray<ChebyLayer>): number =>
  layers.findIndex((layer, l) => l > 0 && layers[l - 1]!.outputs !== layer.inputs);

const namesOf = (layers: ReadonlyArray<ChebyLayer>): string =>
  layers.map(({ name }) => printable(name, 60)).join(', ');

export interface Ordered {
  readonly layers: ReadonlyArray<ChebyLayer>;
  readonly assumptions: ReadonlyArray<Assumption>;
}

/** The layers in the order of the network. `found` has them in file order. K0203 where their sizes fit in neither. */
export const inOrder = (file: TensorFile, found: ReadonlyArray<ChebyLayer>): Checked<Ordered> => {
  const natural = [...found].sort((a, b) => naturalOrder(a.name, b.name));
  const byFile = keepsOrder(file) && misfit(found) < 0;
  const layers = byFile ? found : natural;
  const l = misfit(layers);
  if (l >= 0) {
    const [before, layer] = [layers[l - 1]!, layers[l]!];
    return fail(
      'K0203',
      `the layer takes ${layer.inputs} inputs, but ${printable(before.name, 60)}, the one before it by name, has ${before.outputs} outputs`,
      {
        place: { tensor: coefficients(layer) },
        expected: 'layers whose sizes fit in the natural order of their names, or in that of a torch file',
        hint: IN_A_FILE,
      },
    );
  }
  const same = natural.every((layer, k) => layer === found[k]);
  const order = byFile
    ? same
      ? 'that of the file and of their names'
      : 'that of the file'
    : 'that of their names';
  const told: Assumption = {
    what: 'the order of the layers is not stored',
    assumed: `${order}: ${namesOf(layers)}`,
    option: '--arch',
  };
  return E.right({ layers, assumptions: layers.length < 2 ? [] : [told] });
};
