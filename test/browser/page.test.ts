/**
 * The example page in headless Chromium: the artifact loads, classifies as the command line does, and nothing is
 * logged to the console. Needs Chromium (Debian: `apt-get install chromium`, or set CHROMIUM to its path); in CI
 * its absence is a failure, elsewhere the test says so and is skipped. Needs `npm run build`.
 */
import type { ChildProcess } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executablePath, FLAGS_OF_ALL, serve, skipsBrowser } from './support.js';

const FLAGS = [...FLAGS_OF_ALL, '--disable-gpu'];

describe.skipIf(skipsBrowser)('the example page', () => {
  let server: ChildProcess | undefined;
  let browser: Browser | undefined;
  let address = '';

  beforeAll(async () => {
    const started = serve('browser');
    server = started.server;
    address = await started.address;
    browser = await chromium.launch({ executablePath, args: FLAGS });
  });

  afterAll(async () => {
    await browser?.close();
    server?.kill('SIGTERM');
  });

  it('classifies the test images with WASM alone', async () => {
    const page = await browser?.newPage();
    if (page === undefined) throw new Error('no browser');
    const complaints: string[] = [];
    page.on('console', (m) => {
      if (m.type() === 'error' || m.type() === 'warning') complaints.push(m.text());
    });
    page.on('pageerror', (e) => complaints.push(String(e)));
    await page.goto(address);
    await page.waitForSelector('body[data-state]', { timeout: 30_000 });
    expect(await page.textContent('#error')).toBe('');
    const accuracy = Number.parseFloat((await page.textContent('#accuracy')) ?? '');
    expect(accuracy).toBeGreaterThanOrEqual(86.2);
    expect(accuracy).toBeLessThanOrEqual(88);
    expect(await page.locator('#images figure').count()).toBe(40);
    expect(await page.textContent('#single')).toMatch(/^[\d.]+ microseconds$/);
    expect(complaints).toEqual([]);
  });
});
