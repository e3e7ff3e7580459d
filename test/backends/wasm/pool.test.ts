/** `loadPool`: several threads give what one gives, over shared memory and without it, and fail with a reason. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, network, tableBuilder, uniform } from './random.js';
import { emit } from './support.js';

type Results = Float32Array | Int32Array;
interface Model {
  readonly predict: (input: unknown, batch?: number) => Results;
  readonly predictRaw: (input: unknown, batch?: number) => Int32Array;
}
interface Pool {
  readonly threads: number;
  readonly predict: (input: unknown, batch?: number) => Promise<Results>;
  readonly predictRaw: (input: unknown, batch?: number) => Promise<Int32Array>;
  readonly close: () => void;
}
interface Loaders {
  readonly load: (options?: { readonly wasm?: unknown }) => Promise<Model>;
  readonly loadPool: (options?: { readonly wasm?: unknown; readonly threads?: unknown }) => Promise<Pool>;
}

/** Codes in, and floats or integers out. */
const ofCodes = (isFloat: boolean): Graph<'table'> => {
  const r = randomOf(31);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [40], uniform(256)));
  const op = edgeOp(r, 40, 256, 9, 8);
  return isFloat ? network(r, b, x, op, 32) : rightOf(b.build([b.add('a', op, [x])]));
};

const ofFloats = (): Graph<'table'> => {
  const r = randomOf(32);
  const b = tableBuilder();
  const x = b.input('x', floatType([4]));
  const quantizer = uniform(16, -1, 0.125);
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan: 'refuse' } }, [x]);
  return network(r, b, q, edgeOp(r, 4, 16, 5, 8), 16);
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kanc-pool-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllGlobals();
});

const loadersOf = async (graph: Graph<'table'>, options = {}): Promise<Loaders> => {
  const directory = mkdtempSync(join(folder, 'a-'));
  for (const [name, content] of rightOf(await emit(graph, options)).files) {
    writeFileSync(join(directory, name), content);
  }
  return import(pathToFileURL(join(directory, 'index.js')).href);
};

const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, k) => (k * 101 + (k >> 9)) % 256);

describe('loadPool', () => {
  it.each([
    ['over shared memory', true],
    ['without it', false],
  ])('%s gives what load gives, for any batch', async (_, shares) => {
    const { load, loadPool } = await loadersOf(ofCodes(true));
    const model = await load();
    if (!shares) vi.stubGlobal('SharedArrayBuffer', undefined);
    const pool = await loadPool({ threads: 3 });
    expect(pool.threads).toBe(3);
    for (const samples of [1, 127, 128, 129, 1000, 40_000]) {
      const input = bytes(40 * samples);
      expect(await pool.predict(input, samples)).toEqual(model.predict(input));
      expect(await pool.predictRaw(input)).toEqual(model.predictRaw(input));
    }
    pool.close();
  });

  it('answers calls that overlap, each with its own results', async () => {
    const { load, loadPool } = await loadersOf(ofCodes(true));
    const model = await load();
    const pool = await loadPool({ threads: 2 });
    const inputs = Array.from({ length: 9 }, (_, k) => bytes(40 * (1 + 300 * k)).map((v) => v ^ k));
    const found = await Promise.all(inputs.map((input, k) => pool[k % 2 ? 'predictRaw' : 'predict'](input)));
    found.forEach((results, k) => {
      expect(results).toEqual(model[k % 2 ? 'predictRaw' : 'predict'](inputs[k]));
    });
    pool.close();
  });

  it('reads inputs in shared memory where they are, and takes floats and networks that end in integers', async () => {
    const integers = await loadersOf(ofCodes(false));
    const input = new Uint8Array(new SharedArrayBuffer(40 * 500));
    input.set(bytes(input.length));
    const pool = await integers.loadPool({ threads: 2 });
    expect(await pool.predict(input)).toEqual((await integers.load()).predict(bytes(input.length)));
    pool.close();

    const floats = await loadersOf(ofFloats(), { singleFile: true });
    const data = Float32Array.from({ length: 4 * 999 }, (_, k) => Math.sin(k));
    const other = await floats.loadPool({ threads: 2 });
    expect(await other.predict(data)).toEqual((await floats.load()).predict(data));
    other.close();
  });

  it('says what is wrong with an input or the number of threads, and goes on', async () => {
    const { load, loadPool } = await loadersOf(ofFloats());
    for (const threads of [0, -1, 1.5, '2', Number.NaN]) {
      await expect(loadPool({ threads })).rejects.toThrow(
        'kanc model: loadPool({ threads }) takes a whole number',
      );
    }
    await expect(loadPool({ wasm: 7 })).rejects.toThrow('kanc model: load({ wasm }) takes bytes');
    const pool = await loadPool({ threads: 1 });
    await expect(pool.predict(new Uint8Array(4))).rejects.toThrow('must be a Float32Array');
    await expect(pool.predict(new Float32Array(5))).rejects.toThrow(
      'has 5 elements, expected a multiple of 4',
    );
    await expect(pool.predict(Float32Array.of(0, Number.NaN, 0, 0))).rejects.toThrow('has NaN at element 1');
    expect(await pool.predict(new Float32Array(8))).toEqual((await load()).predict(new Float32Array(8)));
    pool.close();
    await expect(pool.predict(new Float32Array(4))).rejects.toThrow('kanc model: the pool is closed');
  });

  it('rejects what is under way when it is closed', async () => {
    const { loadPool } = await loadersOf(ofCodes(true));
    const pool = await loadPool({ threads: 2 });
    const pending = pool.predict(bytes(40 * 100_000));
    const rejected = expect(pending).rejects.toThrow('kanc model: the pool is closed');
    pool.close();
    await rejected;
  });
});
