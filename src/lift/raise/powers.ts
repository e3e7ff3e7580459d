/**
 * Polynomials of something that is neither x nor tanh(x): recurrences have a form of their own for each degree, so that
 * they are written by functions of one form: T_n(s) as cos(n acos(s)) where s is within -1..1, powers elsewhere.
 */
import type { FunctionId } from '../functions.js';
import { isWellConditioned, type PolynomialForm, toChebyshev } from './polynomial-form.js';
import { boundsOf } from './range.js';
import type { Recogniser } from './recognise.js';
import { type Combination, collector } from './slots.js';

/** Higher powers differ too much in size for weights in f32. */
const MOST_POWER = 8;

type Forms = (id: FunctionId) => PolynomialForm;

/** Functions that are polynomials of the same generator, if writing them by degrees takes no more functions. */
const groupsOf = (
  x: FunctionId,
  forms: Forms,
  functions: ReadonlyArray<FunctionId>,
): ReadonlyMap<FunctionId, ReadonlyArray<FunctionId>> => {
  const groups = new Map<FunctionId, FunctionId[]>();
  for (const id of functions) {
    const { generator, coefficients } = forms(id);
    if (generator === undefined || generator === x || coefficients.length <= 2) continue;
    if (!isWellConditioned(toChebyshev(coefficients))) continue;
    const group = groups.get(generator);
    if (group === undefined) groups.set(generator, [id]);
    else group.push(id);
  }
  const worth = [...groups].filter(([, ids]) => {
    const degree = Math.max(...ids.map((id) => forms(id).coefficients.length - 1));
    return ids.length > 1 && degree <= ids.length + 1;
  });
  return new Map(worth);
};

/**
 * Functions as sums of functions of degrees, where some of them are polynomials without a name; what is no such
 * polynomial is not in the map.
 */
export const byDegrees = (
  { table, slots, forms, named }: Recogniser,
  all: ReadonlyArray<FunctionId>,
): ReadonlyMap<FunctionId, Combination> => {
  const found = new Map<FunctionId, Combination>();
  const generators = new Set(all.filter((id) => named(id) === undefined).map((id) => forms(id).generator));
  // A square of tanh has a name by itself, but not beside cubes.
  const functions = all.filter((id) => generators.has(forms(id).generator));
  for (const [generator, ids] of groupsOf(table.x, forms, functions)) {
    const [lo, hi] = boundsOf(table, generator);
    const bounded = lo >= -1 && hi <= 1;
    const ofDegree = (n: number): FunctionId =>
      bounded
        ? table.call('cos', table.call('mul', table.constant(n), table.call('acos', generator)))
        : table.call('pow', generator, table.constant(n));
    for (const id of functions.includes(generator) ? [generator, ...ids] : ids) {
      const powers = forms(id).coefficients;
      if (!bounded && powers.length - 1 > MOST_POWER) continue;
      const to = collector();
      const coefficients = bounded ? toChebyshev(powers) : powers;
      to.addConstant(coefficients[0]!);
      for (let n = 1; n < coefficients.length; n++) {
        to.add(slots.intern({ kind: 'other', id: ofDegree(n) }), coefficients[n]!);
      }
      found.set(id, to.combination());
    }
  }
  return found;
};
