/** The lift against the programs themselves: random networks, written as exporters write them. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { interpret, parseGraph, printGraph, verify } from '../../src/ir/index.js';
import { lift } from '../../src/lift/index.js';
import { evaluateProgram } from '../../src/tensor/evaluate.js';
import { showTensorProgram } from '../../src/tensor/print.js';
import { sizeOfShape, type TensorProgram } from '../../src/tensor/program.js';
import { rightOf } from '../support/checked.js';
import { type Random, randomOf } from '../support/random.js';
import { randomProgram } from './random-programs.js';

/** More with KANC_FUZZ_PROGRAMS. */
const PROGRAMS = Number(process.env.KANC_FUZZ_PROGRAMS ?? 150);

/** Whether two inputs give two results. */
const dependsOnInput = (program: TensorProgram, r: Random): boolean => {
  const size = sizeOfShape(program.nodes[program.inputs[0]!]!.type.shape);
  const results = [0, 1].map(() =>
    evaluateProgram(program, [Float64Array.from({ length: size }, () => 3 * r.unit() - 1.5)]),
  );
  return JSON.stringify(results[0]) !== JSON.stringify(results[1]);
};

const check = (seed: number): void => {
  const r = randomOf(seed);
  const program = randomProgram(r);
  const shown = (): string => `seed ${seed}\n${showTensorProgram(program)}`;
  const lifted = lift(program);
  if (E.isLeft(lifted)) {
    // Windows may lie in the padding of an image alone: then there is nothing to compute.
    expect(lifted.left[0].code, `${lifted.left[0].message}\n${shown()}`).toBe('K0222');
    expect(dependsOnInput(program, r), shown()).toBe(false);
    return;
  }
  const { graph } = lifted.right;
  expect(verify(graph), shown()).toStrictEqual(E.right(undefined));
  const size = sizeOfShape(program.nodes[program.inputs[0]!]!.type.shape);
  const data = Float32Array.from({ length: size }, () => 3 * r.unit() - 1.5);
  const evaluated = evaluateProgram(program, [Float64Array.from(data)]);
  if (E.isLeft(evaluated)) throw new Error(evaluated.left);
  const wanted = evaluated.right[0]!;
  const [result] = rightOf(interpret(graph, [{ type: graph.inputs[0]!.type, batch: 2, data }]));
  const scale = wanted.reduce((n, v) => Math.max(n, Math.abs(v)), 1);
  expect(result!.data, shown()).toHaveLength(wanted.length);
  for (const [i, want] of wanted.entries()) {
    expect(Math.abs(result!.data[i]! - want), shown()).toBeLessThanOrEqual(2e-4 * scale);
  }
  expect(rightOf(parseGraph(printGraph(graph)))).toStrictEqual(graph);
};

describe('random programs', () => {
  it(`compute what the layers found in them do: ${PROGRAMS} of them`, () => {
    for (let seed = 0; seed < PROGRAMS; seed++) check(seed);
  }, 600_000);
});
