/**
 * The loader that ships with a module. It is text with data in it: everything that comes from a checkpoint goes
 * through JSON, and nothing else of a checkpoint gets into the source.
 */
import { encodeBase64 } from '../../ir/resources-base64.js';
import { CHECK_INPUT, elementsIn, literal, META_TYPES } from '../shared/loader-text.js';
import type { MarkedModule } from './build.js';
import { LOADER_MODULE } from './loader-module.js';
import type { Manifest } from './manifest.js';
import { POOL, poolTypes } from './pool.js';
import { POOL_START } from './pool-start.js';
import { WORKER_FILE, WORKER_TEXT, WORKER_VERSION } from './pool-worker.js';

/** The data that the loader needs, and what `model.meta` shows. */
const metaOf = (m: Manifest): unknown => ({
  name: m.name,
  input: m.input,
  output: m.output,
  raw: m.raw,
  kanc: m.kanc,
});

/** `where`: whether the module and the worker are files beside the loader, or in it. */
export const loaderSource = (
  manifest: Manifest,
  { module, build }: MarkedModule,
  where: 'beside' | 'inlined',
): string =>
  [
    '// Written by kanc. Runs in browsers and in Node; has no dependency.',
    `export const meta = ${literal(metaOf(manifest))};`,
    `const memory = ${literal({ ...manifest.memory, outputs: elementsIn(manifest.output.shape), raws: elementsIn(manifest.raw.shape) })};`,
    `const build = ${literal(build)};`,
    ...(where === 'beside'
      ? [
          "const ownModule = () => new URL('./model.wasm', import.meta.url);",
          // In one expression, so that bundlers see that the file belongs to the program.
          `const besideWorker = () => new Worker(new URL('./${WORKER_FILE}', import.meta.url), { type: 'module' });`,
        ]
      : [
          `const ownModule = () => Uint8Array.from(atob('${encodeBase64(module)}'), (c) => c.charCodeAt(0));`,
          'const besideWorker = undefined;',
        ]),
    `const workerVersion = ${literal(WORKER_VERSION)};`,
    `const workerText = ${literal(WORKER_TEXT)};`,
    LOADER_MODULE,
    LOADER,
    POOL_START,
    POOL,
    'export default load;\n',
  ].join('\n');

const LOADER = `
const features = meta.input.shape.reduce((n, d) => n * d, 1);
const InputArray = meta.input.dtype === 'f32' ? Float32Array : Uint8Array;
// The pixels of a canvas (ImageData) are clamped bytes.
const takes = meta.input.dtype === 'f32' ? [Float32Array] : [Uint8Array, Uint8ClampedArray];

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
