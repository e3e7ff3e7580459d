/** Scripts that stand where `loadPool` is told that its worker is: whatever they do, it ends with a reason. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { uint } from '../../../src/ir/element.js';
import { valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, network, tableBuilder, uniform } from './random.js';
import { emit } from './support.js';

interface Pool {
  readonly predict: (input: Uint8Array) => Promise<Float32Array>;
  readonly close: () => void;
}
type LoadPool = (options: { readonly threads: number; readonly worker?: URL | string }) => Promise<Pool>;

let folder = '';
let loadPool: LoadPool;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kanc-worker-'));
  const r = randomOf(5);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [6], uniform(256)));
  const { files } = rightOf(await emit(network(r, b, x, edgeOp(r, 6, 256, 5, 8), 16)));
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  ({ loadPool } = await import(pathToFileURL(join(folder, 'index.js')).href));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.useRealTimers();
});

const scriptOf = (text: string): string => {
  const file = join(folder, `script-${readdirSync(folder).length}.mjs`);
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${text}\n`);
  return file;
};

describe('a worker that is named', () => {
  it('runs where it is that of the artifact', async () => {
    const pool = await loadPool({ threads: 2, worker: join(folder, 'model-worker.js') });
    expect(await pool.predict(new Uint8Array(600))).toHaveLength(800);
    pool.close();
  });

  it.each([
    ['ends', '', /script-\d+\.mjs: it ended with code 0\)$/],
    ['throws', "throw new Error('mine');", /script-\d+\.mjs: mine\)$/],
    [
      'is of another build',
      "parentPort.postMessage({ here: 'x' });",
      /it is not the model-worker\.js of the build/,
    ],
    ['says other things', 'parentPort.postMessage(null);', /it is not the model-worker\.js of the build/],
  ])('is refused where it %s', async (_, text, message) => {
    await expect(loadPool({ threads: 2, worker: scriptOf(text) })).rejects.toThrow(message);
  });

  it('is refused where it never says anything', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const refused = expect(
      loadPool({ threads: 3, worker: scriptOf("parentPort.on('message', () => {});") }),
    ).rejects.toThrow(
      /^kanc model: no worker could be started \(.*script-\d+\.mjs: it did not say within 10 seconds that it runs; it may be another script than model-worker\.js\)$/,
    );
    while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(10_000);
    await refused;
  });

  it('is not waited for once it runs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const pool = await loadPool({ threads: 2 });
    expect(vi.getTimerCount()).toBe(0);
    pool.close();
  });
});
