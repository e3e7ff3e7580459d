import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../../src/backends/wasm/plan.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { verify } from '../../../src/ir/verify.js';
import { randomGraph, randomTensor } from '../../support/graphs.js';
import { randomOf } from '../../support/random.js';
import { expectSame } from './support.js';

/** The graph with one of its nodes as the only result, and only the input that this node needs. */
const slices = (graph: Graph<'table'>): ReadonlyArray<Graph<'table'>> =>
  graph.nodes.flatMap((last) => {
    const needed = new Set([last.name, ...last.operands]);
    for (const node of [...graph.nodes].reverse()) {
      if (needed.has(node.name)) for (const o of node.operands) needed.add(o);
    }
    const inputs = graph.inputs.filter((x) => needed.has(x.name));
    const nodes = graph.nodes.filter((n) => needed.has(n.name));
    const slice = { ...graph, inputs, nodes, outputs: [last.name] };
    return E.isRight(planOf(slice)) ? [slice] : [];
  });

describe('graphs of the shared generator', () => {
  it('that the target takes give the integers of the interpreter', async () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const graph = randomGraph('table', seed, 8);
      if (!isLevel('table')(graph) || E.isLeft(verify(graph))) continue;
      for (const slice of slices(graph)) {
        const data = randomTensor(randomOf(seed), slice.inputs[0]!.type, 4).data;
        if (!(data instanceof Float32Array || data instanceof Uint8Array))
          throw new Error('f32 or u8 expected');
        await expectSame(slice, data);
        for (const node of slice.nodes) kinds.add(node.op.kind);
      }
    }
    expect([...kinds].sort()).toEqual(
      [
        'bucketize',
        'concat',
        'dequantize',
        'gather',
        'multiply',
        'observe',
        'pool',
        'quantize',
        'recode',
        'requantize',
        'reshape',
        'table.basis',
        'table.edge',
        'table.norm',
        'table.sum',
      ].sort(),
    );
  });
});
