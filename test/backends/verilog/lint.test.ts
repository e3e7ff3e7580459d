/** `verilator --lint-only -Wall` has nothing to say of modules. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { type VerilogOptions, verilog } from '../../../src/backends/verilog/index.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { verify } from '../../../src/ir/verify.js';
import { calibrationOf, compiled, randomKan } from '../../passes/support.js';
import { randomGraph } from '../../support/graphs.js';
import { missingTools, runTool } from '../../support/tools.js';
import { writeFiles } from '../c/support.js';

const network = (act: number, hidden: number, table: number): Graph<'table'> => {
  const bits = `act=${act},hidden=${hidden},table=${table}`;
  const text = `calibrate{data=x},quantize{${bits}},tabulate{form=edge},fold,prune,dedupe,narrow,dce`;
  const graph = compiled(randomKan(act, { layers: [6, 5, 2] }), text, calibrationOf(6));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  return graph;
};

const OPTIONS: ReadonlyArray<VerilogOptions> = [{}, { pipeline: 0, chain: 2 }, { 'dont-cares': 'data' }];

const linted = async (graph: Graph<'table'>, options: VerilogOptions): Promise<void> => {
  const samples = probes(graph, graph.inputs[0]!.type, 20, 3);
  const emitted = await verilog.emit(options, { version: 'test', samples })(graph)();
  if (E.isLeft(emitted)) return;
  const folder = writeFiles(emitted.right.files);
  // Fails, and tells what was said, where there is any warning.
  const said = runTool('sh', ['-c', 'verilator --lint-only -Wall model.v 2>&1'], { cwd: folder });
  expect(said.toString()).toBe('');
};

describe.skipIf(missingTools({ verilator: 'verilator' }))('Verilator', () => {
  it.each([1, 3, 4, 6, 8])(
    'a network of %i bits',
    async (bits) => {
      const graph = network(bits, Math.max(2, bits), Math.max(2, bits));
      for (const options of OPTIONS) await linted(graph, options);
    },
    60_000,
  );

  it('random graphs', async () => {
    let count = 0;
    for (let seed = 1; count < 40 && seed < 1500; seed++) {
      const graph = randomGraph('table', seed, 5);
      if (!isLevel('table')(graph) || E.isLeft(verify(graph))) continue;
      if (E.isLeft(await verilog.emit({}, { version: 'test' })(graph)())) continue;
      count++;
      await linted(graph, OPTIONS[seed % 2]!);
    }
    expect(count).toBeGreaterThan(10);
  }, 120_000);
});
