/**
 * `loadPool` in headless Chromium gives what `load` gives: on a page that may share memory with its workers, and on one that may
 * not. Needs Chromium, as page.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uint } from '../../src/ir/element.js';
import { valueType } from '../../src/ir/types.js';
import { edgeOp, network, tableBuilder, uniform } from '../backends/wasm/random.js';
import { emit } from '../backends/wasm/support.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import { executablePath, FLAGS_OF_ALL, ISOLATED, serveFolder, skipsBrowser } from './support.js';

const PAGE = `<!doctype html><title>pool</title><script type="module">
import { load, loadPool } from './index.js';
const report = (text) => { document.body.dataset.state = text; };
try {
  const [model, pool] = [await load(), await loadPool({ threads: 2 })];
  const input = Uint8Array.from({ length: 40 * 3000 }, (_, k) => (k * 101) % 256);
  const [expected, found] = [model.predict(input), await pool.predict(input)];
  pool.close();
  const same = expected.length === found.length && expected.every((v, k) => Object.is(v, found[k]));
  report([found.length, same, crossOriginIsolated].join());
} catch (error) {
  report(String(error));
}
</script>`;

describe.skipIf(skipsBrowser)('a pool of workers on a page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kanc-pool-page-'));
  let browser: Browser | undefined;

  beforeAll(async () => {
    const r = randomOf(31);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [40], uniform(256)));
    const graph = network(r, b, x, edgeOp(r, 40, 256, 9, 8), 32);
    for (const [name, content] of rightOf(await emit(graph)).files)
      writeFileSync(join(folder, name), content);
    writeFileSync(join(folder, 'index.html'), PAGE);
    browser = await chromium.launch({ executablePath, args: [...FLAGS_OF_ALL, '--disable-gpu'] });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['isolated', ISOLATED, true],
    ['usual', {}, false],
  ])('that is %s', async (_, headers, isolated) => {
    const server = await serveFolder(folder, '/', headers);
    const page = await browser?.newPage();
    if (page === undefined) throw new Error('no browser');
    const complaints: string[] = [];
    page.on('console', (m) => {
      if (m.type() === 'error' || m.type() === 'warning') complaints.push(m.text());
    });
    await page.goto(server.address);
    await page.waitForSelector('body[data-state]', { state: 'attached', timeout: 30_000 });
    const state = await page.getAttribute('body', 'data-state');
    expect(state).toMatch(new RegExp(`^\\d+,true,${isolated}$`));
    expect(complaints.filter((text) => !text.includes('favicon') && !text.includes('404'))).toEqual([]);
    server.close();
  });
});
