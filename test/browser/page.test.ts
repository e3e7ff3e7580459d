/**
 * The example page in headless Chromium: the artifact loads, classifies as the command line does, and nothing is
 * logged to the console. Needs Chromium (Debian: `apt-get install chromium`, or set CHROMIUM to its path); in CI
 * its absence is a failure, elsewhere the test says so and is skipped. Needs `npm run build`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const missing = !existsSync(executablePath);
if (missing && process.env['CI'] === undefined) {
  console.warn(`skipped: no Chromium at ${executablePath}; apt-get install chromium, or set CHROMIUM`);
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the server of the example; resolves with its address. */
const serve = (): { server: ChildProcess; address: Promise<string> } => {
  const script = fileURLToPath(new URL('../../examples/browser/serve.mjs', import.meta.url));
  const server = spawn(process.execPath, [script, '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const address = new Promise<string>((resolve, reject) => {
    let errors = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    server.stdout?.on('data', (chunk: Buffer) => {
      const found = /http:\S+/.exec(chunk.toString());
      if (found !== null) resolve(found[0]);
    });
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${errors}`)));
  });
  return { server, address };
};

describe.skipIf(missing && process.env['CI'] === undefined)('the example page', () => {
  let server: ChildProcess | undefined;
  let browser: Browser | undefined;
  let address = '';

  beforeAll(async () => {
    const started = serve();
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
