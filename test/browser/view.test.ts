/**
 * The page of `kanc view` in headless Chromium, opened from a file without a network. Needs Chromium (see page.test.ts)
 * and `npm run build`.
 */
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { data, model, WINE, workplace } from '../cli/support.js';
import { executablePath, FLAGS_OF_ALL, skipsBrowser } from './support.js';

const { kanc, path } = workplace();

const FLAGS = [...FLAGS_OF_ALL, '--disable-gpu'];

/** A page, what it complained of and what it asked a network for. */
interface Opened {
  readonly page: Page;
  readonly complaints: ReadonlyArray<string>;
}

describe.skipIf(skipsBrowser)('the page of kanc view', () => {
  let browser: Browser | undefined;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
  });

  const open = async (file: string, dark = false): Promise<Opened> => {
    const context = await browser?.newContext({
      offline: true,
      colorScheme: dark ? 'dark' : 'light',
      viewport: { width: 1440, height: 900 },
    });
    const page = await context?.newPage();
    if (page === undefined) throw new Error('no browser');
    const complaints: string[] = [];
    page.on('console', (m) => {
      if (m.type() === 'error' || m.type() === 'warning') complaints.push(m.text());
    });
    page.on('pageerror', (e) => complaints.push(String(e)));
    page.on('request', (r) => {
      if (!r.url().startsWith('file:')) complaints.push(`asked for ${r.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('body[data-ready]', { timeout: 20_000 });
    return { page, complaints };
  };

  const theme = (page: Page): Promise<string | null> => page.getAttribute('html', 'data-theme');
  const current = (page: Page): Promise<string | null> => page.textContent('.step[aria-current] b');

  describe('of a small network', () => {
    const file = path('wine.html');
    beforeAll(async () => {
      const calib = data('wine', 'calib_inputs.npy');
      const labels = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];
      const { exit, err } = await kanc(['view', WINE, '-o', file, '--calib', calib, ...labels]);
      expect(err).toContain('wine.html');
      expect(exit).toBe(0);
    });

    it('walks through the passes by keys and clicks, and hides those without effect', async () => {
      const { page, complaints } = await open(file);
      expect(await current(page)).toBe('calibrate');
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      expect(await current(page)).toBe('tabulate');
      await page.keyboard.press('k');
      expect(await current(page)).toBe('quantize');
      const shown = await page.locator('.step').count();
      await page.keyboard.press('u');
      expect(await page.locator('.step').count()).toBeGreaterThan(shown);
      await page.click('.step[data-step="3"]');
      expect(await page.textContent('.step-head h2')).toContain('tabulate');
      expect(await page.locator('g.op.added').count()).toBe(2);
      await page.click('text=Before');
      expect(await page.locator('g.op.added').count()).toBe(0);
      expect(await page.textContent('#pipeline')).toContain('quantize');
      expect(complaints).toEqual([]);
    });

    it('tells of an op that is chosen, and finds its definition in the text and back', async () => {
      const { page, complaints } = await open(file);
      await page.click('.step[data-step="3"]');
      await page.click('g.op[data-op="layer1_acc"]');
      expect(await page.textContent('.op-details h3')).toContain('table.edge');
      expect(await page.textContent('.cm-kir-chosen')).toMatch(/^ {2}%layer1_acc :/);
      // From a use in the text to the definition of what is used.
      await page.locator('.cm-kir-chosen .cm-kir-name', { hasText: '%layer1_code' }).click();
      expect(await page.textContent('.op-details h3')).toContain('%layer1_code');
      expect(await page.textContent('.cm-kir-chosen')).toMatch(/^ {2}%layer1_code :/);
      expect(await page.getAttribute('g.op.chosen', 'data-op')).toBe('layer1_code');
      // The same by the keyboard: the op has the focus, and the text its definition key.
      await page.focus('g.op[data-op="layer0"]');
      await page.keyboard.press('Enter');
      expect(await page.textContent('.op-details h3')).toContain('%layer0');
      // Browsers tell of a moved cursor a little later, and a busy machine later still: then once more.
      await expect
        .poll(async () => {
          await page.focus('.cm-content');
          await page.waitForTimeout(100);
          await page.keyboard.press('End');
          await page.waitForTimeout(100);
          await page.keyboard.press('F12');
          return page.textContent('.op-details h3');
        })
        .toContain('%layer0_acc');
      expect(complaints).toEqual([]);
    });

    it('shows edges of a layer, large and small', async () => {
      const { page, complaints } = await open(file);
      await page.click('.step[data-step="3"]');
      await page.click('g.op[data-op="layer0_acc"]');
      await page.click('text=Edges of this layer');
      expect(await page.getAttribute('#tab-edges', 'aria-selected')).toBe('true');
      const title = (): Promise<string | null> => page.textContent('.edge-detail h3');
      const first = await title();
      await page.focus('#edge-grid');
      await page.keyboard.press('ArrowRight');
      expect(await title()).not.toBe(first);
      await page.click('#edge-grid', { position: { x: 60, y: 60 } });
      expect(await title()).toBe(first);
      expect(await page.locator('.edge-detail svg').count()).toBe(2);
      expect(await page.textContent('p.spoken')).toMatch(/error .* importance/);
      expect(`Edge ${await page.textContent('#edge-chosen')}`).toBe(
        await page.getAttribute('.edge-detail', 'aria-label'),
      );
      await page.click('text=Position');
      expect(await title()).toBe(first);
      await page.click('[data-layer="1"]');
      expect(await page.getAttribute('[data-layer="1"]', 'aria-current')).toBe('true');
      expect(complaints).toEqual([]);
    });

    it('has tables and costs', async () => {
      const { page, complaints } = await open(file);
      // Tabs answer to arrows, round the ends too.
      await page.focus('#tab-passes');
      await page.keyboard.press('ArrowLeft');
      expect(await page.getAttribute('#tab-costs', 'aria-selected')).toBe('true');
      await page.keyboard.press('ArrowLeft');
      expect(await page.locator('#tab-tables:focus').count()).toBe(1);
      expect(await page.locator('canvas.heat').count()).toBeGreaterThan(1);
      await page.keyboard.press('4');
      expect(await page.locator('.cost-plots svg').count()).toBe(4);
      expect(await page.textContent('.costs-table')).toContain('layer0');
      expect(complaints).toEqual([]);
    });

    it('searches, helps, and closes what it opened', async () => {
      const { page, complaints } = await open(file);
      await page.keyboard.press('/');
      await page.keyboard.type('edges layer1');
      await page.keyboard.press('Enter');
      expect(await page.getAttribute('#tab-edges', 'aria-selected')).toBe('true');
      await page.keyboard.press('?');
      expect(await page.textContent('dialog.help')).toContain('next pass');
      await page.keyboard.press('Escape');
      // The event that removes a dialog comes a task after the one that closes it.
      await page.locator('dialog').waitFor({ state: 'detached' });
      expect(await page.locator('dialog').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    it('is dark where the system is, and otherwise when asked to', async () => {
      const { page, complaints } = await open(file, true);
      expect(await theme(page)).toBe('dark');
      await page.click('#theme');
      expect(await theme(page)).toBe('light');
      await page.keyboard.press('t');
      expect(await theme(page)).toBe('dark');
      expect(complaints).toEqual([]);
    });

    it('names what can be acted on, for those who cannot see it', async () => {
      const { page } = await open(file);
      for (const tab of ['1', '2', '3', '4']) {
        await page.keyboard.press(tab);
        const nameless = await page
          .locator('button, input, [role=button], [role=listbox], [role=img]')
          .evaluateAll((all) =>
            all
              .filter(
                (e) =>
                  !(
                    e.getAttribute('aria-label') ??
                    e.closest('label')?.textContent ??
                    e.textContent ??
                    ''
                  ).trim(),
              )
              .map((e) => e.outerHTML.slice(0, 80)),
          );
        expect(nameless).toEqual([]);
      }
    });
  });

  it('of fifty thousand edges stays below 5 MB and answers at once', async () => {
    const file = path('fashion.html');
    const of = (name: string): string => data('fashion-mnist', name);
    const { exit } = await kanc([
      'view',
      model('efficient-kan-fashion'),
      '-o',
      file,
      '--calib',
      of('calib_images.npy'),
      '--input-dtype',
      'u8',
      '--input-mean',
      '0.5',
      '--input-std',
      '0.5',
      '--limit',
      '64',
    ]);
    expect(exit).toBe(0);
    expect(statSync(file).size).toBeLessThan(5e6);
    const { page, complaints } = await open(file);
    await page.keyboard.press('2');
    expect(await page.textContent('.grid-panel .bar-top')).toContain('50,176 edges');
    // To the last of them: only what is seen is drawn.
    await page.locator('#edge-grid').evaluate((grid) => {
      grid.scrollTop = grid.scrollHeight;
    });
    await page.focus('#edge-grid');
    await page.keyboard.press('PageDown');
    expect(await page.textContent('.edge-detail')).toContain('importance');
    const size = await page.locator('#edge-grid canvas').evaluate((c) => c.clientHeight);
    expect(size).toBeLessThan(1000);
    expect(complaints).toEqual([]);
  });
});
