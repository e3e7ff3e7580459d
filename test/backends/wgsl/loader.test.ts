/** The loader where something goes wrong: files of another build, too little memory, objects that are gone. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../../src/backends/backend.js';
import { floatType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { gpuEnvironment } from '../../support/gpu/dawn.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, network, tableBuilder, uniform } from '../wasm/random.js';
import { emit, gpuOfFile, skipsGpu } from './support.js';

const artifactOf = async (seed = 3): Promise<Artifact> => {
  const r = randomOf(seed);
  const b = tableBuilder();
  const x = b.input('x', floatType([5]));
  const quantizer = uniform(16, -2, 0.25);
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan: 'zero' } }, [x]);
  return rightOf(await emit(network(r, b, q, edgeOp(r, 5, 16, 7, 8), 32)));
};

/** Names for scripts: what a promise rejects with, and a device that the script sees through. */
const HELP = `
  const said = (promise) => promise.then((y) => 'gave ' + y?.length, (e) => (e.code ?? e.name) + ': ' + e.message);
  const over = (target, changes) => new Proxy(target, {
    get: (object, key) => {
      if (key in changes) return changes[key];
      const value = object[key];
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });`;

describe.skipIf(skipsGpu)('memory of the device', () => {
  const gpu = gpuOfFile();

  // Large buffers are refused: as by a device without memory, or as wrong.
  const POOR = `${HELP}
    let refused = 0;
    let failed = false;
    const poor = over(device, {
      createBuffer: (options) => {
        if (options.size <= 16384) return device.createBuffer(options);
        refused++;
        failed = true;
        return device.createBuffer({ ...options, size: 16 });
      },
      // The scope for memory is the inner one.
      popErrorScope: async () => {
        const mine = failed;
        failed = false;
        const error = await device.popErrorScope();
        return mine ? { message: 'no room' } : error;
      },
    });
    const sick = over(device, {
      createBuffer: (options) =>
        device.createBuffer(options.size > 65536 ? { ...options, size: 2 ** 45 } : options),
    });
    const inputOf = (n) => Float32Array.from({ length: 5 * n }, (_, k) => Math.sin(k));`;

  it('a batch that does not fit is taken in parts, with the same results', async () => {
    const body = `${POOR}
      const [whole, parts] = [await open({}), await open({ device: poor })];
      const sizes = [4, 1500, 4, 1500];
      const same = [];
      for (const n of sizes) {
        const [a, b] = [await whole.predict(inputOf(n)), await parts.predict(inputOf(n))];
        same.push(a.length === b.length && a.every((v, k) => Object.is(v, b[k])));
      }
      whole.destroy();
      parts.destroy();
      return { same, refused: refused > 0 };`;
    expect(await gpu().script(await artifactOf(), body)).toEqual({
      same: [true, true, true, true],
      refused: true,
    });
  });

  it('a batch that fails leaves the model as it was, for calls beside it too', async () => {
    const body = `${POOR}
      const model = await open({ device: sick });
      const results = [];
      for (const n of [4, 100000, 4, 1]) results.push(await said(model.predict(inputOf(n))));
      const beside = await Promise.all([3, 100000, 2, 300].map((n) => said(model.predict(inputOf(n)))));
      model.destroy();
      return [...results, ...beside].map((text) => text.split(':')[0]);`;
    const each = expect.stringMatching(/^gave /);
    const bad = expect.stringMatching(/^(failed|out-of-memory)$/);
    const found = await gpu().script(await artifactOf(), body);
    expect(found).toEqual([each, bad, each, each, each, bad, each, each]);
  });

  it('a caller may write to the array after the call', async () => {
    const body = `${POOR}
      const model = await open({});
      const [input, later] = [inputOf(50), inputOf(50)];
      const pending = model.predict(later);
      later.fill(0);
      const [first, again] = [await pending, await model.predict(input)];
      model.destroy();
      return first.every((v, k) => v === again[k]);`;
    expect(await gpu().script(await artifactOf(), body)).toBe(true);
  });

  it('a load that fails frees what it has made, and the device if it is its own', async () => {
    const body = `${HELP}
      const live = new Set();
      let ended = 0;
      const watched = (device) => over(device, {
        createBuffer: (options) => {
          const buffer = device.createBuffer(options);
          live.add(buffer);
          return over(buffer, { destroy: () => { live.delete(buffer); buffer.destroy(); } });
        },
        pushErrorScope: (filter) => device.pushErrorScope(filter),
        createComputePipelineAsync: async () => { throw new Error('no pipelines today'); },
        createBindGroupLayout: (o) => device.createBindGroupLayout(o),
        queue: { writeBuffer: () => {} },
        destroy: () => { ended++; device.destroy(); },
      });
      const given = await said(open({ device: watched(device) }));
      const left = live.size;
      const adapter = await gpu.requestAdapter();
      const from = { requestAdapter: async () => over(adapter, { requestDevice: async (o) => watched(await adapter.requestDevice(o)) }) };
      const own = await said(open({ gpu: from, own: true }));
      return { given, own, left: left + live.size, ended };`;
    expect(await gpu().script(await artifactOf(), body)).toEqual({
      given: 'failed: kanc model: the GPU failed: no pipelines today',
      own: 'failed: kanc model: the GPU failed: no pipelines today',
      left: 0,
      ended: 1,
    });
  });

  it('nothing is made after destroy()', async () => {
    const body = `${HELP}
      let made = 0;
      const watched = over(device, { createBuffer: (o) => { made++; return device.createBuffer(o); } });
      const model = await open({ device: watched });
      model.destroy();
      model.destroy();
      const before = made;
      const given = await said(model.predict(new Float32Array(5)));
      const own = await open({ own: true });
      const pending = said(own.predict(new Float32Array(5)));
      own.destroy();
      return { given, pending: await pending, after: await said(own.predict(new Float32Array(5))), made: made - before };`;
    const message = 'destroyed: kanc model: the model was destroyed; load it again';
    expect(await gpu().script(await artifactOf(), body)).toEqual({
      given: message,
      pending: message,
      after: message,
      made: 0,
    });
  });
});

describe.skipIf(skipsGpu)('files and arguments', () => {
  const gpu = gpuOfFile();

  it('files that are not of this build are told as such', async () => {
    const other = (await artifactOf(4)).files;
    const body = `${HELP}
      const page = () => new Response('\\n<!doctype html><title>not found</title>');
      const { wgsl, bin, own } = argument;
      const found = [];
      for (const from of [
        { wgsl: new Response(wgsl) },
        { bin: bin },
        { wgsl: page() },
        { bin: page() },
        { bin: bin.subarray(0, bin.length - 400) },
        { bin: new Uint8Array(0) },
        { wgsl: wgsl },
        { wgsl: new TextEncoder().encode(wgsl) },
        { wgsl: new Response(own.slice(0, -40)) },
        { wgsl: new Response('', { status: 404 }) },
        { bin: '/nowhere/model.bin' },
        { bin: new URL('http://127.0.0.1:9/model.bin') },
        { wgsl: 3 },
        { bin: null },
      ]) found.push(await said(open({ exact: from })));
      return found;`;
    const artifact = await artifactOf();
    const found = await gpu().script(artifact, body, {
      own: artifact.files.get('model.wgsl'),
      wgsl: other.get('model.wgsl'),
      bin: other.get('model.bin'),
    });
    const again = '; reload the page, or deploy the files of one compilation again';
    const of = (what: string): string => `files: kanc model: the content of load({ ${what} })`;
    const mixed = `${of('wgsl')} is model.wgsl of another build than the index.js that loads it${again}`;
    expect(found).toEqual([
      mixed,
      expect.stringContaining(`${of('bin')} is model.bin of another build than the index.js that loads it`),
      `${of('wgsl')} is a page of HTML in place of model.wgsl, as servers send where a file is missing${again}`,
      `${of('bin')} is a page of HTML in place of model.bin, as servers send where a file is missing${again}`,
      expect.stringMatching(
        /another build than the index.js that loads it, or not whole: \d+ bytes in place of \d+;/,
      ),
      expect.stringContaining('not whole: 0 bytes in place of '),
      mixed,
      mixed,
      expect.stringContaining(`${of('wgsl')} is not as it was written: `),
      `${of('wgsl')} cannot be read: the server answered 404`,
      expect.stringMatching(/^files: kanc model: \/nowhere\/model.bin cannot be read: ENOENT/),
      expect.stringMatching(/^files: kanc model: http:\/\/127.0.0.1:9\/model.bin cannot be read: /),
      'TypeError: kanc model: load({ wgsl }) takes bytes, a URL or a Response, found number',
      'TypeError: kanc model: load({ bin }) takes bytes, a URL or a Response, found null',
    ]);
  });

  it('takes the module as text and as bytes', async () => {
    const artifact = await artifactOf();
    const body = `
      const { wgsl } = argument;
      const results = [];
      for (const from of [wgsl, new TextEncoder().encode(wgsl), new TextEncoder().encode(wgsl).buffer]) {
        const model = await open({ exact: { wgsl: from } });
        results.push((await model.predict(new Float32Array(10))).length);
        model.destroy();
      }
      return results.every((n) => n > 0);`;
    expect(await gpu().script(artifact, body, { wgsl: artifact.files.get('model.wgsl') })).toBe(true);
  });

  it('tells what a GPU refuses, and what is no GPU', async () => {
    const body = `${HELP}
      const adapter = await gpu.requestAdapter();
      const refuse = async () => { throw new Error('not today'); };
      const gone = await adapter.requestDevice();
      gone.destroy();
      const from = (gpu) => said(open({ gpu, own: true }));
      return [
        await from({ requestAdapter: refuse }),
        await from({ requestAdapter: async () => over(adapter, { requestDevice: refuse }) }),
        await from({}),
        await said(open({ device: adapter })),
        await said(open({ device: null })),
        await said(open({ device: gone })),
      ];`;
    expect(await gpu().script(await artifactOf(), body)).toEqual([
      'failed: kanc model: requestAdapter failed: not today',
      'failed: kanc model: requestDevice failed: not today',
      'TypeError: kanc model: load({ gpu }) takes what navigator.gpu is, found Object',
      expect.stringMatching(
        /^TypeError: kanc model: load\(\{ device \}\) takes a GPUDevice, found .*its requestDevice\(\) gives one$/,
      ),
      'TypeError: kanc model: load({ device }) takes a GPUDevice, found null',
      expect.stringMatching(/^device-lost: kanc model: the GPU device was lost \(destroyed/),
    ]);
  });
});

describe.skipIf(skipsGpu)('Dawn', () => {
  it('lives as long as the model that it was given to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kanc-gc-'));
    try {
      mkdirSync(folder, { recursive: true });
      for (const [name, content] of (await artifactOf()).files) writeFileSync(join(folder, name), content);
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      const script = `
        import { create, globals } from 'webgpu';
        import { pathToFileURL } from 'node:url';
        Object.assign(globalThis, globals);
        const { load } = await import(pathToFileURL(${JSON.stringify(join(folder, 'index.js'))}).href);
        const model = await load({ gpu: create([]) });
        for (let k = 0; k < 20; k++) {
          await new Promise((done) => setTimeout(done, 10));
          gc();
          await model.predict(new Float32Array(5), 1);
        }
        console.log('survived');
        process.exit(0);`;
      const { stdout, status } = spawnSync(
        process.execPath,
        ['--expose-gc', '--input-type=module', '--eval', script],
        {
          cwd: fileURLToPath(new URL('../../..', import.meta.url)),
          encoding: 'utf8',
          env: gpuEnvironment(),
        },
      );
      expect([stdout, status]).toEqual(['survived\n', 0]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
