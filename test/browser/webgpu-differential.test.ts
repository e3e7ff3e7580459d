/**
 * Two shipped models as WebGPU programs in headless Chromium over SwiftShader: 2,000 inputs each, special values among
 * them, and every word of the results equals the interpreter's. Needs Chromium, as webgpu.test.ts says.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probes } from '../../src/analyses/probes.js';
import { type CompileInput, compile, interpret } from '../../src/index.js';
import { rightOf } from '../support/checked.js';
import { executablePath, FLAGS_OF_WEBGPU, skipsBrowser } from './support.js';

const SAMPLES = 2000;

const read = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../examples/${path}`, import.meta.url)));

const CASES: ReadonlyArray<{ readonly name: string; readonly input: () => CompileInput }> = [
  {
    name: 'efficient-kan-fashion',
    input: () => ({
      checkpoint: read('models/efficient-kan-fashion/model.safetensors'),
      calibration: read('data/fashion-mnist/calib_images.npy'),
      inputDtype: 'u8',
      inputMean: 0.5,
      inputStd: 0.5,
    }),
  },
  {
    name: 'efficient-kan-digits-adaptive-grid',
    input: () => ({
      checkpoint: read('models/efficient-kan-digits-adaptive-grid/model.safetensors'),
      calibration: read('data/digits/calib_inputs.npy'),
      form: 'basis',
    }),
  },
];

/** Runs in the page: the bits of `predict` and the integers of `predictRaw`, as numbers. */
const RUN = `async ([isFloat]) => {
  const { load } = await import('./index.js');
  const bytes = await (await fetch('./input.bin')).arrayBuffer();
  const model = await load();
  const input = isFloat ? new Float32Array(bytes) : new Uint8Array(bytes);
  const [floats, integers] = [await model.predict(input), await model.predictRaw(input)];
  model.destroy();
  return { bits: Array.from(new Int32Array(floats.buffer)), integers: Array.from(integers) };
}`;

interface Found {
  readonly bits: ReadonlyArray<number>;
  readonly integers: ReadonlyArray<number>;
}

describe.skipIf(skipsBrowser)('WebGPU programs in Chromium', () => {
  let browser: Browser | undefined;
  let server: Server | undefined;
  let files = new Map<string, Uint8Array | string>();

  beforeAll(async () => {
    server = createServer((request, response) => {
      const name = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
      const content = name === '' ? '<!doctype html><title>test</title>' : files.get(name);
      const type = name.endsWith('.js') ? 'text/javascript' : name === '' ? 'text/html' : 'text/plain';
      response.writeHead(content === undefined ? 404 : 200, { 'content-type': type }).end(content);
    });
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
    browser = await chromium.launch({ executablePath, args: FLAGS_OF_WEBGPU });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const openPage = async (): Promise<Page> => {
    const address = server?.address();
    const port = (address: AddressInfo | string | null | undefined): number =>
      typeof address === 'object' && address !== null ? address.port : 0;
    const page = await browser?.newPage();
    if (page === undefined) throw new Error('no browser');
    await page.goto(`http://localhost:${port(address)}/`);
    return page;
  };

  it.each(CASES)('$name', { timeout: 120_000 }, async ({ input }) => {
    const { artifact, graph } = await compile({ ...input(), target: 'wgsl' });
    const given = probes(graph, graph.inputs[0]!.type, SAMPLES, 7);
    const { buffer, byteOffset, byteLength } = given.data;
    files = new Map([...artifact.files, ['input.bin', new Uint8Array(buffer, byteOffset, byteLength)]]);
    const page = await openPage();
    const isFloat = given.data instanceof Float32Array;
    const found = await page.evaluate<Found>(`(${RUN})([${isFloat}])`);
    await page.close();

    const last = graph.nodes.find(({ name }) => name === graph.outputs[0]);
    let integers: ArrayLike<number> = [];
    const [floats] = rightOf(
      interpret(graph, [given], (name, value) => {
        if (name === last?.operands[0]) integers = value.data;
      }),
    );
    const bits = new Int32Array(Float32Array.from(floats?.data ?? []).buffer);
    const differing = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      Array.from(a).findIndex((value, k) => value !== b[k]);
    expect(found.bits.length).toBe(bits.length);
    expect(bits.length).toBe(SAMPLES * 10);
    expect(differing(bits, found.bits)).toBe(-1);
    expect(found.integers.length).toBe(integers.length);
    expect(differing(integers, found.integers)).toBe(-1);
  });
});
