/** Codes of 16 bits: constants of the text stay below what scanners of tools take. */
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { verilog } from '../../../src/backends/verilog/index.js';
import { column } from '../../../src/backends/verilog/text.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { calibrationOf, compiled, randomKan } from '../../passes/support.js';
import { rightOf } from '../../support/checked.js';
import { missingTools } from '../../support/tools.js';
import { expectSimulatedRtl } from './support.js';

/** Characters of a token that the scanner of Icarus Verilog takes at most. */
const LONGEST_TOKEN = 16384;

const network = (): Graph<'table'> => {
  const bits = 'act=16,hidden=8,table=16';
  const text = `calibrate{data=x},quantize{${bits}},tabulate{form=edge},fold,prune,dedupe,narrow,dce`;
  const graph = compiled(randomKan(1, { layers: [1, 1] }), text, calibrationOf(1));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  return graph;
};

it('writes no token that a scanner does not take', async () => {
  const { files } = rightOf(await verilog.emit({}, { version: 'test' })(network())());
  const text = files.get('model.v');
  if (typeof text !== 'string') throw new Error('model.v is text');
  const longest = text.split(/\s+/).reduce((n, token) => Math.max(n, token.length), 0);
  // There are tables of 65,536 entries, so that there is something to split.
  expect(text).toMatch(/localparam \[65535:0\]/);
  expect(longest).toBeLessThan(LONGEST_TOKEN);
});

it('splits a constant so that its bits stay where they are', () => {
  const values = Uint8Array.from({ length: 2 ** 16 }, (_, k) => ((k * k) % 7) & 1);
  const text = column(values, 0);
  const bits = [...text.matchAll(/(\d+)'h([0-9a-f]+)/g)]
    .map(([, width, digits]) => BigInt(`0x${digits}`).toString(2).padStart(Number(width), '0'))
    .join('');
  expect(bits.length).toBe(values.length);
  expect([...bits].reverse().map(Number)).toEqual([...values]);
});

describe.skipIf(missingTools({ iverilog: 'iverilog', make: 'make' }))('in Icarus Verilog', () => {
  it('gives the integers of the interpreter', async () => {
    const graph = network();
    await expectSimulatedRtl(graph, probes(graph, graph.inputs[0]!.type, 300, 3), 'iverilog');
  }, 60_000);
});
