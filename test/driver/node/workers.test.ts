/** Threads: order, failures of jobs, and threads that die. The scripts are small ones of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, it } from 'vitest';
import { type Pool, workerPool } from '../../../src/driver/node/workers.js';
import { messageOf } from '../../support/checked.js';

const folder = mkdtempSync(join(tmpdir(), 'kanc-workers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, onJob: string): URL => {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `import { parentPort, workerData } from 'node:worker_threads';
const done = (result) => parentPort.postMessage({ _tag: 'done', result });
parentPort.on('message', (job) => { ${onJob} });`,
  );
  return pathToFileURL(path);
};

const using = async <A>(pool: Pool, use: (pool: Pool) => Promise<A>): Promise<A> => {
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
};

describe('workerPool', () => {
  it('gives every job its result, whoever does it and however long it takes', async () => {
    const url = script('slow', 'setTimeout(() => done([workerData, job]), job % 2 === 0 ? 15 : 0)');
    await using(workerPool(url, 'shared', 3), async ({ run }) => {
      const results = await Promise.all(Array.from({ length: 12 }, (_, k) => run(k)()));
      expect(results).toEqual(Array.from({ length: 12 }, (_, k) => E.right(['shared', k])));
    });
  });

  it('tells when a thread dies, finishes what runs elsewhere, and begins nothing new', async () => {
    const url = script('dies', 'if (job === 0) process.exit(7); else setTimeout(() => done(job), 30)');
    await using(workerPool(url, null, 2), async ({ run }) => {
      const [died, ran, never] = await Promise.all([0, 1, 2].map((job) => run(job)()));
      expect(messageOf(died!)).toMatch(/^error K0903: a thread ended before its work was done: exit code 7/);
      expect(ran).toEqual(E.right(1));
      expect(messageOf(never!)).toMatch(/K0903/);
      expect(messageOf(await run(3)())).toMatch(/K0903/);
    });
  });

  it('tells when a script does not start', async () => {
    const url = script('broken', 'done(');
    await using(workerPool(url, null, 1), async ({ run }) => {
      expect(messageOf(await run(0)())).toMatch(/K0903/);
    });
  });

  it('rejects for a job that threw: that is a bug', async () => {
    const url = script('throws', "parentPort.postMessage({ _tag: 'threw', message: 'no', stack: 'here' })");
    await using(workerPool(url, null, 1), async ({ run }) => {
      await expect(run(0)()).rejects.toThrow(/no\nhere/);
    });
  });
});
