/**
 * The page that runs one network on WASM and on WebGPU, in headless Chromium: with WebGPU over SwiftShader, and without
 * a GPU. Needs Chromium (Debian: `apt-get install chromium`, or set CHROMIUM to its path); in CI its absence is a failure,
 * elsewhere the test says so and is skipped. Needs `npm run build`.
 */
import type { ChildProcess } from 'node:child_process';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executablePath, FLAGS_OF_ALL, FLAGS_OF_WEBGPU, serve, skipsBrowser } from './support.js';

const WITHOUT_GPU = [...FLAGS_OF_ALL, '--disable-gpu', '--disable-features=WebGPU,WebGPUService'];

/** Lets a test get at the device of the page. */
const KEEP_DEVICE = `
  const make = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    globalThis.madeDevice = await make.apply(this, given);
    return globalThis.madeDevice;
  };`;

describe.skipIf(skipsBrowser)('the page with WASM and WebGPU', () => {
  let server: ChildProcess | undefined;
  let address = '';
  const browsers: Browser[] = [];

  beforeAll(async () => {
    const started = serve('browser-webgpu');
    server = started.server;
    address = await started.address;
  });

  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    server?.kill('SIGTERM');
  });

  /** The page when it has measured; `complaints` collects what it says to the console. */
  const open = async (
    args: ReadonlyArray<string>,
    script?: string,
  ): Promise<{ page: Page; complaints: string[] }> => {
    const browser = await chromium.launch({ executablePath, args: [...args] });
    browsers.push(browser);
    const page = await browser.newPage();
    if (script !== undefined) await page.addInitScript(script);
    const complaints: string[] = [];
    page.on('console', (m) => {
      if (m.type() === 'error') complaints.push(m.text());
    });
    page.on('pageerror', (e) => complaints.push(String(e)));
    await page.goto(address);
    await page.waitForSelector('body[data-state]', { timeout: 110_000 });
    expect(await page.textContent('#error')).toBe('');
    return { page, complaints };
  };
  const best = (page: Page, column: string): Promise<string | null> =>
    page.textContent(`#${column} li.best span`);

  it('gives the same bits on both, for test images and drawings', { timeout: 120_000 }, async () => {
    const { page, complaints } = await open(FLAGS_OF_WEBGPU);
    expect(await page.getAttribute('body', 'data-same')).toBe('Both give the same bits.');
    const accuracy = await page.textContent('#wasm .accuracy');
    expect(Number.parseFloat(accuracy ?? '')).toBeGreaterThanOrEqual(86.2);
    expect(await page.textContent('#webgpu .accuracy')).toBe(accuracy);
    expect(await page.textContent('#webgpu .state')).toContain('swiftshader');
    expect(await page.textContent('#webgpu .batch')).toMatch(/microseconds each$/);

    await page.click('#next');
    await page.waitForFunction('document.getElementById("label").textContent.startsWith("test image 1:")');
    await page.waitForFunction('document.getElementById("same").textContent === "Both give the same bits."');
    expect(await best(page, 'webgpu')).toBe(await best(page, 'wasm'));

    // Trousers, drawn by hand: two legs.
    await page.click('#clear');
    for (const x of [0.4, 0.6]) {
      const box = (await page.locator('#drawing').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      const at = (share: number): [number, number] => [box.x + x * box.width, box.y + share * box.height];
      await page.mouse.move(...at(0.1));
      await page.mouse.down();
      await page.mouse.move(...at(0.95), { steps: 30 });
      await page.mouse.up();
    }
    expect(await page.textContent('#label')).toBe('your drawing');
    await page.waitForFunction('document.querySelector("#webgpu li.best span").textContent === "trousers"');
    expect(await best(page, 'wasm')).toBe('trousers');
    expect(complaints).toEqual([]);
  });

  it('goes on with WASM when the device is lost', { timeout: 120_000 }, async () => {
    const { page, complaints } = await open(FLAGS_OF_WEBGPU, KEEP_DEVICE);
    await page.evaluate('globalThis.madeDevice.destroy()');
    await page.waitForFunction(
      'document.querySelector("#webgpu .state").textContent.startsWith("lost: destroyed")',
    );
    for (const shown of [1, 2]) {
      await page.click('#next');
      await page.waitForFunction(
        `document.getElementById("label").textContent.startsWith("test image ${shown}:") &&
          document.getElementById("label").textContent.endsWith(
            document.querySelector("#wasm li.best span").textContent)`,
      );
    }
    expect(await page.textContent('#same')).toContain('WASM alone');
    expect(await page.textContent('#webgpu ol')).toBe('');
    expect(await page.textContent('#error')).toBe('');
    expect(complaints).toEqual([]);
  });

  it('works on WASM alone where there is no GPU', async () => {
    const { page, complaints } = await open(WITHOUT_GPU);
    expect(await page.textContent('#webgpu .state')).toMatch(/^not used: kanc model: /);
    expect(Number.parseFloat((await page.textContent('#wasm .accuracy')) ?? '')).toBeGreaterThanOrEqual(86.2);
    expect(await page.textContent('#same')).toContain('WASM alone');
    expect(complaints).toEqual([]);
  });
});
