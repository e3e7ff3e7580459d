/** Programs of ops mean what the ops mean: the language by its definition against the interpreter, on random graphs. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { definitionsOf, type Graph, type ValueName } from '../../src/ir/graph.js';
import { interpret } from '../../src/ir/interpret.js';
import { lowerOp, OPS, type OpKind } from '../../src/ir/ops/index.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { verify } from '../../src/ir/verify.js';
import { rightOf } from '../support/checked.js';
import { randomGraph, randomTensor } from '../support/graphs.js';
import { randomOf } from '../support/random.js';
import { run } from './evaluate.js';

/** Layers and norms have kernels that are made for them, and passes fold away what is left of floats. */
const OTHERS: ReadonlySet<OpKind> = new Set([
  ...(['table.basis', 'table.edge', 'table.norm'] as const),
  ...(['activate', 'affine', 'decode', 'observe'] as const),
]);

const LOWERED = Object.values(OPS)
  .filter(({ kind, levels }) => levels.some((l) => l === 'table') && !OTHERS.has(kind))
  .map(({ kind }) => kind);

/** All values of a graph on random inputs. */
const valuesOf = (graph: Graph, seed: number): ReadonlyMap<ValueName, Tensor> => {
  const r = randomOf(seed);
  const values = new Map<ValueName, Tensor>();
  const inputs = graph.inputs.map(({ type }) => randomTensor(r, type, 3));
  rightOf(interpret(graph, inputs, (name, value) => values.set(name, value)));
  return values;
};

const seen = new Set<OpKind>();

describe('the lowering of an op', () => {
  it.each(Array.from({ length: 300 }, (_, k) => k))('means what the op means: graph %i', (seed) => {
    const graph = randomGraph('table', seed, 8);
    if (E.isLeft(verify(graph))) return;
    const values = valuesOf(graph, seed);
    for (const [name, { op, operands, type }] of definitionsOf(graph)) {
      const given = operands.map((o) => values.get(o)!);
      const program = lowerOp(
        op,
        given.map((x) => x.type),
        type,
      );
      if (E.isLeft(program)) continue;
      seen.add(op.kind);
      expect(run(program.right.body, given, type).data, `${op.kind}, ${name}`).toEqual(
        values.get(name)?.data,
      );
    }
  });

  it('is there for every op of tables that has no kernels of its own', () => {
    expect([...seen].sort()).toEqual([...LOWERED].sort());
  });
});
