/**
 * The playground in headless Chromium, under a path that is not the root: it compiles what `compile` compiles, and
 * works without a network once it was loaded. Needs Chromium, as page.test.ts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TARGETS } from '../../src/backends/index.js';
import { compile } from '../../src/index.js';
import { executablePath, FLAGS_OF_ALL, type StaticServer, serveFolder, skipsBrowser } from './support.js';

const example = (path: string): string => join('examples', path);
const DIGITS = example('models/efficient-kan-digits/model.pt');

const idle = (page: Page): Promise<unknown> => page.waitForSelector('body[data-state=idle]');

const card = async (page: Page, id: string): Promise<string> =>
  (await page.textContent(`#card-${id} .value`)) ?? '';

/** Changes something, and waits for what is compiled then. */
const recompiled = async (page: Page, change: () => Promise<void>): Promise<void> => {
  await change();
  await page.waitForSelector('body[data-state=busy]');
  await idle(page);
};

/** Waits for a text. */
const says = (page: Page, selector: string, text: RegExp): Promise<void> =>
  page.locator(selector).filter({ hasText: text }).waitFor();

const choose = async (page: Page, id: string): Promise<void> => {
  await recompiled(page, () => page.click(`[data-example=${id}]`));
};

describe.skipIf(skipsBrowser)('the playground', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kanc-playground-'));
  let server: StaticServer | undefined;
  let browser: Browser | undefined;
  // One visit for all tests: each goes on where the one before it ended.
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const { buildPlayground } = await import('../../scripts/build-playground.mjs');
    await buildPlayground(folder, { minify: false });
    server = await serveFolder(folder, '/some/path/');
    browser = await chromium.launch({ executablePath, args: [...FLAGS_OF_ALL, '--disable-gpu'] });
    context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1360, height: 1100 } });
    page = await context.newPage();
    page.setDefaultTimeout(45_000);
    page.on('console', (m) => {
      if (m.type() === 'error') complaints.push(m.text());
    });
    page.on('pageerror', (e) => complaints.push(String(e)));
    await page.goto(server.address);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  it('compiles an example, again for other bits, and gives the artifacts that compile gives', async () => {
    await choose(page, 'digits');
    expect(Number.parseFloat(await card(page, 'quality'))).toBeGreaterThan(96);
    expect(await card(page, 'time')).toMatch(/µs$/);
    const size = await card(page, 'size');
    await recompiled(page, () => page.locator('#bits-act').fill('3'));
    expect(await card(page, 'size')).not.toBe(size);
    await recompiled(page, () => page.click('label[for=form-edge]'));
    expect(await page.locator('#history tbody tr').count()).toBe(3);
    expect(await page.locator('#chart circle').count()).toBeGreaterThanOrEqual(3);

    const offered = await page.locator('#targets button').allTextContents();
    expect(offered).toEqual([...TARGETS.map(({ name }) => name), 'all']);
    const saving = page.waitForEvent('download');
    await page.click('#targets button[data-target=wasm]');
    const zip = unzipSync(readFileSync(await (await saving).path()));
    const { artifact } = await compile({
      checkpoint: readFileSync(DIGITS),
      checkpointName: 'model.pt',
      calibration: readFileSync(example('data/digits/calib_inputs.npy')),
      quant: { act: 3, hidden: 8, table: 8 },
      form: 'edge',
    });
    expect(Object.keys(zip)).toEqual([...artifact.files.keys()].map((name) => `wasm/${name}`));
    for (const [name, content] of artifact.files) {
      expect(Buffer.compare(Buffer.from(zip[`wasm/${name}`] ?? []), Buffer.from(content)), name).toBe(0);
    }
  });

  it('gives up what it compiles when a slider moves on', async () => {
    const slider = page.locator('#bits-act');
    await slider.fill('4');
    await page.waitForSelector('body[data-state=busy]');
    await slider.fill('2');
    await says(page, '#command', /act=2,/);
    await idle(page);
    const tried = await page.locator('#history tbody th').allTextContents();
    expect(tried[0]).toContain('in 2,');
    expect(await page.textContent('#command')).toContain('--quant act=2,hidden=8');
  });

  it('classifies what is drawn, with a pointer and with keys', async () => {
    await recompiled(page, () => page.locator('#bits-act').fill('6'));
    await page.locator('#try canvas').scrollIntoViewIfNeeded();
    await page.click('#clear');
    const box = await page.locator('#try canvas').boundingBox();
    if (box === null) throw new Error('no canvas');
    const at = (angle: number): readonly [number, number] => [
      box.x + box.width * (0.5 + 0.24 * Math.sin(angle)),
      box.y + box.height * (0.5 - 0.38 * Math.cos(angle)),
    ];
    await page.mouse.move(...at(0));
    await page.mouse.down();
    for (let k = 1; k <= 24; k++) await page.mouse.move(...at((2 * Math.PI * k) / 24));
    await page.mouse.up();
    await says(page, '.verdict', /^0,/);
    await page.click('#clear');
    const empty = await page.textContent('.verdict');
    await page.locator('#try canvas').focus();
    for (let k = 0; k < 4; k++) await page.keyboard.press('Shift+ArrowUp');
    await says(page, '.verdict', new RegExp(`^(?!${empty}$)`));
    expect(await page.locator('.bars li').count()).toBe(10);
  });

  it('reads files that are dropped, without data and then with them', async () => {
    const pykan = 'models/pykan-wine';
    await page.setInputFiles('#files', [
      example(`${pykan}/model_state`),
      example(`${pykan}/model_config.yml`),
    ]);
    await page.waitForSelector('#card-size');
    await idle(page);
    expect(await page.textContent('#loaded')).toContain('pykan');
    expect(await card(page, 'quality')).toBe('–');
    await page.setInputFiles(
      '#files',
      ['calib_inputs', 'test_inputs', 'test_labels'].map((name) => example(`data/wine/${name}.npy`)),
    );
    await says(page, '#card-quality .value', /%/);
    await idle(page);
    expect(Number.parseFloat(await card(page, 'quality'))).toBeGreaterThan(90);
  });

  it('tells what is wrong with a hostile file, and goes on', async () => {
    const name = '<img src=x onerror=alert(1)>.pt';
    const buffer = Buffer.from('PK\u0003\u0004 and nothing of a zip file after that');
    await page.setInputFiles('#files', { name, mimeType: 'application/octet-stream', buffer });
    await page.waitForSelector('#error:not([hidden])');
    expect(await page.textContent('#error')).toMatch(/^error K\d{4}: /);
    expect(await page.locator('#error img').count()).toBe(0);
    await choose(page, 'wine');
    expect(await page.isVisible('#error')).toBe(false);
  });

  it('works without a network once it was loaded, and after a reload too', async () => {
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
    await context.setOffline(true);
    await page.reload();
    await choose(page, 'wine');
    await recompiled(page, () => page.locator('#bits-act').fill('5'));
    expect(Number.parseFloat(await card(page, 'quality'))).toBeGreaterThan(85);
  });
});
