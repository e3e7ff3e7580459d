/** The prover on WASM artifacts: true ones are proved, and every wrong one is found, with its place. */
import { beforeAll, describe, expect, it } from 'vitest';
import { probes } from '../../src/analyses/probes.js';
import { wasm } from '../../src/backends/wasm/index.js';
import { layoutOf } from '../../src/backends/wasm/layout.js';
import { planOf } from '../../src/backends/wasm/plan.js';
import { instantiate } from '../../src/backends/wasm/runtime.js';
import type { ArtifactFiles } from '../../src/driver/models.js';
import { uint } from '../../src/ir/element.js';
import type { Graph } from '../../src/ir/graph.js';
import { valueType } from '../../src/ir/types.js';
import { edgeOp, network, tableBuilder, uniform } from '../backends/wasm/random.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import { movedEdge, movedThreshold, swappedRows, wrongEntry, wrongMultiplier } from './mutations.js';
import {
  artifactOf,
  CONV,
  DIGITS,
  mismatchesOf,
  placeOf,
  prove,
  sampledIn,
  tableGraphOf,
  WINE,
  withFile,
} from './support.js';

let [wine, lloyd, digits]: ReadonlyArray<Graph<'table'>> = [];

beforeAll(async () => {
  [wine, lloyd, digits] = await Promise.all([
    tableGraphOf(WINE),
    tableGraphOf({ ...WINE, quantizer: 'lloyd' }),
    tableGraphOf(DIGITS),
  ]);
});

describe('kanc verify --prove on WASM', () => {
  it('proves every stage of layers on features', async () => {
    for (const graph of [wine!, lloyd!, digits!]) {
      const proof = await prove(await artifactOf(wasm, {}, graph));
      expect(mismatchesOf(proof)).toEqual([]);
      expect(proof.whole.mismatches).toBe(0);
      expect(sampledIn(proof)).toEqual([]);
      expect(new Set(proof.findings.map((f) => f.value)).size).toBe(5);
    }
  });

  it('runs every pair among frequent codes and among others, where a kernel may skip frequent codes', async () => {
    const { findings } = await prove(await artifactOf(wasm, {}, digits!));
    const pairs = findings
      .filter((f) => f.value === 'layer0_acc0' && f.what.includes('pairs'))
      .map((f) => f.what);
    expect(pairs).toEqual([
      '16,384 pairs of input and code, the others at their frequent codes',
      '16,384 pairs of input and code, the others at other codes',
    ]);
  });

  it('proves layers of the basis form', async () => {
    const graph = await tableGraphOf({ ...DIGITS, form: 'basis' });
    expect(graph.nodes.some(({ op }) => op.kind === 'table.basis')).toBe(true);
    const proof = await prove(await artifactOf(wasm, {}, graph));
    expect(mismatchesOf(proof)).toEqual([]);
    // 32-bit accumulators as floats: too many to run all.
    expect(sampledIn(proof)).toEqual(['layer1']);
  });

  it('proves convolutions at all places, and says that pooling is sampled', async () => {
    const proof = await prove(await artifactOf(wasm, {}, await tableGraphOf(CONV)));
    expect(mismatchesOf(proof)).toEqual([]);
    const layer = proof.findings.find((f) => f.value === 'layer0.kan_acc0');
    expect(layer).toMatchObject({ claim: 'proved' });
    expect(layer?.what).toBe('2,304 pairs of input and code at all 196 places, the others at code 128');
    expect(sampledIn(proof)).toEqual(['avgpool_acc']);
  }, 60_000);

  it('finds one wrong entry, whatever its input, code and output', async () => {
    for (const [k, input, code, output] of [
      [0, 0, 0, 0],
      [0, 12, 255, 7],
      [0, 5, 128, 3],
      [1, 7, 200, 2],
    ] as const) {
      const { graph, value, where, output: place } = wrongEntry(wine!, k, input, code, output);
      const found = mismatchesOf(await prove(await artifactOf(wasm, {}, graph, wine!)));
      expect(found.length).toBeGreaterThan(0);
      expect(found[0]).toMatchObject({
        value,
        // Code 128 is the base: all other samples show it.
        where: code === 128 ? expect.stringMatching(/the others at code 128/) : expect.stringMatching(where),
        output: expect.stringMatching(place),
      });
      expect(new Set(found.map((m) => m.value))).toEqual(new Set([value]));
    }
  });

  it('finds swapped rows, moved thresholds and wrong multipliers', async () => {
    const cases = [
      { truth: wine!, mutation: swappedRows(wine!, 0, 4, [17, 230]) },
      { truth: digits!, mutation: swappedRows(digits!, 0, 20, [3, 200]) },
      { truth: wine!, mutation: movedEdge(wine!, 9) },
      { truth: lloyd!, mutation: movedThreshold(lloyd!, 11, 100) },
      { truth: wine!, mutation: wrongMultiplier(wine!) },
    ];
    for (const { truth, mutation } of cases) {
      const found = mismatchesOf(await prove(await artifactOf(wasm, {}, mutation.graph, truth)));
      expect(found[0], mutation.what).toMatchObject({
        value: mutation.value,
        where: expect.stringMatching(mutation.where),
        output: expect.stringMatching(mutation.output),
      });
    }
  });

  it('finds every changed byte of the tables that any input can show', async () => {
    const artifact = await artifactOf(wasm, {}, wine!);
    const module = artifact.files.get('model.wasm')!;
    const { kernels } = rightOf(planOf(wine!));
    const table = kernels.find((k) => k.name === 'layer0_acc0')!.blocks[3]!.bytes();
    const start = placeOf(module, table);
    expect(start).toBeGreaterThan(0);
    const input = probes(wine!, wine!.inputs[0]!.type, 3000, 5);
    const given = input.data instanceof Float32Array ? input.data : new Float32Array(0);
    const results = async (files: ArtifactFiles) =>
      rightOf(rightOf(await instantiate(files.files)()).predictRaw(given));
    const expected = await results(artifact);
    let caught = 0;
    for (let k = 0; k < 24; k++) {
      const bytes = module.slice();
      bytes[start + ((k * 7919) % table.length)]! ^= 1 << (k % 8);
      const mutant = withFile(artifact, 'model.wasm', bytes);
      const isCaught = mismatchesOf(await prove(mutant)).length > 0;
      const differs = (await results(mutant)).some((v, j) => v !== expected[j]);
      if (differs) expect(isCaught).toBe(true);
      if (isCaught) caught++;
    }
    // Rows have 16 lanes for 8 outputs, so that half of the bytes are of no output.
    expect(caught).toBeGreaterThanOrEqual(8);
  });

  it('finds what is wrong in calls of many samples only', async () => {
    const r = randomOf(700);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [700], uniform(50)));
    const graph = network(r, b, x, edgeOp(r, 700, 50, 48, 8), 50);
    const artifact = await artifactOf(wasm, {}, graph);
    const plan = rightOf(planOf(graph));
    expect(rightOf(layoutOf(plan)).cuts.length).toBe(1);
    const layer = plan.kernels.find((k) => k.parts !== undefined)!;
    // The last list of slots: [offset of the code, offset of the rows] of inputs that one part looks up.
    const list = layer.blocks[layer.blocks.length - 1]!.bytes();
    const module = artifact.files.get('model.wasm')!.slice();
    const at = placeOf(module, list);
    expect(at).toBeGreaterThan(0);
    module.set(list.subarray(0, 4), at + 8);
    const found = mismatchesOf(await prove(withFile(artifact, 'model.wasm', module)));
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found.map((m) => m.way))).toEqual(new Set(['calls of many samples']));
  }, 60_000);

  it('refuses a module that another version has laid out', async () => {
    const [own, other] = [await artifactOf(wasm, {}, wine!), await artifactOf(wasm, {}, digits!)];
    const kir = other.files.get('model.kir')!;
    await expect(prove(withFile(own, 'model.kir', kir))).rejects.toThrow('K0603');
  });
});
