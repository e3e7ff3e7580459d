/**
 * Where the normalisations of a ChebyKAN stand. A state dict does not say it; the first of these rules that fits them
 * all does:
 *
 *   1. names of one list (`net.0`, `net.1`, `net.2`): a normalisation stands where its number stands;
 *   2. the order of a torch file, which is that of definition, where layers and normalisations take turns in it and no
 *      number speaks against it (safetensors files are sorted by name, which tells nothing);
 *   3. numbers that are those of layers (`kan1`, `ln1`, `kan2`): the one of a number stands beside the layer of it;
 *   4. otherwise the k-th by name stands beside the k-th layer.
 *
 * Beside a layer means after it when its size is that of the outputs, else before it when it is that of the inputs.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import type { TensorFile } from '../../containers/tensor.js';
import type { Assumption } from '../../family.js';
import { IN_A_FILE } from '../../module-gaps.js';
import { naturalOrder } from '../../natural-order.js';
import type { Norm } from './norms.js';
import { type ChebyLayer, coefficients, isInFileOrder, keepsOrder, placeIn } from './order.js';

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

interface Partners {
  /** The layer of each normalisation; -1 is before the first. */
  readonly index: ReadonlyArray<number>;
  readonly how: string;
  /** Whether they stand after it, whatever the sizes would allow. */
  readonly after: boolean;
}

/** Rule 2: how many layers the file has before each normalisation, less one. */
const byFile = (
  file: TensorFile,
  layers: ReadonlyArray<ChebyLayer>,
  norms: ReadonlyArray<Norm>,
  byNumber: ReadonlyArray<number> | undefined,
): ReadonlyArray<number> | undefined => {
  if (!isInFileOrder(file, layers)) return undefined;
  const at = placeIn(file);
  const starts = layers.map((layer) => at(coefficients(layer)));
  const index = norms.map((norm) => starts.filter((s) => s < at(norm.weight)).length - 1);
  const fits = norms.every(({ features }, k) => {
    const l = index[k]!;
    const partner = byNumber?.[k];
    const told = partner === undefined || partner === l || partner === l + 1;
    return told && features === (l < 0 ? layers[0]?.inputs : layers[l]?.outputs);
  });
  return fits && new Set(index).size === norms.length ? index : undefined;
};

/** The layer beside which each normalisation stands, by the rules above. */
const partners = (
  file: TensorFile,
  layers: ReadonlyArray<ChebyLayer>,
  norms: ReadonlyArray<Norm>,
): Partners => {
  const stems = new Set([...layers, ...norms].map(({ name }) => numbered(name)?.stem));
  if (stems.size === 1 && !stems.has(undefined)) {
    const index = norms.map((n) => layers.filter((l) => naturalOrder(l.name, n.name) < 0).length - 1);
    return { index, how: 'by their numbers in the list', after: true };
  }
  const numbers = layers.map(({ name }) => numbered(name)?.number);
  const found = norms.map(({ name }) => {
    const number = numbered(name)?.number;
    return number === undefined ? -1 : numbers.indexOf(number);
  });
  const isNumbered = found.every((l) => l >= 0) && new Set(found).size === norms.length;
  const order = byFile(file, layers, norms, isNumbered ? found : undefined);
  if (order !== undefined) return { index: order, how: 'in the order of the file', after: true };
  const why = keepsOrder(file) ? '' : ' (a safetensors file keeps no order)';
  return isNumbered
    ? { index: found, how: `beside the layers of their numbers${why}`, after: false }
    : { index: norms.map((_, k) => k), how: `beside the layers of their order by name${why}`, after: false };
};

/** Puts every normalisation before or after a layer. K0203 where its size fits neither side, or two share a place. */
export const placeNorms = (
  file: TensorFile,
  layers: ReadonlyArray<ChebyLayer>,
  norms: ReadonlyArray<Norm>,
): Checked<Placed> => {
  const before: (Norm | undefined)[] = layers.map(() => undefined);
  const after: (Norm | undefined)[] = layers.map(() => undefined);
  const { index, how, after: onlyAfter } = partners(file, layers, norms);
  const told: string[] = [];
  // One side for all of them where one fits: after the layers, as the examples of the library have it.
  const fitsAfter = norms.every((n, k) => layers[index[k]!]?.outputs === n.features);
  for (const [k, norm] of norms.entries()) {
    const l = index[k]!;
    const layer = layers[Math.max(0, l)];
    const isAfter = l >= 0 && (fitsAfter || onlyAfter || layer?.outputs === norm.features);
    const place = isAfter ? after : before;
    const at = Math.max(0, l);
    const size = isAfter ? layer?.outputs : layer?.inputs;
    const taken = place[at] !== undefined || (isAfter ? before[at + 1] : after[at - 1]) !== undefined;
    if (layer === undefined || size !== norm.features) return refuseSize(norm, layer);
    if (taken) return refusePlace(norm, layer, isAfter);
    place[at] = norm;
    told.push(`${printable(norm.name, 60)} ${isAfter ? 'after' : 'before'} ${printable(layer.name, 60)}`);
  }
  if (norms.length === 0) {
    return E.right({
      before,
      after,
      assumptions: [NOTHING_ELSE],
    });
  }
  return E.right({
    before,
    after,
    assumptions: [
      {
        what: 'the places of the normalisations are not stored',
        assumed: `${how}: ${told.join(', ')}`,
        option: '--arch',
      },
      NOTHING_ELSE,
    ],
  });
};

const NOTHING_ELSE: Assumption = {
  what: 'activations, and norms without weights, leave no tensors',
  assumed: 'none between the layers',
  option: '--arch',
};

const refuseSize = ({ weight, features }: Norm, layer: ChebyLayer | undefined): Checked<never> =>
  fail('K0203', `the normalisation has ${features} features and fits no place between the layers`, {
    place: { tensor: weight },
    expected:
      layer === undefined
        ? 'as many normalisations as there are places beside the layers'
        : `${layer.outputs} features after ${printable(layer.name, 60)}, or ${layer.inputs} before it`,
    hint: `Names are paired by number, else by order (docs/checkpoints.md). ${IN_A_FILE}`,
  });

const refusePlace = ({ weight }: Norm, layer: ChebyLayer, isAfter: boolean): Checked<never> =>
  fail(
    'K0203',
    `another normalisation stands ${isAfter ? 'after' : 'before'} ${printable(layer.name, 60)} already, and the names do not say where this one does`,
    { place: { tensor: weight }, hint: IN_A_FILE },
  );
