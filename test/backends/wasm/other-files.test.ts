/** What the loader says to files that are not those of its build, or no modules at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import binaryen from 'binaryen';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { wasm } from '../../../src/backends/wasm/index.js';
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, network, tableBuilder, uniform } from './random.js';

interface Loaders {
  readonly load: (options?: {
    readonly wasm?: unknown;
  }) => Promise<{ predict: (x: Uint8Array) => Float32Array }>;
  readonly loadPool: (options?: { readonly wasm?: unknown; readonly threads?: number }) => Promise<unknown>;
}
interface Engine {
  compile: (bytes: Uint8Array) => Promise<unknown>;
  readonly CompileError: new (message: string) => Error;
}
const { WebAssembly: engine } = globalThis as unknown as { readonly WebAssembly: Engine };

/** Networks of the same shapes and other tables: a page that gets the wrong one would show nothing odd. */
const graphOf = (seed: number): Graph<'table'> => {
  const r = randomOf(seed);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [6], uniform(256)));
  return network(r, b, x, edgeOp(r, 6, 256, 5, 8), 16);
};

const filesOf = async (seed: number, version = 'test'): Promise<ReadonlyMap<string, Uint8Array | string>> =>
  rightOf(await wasm.emit({}, { version })(graphOf(seed))()).files;

const moduleIn = (files: ReadonlyMap<string, Uint8Array | string>): Uint8Array => {
  const bytes = files.get('model.wasm');
  if (!(bytes instanceof Uint8Array)) throw new Error('bytes expected');
  return bytes;
};

const PAGE = '<!DOCTYPE html><html><title>app</title></html>';
const AGAIN = 'reload the page, or deploy the files of one compilation again';
const sample = Uint8Array.of(3, 250, 7, 99, 180, 41);

const root = mkdtempSync(join(tmpdir(), 'kanc-other-'));
let own: Uint8Array;
let other: Uint8Array;
let loaders: Loaders;

/** An artifact with some files in place of its own. */
const loadersWith = async (changes: Readonly<Record<string, Uint8Array | string>>): Promise<Loaders> => {
  const folder = mkdtempSync(join(root, 'a-'));
  for (const [name, content] of await filesOf(1)) writeFileSync(join(folder, name), changes[name] ?? content);
  return import(pathToFileURL(join(folder, 'index.js')).href);
};

const response = (body: Uint8Array | string, type: string, status = 200): Response =>
  new Response(typeof body === 'string' ? body : body.slice(), { status, headers: { 'content-type': type } });

const consumed = async (): Promise<Response> => {
  const read = response(own, 'application/wasm');
  await read.arrayBuffer();
  return read;
};

beforeAll(async () => {
  [own, other] = [moduleIn(await filesOf(1)), moduleIn(await filesOf(2))];
  loaders = await loadersWith({});
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

describe('a module of another build', () => {
  it('is refused beside index.js, by load and by loadPool', async () => {
    const mixed = await loadersWith({ 'model.wasm': other });
    const message = /model\.wasm is model\.wasm of another build than the index\.js that loads it; /;
    await expect(mixed.load()).rejects.toThrow(message);
    await expect(mixed.load()).rejects.toThrow(AGAIN);
    await expect(mixed.loadPool({ threads: 1 })).rejects.toThrow(message);
  });

  it.each([
    ['bytes', () => other],
    ['a response', () => response(other, 'application/octet-stream')],
    ['a stream', () => response(other, 'application/wasm')],
    ['a URL', () => `data:application/wasm;base64,${Buffer.from(other).toString('base64')}`],
    ['a compiled module', () => engine.compile(other)],
  ])('is refused as %s', async (_, make) => {
    await expect(loaders.load({ wasm: await make() })).rejects.toThrow('of another build');
    await expect(loaders.loadPool({ wasm: await make(), threads: 1 })).rejects.toThrow('of another build');
  });

  it('that does not tell its build is refused too', async () => {
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    await expect(loaders.load({ wasm: empty })).rejects.toThrow(
      'the content of load({ wasm }) does not tell its build: it is not the model.wasm that was written with this index.js',
    );
  });

  it('is no other build where only the version of kanc is another', async () => {
    const newer = moduleIn(await filesOf(1, 'another version'));
    expect((await loaders.load({ wasm: newer })).predict(sample)).toEqual(
      (await loaders.load()).predict(sample),
    );
  });

  it('is no other build after a tool has optimized the module', async () => {
    const module = binaryen.readBinary(own);
    module.setFeatures(binaryen.Features.All);
    module.optimize();
    const optimized = module.emitBinary();
    module.dispose();
    expect(optimized).not.toEqual(own);
    expect((await loaders.load({ wasm: optimized })).predict(sample)).toEqual(
      (await loaders.load()).predict(sample),
    );
  });
});

describe('what is no module', () => {
  it.each([
    ['a page', () => response(PAGE, 'text/html'), 'a page of HTML in place of model.wasm, as servers send'],
    ['bytes of a page', () => Buffer.from(`\n ${PAGE}`), 'a page of HTML in place of model.wasm'],
    ['text', () => Buffer.from('version https://git-lfs'), 'is no WebAssembly module: 23 bytes of'],
    ['nothing', () => new Uint8Array(0), 'is no WebAssembly module: 0 bytes'],
    ['a missing page', () => response('', 'text/html', 404), 'the server answered 404; put model.wasm there'],
    ['a missing file', () => join(root, 'nowhere.wasm'), /nowhere\.wasm cannot be read: ENOENT/],
    ['half of it', () => own.subarray(0, own.length - 100), 'is damaged or not whole: '],
    ['half of a stream', () => response(own.subarray(0, 200), 'application/wasm'), ': 200 bytes in place of'],
    [
      'a page as a stream',
      () => response(PAGE, 'application/wasm'),
      'load({ wasm }) is a page of HTML in place',
    ],
    [
      'a page as a stream from a URL',
      () => `data:application/wasm,${PAGE}`,
      'is a page of HTML in place of model.wasm',
    ],
    ['a response that was read', consumed, 'cannot be read: '],
  ])('is told as what it is: %s', async (_, make, message) => {
    await expect(loaders.load({ wasm: await make() })).rejects.toThrow(message);
    await expect(loaders.load({ wasm: await make() })).rejects.toThrow(/^kanc model: /);
  });

  it('names both sizes where it is not whole', async () => {
    await expect(loaders.load({ wasm: own.subarray(0, own.length - 100) })).rejects.toThrow(
      `${own.length - 100} bytes in place of ${own.length}`,
    );
  });

  it('beside index.js is named with its place', async () => {
    const { load } = await loadersWith({ 'model.wasm': PAGE });
    await expect(load()).rejects.toThrow(/file:.*model\.wasm is a page of HTML/);
  });
});

describe('an engine that does not compile', () => {
  it('any module is told as such', async () => {
    vi.spyOn(engine, 'compile').mockRejectedValue(new engine.CompileError('blocked by a policy'));
    await expect(loaders.load()).rejects.toThrow(
      "WebAssembly is refused here (blocked by a policy). Where the page has a Content-Security-Policy, its script-src must have 'wasm-unsafe-eval'",
    );
  });

  it('vectors is told as such', async () => {
    const compile = engine.compile;
    vi.spyOn(engine, 'compile').mockImplementation((bytes) =>
      bytes.length > 8 ? Promise.reject(new engine.CompileError('no v128')) : compile(bytes),
    );
    await expect(loaders.load()).rejects.toThrow('has no 128-bit SIMD of WebAssembly');
  });
});
