/** The prover on WebGPU artifacts, in a process that has a Vulkan driver. Needs Dawn and `npm run build`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wgsl } from '../../src/backends/wgsl/index.js';
import type { ArtifactFiles } from '../../src/driver/models.js';
import type { Graph } from '../../src/ir/graph.js';
import { gpuEnvironment, skipsGpu } from '../support/gpu/dawn.js';
import { movedThreshold, swappedRows, wrongEntry } from './mutations.js';
import { artifactOf, tableGraphOf, WINE, withFile } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kanc-prove-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const prove = ({ files }: ArtifactFiles): Outcome => {
  const out = join(folder, 'artifact');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  for (const [name, content] of files) writeFileSync(join(out, name), content);
  return spawnSync(process.execPath, ['bin/kanc.js', 'verify', out, '--prove', '--json'], {
    cwd: root,
    encoding: 'utf8',
    env: gpuEnvironment(),
  });
};

let wine: Graph<'table'> | undefined;

beforeAll(async () => {
  wine = await tableGraphOf({ ...WINE, quantizer: 'lloyd', quant: { act: 5 } });
});

describe.skipIf(skipsGpu)('kanc verify --prove on WebGPU', () => {
  it.each(['fused', 'layers'] as const)(
    'proves every stage: %s',
    async (schedule) => {
      const { status, stdout, stderr } = prove(await artifactOf(wgsl, { schedule }, wine!));
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        target: 'wgsl',
        mismatches: 0,
        stages: { proved: 5, sampled: 0 },
      });
    },
    120_000,
  );

  it.each(['fused', 'layers'] as const)(
    'finds wrong entries, rows and thresholds: %s',
    async (schedule) => {
      for (const mutation of [
        wrongEntry(wine!, 0, 12, 31, 7),
        swappedRows(wine!, 1, 4, [3, 30]),
        movedThreshold(wine!, 11, 20),
      ]) {
        const { status, stdout, stderr } = prove(await artifactOf(wgsl, { schedule }, mutation.graph, wine!));
        expect(status).toBe(1);
        expect(stderr).toContain('error K0604');
        const report = JSON.parse(stdout);
        const first = report.findings.find((f: { readonly first?: unknown }) => f.first !== undefined)?.first;
        expect(first, mutation.what).toMatchObject({
          value: mutation.value,
          where: expect.stringMatching(mutation.where),
          output: expect.stringMatching(mutation.output),
        });
      }
    },
    240_000,
  );

  it('finds a word that was changed in model.bin', async () => {
    const artifact = await artifactOf(wgsl, { schedule: 'layers' }, wine!);
    const bin = artifact.files.get('model.bin')!.slice();
    const middle = (bin.length >> 3) << 2;
    bin[middle]! ^= 1;
    expect(prove(withFile(artifact, 'model.bin', bin)).status).toBe(1);
  }, 120_000);
});
