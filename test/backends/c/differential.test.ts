/** C programs of random graphs, compiled with gcc and clang, against the interpreter: every value of every sample. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { programOf } from '../../../src/backends/cpp/program.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { verify } from '../../../src/ir/verify.js';
import { kindsIn, randomGraph } from '../../support/graphs.js';
import { missingTools } from '../../support/tools.js';
import { expectSame, SANITIZE } from './support.js';

/** Graphs of the generator that have one input and one output that the target takes. */
const graphs = (count: number, from: number, size: number): ReadonlyArray<Graph<'table'>> => {
  const found: Graph<'table'>[] = [];
  for (let seed = from; found.length < count; seed++) {
    const graph = randomGraph('table', seed, size);
    if (!isLevel('table')(graph) || E.isLeft(verify(graph)) || E.isLeft(programOf(graph, 'C'))) continue;
    found.push(graph);
  }
  return found;
};

const small = graphs(24, 1, 8);
const large = graphs(8, 5000, 16);

const inputs = (graph: Graph, samples: number) => probes(graph, graph.inputs[0]!.type, samples, 7);

describe.skipIf(missingTools({ gcc: 'gcc', clang: 'clang' }))('C programs of random graphs', () => {
  it('cover all ops of tables', () => {
    const kinds = kindsIn([...small, ...large]);
    for (const kind of [
      'quantize',
      'recode',
      'gather',
      'reshape',
      'concat',
      'requantize',
      'table.norm',
      'table.sum',
      'table.edge',
      'table.basis',
      'dequantize',
      'pool',
      'multiply',
    ] as const) {
      expect([kind, kinds.has(kind)]).toEqual([kind, true]);
    }
  });

  it.each(small.map((graph, k) => [k, graph] as const))('small graph %i with gcc', async (_, graph) => {
    expect(await expectSame(graph, inputs(graph, 40))).toBeGreaterThan(0);
  });

  it.each(large.map((graph, k) => [k, graph] as const))(
    'graph %i with clang and sanitizers',
    async (k, graph) => {
      const options = { pack: k % 2 === 0 };
      await expectSame(graph, inputs(graph, 40), { cc: 'clang', flags: ['-O1', ...SANITIZE], options });
    },
  );
});
