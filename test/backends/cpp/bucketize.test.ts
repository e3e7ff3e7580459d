/** Codes by integer thresholds in C, in HLS designs of both architectures, and in Verilog circuits. */
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import type { Graph } from '../../../src/ir/graph.js';
import { kindsIn } from '../../support/graphs.js';
import { missingTools } from '../../support/tools.js';
import { expectSame, sanitizersOf } from '../c/support.js';
import { expectSimulated } from '../hls/support.js';
import { expectSameCircuit, expectSimulatedRtl } from '../verilog/support.js';
import { bucketizeGraphs } from './bucketize-graphs.js';

const graphs = bucketizeGraphs();
const inputs = (graph: Graph, samples = 256) => probes(graph, graph.inputs[0]!.type, samples, 5);

it('all have thresholds', () => {
  for (const [name, graph] of graphs) expect([name, kindsIn([graph]).has('bucketize')]).toEqual([name, true]);
});

describe.skipIf(missingTools({ clang: 'clang' }))('as C', () => {
  it.each(graphs)('%s', async (_, graph) => {
    await expectSame(graph, inputs(graph), { cc: 'clang', flags: ['-O1', ...sanitizersOf('clang')] });
  });
});

describe.skipIf(missingTools({ 'g++': 'g++', 'clang++': 'clang' }))('as HLS designs', () => {
  it.each(graphs)('%s', async (_, graph) => {
    await expectSimulated(graph, inputs(graph), { options: { architecture: 'folded' } });
    await expectSimulated(graph, inputs(graph), {
      cxx: 'clang++',
      flags: ['-O1', ...sanitizersOf('clang++')],
      options: { architecture: 'unrolled' },
    });
  });
});

describe('as circuits', () => {
  it.each(graphs)('%s', (_, graph) => expectSameCircuit(graph, inputs(graph, 1000)));

  it.skipIf(missingTools({ iverilog: 'iverilog' }))('in Icarus Verilog', async () => {
    for (const [, graph] of graphs) await expectSimulatedRtl(graph, inputs(graph), 'iverilog');
  });
});
