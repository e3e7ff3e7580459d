/** Elements of cuts, and functions of them, as values of the graph. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { type Cut, functionAt, sourceAt, type Varying } from '../traced.js';
import { applied } from './pointwise.js';
import { type Built, flattened, gathered, type Lifting, reshaped, shapeOf } from './state.js';

/** A cut as a value; makes it on the way if need be. */
export type BuildCut = (l: Lifting, cut: Cut) => Checked<Built>;

/** The cuts that sources belong to, each as a value. Negative sources are constants and have none. */
const builtFor = (
  l: Lifting,
  build: BuildCut,
  sources: Int32Array,
): Checked<ReadonlyArray<readonly [Cut, Built]>> => {
  const found = new Map<Cut, Built>();
  for (const s of sources) {
    if (s < 0) continue;
    const cut = l.ownerOf(s);
    if (found.has(cut)) continue;
    const built = build(l, cut);
    if (E.isLeft(built)) return built;
    found.set(cut, built.right);
  }
  return E.right([...found].sort(([a], [b]) => a.index - b.index));
};

/**
 * The elements of the sources, in this order, as a value of the given shape. Where a source is negative any element
 * stands, for whoever makes a constant of it.
 */
export const valueOfSources = (
  l: Lifting,
  build: BuildCut,
  sources: Int32Array,
  shape: ReadonlyArray<number>,
): Checked<ValueName> => {
  const parts = builtFor(l, build, sources);
  if (E.isLeft(parts)) return parts;
  const start = new Map<Cut, number>();
  let size = 0;
  for (const [cut, { name }] of parts.right) {
    start.set(cut, size);
    size += shapeOf(l, name).reduce((n, d) => n * d, 1);
  }
  if (size === 0) {
    return fail('K0222', 'a value depends on no input', {
      expected: 'results that the input has a part in',
    });
  }
  const built = new Map(parts.right);
  const places = sources.map((s) => {
    if (s < 0) return 0;
    const cut = l.ownerOf(s);
    return start.get(cut)! + built.get(cut)!.position[cut.rank[s - cut.base]!]!;
  });
  const flats = parts.right.map(([, { name }]) => name);
  const [only] = flats;
  if (flats.length === 1 && only !== undefined) {
    const whole = places.length === size && places.every((p, k) => p === k);
    if (whole) return E.right(reshaped(l, only, shape));
  }
  const all =
    flats.length === 1
      ? flattened(l, only!)
      : l.b.add(
          'joined',
          { kind: 'concat', attrs: {} },
          flats.map((v) => flattened(l, v)),
        );
  return E.right(reshaped(l, gathered(l, all, places), shape));
};

/** The given elements of a tensor, in this order, as a value of the given shape. */
export const valueOfElements = (
  l: Lifting,
  build: BuildCut,
  v: Varying,
  elements: Int32Array,
  shape: ReadonlyArray<number>,
): Checked<ValueName> => {
  const sources = elements.map((e) => sourceAt(v, e));
  const value = valueOfSources(l, build, sources, shape);
  if (E.isLeft(value)) return value;
  return applied(
    l,
    value.right,
    elements.map((e) => functionAt(l.trace.table, v, e)),
  );
};
