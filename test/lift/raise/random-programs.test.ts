/** Layers of random functions compute the same when they have become branches. */
import { expect, it } from 'vitest';
import { accumulateInput, branchEvaluator } from '../../../src/ir/basis-evaluate.js';
import { type FunctionId, functionTable } from '../../../src/lift/functions.js';
import { branchesOf } from '../../../src/lift/raise/index.js';
import type { LayerTerms } from '../../../src/lift/terms.js';
import type { ScalarFunction } from '../../../src/numeric/scalar.js';
import { rightOf } from '../../support/checked.js';
import { type Random, randomOf } from '../../support/random.js';
import { num, splineProgram, termsOf, type Writer, writer } from './programs.js';

type Table = ReturnType<typeof functionTable>;

const UNARY: ReadonlyArray<ScalarFunction> = [
  'neg',
  'abs',
  'relu',
  'tanh',
  'sigmoid',
  'sin',
  'cos',
  'softplus',
  'erf',
  'floor',
];
const BINARY: ReadonlyArray<ScalarFunction> = ['add', 'sub', 'mul', 'max', 'min', 'ge', 'lt', 'prelu'];

const number = (random: Random): number => Math.fround((random.unit() - 0.5) * random.pick([0.5, 2, 4]));

/** A function of a few ops over x, constants and functions that are there already. */
const randomFunction = (table: Table, random: Random, known: ReadonlyArray<FunctionId>): FunctionId => {
  const pool = [table.x, ...known];
  const operand = (): FunctionId =>
    random.chance(0.35) ? table.constant(number(random)) : random.pick(pool);
  for (let n = random.whole(1, 7); n > 0; n--) {
    const kind = random.unit();
    if (kind < 0.35) pool.push(table.call(random.pick(UNARY), random.pick(pool)));
    else if (kind < 0.8) pool.push(table.call(random.pick(BINARY), operand(), operand()));
    else if (kind < 0.85) pool.push(table.call('pow', random.pick(pool), table.constant(random.whole(2, 3))));
    else if (kind < 0.9) {
      const square = table.call('pow', table.call('sub', random.pick(pool), operand()), table.constant(2));
      pool.push(table.call('exp', table.call('mul', square, table.constant(-1 - random.unit()))));
    } else if (kind < 0.95) {
      const parts = Int32Array.from({ length: random.whole(2, 5) }, () => random.pick(pool));
      pool.push(
        table.sum(
          parts,
          Float64Array.from(parts, () => number(random)),
        ),
      );
    } else
      pool.push(
        table.call('where', table.call('lt', table.x, table.constant(number(random))), operand(), operand()),
      );
  }
  return pool[pool.length - 1]!;
};

const someSplines = (w: Writer, random: Random): ReadonlyArray<FunctionId> => {
  const knots = Float32Array.from({ length: random.whole(8, 12) }, () => number(random)).sort();
  return splineProgram(w, knots, random.whole(1, 3)).slice(0, random.whole(1, 6));
};

const randomLayer = (table: Table, random: Random): LayerTerms => {
  const w = writer(table);
  const shared: FunctionId[] = [];
  const outputs = random.whole(1, 6);
  const functions = Array.from({ length: random.whole(1, 4) }, () => {
    const list = random.chance(0.4) ? [...someSplines(w, random)] : [];
    if (random.chance(0.3)) list.push(w.sub(num(1), w.pow(w.tanh(w.sub(w.x, num(number(random)))), num(2))));
    for (let m = random.whole(0, 6); m > 0; m--) {
      const id =
        shared.length > 0 && random.chance(0.3) ? random.pick(shared) : randomFunction(table, random, shared);
      shared.push(id);
      list.push(id);
    }
    return [...new Set(list)];
  });
  return {
    outputs,
    functions,
    weights: functions.map((list) =>
      list.map(() =>
        Float64Array.from({ length: outputs }, () => (random.chance(0.4) ? 0 : random.unit() * 2 - 1)),
      ),
    ),
    bias: Float64Array.from({ length: outputs }, () => random.unit()),
  };
};

const SEEDS = Array.from({ length: Number(process.env['SEEDS'] ?? 60) }, (_, k) => k + 1);

it.each(SEEDS)('seed %i', (seed) => {
  const random = randomOf(seed);
  const table = functionTable();
  const terms = randomLayer(table, random);
  const raised = rightOf(branchesOf(table, terms));
  const evaluators = raised.branches.map(branchEvaluator);
  const termsAt = termsOf(table, terms);
  // Without the bias: branches of one input alone stand for 0 at inputs that have none.
  const wrong: string[] = [];
  for (let p = 0; p < 60; p++) {
    const x = Math.fround((random.unit() * 2 - 1) * 3);
    const expected = Float64Array.from(terms.bias);
    let scale = 1;
    termsAt(x).forEach((part) => {
      part.forEach((v, o) => {
        expected[o]! += v;
        scale = Math.max(scale, Math.abs(v));
      });
    });
    const got = Float64Array.from(raised.bias);
    terms.functions.forEach((_, i) => {
      for (const evaluator of evaluators) accumulateInput(evaluator, i, x, got);
    });
    got.forEach((v, o) => {
      if (Number.isFinite(expected[o]!) && !(Math.abs(v - expected[o]!) <= 2e-5 * scale)) {
        wrong.push(`output ${o} at ${x}: ${v}, expected ${expected[o]}; ${raised.found.join('; ')}`);
      }
    });
  }
  expect(wrong.slice(0, 3)).toEqual([]);
});
