/** The windows that a term reads, if it reads windows. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../../diagnostics/index.js';
import { NO_SOURCE, type RowsTerm } from '../../traced.js';
import { type Built, type Lifting, shapeOf } from '../state.js';
import type { BuildCut } from '../values.js';
import type { WindowForm } from './form.js';
import { type Image, patchForm } from './patches.js';
import { planeForm } from './plane.js';

/** A value that is an image already, and its sources in its own order. */
const imageOfValue = (
  l: Lifting,
  { name, position }: Built,
  cut: ReturnType<Lifting['ownerOf']>,
): { image: Image; sources: Int32Array } | undefined => {
  const [channels, height, width] = shapeOf(l, name);
  if (channels === undefined || height === undefined || width === undefined) return undefined;
  const sources = new Int32Array(position.length);
  for (let e = 0; e < cut.size; e++) if (cut.sample[e] === 0) sources[position[cut.rank[e]!]!] = cut.base + e;
  const placeOf = (s: number): number => {
    const local = s - cut.base;
    return local >= 0 && local < cut.size && cut.sample[local] === 0 ? position[cut.rank[local]!]! : -1;
  };
  return { image: { shape: [channels, height, width], placeOf }, sources };
};

/** Tokens, each with channels of its own: patches that share no source. Channels are numbered as taps meet them. */
const tokens = (
  { operand, offset, tap }: RowsTerm,
  patches: Int32Array,
): { image: Image; sources: Int32Array } | undefined => {
  const places = new Map<number, number>();
  let channels = -1;
  for (const [i, p] of patches.entries()) {
    const own: number[] = [];
    for (const t of tap) {
      const s = operand.source[offset[p]! + t]!;
      if (s === NO_SOURCE || own.includes(s)) continue;
      if (places.has(s)) return undefined;
      own.push(s);
    }
    if (channels >= 0 && own.length !== channels) return undefined;
    channels = own.length;
    for (const [c, s] of own.entries()) places.set(s, c * patches.length + i);
  }
  const sources = new Int32Array(places.size);
  for (const [s, at] of places) sources[at] = s;
  return {
    image: { shape: [channels, patches.length, 1], placeOf: (s) => places.get(s) ?? -1 },
    sources,
  };
};

/** The form of the windows that the patches of a term are; undefined where they are none. */
export const termForm = (
  l: Lifting,
  build: BuildCut,
  term: RowsTerm,
  patches: Int32Array,
): Checked<WindowForm | undefined> => {
  const { table } = l.trace;
  const plane = planeForm(table, term, patches);
  if (plane !== undefined) return E.right(plane);
  const first = term.tap.reduce(
    (s, t) => (s >= 0 ? s : term.operand.source[term.offset[patches[0]!]! + t]!),
    -1,
  );
  if (first < 0) return E.right(undefined);
  const cut = l.ownerOf(first);
  const built = build(l, cut);
  if (E.isLeft(built)) return built;
  const own = imageOfValue(l, built.right, cut);
  const found = own === undefined ? undefined : patchForm(table, own.image, own.sources, term, patches);
  if (found !== undefined) return E.right(found);
  const rows = tokens(term, patches);
  return E.right(rows === undefined ? undefined : patchForm(table, rows.image, rows.sources, term, patches));
};
