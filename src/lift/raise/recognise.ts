/** What single functions are: sums of functions that the IR names, or none that are known. */
import { log, tanh } from '../../numeric/transcendental.js';
import type { FunctionId, FunctionTable } from '../functions.js';
import { activationFinder } from './activation.js';
import { addEntries, entriesOf } from './lookup.js';
import { outerOf } from './outer-polynomials.js';
import { piecesOf } from './piecewise.js';
import { valuesAt } from './pointwise.js';
import {
  chebyshevSum,
  isTanhOfX,
  isWellConditioned,
  type PolynomialForm,
  polynomialForms,
  toChebyshev,
} from './polynomial-form.js';
import { radialOf } from './radial.js';
import { type Collector, type Combination, collector, type Slots, slotsOf } from './slots.js';
import { splineOf } from './spline.js';

export interface Recogniser {
  readonly table: FunctionTable;
  readonly slots: Slots;
  readonly forms: (id: FunctionId) => PolynomialForm;
  /** A function as a sum of named ones; undefined where it is no such sum as a whole. */
  readonly named: (id: FunctionId) => Combination | undefined;
}

/** Of the greatest value. */
const POLYNOMIAL_TOLERANCE = 2e-6;

/** Inside -1..1 densely, and some way out; for tanh also where it is 1 to all digits. */
const INSIDE = Array.from({ length: 41 }, (_, j) => (j - 20) / 20);
const OUTSIDE = [-20, -9, -6, -4, -3, -2.2, -1.5, 1.5, 2.2, 3, 4, 6, 9, 20];

/** Whether the values are those of the polynomial wherever the program has any. */
const holds = (
  values: ReadonlyArray<number>,
  points: ReadonlyArray<number>,
  squash: 'tanh' | 'none',
  c: ReadonlyArray<number>,
): boolean => {
  let peak = 0;
  for (const v of values) if (Math.abs(v) > peak) peak = Math.abs(v);
  for (let j = 0; j < points.length; j++) {
    const s = squash === 'tanh' ? tanh(points[j]!) : points[j]!;
    // NaN outside the domain of acos: there is no value to agree with.
    if (Number.isNaN(values[j]!)) continue;
    if (!(Math.abs(values[j]! - chebyshevSum(c, s)) <= POLYNOMIAL_TOLERANCE * peak)) return false;
  }
  return true;
};

const addPolynomial = (
  table: FunctionTable,
  slots: Slots,
  id: FunctionId,
  form: PolynomialForm,
  to: Collector,
): boolean => {
  const squash =
    form.generator === table.x
      ? 'none'
      : form.generator !== undefined && isTanhOfX(table, form.generator)
        ? 'tanh'
        : undefined;
  if (squash === undefined) return false;
  const c = toChebyshev(form.coefficients);
  const linear = c.length <= 2;
  if (!linear) {
    if (squash === 'none' && !isWellConditioned(c)) return false;
    const fits = [INSIDE, OUTSIDE].every((points) => holds(valuesAt(table, id, points), points, squash, c));
    if (!fits) return false;
  }
  to.addConstant(c[0]!);
  const first = squash === 'none' ? 'identity' : 'tanh';
  to.add(slots.intern({ kind: 'activation', activation: first }), c[1] ?? 0);
  for (let degree = 2; degree < c.length; degree++) {
    to.add(slots.intern({ kind: 'chebyshev', squash, degree }), c[degree]!);
  }
  return true;
};

interface Finders {
  readonly pieces: ReturnType<typeof piecesOf>;
  readonly activations: ReturnType<typeof activationFinder>;
}

/** What is no polynomial: a spline or activations. */
const addPrimitive = (
  table: FunctionTable,
  slots: Slots,
  finders: Finders,
  id: FunctionId,
  to: Collector,
): boolean => {
  const found = finders.pieces(id);
  const spline = found === undefined ? undefined : splineOf(table, id, found);
  if (spline === 'zero') return true;
  if (spline !== undefined) {
    const { factor: own, ...rest } = spline;
    to.add(slots.intern({ kind: 'spline', ...rest, origin: { id, factor: own, offset: 0 } }), own);
    return true;
  }
  const activations = finders.activations(id);
  for (const { activation, factor } of activations ?? []) {
    to.add(slots.intern({ kind: 'activation', activation }), factor);
  }
  return activations !== undefined;
};

const scaledBy = (c: Combination, slope: number, constant: number): Combination => ({
  constant: constant + slope * c.constant,
  slots: c.slots,
  factors: c.factors.map((f) => f * slope),
});

const recognisers = new WeakMap<FunctionTable, Recogniser>();

/** The recogniser of a table: what it finds is kept, for all layers whose functions are in the table. */
export const recogniserOf = (table: FunctionTable): Recogniser => {
  const known = recognisers.get(table) ?? recogniser(table, slotsOf());
  recognisers.set(table, known);
  return known;
};

const recogniser = (table: FunctionTable, slots: Slots): Recogniser => {
  const forms = polynomialForms(table);
  const finders = { pieces: piecesOf(table, forms), activations: activationFinder(table) };
  const widths = sharedWidths();
  const entries = entriesOf(table);
  const find = (id: FunctionId): Combination | undefined => {
    const form = forms(id);
    const to = collector();
    const [constant, slope] = [form.coefficients[0]!, form.coefficients[1] ?? 0];
    if (form.generator === undefined) {
      to.addConstant(constant);
      return to.combination();
    }
    const looked = entries(id);
    if (looked !== undefined) {
      addEntries(table, slots, looked, to);
      return to.combination();
    }
    const linear = form.coefficients.length === 2;
    const inner = linear ? form.generator : id;
    const radial = radialOf(table, forms, inner, linear ? forms(inner) : form);
    if (radial !== undefined) {
      const { kernel, factor, offset } = radial;
      const [scale, shift] = linear ? [slope, constant] : [1, 0];
      to.addConstant(shift + scale * offset);
      const center = Math.fround(radial.center);
      const origin = { id: inner, factor, offset };
      const slot = slots.intern({ kind: 'radial', kernel, center, width: widths(radial.width), origin });
      to.add(slot, scale * factor);
      return to.combination();
    }
    if (addPolynomial(table, slots, id, form, to)) return to.combination();
    if (inner !== id) {
      const named = known(inner);
      if (named !== undefined) return scaledBy(named, slope, constant);
    }
    const outer = outerOf(table, forms, id);
    if (outer !== undefined) {
      to.add(slots.intern(outer), 1);
      return to.combination();
    }
    // Also with the constants that may belong to it: 2 sigmoid(2 x) - 1 is tanh(x).
    return addPrimitive(table, slots, finders, id, to) ? to.combination() : undefined;
  };
  const found = new Map<FunctionId, Combination | undefined>();
  const known = (id: FunctionId): Combination | undefined => {
    if (!found.has(id)) found.set(id, find(id));
    return found.get(id);
  };
  return { table, slots, forms, named: known };
};

/** Widths that differ by less than f32 tells are one: the first of them. */
const sharedWidths = (): ((width: number) => number) => {
  const known = new Map<number, number>();
  return (width) => {
    const key = Math.round(log(width) * 2 ** 23);
    const same = known.get(key) ?? known.get(key - 1) ?? known.get(key + 1) ?? width;
    known.set(key, same);
    return same;
  };
};
