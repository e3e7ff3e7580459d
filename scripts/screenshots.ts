/**
 * The pictures of the README: `npm run screenshots`. Makes the view of the Fashion-MNIST network at three bits, opens it
 * in headless Chromium (`CHROMIUM`, /usr/bin/chromium where that is not set) and writes docs/images/view-*.png. With
 * `--time` it tells instead how long the page of the same network at default bits takes until it can be used.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { main } from '../src/cli/main.js';
import { nodeCapabilities } from '../src/driver/node/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs', 'images');
const example = (...parts: ReadonlyArray<string>): string => join(root, 'examples', ...parts);
const fashion = (name: string): string => example('data', 'fashion-mnist', name);

const SIZE = { width: 1360, height: 850 } as const;

const viewOf = async (out: string, quant: ReadonlyArray<string>): Promise<void> => {
  const model = example('models', 'efficient-kan-fashion', 'model.safetensors');
  const calib = ['--calib', fashion('calib_images.npy')];
  const input = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];
  const test = ['--data', fashion('test_images.npy'), '--labels', fashion('test_labels.npy')];
  const exit = await main(
    ['view', model, '-o', out, ...calib, ...input, ...test, ...quant],
    nodeCapabilities(),
  );
  if (exit !== 0) throw new Error(`kanc view ended with ${exit}`);
};

/** Until the page has drawn what it begins with. */
const open = async (browser: Browser, file: string, colorScheme: 'light' | 'dark'): Promise<Page> => {
  const context = await browser.newContext({ viewport: SIZE, colorScheme, offline: true });
  const page = await context.newPage();
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('body[data-ready]');
  return page;
};

interface Shot {
  readonly name: string;
  readonly theme: 'light' | 'dark';
  readonly act: (page: Page) => Promise<void>;
}

const SHOTS: ReadonlyArray<Shot> = [
  {
    name: 'view-passes',
    theme: 'light',
    act: async (page) => {
      await page.click('.step:has-text("quantize")');
      await page.click('g.op[data-op="layer0_code"]');
    },
  },
  { name: 'view-edges', theme: 'light', act: (page) => page.keyboard.press('2') },
  {
    name: 'view-tables',
    theme: 'dark',
    act: (page) => page.keyboard.press('3'),
  },
];

const shoot = async (browser: Browser, file: string): Promise<void> => {
  mkdirSync(images, { recursive: true });
  for (const { name, theme, act } of SHOTS) {
    const page = await open(browser, file, theme);
    await act(page);
    await page.waitForTimeout(400);
    const path = join(images, `${name}.png`);
    await page.screenshot({ path });
    console.error(`${name}.png: ${Math.round(statSync(path).size / 1000)} kB`);
    await page.context().close();
  }
};

/** Milliseconds from opening the file to a page that answers, of several times. */
const time = async (browser: Browser, file: string): Promise<void> => {
  const times: number[] = [];
  for (let k = 0; k < 5; k++) {
    const started = performance.now();
    const page = await open(browser, file, 'light');
    await page.keyboard.press('2');
    await page.waitForSelector('.edge-detail svg');
    times.push(Math.round(performance.now() - started));
    await page.context().close();
  }
  console.log(
    `${(statSync(file).size / 1e6).toFixed(2)} MB, open with edges drawn in ${times.join(', ')} ms`,
  );
};

const folder = mkdtempSync(join(tmpdir(), 'kanc-view-'));
const timing = process.argv.includes('--time');
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
try {
  const file = join(folder, 'view.html');
  await viewOf(file, timing ? [] : ['--quant', 'act=3,hidden=3']);
  await (timing ? time : shoot)(browser, file);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
