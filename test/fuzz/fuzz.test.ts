/** Short runs of the fuzzers with a fixed seed, and everything that is kept in the corpus of earlier runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { keptIn } from '../../scripts/fuzz/corpus.js';
import { nodeWorld } from '../../scripts/fuzz/engines.js';
import { fuzzNetworks } from '../../scripts/fuzz/fuzz-networks.js';
import { fuzzParsers } from '../../scripts/fuzz/fuzz-parsers.js';
import { fuzzGuided } from '../../scripts/fuzz/guided/fuzz-guided.js';
import { keptSeeds } from '../../scripts/fuzz/guided/seeds.js';
import { readUnderLimits } from '../../scripts/fuzz/limits.js';
import { targets } from '../../scripts/fuzz/readers.js';
import { replay } from '../../scripts/fuzz/replay.js';
import { showTally } from '../../scripts/fuzz/tally.js';

const CORPUS = fileURLToPath(new URL('../fuzz-corpus', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'kanc-fuzz-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('fuzzers', () => {
  it('find nothing in random networks: WASM gives the integers of the interpreter', async () => {
    const extent = { seed: 4, seconds: 30, executions: 150 };
    const tally = await fuzzNetworks(
      { ...extent, engines: ['wasm'], corpus: scratch, world: nodeWorld() },
      () => {},
    );
    expect(tally.findings.size, showTally('networks', tally)).toBe(0);
    expect(tally.integers).toBeGreaterThan(1000);
  });

  it('find nothing in damaged files: all are read or refused with a diagnostic', async () => {
    const tally = await fuzzParsers({ seed: 4, seconds: 30, executions: 2000, corpus: scratch }, () => {});
    expect(tally.findings.size, showTally('parsers', tally)).toBe(0);
    expect(tally.refusals.size).toBeGreaterThan(5);
  });

  it('find nothing in what is damaged further because it reached more', async () => {
    const { tally, kinds } = await fuzzGuided(
      { seed: 4, seconds: 90, executions: 8000, round: 200, corpus: scratch, keep: false },
      () => {},
    );
    expect(tally.findings.size, showTally('guided', tally)).toBe(0);
    for (const { kind, files } of kinds) expect(files, kind).toBeGreaterThan(1);
  }, 120_000);

  it('find nothing in the files that reach most, which are kept', () => {
    const seeds = keptSeeds(CORPUS);
    expect(seeds.length).toBeGreaterThan(3);
    for (const { kind, files } of seeds) {
      const target = targets().find((t) => t.kind === kind);
      expect(target, kind).toBeDefined();
      for (const file of files) expect(readUnderLimits(target!, file)._tag).not.toBe('wrong');
    }
  });

  const kept = [...keptIn(CORPUS, 'network'), ...keptIn(CORPUS, 'parser')];
  it.runIf(kept.length > 0).each(kept)('%s is mended', async (folder) => {
    expect(await replay(nodeWorld(), ['wasm'], folder)).toBeUndefined();
  });
});
