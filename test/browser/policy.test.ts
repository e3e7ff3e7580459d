/**
 * What pages allow and what servers send: an artifact under a Content-Security-Policy, and with files of its own missing. Needs
 * Chromium, as page.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uint } from '../../src/ir/element.js';
import type { Graph } from '../../src/ir/graph.js';
import { valueType } from '../../src/ir/types.js';
import { edgeOp, network, tableBuilder, uniform } from '../backends/wasm/random.js';
import { emit } from '../backends/wasm/support.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import { executablePath, FLAGS_OF_ALL, serveFolder, skipsBrowser } from './support.js';

/** All that extensions of Chrome may have. */
const STRICT = { 'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" };
const NO_WASM = { 'content-security-policy': "default-src 'self'; script-src 'self'" };

/** How many numbers each way to load gives, or why it fails. */
const MAIN = `
import { load, loadPool } from './index.js';
const input = new Uint8Array(6 * 500).fill(9);
const told = async (run) => { try { return await run(); } catch (error) { return String(error); } };
const pooled = async (options) => {
  const pool = await loadPool({ threads: 2, ...options });
  const results = await pool.predict(input);
  pool.close();
  return results.length;
};
const report = [
  await told(async () => (await load()).predict(input).length),
  await told(() => pooled({})),
  await told(() => pooled({ worker: new URL('./model-worker.js', import.meta.url) })),
];
document.body.dataset.report = JSON.stringify(report);
`;

const graphOf = (): Graph<'table'> => {
  const r = randomOf(8);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [6], uniform(256)));
  return network(r, b, x, edgeOp(r, 6, 256, 5, 8), 16);
};

describe.skipIf(skipsBrowser)('an artifact on a page', () => {
  const root = mkdtempSync(join(tmpdir(), 'kanc-policy-'));
  let browser: Browser | undefined;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: [...FLAGS_OF_ALL, '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** What the page reports: the artifact with some files changed, or left out where they are undefined. */
  const reported = async (
    headers: Readonly<Record<string, string>>,
    changes: Readonly<Record<string, string | undefined>> = {},
    { options = {}, fallback }: { readonly options?: object; readonly fallback?: string } = {},
  ): Promise<unknown> => {
    const folder = mkdtempSync(join(root, 'a-'));
    const { files } = rightOf(await emit(graphOf(), options));
    for (const [name, own] of files) {
      const content = name in changes ? changes[name] : own;
      if (content !== undefined) writeFileSync(join(folder, name), content);
    }
    writeFileSync(join(folder, 'main.js'), MAIN);
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="main.js"></script>');
    const server = await serveFolder(folder, '/', headers, fallback);
    const page = await browser?.newPage();
    if (page === undefined) throw new Error('no browser');
    await page.goto(server.address);
    // No script is evaluated in the page, which its policy may forbid.
    await page.waitForSelector('body[data-report]', { state: 'attached', timeout: 20_000 });
    const report: unknown = JSON.parse((await page.getAttribute('body', 'data-report')) ?? '');
    await page.close();
    server.close();
    return report;
  };

  const none = expect.stringMatching(
    /^Error: kanc model: no worker could be started \(.+\)\. Serve model-worker\.js of the artifact beside index\.js, or say with loadPool\(\{ worker \}\) where it is, on the same origin; the Content-Security-Policy of the page must allow it/,
  );

  it('with a strict policy runs on one thread and on several', async () => {
    expect(await reported(STRICT)).toEqual([4000, 4000, 4000]);
  });

  it('that is one file runs, and on several threads from a blob or from the file that is named', async () => {
    const alone = { 'model.wasm': undefined, 'package.json': undefined };
    const single = { options: { singleFile: true } };
    expect(await reported({}, alone, single)).toEqual([4000, 4000, 4000]);
    expect(await reported(STRICT, alone, single)).toEqual([4000, none, 4000]);
  });

  it.each([
    ['missing', undefined, {}],
    ['missing and a page of the app comes in its place', undefined, { fallback: 'index.html' }],
    ['of another build', "self.postMessage({ here: 'other' });", {}],
  ])(
    'starts workers from a blob where model-worker.js is %s, and says so where it may not',
    async (_, file, served) => {
      const change = { 'model-worker.js': file };
      expect(await reported({}, change, served)).toEqual([4000, 4000, none]);
      expect(await reported(STRICT, change, served)).toEqual([4000, none, none]);
    },
  );

  it('that may not compile WebAssembly says so', async () => {
    const refused = expect.stringMatching(
      /^Error: kanc model: WebAssembly is refused here \(.+script-src must have 'wasm-unsafe-eval'$/,
    );
    expect(await reported(NO_WASM)).toEqual([refused, refused, refused]);
  });

  it('with a page of the app in place of the module says so', async () => {
    const page = expect.stringContaining('model.wasm is a page of HTML in place of model.wasm');
    const app = { fallback: 'index.html' };
    expect(await reported({}, { 'model.wasm': undefined }, app)).toEqual([page, page, page]);
  });

  it('with a damaged module says so, which came as a stream', async () => {
    const broken = expect.stringContaining('model.wasm is damaged or not whole: 4 bytes in place of ');
    expect(await reported({}, { 'model.wasm': '\0asm' })).toEqual([broken, broken, broken]);
  });
});
