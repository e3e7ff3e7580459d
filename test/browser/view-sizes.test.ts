/** The page of `kanc view` where it is large, narrow, hostile or has no float network. Needs what view.test.ts needs. */
import { statSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { data, safetensors, WINE, workplace } from '../cli/support.js';
import { executablePath, FLAGS_OF_ALL, skipsBrowser } from './support.js';

const { kanc, path } = workplace();

/** A file of an efficient-kan layer of two intervals and order 1, which is as small as they come. */
const layerFile = (name: string, inputs: number, outputs: number, prefix = ''): string => {
  const edges = inputs * outputs;
  const header: Record<string, unknown> = {};
  let used = 0;
  const tensor = (of: string, shape: ReadonlyArray<number>): void => {
    const bytes = 4 * shape.reduce((n, d) => n * d, 1);
    header[`${prefix}layers.0.${of}`] = { dtype: 'F32', shape, data_offsets: [used, used + bytes] };
    used += bytes;
  };
  tensor('grid', [inputs, 5]);
  tensor('base_weight', [outputs, inputs]);
  tensor('spline_weight', [outputs, inputs, 3]);
  const content = [
    ...Array.from({ length: inputs * 5 }, (_, k) => (k % 5) - 2),
    ...Array.from({ length: 4 * edges }, (_, k) => Math.sin(k * 0.71) / 8),
  ];
  const file = path(name);
  writeFileSync(file, safetensors(header, content));
  return file;
};

describe.skipIf(skipsBrowser)('the page of kanc view', () => {
  let browser: Browser | undefined;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: [...FLAGS_OF_ALL, '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser?.close();
  });

  const open = async (html: string, width = 1440): Promise<Page> => {
    const context = await browser?.newContext({ offline: true, viewport: { width, height: 900 } });
    const page = await context?.newPage();
    if (page === undefined) throw new Error('no browser');
    page.on('console', (m) => {
      if (m.type() === 'error' || m.type() === 'warning') complaints.push(m.text());
    });
    page.on('pageerror', (e) => complaints.push(String(e)));
    page.on('dialog', (d) => {
      complaints.push(d.message());
      void d.dismiss();
    });
    await page.goto(pathToFileURL(html).href);
    await page.waitForSelector('body[data-ready]', { timeout: 30_000 });
    return page;
  };

  it('of a million edges holds and draws no more than a screen and a summary', async () => {
    const html = path('million.html');
    const network = layerFile('million.safetensors', 1000, 1000);
    const { exit, err } = await kanc(['view', network, '-o', html, '--quant', 'act=4']);
    expect(err).toContain('million.html');
    expect(exit).toBe(0);
    expect(statSync(html).size).toBeLessThan(5e6);
    const page = await open(html);
    await page.keyboard.press('2');
    expect(await page.textContent('.grid-panel .bar-top')).toContain('of 1,000,000 edges');
    const drawn = async (): Promise<number> =>
      Number(await page.locator('#edge-grid canvas').getAttribute('data-drawn'));
    const grid = page.locator('#edge-grid');
    await expect.poll(drawn).toBeGreaterThan(8);
    for (const part of [0, 0.5, 1]) {
      await grid.evaluate((e, at) => {
        e.scrollTop = at * e.scrollHeight;
      }, part);
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      expect(await drawn()).toBeLessThan(64);
    }
    // The keyboard goes from end to end.
    const title = (): Promise<string | null> => page.textContent('.edge-detail h3');
    await grid.focus();
    await page.keyboard.press('Home');
    const first = await title();
    await page.keyboard.press('End');
    expect(await title()).not.toBe(first);
    await page.keyboard.press('Home');
    expect(await title()).toBe(first);
    for (const tab of ['1', '2', '3', '4']) {
      await page.keyboard.press(tab);
      expect(await page.locator('*').count()).toBeLessThan(2000);
    }
    expect(complaints).toEqual([]);
  }, 180_000);

  it('shows names out of a checkpoint as text', async () => {
    const html = path('hostile.html');
    const prefix = '</script><img src=x onerror=alert(1)>.';
    const network = layerFile('<img src=x onerror=alert(2)>.safetensors', 3, 2, prefix);
    expect((await kanc(['view', network, '-o', html])).exit).toBe(0);
    const page = await open(html);
    for (const tab of ['1', '2', '3', '4']) {
      await page.keyboard.press(tab);
      expect(await page.locator('img').count()).toBe(0);
    }
    expect(await page.textContent('h1')).toContain('<img src=x onerror=alert(2)>');
    expect(complaints).toEqual([]);
  });

  it('of a compiled model claims nothing about a float network, and fits a narrow window', async () => {
    const [folder, html] = [path('compiled'), path('compiled.html')];
    const calib = data('wine', 'calib_inputs.npy');
    expect((await kanc(['compile', WINE, '-o', folder, '--calib', calib, '--target', 'c'])).exit).toBe(0);
    const labels = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];
    expect((await kanc(['view', folder, '-o', html, ...labels])).exit).toBe(0);
    const page = await open(html, 420);
    expect(await page.textContent('.summary')).toMatch(/accuracy98\.61 %on 72/);
    for (const tab of ['1', '2', '3', '4']) {
      await page.keyboard.press(tab);
      expect(await page.textContent('body > #app')).not.toMatch(/float network|off float|float \d/);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(420);
      expect(await page.evaluate('scrollY')).toBe(0);
    }
    expect(complaints).toEqual([]);
  });
});
