/** Where the elements of a cut lie in the value that it becomes. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import { type Cut, functionAt, sourceAt, type Varying } from '../traced.js';
import { type Built, type Lifting, shapeOf } from './state.js';
import type { BuildCut } from './values.js';

export interface Layout {
  /** The place of each element. */
  readonly position: Int32Array;
  readonly shape: ReadonlyArray<number>;
}

export const counting = (n: number): Int32Array => Int32Array.from({ length: n }, (_, k) => k);

/** The elements in the order of their places. */
export const inPlaces = (elements: Int32Array, position: Int32Array): Int32Array => {
  const order = new Int32Array(elements.length);
  for (const [k, e] of elements.entries()) order[position[k]!] = e;
  return order;
};

/** Where the elements of a tensor lie in the value of the cut that they are functions of, by ways to lay that out. */
const layoutsIn = (
  l: Lifting,
  v: Varying,
  elements: Int32Array,
  cut: Cut,
  built: Built,
): ReadonlyArray<Layout> => {
  const own: Layout = { position: built.position, shape: shapeOf(l, built.name) };
  return [own, ...(built.natural === undefined ? [] : [built.natural])].flatMap(({ position, shape }) => {
    if (shape.reduce((n, d) => n * d, 1) !== elements.length) return [];
    const places = elements.map((e) => {
      const s = sourceAt(v, e);
      return s >= cut.base && s < cut.base + cut.size ? position[cut.rank[s - cut.base]!]! : -1;
    });
    return places.includes(-1) || new Set(places).size < places.length ? [] : [{ position: places, shape }];
  });
};

/** Whether all elements of a channel are the same function of their sources. */
const isByChannel = (l: Lifting, v: Varying, elements: Int32Array, { position, shape }: Layout): boolean => {
  const inner = elements.length / shape[0]!;
  const functions = inPlaces(elements, position).map((e) => functionAt(l.trace.table, v, e));
  return functions.every((f, at) => f === functions[Math.floor(at / inner) * inner]);
};

/**
 * Where elements lie if nothing but functions of single elements says so: as in the value that they are functions of,
 * by preference so that a channel has one function.
 */
export const layoutOf = (
  l: Lifting,
  build: BuildCut,
  values: ReadonlyArray<Varying>,
  elements: Int32Array,
): Checked<Layout> => {
  for (const v of values) {
    const first = sourceAt(v, elements[0]!);
    if (first < 0) continue;
    const cut = l.ownerOf(first);
    const built = build(l, cut);
    if (E.isLeft(built)) return built;
    const layouts = layoutsIn(l, v, elements, cut, built.right);
    const found = layouts.find((layout) => isByChannel(l, v, elements, layout)) ?? layouts[0];
    if (found !== undefined) return E.right(found);
  }
  return E.right({ position: counting(elements.length), shape: [elements.length] });
};
