/** Where the elements of a cut lie in the value that it becomes. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import { sourceAt, type Varying } from '../traced.js';
import { type Lifting, shapeOf } from './state.js';
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

/** Where elements lie if nothing but functions of single elements says so: as in the value that they are functions of. */
export const layoutOf = (
  l: Lifting,
  build: BuildCut,
  values: ReadonlyArray<Varying>,
  elements: Int32Array,
): Checked<Layout> => {
  for (const operand of values) {
    const first = sourceAt(operand, elements[0]!);
    if (first < 0) continue;
    const cut = l.ownerOf(first);
    const built = build(l, cut);
    if (E.isLeft(built)) return built;
    const shape = shapeOf(l, built.right.name);
    if (shape.reduce((n, d) => n * d, 1) !== elements.length) continue;
    const position = elements.map((e) => {
      const s = sourceAt(operand, e);
      return s >= cut.base && s < cut.base + cut.size ? built.right.position[cut.rank[s - cut.base]!]! : -1;
    });
    if (!position.includes(-1) && new Set(position).size === position.length)
      return E.right({ position, shape });
  }
  return E.right({ position: counting(elements.length), shape: [elements.length] });
};
