/** Functions of one variable, written the way that tensor programs write them, and layers of them. */
import { expect } from 'vitest';
import { accumulateInput, branchEvaluator } from '../../../src/ir/basis-evaluate.js';
import type { FunctionId, FunctionTable } from '../../../src/lift/functions.js';
import { branchesOf, type Raised } from '../../../src/lift/raise/index.js';
import type { LayerTerms } from '../../../src/lift/terms.js';
import { rightOf } from '../../support/checked.js';
import type { Random } from '../../support/random.js';

/** A number is a constant. */
export type Operand = FunctionId | { readonly value: number };

export const num = (value: number): Operand => ({ value });

/** Short names for the ops of a table. */
export const writer = (table: FunctionTable) => {
  const id = (a: Operand): FunctionId => (typeof a === 'number' ? a : table.constant(a.value));
  const binary =
    (fn: 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'min' | 'max' | 'lt' | 'ge' | 'gt' | 'le' | 'and') =>
    (a: Operand, b: Operand): FunctionId =>
      table.call(fn, id(a), id(b));
  const unary =
    (
      fn:
        | 'neg'
        | 'exp'
        | 'tanh'
        | 'sigmoid'
        | 'cos'
        | 'sin'
        | 'acos'
        | 'erf'
        | 'relu'
        | 'log'
        | 'is-nan'
        | 'is-inf'
        | 'abs',
    ) =>
    (a: Operand): FunctionId =>
      table.call(fn, id(a));
  return {
    x: table.x,
    id,
    add: binary('add'),
    sub: binary('sub'),
    mul: binary('mul'),
    div: binary('div'),
    pow: binary('pow'),
    min: binary('min'),
    max: binary('max'),
    lt: binary('lt'),
    ge: binary('ge'),
    gt: binary('gt'),
    le: binary('le'),
    and: binary('and'),
    neg: unary('neg'),
    exp: unary('exp'),
    tanh: unary('tanh'),
    sigmoid: unary('sigmoid'),
    cos: unary('cos'),
    sin: unary('sin'),
    acos: unary('acos'),
    erf: unary('erf'),
    relu: unary('relu'),
    log: unary('log'),
    abs: unary('abs'),
    isNan: unary('is-nan'),
    isInf: unary('is-inf'),
    where: (c: Operand, a: Operand, b: Operand): FunctionId => table.call('where', id(c), id(a), id(b)),
    sum: (parts: ReadonlyArray<FunctionId>, factors: ReadonlyArray<number>): FunctionId =>
      table.sum(Int32Array.from(parts), Float64Array.from(factors)),
  };
};

export type Writer = ReturnType<typeof writer>;

/** What replaces NaN and infinities by numbers. */
const finite = (w: Writer, v: FunctionId): FunctionId => {
  const first = w.where(w.isNan(v), num(0), v);
  const second = w.where(w.and(w.isInf(first), w.gt(first, num(0))), num(3.4e38), first);
  return w.where(w.and(w.isInf(second), w.lt(second, num(0))), num(-3.4e38), second);
};

/** The recursion over intervals that efficient-kan and pykan have; `guarded` where 0/0 is made 0 at every degree. */
export const splineProgram = (
  w: Writer,
  knots: ArrayLike<number>,
  order: number,
  guarded = false,
  x: FunctionId = w.x,
): ReadonlyArray<FunctionId> => {
  const t = (k: number): Operand => num(knots[k]!);
  let bases = Array.from({ length: knots.length - 1 }, (_, k) => w.and(w.ge(x, t(k)), w.lt(x, t(k + 1))));
  for (let p = 1; p <= order; p++) {
    bases = Array.from({ length: bases.length - 1 }, (_, k) => {
      const rise = w.div(w.sub(x, t(k)), num(knots[k + p]! - knots[k]!));
      const fall = w.div(w.sub(t(k + p + 1), x), num(knots[k + p + 1]! - knots[k + 1]!));
      const both = w.add(w.mul(rise, bases[k]!), w.mul(fall, bases[k + 1]!));
      return guarded ? finite(w, both) : both;
    });
  }
  return bases;
};

/** A layer whose inputs have these functions, with random weights. */
export const layerOf = (
  functions: ReadonlyArray<ReadonlyArray<FunctionId>>,
  outputs: number,
  random: Random,
): LayerTerms => ({
  outputs,
  functions,
  weights: functions.map((list) =>
    list.map(() => Float64Array.from({ length: outputs }, () => random.unit() * 2 - 1)),
  ),
  bias: Float64Array.from({ length: outputs }, () => random.unit()),
});

/** Gives the outputs of the terms at x, input by input (without the bias): [I][O]. */
export const termsOf = (table: FunctionTable, terms: LayerTerms): ((x: number) => Float64Array[]) => {
  const evaluators = terms.functions.map(table.evaluator);
  return (x) =>
    evaluators.map(({ values, evaluate }, i) => {
      evaluate(x);
      const out = new Float64Array(terms.outputs);
      terms.weights[i]!.forEach((row, m) => {
        for (let o = 0; o < out.length; o++) out[o]! += row[o]! * values[m]!;
      });
      return out;
    });
};

/** Raises a layer and compares every input by itself and all of them together at the points. */
export const raisedAndCompared = (
  table: FunctionTable,
  terms: LayerTerms,
  points: ReadonlyArray<number>,
  tolerance = 4e-6,
): Raised => {
  const raised = rightOf(branchesOf(table, terms));
  const evaluators = raised.branches.map(branchEvaluator);
  const inputs = terms.functions.length;
  const termsAt = termsOf(table, terms);
  let peak = 0;
  const errors: { x: number; error: number }[] = [];
  for (const x of points) {
    const total = Float64Array.from(raised.bias);
    const expected = Float64Array.from(terms.bias);
    const parts = termsAt(x);
    for (let i = 0; i < inputs; i++) {
      for (const evaluator of evaluators) accumulateInput(evaluator, i, x, total);
      for (let o = 0; o < terms.outputs; o++) expected[o]! += parts[i]![o]!;
    }
    for (let o = 0; o < terms.outputs; o++) {
      peak = Math.max(peak, Math.abs(expected[o]!));
      errors.push({ x, error: Math.abs(total[o]! - expected[o]!) });
    }
  }
  expect(errors.filter(({ error }) => !(error <= tolerance * peak)).slice(0, 4)).toEqual([]);
  return raised;
};

/** Points on both sides of 0, denser near it. */
export const pointsOf = (random: Random, count: number, reach: number): ReadonlyArray<number> =>
  Array.from({ length: count }, () => Math.fround((random.unit() * 2 - 1) * reach * random.unit()));
