import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTarget, TARGETS } from '../../../src/backends/index.js';
import { wasm } from '../../../src/backends/wasm/index.js';
import { instantiate } from '../../../src/backends/wasm/runtime.js';
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { messageOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, filled, network, tableBuilder, uniform } from './random.js';
import { compile, emit, finish } from './support.js';

const u8Graph = (name?: string): Graph<'table'> => {
  const r = randomOf(77);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [20]));
  const map = filled(uint(5), [1, 256], () => r.whole(0, 31));
  const c = b.add('c', { kind: 'recode', attrs: { map, bits: 5, quantizer: uniform(32) } }, [x]);
  const graph = network(r, b, c, edgeOp(r, 20, 32, 33, 8), 64);
  return name === undefined ? graph : { ...graph, name };
};

const f32Graph = (nan: 'zero' | 'refuse'): Graph<'table'> => {
  const r = randomOf(78);
  const b = tableBuilder();
  const x = b.input('x', floatType([4]));
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer: uniform(16, -1, 0.125), bits: 4, nan } }, [x]);
  return network(r, b, q, edgeOp(r, 4, 16, 5, 8), 16);
};

interface LoadedModel {
  readonly predict: (input: unknown, batch?: number) => Float32Array;
  readonly predictRaw: (input: unknown, batch?: number) => Int32Array;
  readonly meta: { readonly name: string; readonly input: { readonly dtype: string } };
}
type Loader = (options?: { readonly wasm?: unknown }) => Promise<LoadedModel>;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kanc-wasm-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes an artifact to a folder of its own and imports its loader. */
const loaderOf = async (graph: Graph<'table'>, options = {}, leaveOut: ReadonlyArray<string> = []) => {
  const directory = mkdtempSync(join(folder, 'a-'));
  const { files } = rightOf(await emit(graph, options));
  for (const [name, content] of files)
    if (!leaveOut.includes(name)) writeFileSync(join(directory, name), content);
  const module: { readonly load: Loader } = await import(pathToFileURL(join(directory, 'index.js')).href);
  return { load: module.load, directory, files };
};

const sample = Uint8Array.from({ length: 20 }, (_, k) => (k * 37) % 256);
describe('the loader', () => {
  it('finds its module beside itself and gives what the compiled program gives', async () => {
    const { load } = await loaderOf(u8Graph());
    const model = await load();
    const program = await compile(u8Graph());
    expect(model.predict(sample)).toEqual(rightOf(program.predict(sample)));
    expect(model.predictRaw(sample, 1)).toEqual(rightOf(program.predictRaw(sample)));
    const many = Uint8Array.from({ length: 20 * 1000 }, (_, k) => (k * 101) % 256);
    expect(model.predict(many, 1000)).toEqual(rightOf(program.predict(many)));
  });

  it('takes bytes, a path, a URL, a compiled module', async () => {
    const { load, directory, files } = await loaderOf(u8Graph());
    const want = (await load()).predict(sample);
    const bytes = files.get('model.wasm');
    if (!(bytes instanceof Uint8Array)) throw new Error('bytes expected');
    const { WebAssembly: engine } = globalThis as unknown as {
      WebAssembly: { compile: (b: Uint8Array) => Promise<unknown> };
    };
    for (const given of [
      bytes,
      bytes.slice().buffer,
      join(directory, 'model.wasm'),
      pathToFileURL(join(directory, 'model.wasm')),
      pathToFileURL(join(directory, 'model.wasm')).href,
      `data:application/wasm;base64,${Buffer.from(bytes).toString('base64')}`,
      new Response(bytes.slice(), { headers: { 'content-type': 'application/octet-stream' } }),
      new Response(bytes.slice(), { headers: { 'content-type': 'application/wasm' } }),
      await engine.compile(bytes),
    ]) {
      expect((await load({ wasm: given })).predict(sample)).toEqual(want);
    }
    await expect(load({ wasm: 5 })).rejects.toThrow('found number');
  });

  it('needs no other file when it is a single one', async () => {
    const others = ['model.wasm', 'manifest.json', 'model-worker.js', 'package.json'];
    const { load, directory } = await loaderOf(u8Graph(), { singleFile: true }, others);
    expect(readdirSync(directory)).toEqual(['index.d.ts', 'index.js']);
    expect((await load()).predict(sample)).toEqual(rightOf((await compile(u8Graph())).predict(sample)));
  });

  it('takes the clamped bytes of a canvas where it takes bytes, and only there', async () => {
    const { load, files } = await loaderOf(u8Graph());
    const model = await load();
    expect(model.predict(Uint8ClampedArray.from(sample))).toEqual(model.predict(sample));
    const many = Uint8ClampedArray.from({ length: 20 * 1000 }, (_, k) => (k * 101) % 256);
    expect(model.predict(many, 1000)).toEqual(model.predict(Uint8Array.from(many)));
    expect(files.get('index.d.ts')).toContain('input: Uint8Array | Uint8ClampedArray');
    const floats = await loaderOf(f32Graph('zero'));
    expect(floats.files.get('index.d.ts')).not.toContain('Clamped');
    await expect(floats.load().then((m) => m.predict(new Uint8ClampedArray(4)))).rejects.toThrow(
      'must be a Float32Array',
    );
  });

  it('says what is wrong with an input', async () => {
    const u8 = await (await loaderOf(u8Graph())).load();
    expect(() => u8.predict(new Float32Array(20))).toThrow(TypeError);
    expect(() => u8.predict(new Float32Array(20))).toThrow('must be a Uint8Array');
    expect(() => u8.predict(sample.subarray(1))).toThrow('has 19 elements, expected a multiple of 20');
    expect(() => u8.predict(sample, 2)).toThrow('has 20 elements, expected 2 x 20');
    expect(() => u8.predict(new Uint8Array(0))).toThrow('has 0 elements');
    const strict = await (await loaderOf(f32Graph('refuse'))).load();
    expect(() => strict.predict(Float32Array.of(1, 2, Number.NaN, 3))).toThrow('NaN at element 2');
    const lenient = await (await loaderOf(f32Graph('zero'))).load();
    expect(lenient.predict(Float32Array.of(1, 2, Number.NaN, 3))).toHaveLength(
      lenient.predict(new Float32Array(4)).length,
    );
  });

  it('keeps names of a checkpoint inside strings', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a hostile name
    const name = '</script>"`${1}\\\'\u2028\n*/';
    const { load, files } = await loaderOf(u8Graph(name));
    expect((await load()).meta.name).toBe(name);
    expect(files.get('index.js')).not.toContain('</script>');
  });
});

describe('artifacts', () => {
  it('are the same bytes on every run', async () => {
    const [a, b] = [rightOf(await emit(u8Graph())), rightOf(await emit(u8Graph()))];
    expect([...a.files.keys()]).toEqual([
      'model.wasm',
      'index.js',
      'index.d.ts',
      'model-worker.js',
      'package.json',
      'manifest.json',
    ]);
    for (const [name, content] of a.files) expect(b.files.get(name)).toEqual(content);
  });

  it('carry the text form and the extras of the driver', async () => {
    const context = { version: '1.2.3', kir: 'kir 1\n', extra: { outOfRange: 'clamp', accuracy: 0.9 } };
    const { files } = rightOf(await wasm.emit({}, context)(u8Graph())());
    expect(files.get('model.kir')).toBe('kir 1\n');
    const { manifest } = rightOf(await instantiate(files)());
    expect(manifest.kanc).toBe('1.2.3');
    expect(manifest.extra).toEqual(context.extra);
    expect(Object.keys(manifest.files)).toEqual([
      'model.wasm',
      'index.js',
      'index.d.ts',
      'model-worker.js',
      'package.json',
      'model.kir',
    ]);
    expect(manifest.layers.map((l) => [l.name, l.op, l.inputs, l.outputs])[0]).toEqual([
      'sums',
      'table.edge',
      20,
      33,
    ]);
  });

  it('that are damaged are refused', async () => {
    const { files } = rightOf(await emit(u8Graph()));
    const without = (name: string) => new Map([...files].filter(([n]) => n !== name));
    expect(messageOf(await instantiate(without('manifest.json'))())).toContain('K0603');
    expect(messageOf(await instantiate(without('model.wasm'))())).toContain('K0603');
    const other = new Map([...files, ['model.wasm', new Uint8Array(8)]] as const);
    expect(messageOf(await instantiate(other)())).toContain('not the file that the manifest was written for');
    const text = new Map([...files, ['manifest.json', '{"format":"x"}']] as const);
    expect(messageOf(await instantiate(text)())).toContain('K0603');
    expect(messageOf(await instantiate(new Map([...files, ['manifest.json', '{']] as const))())).toContain(
      'not JSON',
    );
  });

  it.each([
    ['memory', { capacity: 0 }],
    ['memory', { capacity: 1e9 }],
    ['memory', { capacity: 2.5 }],
    ['memory', { input: { address: 65, stride: 4 } }],
    ['memory', { output: { address: 66 } }],
    ['memory', { output: { address: 2 ** 31 } }],
    ['memory', { input: { address: -64, stride: 4 } }],
    ['input', { shape: [0] }],
    ['input', { shape: [1e6] }],
    ['output', { shape: [1e6] }],
  ] as const)('whose manifest was edited are refused: %s %j', async (key, change) => {
    const { files } = rightOf(await emit(f32Graph('zero')));
    const manifest = JSON.parse(String(files.get('manifest.json')));
    const edited = { ...manifest, [key]: { ...manifest[key], ...change } };
    const text = JSON.stringify(edited);
    expect(messageOf(await instantiate(new Map([...files, ['manifest.json', text]]))())).toContain('K0603');
  });

  it('whose buffers do not lie in memory are refused', async () => {
    const { files } = rightOf(await emit(f32Graph('zero')));
    for (const change of [
      { address: 1e9 },
      { length: 1e9 },
      { element: 'i32', address: 65 },
      { length: 0 },
    ]) {
      const manifest = JSON.parse(String(files.get('manifest.json')));
      Object.assign(manifest.buffers[0], change);
      const text = JSON.stringify(manifest);
      expect(messageOf(await instantiate(new Map([...files, ['manifest.json', text]]))())).toContain('K0603');
    }
  });

  it('refuse inputs that do not fit', async () => {
    const program = await compile(u8Graph());
    expect(messageOf(program.predict(new Float32Array(20)))).toContain('K0701');
    expect(messageOf(program.predict(new Uint8Array(19)))).toContain('a multiple of 20');
    expect(messageOf(program.inspect(new Uint8Array(40)))).toContain('one sample');
    const strict = await compile(f32Graph('refuse'));
    expect(messageOf(strict.predictRaw(Float32Array.of(0, 0, 0, Number.NaN)))).toContain('NaN at element 3');
  });
});

describe('what the target cannot express', () => {
  it('is told with the op', async () => {
    const b = tableBuilder();
    const x = b.input('x', floatType([4]));
    const y = b.add('y', { kind: 'affine', attrs: { scale: 2, shift: 0 } }, [x]);
    expect(messageOf(await emit(rightOf(b.build([y]))))).toMatch(/K0602.*%y.*affine/);
  });

  it('floats that no dequantize made are no output', async () => {
    const b = tableBuilder();
    const x = b.input('x', floatType([4]));
    const y = b.add('y', { kind: 'gather', attrs: { indices: filled(uint(8), [2], () => 1) } }, [x]);
    expect(messageOf(await emit(finish(b, y)))).toContain('K0602');
  });

  it('two outputs and no outputs are refused', async () => {
    const graph = u8Graph();
    expect(messageOf(await emit({ ...graph, outputs: [] }))).toContain('K0401');
    expect(messageOf(await emit({ ...graph, outputs: [...graph.outputs, ...graph.outputs] }))).toContain(
      '2 output(s)',
    );
    expect(messageOf(await emit({ ...graph, outputs: [graph.inputs[0]!.name] }))).toContain(
      'the input itself',
    );
  });

  it('a scale that is no f32 is refused, because results would differ in the last bit', async () => {
    const r = randomOf(3);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(2), [3], uniform(4)));
    const op = edgeOp(r, 3, 4, 2, 8);
    if (op.kind !== 'table.edge') throw new Error('edge expected');
    const a = b.add('a', { kind: 'table.edge', attrs: { ...op.attrs, scale: 0.1 } }, [x]);
    const y = b.add('y', { kind: 'dequantize', attrs: {} }, [a]);
    expect(messageOf(await emit(finish(b, y)))).toMatch(/K0401.*scale.*f32/);
  });

  it('an accumulator type that is too narrow is K0402', async () => {
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(1), [600], uniform(2)));
    const op = edgeOp(randomOf(1), 600, 2, 1, 8);
    if (op.kind !== 'table.edge') throw new Error('edge expected');
    let k = 0;
    const table = filled(op.attrs.table.element, [600, 2, 1], () => (k++ % 2 === 0 ? -128 : 127));
    const attrs = { table, scale: 1, acc: 16, lo: -1000, hi: 1000 };
    const a = b.add('a', { kind: 'table.edge', attrs }, [x]);
    expect(messageOf(await emit(rightOf(b.build([a]))))).toContain('K0402');
  });
});

describe('graphs that break the rules of the IR', () => {
  it('are not compiled: kernels rely on what the verifier proves', async () => {
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(2), [3], uniform(4)));
    const op = edgeOp(randomOf(3), 3, 4, 2, 8);
    if (op.kind !== 'table.edge') throw new Error('edge expected');
    // Narrower than what the table reaches, but within the type: only the proof tells.
    const a = b.add('a', { kind: 'table.edge', attrs: { ...op.attrs, lo: 0, hi: 0 } }, [x]);
    expect(messageOf(await emit(rightOf(b.build([a]))))).toContain('K0402');
  });
});

describe('the registry', () => {
  it('finds targets by name', async () => {
    const target = rightOf(findTarget('wasm'));
    expect(E.isRight(await target.emit({ singleFile: false }, { version: '0' })(u8Graph())())).toBe(true);
    expect(messageOf(await target.emit({ single: 1 }, { version: '0' })(u8Graph())())).toContain('K0801');
  });
  it('lists them when there is none of the name', () => {
    expect(messageOf(findTarget('vhdl'))).toMatch(/K0601.*wasm/);
    expect(TARGETS.every((t) => t.summary.length > 0)).toBe(true);
  });
});
