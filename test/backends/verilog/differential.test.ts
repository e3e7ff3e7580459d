/** Circuits of random graphs against the interpreter, and some of them in two simulators. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { countEdges } from '../../../src/backends/verilog/edges.js';
import { lower } from '../../../src/backends/verilog/lower.js';
import { type Graph, isLevel, typesOf } from '../../../src/ir/graph.js';
import { verify } from '../../../src/ir/verify.js';
import { calibrationOf, compiled, randomKan } from '../../passes/support.js';
import { kindsIn, randomGraph } from '../../support/graphs.js';
import { missingTools } from '../../support/tools.js';
import { covering } from '../cpp/graphs.js';
import { expectSameCircuit, expectSimulatedRtl } from './support.js';

/** Random graphs that are circuits, and small ones. */
const graphs = ((): ReadonlyArray<Graph<'table'>> => {
  const found: Graph<'table'>[] = [];
  for (let seed = 1; found.length < 30 && seed < 3000; seed++) {
    const graph = randomGraph('table', seed, 7);
    if (!isLevel('table')(graph) || E.isLeft(verify(graph))) continue;
    const types = typesOf(graph);
    const edges = graph.nodes.reduce(
      (n, node) =>
        n +
        countEdges(
          node,
          node.operands.flatMap((name) => types.get(name) ?? []),
        ),
      0,
    );
    if (edges > 400 || E.isLeft(lower(graph, { chain: 16 }))) continue;
    found.push(graph);
  }
  return found;
})();

const inputs = (graph: Graph, samples: number) => probes(graph, graph.inputs[0]!.type, samples, 3);

/** Networks as they are compiled, by bits of activations, hidden values and tables. */
const networks = (['edge', 'basis'] as const).flatMap((form) =>
  [
    [4, 4, 4],
    [6, 7, 6],
    [8, 8, 8],
  ].map(([act, hidden, table]) => {
    const bits = `act=${act},hidden=${hidden},table=${table}`;
    const text = `calibrate{data=x},quantize{${bits}},tabulate{form=${form}},fold,prune,dedupe,narrow,dce`;
    const graph = compiled(randomKan(act!, { layers: [4, 5, 2] }), text, calibrationOf(4));
    if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
    return [`${form}, ${bits}`, graph] as const;
  }),
);

describe('circuits', () => {
  it('are made of these ops', () => {
    const kinds = kindsIn(graphs);
    for (const kind of [
      'quantize',
      'recode',
      'gather',
      'requantize',
      'table.edge',
      'table.basis',
      'table.sum',
    ] as const) {
      expect([kind, kinds.has(kind)]).toEqual([kind, true]);
    }
  });

  it.each(graphs.map((graph, k) => [k, graph] as const))('random graph %i', (k, graph) => {
    expectSameCircuit(graph, inputs(graph, 150), [2, 3, 16][k % 3]);
  });

  it.each(networks)('%s', (_, graph) => {
    for (const chain of [2, 16]) expectSameCircuit(graph, inputs(graph, 400), chain);
  });
});

describe.skipIf(missingTools({ iverilog: 'iverilog', verilator: 'verilator', make: 'make' }))('RTL', () => {
  const some = covering(graphs, 8);
  it.each(some.map((graph, k) => [k, graph] as const))(
    'of random graph %i in Icarus Verilog',
    async (k, graph) => {
      await expectSimulatedRtl(graph, inputs(graph, 100), 'iverilog', { pipeline: [3, 1, 0, 2][k % 4]! });
    },
  );

  it('in Verilator', async () => {
    const [, graph] = networks[1]!;
    await expectSimulatedRtl(graph, inputs(graph, 300), 'verilator');
    // Most of it is the C++ compiler that Verilator calls.
  }, 300_000);
});
