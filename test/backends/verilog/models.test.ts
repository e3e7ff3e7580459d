/** KANELE's networks as RTL: exact on the vectors that come with them, and no larger than they were. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { estimateLuts } from '../../../src/backends/verilog/estimate.js';
import { scheduleOf } from '../../../src/backends/verilog/schedule.js';
import { compile, interpret, parseGraph } from '../../../src/index.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { rightOf } from '../../support/checked.js';
import { missingTools } from '../../support/tools.js';
import { circuitOf, expectSimulatedRtl } from './support.js';

const models = new URL('../../../examples/models/', import.meta.url);

const kanele = async (name: string) => {
  const read = (file: string): Uint8Array => readFileSync(new URL(`kanele-${name}/${file}`, models));
  const { artifact } = await compile({
    checkpoint: read('truth_tables.json'),
    checkpointName: 'truth_tables.json',
    files: { 'config.json': read('config.json') },
    target: 'wasm',
  });
  const kir = artifact.files.get('model.kir');
  const graph: Graph = rightOf(parseGraph(typeof kir === 'string' ? kir : ''));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  const numbers = (file: string): number[] =>
    new TextDecoder().decode(read(file)).trim().split(/\s+/).map(Number);
  const input = {
    type: graph.inputs[0]!.type,
    batch: 1000,
    data: Uint8Array.from(numbers('vectors_in.txt')),
  };
  return { graph, input, expected: numbers('vectors_out.txt') };
};

/** KANELE's own pipelines have six stages, by its scripts for these two networks. */
const STAGES = 6;

describe.skipIf(missingTools({ iverilog: 'iverilog', verilator: 'verilator', make: 'make' }))(
  "KANELE's networks",
  () => {
    it.each([
      ['wine', 'iverilog'],
      ['drybean', 'verilator'],
    ] as const)(
      '%s over its 1,000 vectors in %s',
      async (name, simulator) => {
        const { graph, input, expected } = await kanele(name);
        expect([...rightOf(interpret(graph, [input]))[0]!.data]).toEqual(expected);
        await expectSimulatedRtl(graph, input, simulator);
      },
      300_000,
    );
  },
);

// What is estimated, which costs no synthesis; bench/hardware measures. Raise them for a reason only.
it.each([
  ['wine', 360],
  ['drybean', 300],
] as const)('%s takes no more LUTs than before, in as many stages as theirs', async (name, luts) => {
  const circuit = circuitOf((await kanele(name)).graph);
  const schedule = scheduleOf(circuit, 3);
  expect(schedule.latency).toBeLessThanOrEqual(STAGES);
  expect(estimateLuts(circuit, schedule).luts).toBeLessThanOrEqual(luts);
});
