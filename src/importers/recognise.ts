/** Telling the family of tensors by their names, and where in a file there is one. */
import type { FileTensor, TensorFile } from './containers/tensor.js';
import type { Family } from './family.js';
import { asOneLayer } from './numbered-layers.js';

/** A family, and whether the tensors are one layer of it by itself. */
export interface Recognised {
  readonly family: Family;
  readonly alone: boolean;
}

/** The first family that recognises the tensors, as a network or as one layer of one. */
export const recognised = (families: ReadonlyArray<Family>, file: TensorFile): Recognised | undefined => {
  const family = families.find((f) => f.recognises(file));
  if (family !== undefined) return { family, alone: false };
  const layer = asOneLayer(file);
  const ofLayer = families.find((f) => f.recognises(layer));
  return ofLayer === undefined ? undefined : { family: ofLayer, alone: true };
};

/** A look into files of any size is a help and no promise. */
const MAX_PREFIXES = 200;
const MAX_SEGMENTS = 16;

/** The tensors by the beginnings of their names, shorter ones first. */
const byPrefix = (file: TensorFile): ReadonlyMap<string, TensorFile> => {
  const found = new Map<string, Map<string, FileTensor>>();
  for (const [name, tensor] of file.tensors) {
    let end = name.indexOf('.');
    for (let k = 0; end >= 0 && k < MAX_SEGMENTS; k++) {
      const prefix = name.slice(0, end);
      const group = found.get(prefix) ?? new Map<string, FileTensor>();
      if (found.has(prefix) || found.size < MAX_PREFIXES)
        found.set(prefix, group.set(name.slice(end + 1), tensor));
      end = name.indexOf('.', end + 1);
    }
  }
  return new Map(
    [...found]
      .sort(([a], [b]) => a.split('.').length - b.split('.').length)
      .map(([prefix, tensors]) => [prefix, { ...file, tensors }]),
  );
};

/** A part of a file that a family recognises. */
export interface Place extends Recognised {
  readonly prefix: string;
}

/** The parts of a file that are a network or a layer of a family each, the outermost of those inside each other. */
export const placesOf = (families: ReadonlyArray<Family>, file: TensorFile): ReadonlyArray<Place> => {
  const places: Place[] = [];
  for (const [prefix, tensors] of byPrefix(file)) {
    if (places.some((place) => prefix.startsWith(`${place.prefix}.`))) continue;
    const found = recognised(families, tensors);
    if (found !== undefined) places.push({ ...found, prefix });
  }
  return places;
};
