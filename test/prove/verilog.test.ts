/** The prover on Verilog artifacts, whose logic between codes it simulates. */
import { beforeAll, describe, expect, it } from 'vitest';
import { verilog } from '../../src/backends/verilog/index.js';
import type { Graph } from '../../src/ir/graph.js';
import { missingTools } from '../support/tools.js';
import { swappedRows, wrongEntry, wrongMultiplier } from './mutations.js';
import { artifactOf, mismatchesOf, prove, sampledIn, tableGraphOf, WINE, withFile } from './support.js';

let wine: Graph<'table'> | undefined;

beforeAll(async () => {
  wine = await tableGraphOf({ ...WINE, quant: { act: 3, hidden: 4 } });
});

describe.skipIf(missingTools({ iverilog: 'iverilog' }))('kanc verify --prove on Verilog', () => {
  it('proves layers with the codes made of them, and the last integers', async () => {
    const proof = await prove(await artifactOf(verilog, {}, wine!));
    expect(mismatchesOf(proof)).toEqual([]);
    expect(proof.whole.mismatches).toBe(0);
    expect(proof.findings.map((f) => f.value)).toContain('layer1_code');
    expect(proof.findings.find((f) => f.value === 'layer1_acc')?.claim).toBe('proved');
    expect(sampledIn(proof).every((value) => value === 'layer1_code')).toBe(true);
  }, 120_000);

  it('finds wrong entries, swapped rows and a wrong multiplier', async () => {
    for (const { mutation, value } of [
      { mutation: wrongEntry(wine!, 0, 12, 5, 7), value: 'layer1_code' },
      { mutation: wrongEntry(wine!, 1, 3, 9, 2), value: 'layer1_acc' },
      { mutation: swappedRows(wine!, 1, 5, [4, 11]), value: 'layer1_acc' },
      { mutation: swappedRows(wine!, 0, 2, [1, 6]), value: 'layer1_code' },
      { mutation: wrongMultiplier(wine!), value: 'layer1_code' },
    ]) {
      const found = mismatchesOf(await prove(await artifactOf(verilog, {}, mutation.graph, wine!)));
      expect(found[0], mutation.what).toMatchObject({ value });
    }
  }, 240_000);

  it('finds one bit of a table that was changed in the text', async () => {
    const artifact = await artifactOf(verilog, {}, wine!);
    const text = new TextDecoder().decode(artifact.files.get('model.v'));
    const changed = text.replace(
      /(localparam \[\d+:0\] T\d+_0 = \d+'h)([0-9a-f])/,
      (_, head: string, digit: string) => `${head}${(Number.parseInt(digit, 16) ^ 1).toString(16)}`,
    );
    expect(changed).not.toBe(text);
    expect(mismatchesOf(await prove(withFile(artifact, 'model.v', changed))).length).toBeGreaterThan(0);
  }, 120_000);
});
