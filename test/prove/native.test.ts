/** The prover on C and HLS artifacts, whose sources it builds with a compiler of the machine. */
import { beforeAll, describe, expect, it } from 'vitest';
import { c } from '../../src/backends/c/index.js';
import { hls } from '../../src/backends/hls/index.js';
import type { ArtifactFiles } from '../../src/driver/models.js';
import type { Graph } from '../../src/ir/graph.js';
import { missingTools } from '../support/tools.js';
import { movedThreshold, swappedRows, wrongEntry, wrongMultiplier } from './mutations.js';
import { artifactOf, CONV, mismatchesOf, prove, sampledIn, tableGraphOf, WINE, withFile } from './support.js';

let [wine, conv]: ReadonlyArray<Graph<'table'>> = [];

beforeAll(async () => {
  [wine, conv] = await Promise.all([
    tableGraphOf({ ...WINE, quantizer: 'lloyd', quant: { act: 5 } }),
    tableGraphOf({ ...CONV, quant: { act: 4, hidden: 4 } }),
  ]);
});

/** Artifacts of both targets, of a graph that may be another than the one beside them. */
const TARGETS: ReadonlyArray<{
  readonly name: string;
  readonly make: (graph: Graph<'table'>, truth: Graph<'table'>) => Promise<ArtifactFiles>;
}> = [
  { name: 'C', make: (graph, truth) => artifactOf(c, {}, graph, truth) },
  { name: 'C with memory of the caller', make: (g, truth) => artifactOf(c, { scratch: 'caller' }, g, truth) },
  { name: 'HLS, unrolled', make: (g, truth) => artifactOf(hls, { architecture: 'unrolled' }, g, truth) },
  {
    name: 'HLS, folded',
    make: (graph, truth) => artifactOf(hls, { architecture: 'folded', reuse: 2 }, graph, truth),
  },
];

const textOf = (artifact: ArtifactFiles, name: string): string =>
  new TextDecoder().decode(artifact.files.get(name));

describe.skipIf(missingTools({ gcc: 'gcc', 'g++': 'g++' }))('kanc verify --prove on C and HLS', () => {
  it.each(TARGETS)(
    'proves every stage: $name',
    async ({ make }) => {
      const proof = await prove(await make(wine!, wine!));
      expect(mismatchesOf(proof)).toEqual([]);
      expect(proof.whole.mismatches).toBe(0);
      expect(sampledIn(proof)).toEqual([]);
      expect(new Set(proof.findings.map((f) => f.op))).toEqual(
        new Set(['quantize', 'table.edge', 'bucketize', 'dequantize']),
      );
    },
    60_000,
  );

  it.each([TARGETS[0]!, TARGETS[3]!])(
    'proves convolutions: $name',
    async ({ make }) => {
      const proof = await prove(await make(conv!, conv!));
      expect(mismatchesOf(proof)).toEqual([]);
      expect(sampledIn(proof)).toEqual(['avgpool_acc']);
    },
    120_000,
  );

  it.each(TARGETS)(
    'finds wrong entries, rows and thresholds: $name',
    async ({ make }) => {
      for (const mutation of [
        wrongEntry(wine!, 0, 12, 31, 7),
        swappedRows(wine!, 0, 4, [3, 30]),
        movedThreshold(wine!, 11, 20),
      ]) {
        const found = mismatchesOf(await prove(await make(mutation.graph, wine!)));
        expect(found[0], mutation.what).toMatchObject({
          value: mutation.value,
          where: expect.stringMatching(mutation.where),
          output: expect.stringMatching(mutation.output),
        });
      }
    },
    120_000,
  );

  it('finds a wrong multiplier, and a wrong scale of the results', async () => {
    const graph = await tableGraphOf(WINE);
    const { graph: other, value } = wrongMultiplier(graph);
    expect(mismatchesOf(await prove(await artifactOf(c, {}, other, graph)))[0]).toMatchObject({ value });
    for (const [backend, file] of [
      [c, 'model.c'],
      [hls, 'firmware/host.h'],
    ] as const) {
      const artifact = await artifactOf(backend, {}, graph);
      const text = textOf(artifact, file);
      const scaled = text.replace(/(out\[j\] = \(float\)[^;]*);/, '$1 * 1.0000001f;');
      expect(scaled).not.toBe(text);
      const found = mismatchesOf(await prove(withFile(artifact, file, scaled)));
      expect(found.map((m) => m.value)).toEqual([graph.outputs[0]]);
    }
  }, 60_000);

  it('finds one number of a table that was changed in the source', async () => {
    const artifact = await artifactOf(c, { pack: false }, wine!);
    const text = textOf(artifact, 'model.c');
    // s1_table[input][code][output], rows of 32 codes and 8 outputs.
    const start = text.indexOf('{', text.indexOf(' s1_table[')) + 1;
    const end = text.indexOf('}', start);
    const numbers = text.slice(start, end).split(',');
    const [input, code, output] = [7, 19, 4];
    const at = (input * 32 + code) * 8 + output;
    const changed = numbers.map((n, k) => (k === at ? String(Number(n) + 1) : n));
    const mutant = withFile(artifact, 'model.c', text.slice(0, start) + changed.join(',') + text.slice(end));
    const [first] = mismatchesOf(await prove(mutant));
    expect(first).toMatchObject({
      where: `input ${input} at code ${code}, the others at code 16`,
      output: `output ${output}`,
    });
    expect(first!.found - first!.expected).toBe(1);
  });

  it('refuses sources of another graph', async () => {
    const artifact = await artifactOf(c, {}, wine!);
    const other = await artifactOf(c, {}, conv!);
    await expect(prove(withFile(artifact, 'model.kir', other.files.get('model.kir')!))).rejects.toThrow(
      'K0603',
    );
  });
});
