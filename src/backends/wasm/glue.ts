/**
 * The loader that ships with a module. It is text with data in it: everything that comes from a checkpoint goes
 * through JSON, and nothing else of a checkpoint gets into the source.
 */
import { encodeBase64 } from '../../ir/resources-base64.js';
import { CHECK_INPUT, elementsIn, literal, META_TYPES } from '../shared/loader-text.js';
import type { Manifest } from './manifest.js';
import { POOL, poolTypes } from './pool.js';

/** The data that the loader needs, and what `model.meta` shows. */
const metaOf = (m: Manifest): unknown => ({
  name: m.name,
  input: m.input,
  output: m.output,
  raw: m.raw,
  kanc: m.kanc,
});

export const loaderSource = (manifest: Manifest, inlined: Uint8Array | undefined): string =>
  [
    '// Written by kanc. Runs in browsers and in Node; has no dependency.',
    `export const meta = ${literal(metaOf(manifest))};`,
    `const memory = ${literal({ ...manifest.memory, outputs: elementsIn(manifest.output.shape), raws: elementsIn(manifest.raw.shape) })};`,
    inlined === undefined
      ? "const ownModule = () => new URL('./model.wasm', import.meta.url);"
      : `const ownModule = () => Uint8Array.from(atob('${encodeBase64(inlined)}'), (c) => c.charCodeAt(0));`,
    LOADER,
    POOL,
    'export default load;\n',
  ].join('\n');

const LOADER = `
const features = meta.input.shape.reduce((n, d) => n * d, 1);
const InputArray = meta.input.dtype === 'f32' ? Float32Array : Uint8Array;
// The pixels of a canvas (ImageData) are clamped bytes.
const takes = meta.input.dtype === 'f32' ? [Float32Array] : [Uint8Array, Uint8ClampedArray];

const isNode = () => typeof process !== 'undefined' && process.versions?.node !== undefined;

const readBytes = async (file) => {
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:fs/promises');
  return readFile(file);
};

const fromResponse = async (response) => {
  if (!response.ok) throw new Error('kanc model: ' + response.url + ' answered ' + response.status);
  // Servers that send .wasm with another type than application/wasm cannot be streamed from.
  const type = (response.headers.get('content-type') ?? '').split(';')[0].trim();
  return type === 'application/wasm'
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
};

const moduleOf = async (wasm) => {
  if (wasm instanceof WebAssembly.Module) return wasm;
  if (wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)) return WebAssembly.compile(wasm);
  if (typeof Response !== 'undefined' && wasm instanceof Response) return fromResponse(wasm);
  if (wasm instanceof URL || typeof wasm === 'string') {
    const isFile = wasm instanceof URL ? wasm.protocol === 'file:' : !/^(https?|data|blob):/.test(wasm);
    if (isNode() && isFile) {
      const file = typeof wasm === 'string' && wasm.startsWith('file:') ? new URL(wasm) : wasm;
      return WebAssembly.compile(await readBytes(file));
    }
    return fromResponse(await fetch(wasm));
  }
  throw new TypeError(
    'kanc model: load({ wasm }) takes bytes, a URL, a Response or a WebAssembly.Module, found ' + typeof wasm,
  );
};

${CHECK_INPUT}

/** Loads the model. \`wasm\`: bytes, URL, path (Node), Response or WebAssembly.Module; default: the file beside this one. */
export const load = async ({ wasm = ownModule() } = {}) => {
  const { exports } = await WebAssembly.instantiate(await moduleOf(wasm));
  const buffer = exports.memory.buffer;
  const inputs = new InputArray(buffer, memory.input.address, memory.capacity * features);
  const floats = new Float32Array(buffer, memory.output.address, memory.capacity * memory.outputs);
  const integers = new Int32Array(buffer, memory.output.address, memory.capacity * memory.raws);

  const execute = (run, results, outputs, input, batch) => {
    const samples = check(input, batch);
    if (samples <= memory.capacity) {
      inputs.set(input);
      run(samples);
      return results.slice(0, samples * outputs);
    }
    const result = new results.constructor(samples * outputs);
    for (let at = 0; at < samples; at += memory.capacity) {
      const count = Math.min(memory.capacity, samples - at);
      inputs.set(input.subarray(at * features, (at + count) * features));
      run(count);
      result.set(results.subarray(0, count * outputs), at * outputs);
    }
    return result;
  };

  const predictRaw = (input, batch) => execute(exports.runRaw, integers, memory.raws, input, batch);
  return {
    meta,
    predict:
      meta.output.dtype === 'f32'
        ? (input, batch) => execute(exports.run, floats, memory.outputs, input, batch)
        : predictRaw,
    predictRaw,
  };
};
`;

export const loaderTypes = (manifest: Manifest): string => {
  const input = manifest.input.dtype === 'f32' ? 'Float32Array' : 'Uint8Array | Uint8ClampedArray';
  const output = manifest.output.dtype === 'f32' ? 'Float32Array' : 'Int32Array';
  return `// Written by kanc.
${META_TYPES}

export interface Model {
  readonly meta: Meta;
  /** Row-major samples, \`${elementsIn(manifest.input.shape)}\` elements each; returns \`${elementsIn(manifest.output.shape)}\` per sample. */
  readonly predict: (input: ${input}, batch?: number) => ${output};
  /** The last integers of the network, \`${elementsIn(manifest.raw.shape)}\` per sample. */
  readonly predictRaw: (input: ${input}, batch?: number) => Int32Array;
}

export interface LoadOptions {
  /** Bytes, a URL (or, in Node, a path), a Response, or a compiled WebAssembly.Module. Default: model.wasm beside index.js. */
  readonly wasm?: ArrayBuffer | ArrayBufferView | URL | string | object;
}

${poolTypes(input, output)}
export const meta: Meta;
export function load(options?: LoadOptions): Promise<Model>;
export function loadPool(options?: PoolOptions): Promise<Pool>;
export default load;
`;
};
