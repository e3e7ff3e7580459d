/** A short run of both fuzzers with a fixed seed, and every finding of earlier runs that is kept in the corpus. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { keptIn } from '../../scripts/fuzz/corpus.js';
import { nodeWorld } from '../../scripts/fuzz/engines.js';
import { fuzzNetworks } from '../../scripts/fuzz/fuzz-networks.js';
import { fuzzParsers } from '../../scripts/fuzz/fuzz-parsers.js';
import { replay } from '../../scripts/fuzz/replay.js';
import { showTally } from '../../scripts/fuzz/tally.js';

const CORPUS = fileURLToPath(new URL('../fuzz-corpus', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'kanc-fuzz-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('fuzzers', () => {
  it('find nothing in random networks: WASM gives the integers of the interpreter', async () => {
    const extent = { seed: 4, seconds: 30, executions: 40 };
    const tally = await fuzzNetworks(
      { ...extent, engines: ['wasm'], corpus: scratch, world: nodeWorld() },
      () => {},
    );
    expect(tally.findings.size, showTally('networks', tally)).toBe(0);
    expect(tally.integers).toBeGreaterThan(1000);
  });

  it('find nothing in damaged files: all are read or refused with a diagnostic', async () => {
    const tally = await fuzzParsers({ seed: 4, seconds: 30, executions: 600, corpus: scratch }, () => {});
    expect(tally.findings.size, showTally('parsers', tally)).toBe(0);
    expect(tally.refusals.size).toBeGreaterThan(5);
  });

  const kept = [...keptIn(CORPUS, 'network'), ...keptIn(CORPUS, 'parser')];
  it.runIf(kept.length > 0).each(kept)('%s is mended', async (folder) => {
    expect(await replay(nodeWorld(), ['wasm'], folder)).toBeUndefined();
  });
});
