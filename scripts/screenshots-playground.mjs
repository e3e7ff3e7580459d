/** Writes docs/images/playground.png: node scripts/screenshots-playground.mjs. Needs Chromium (or CHROMIUM, its path). */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { buildPlayground } from './build-playground.mjs';

const target = fileURLToPath(new URL('../docs/images/playground.png', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Settings that are tried, so that there is something to see in the plot. */
const TRIED = [
  ['edge', 8],
  ['edge', 6],
  ['edge', 4],
  ['edge', 2],
  ['edge', 1],
  ['basis', 4],
  ['basis', 6],
  ['edge', 5],
];

const folder = mkdtempSync(join(tmpdir(), 'kanc-screenshot-'));
await buildPlayground(folder);
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const file = join(folder, pathname === '/' ? 'index.html' : pathname);
  readFile(file).then(
    (content) =>
      response
        .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
        .end(content),
    () => response.writeHead(404).end(),
  );
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1360, height: 960 }, colorScheme: 'light' });
  page.setDefaultTimeout(120_000);
  const settled = async () => {
    await page.waitForSelector('body[data-state=busy]');
    await page.waitForSelector('body[data-state=idle]');
  };
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.click('[data-example=fashion]');
  await settled();
  for (const [form, bits] of TRIED) {
    if (!(await page.isChecked(`#form-${form}`))) {
      await page.click(`label[for=form-${form}]`);
      await settled();
    }
    const slider = page.locator('#bits-act');
    if ((await slider.inputValue()) === String(bits)) continue;
    await slider.fill(String(bits));
    await settled();
  }
  await page.mouse.move(5, 5);
  await page.waitForTimeout(500);
  mkdirSync(fileURLToPath(new URL('../docs/images', import.meta.url)), { recursive: true });
  await page.screenshot({ path: target });
  console.log(`${target}: ${Math.round(statSync(target).size / 1000)} kB`);
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
