/** C programs of random graphs, compiled with gcc and clang, against the interpreter: every value of every sample. */
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import type { Graph } from '../../../src/ir/graph.js';
import { kindsIn } from '../../support/graphs.js';
import { missingTools } from '../../support/tools.js';
import { graphsFor } from '../cpp/graphs.js';
import { expectSame, sanitizersOf } from './support.js';

const small = graphsFor('C', 16, 1, 8);
const large = graphsFor('C', 6, 5000, 16);

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
      await expectSame(graph, inputs(graph, 40), {
        cc: 'clang',
        flags: ['-O1', ...sanitizersOf('clang')],
        options,
      });
    },
  );
});
