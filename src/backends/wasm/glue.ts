/**
 * The loader that ships with a module: lines with its data, and text that is the same for all (web/loaders). Everything that comes from a checkpoint goes
 * through JSON, and nothing else of a checkpoint gets into the source.
 */
import { encodeBase64 } from '../../ir/resources-base64.js';
import { sizeOf } from '../../ir/types.js';
import { buildId } from '../shared/build-id.js';
import { literal } from '../shared/javascript.js';
import { META_TYPES, WASM_LOADER, WASM_WORKER } from '../texts.js';
import { BUILD_EXPORT, type MarkedModule } from './build.js';
import type { Manifest } from './manifest.js';

/** What the threads of `loadPool` run. A name that no file of a project is likely to have: bundlers put index.js beside other things. */
export const WORKER_FILE = 'model-worker.js';

/** Tells the text from others: a worker of another build may not understand this one's messages. */
const WORKER_VERSION = buildId(WASM_WORKER);

/** A file of its own, and the same text as a string in index.js for where there is no such file. */
export const WORKER_TEXT = `\
// Written by kanc. What the threads of loadPool run; index.js beside this file starts it and sends it the model.
const VERSION = '${WORKER_VERSION}';

${WASM_WORKER}`;

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
    `const memory = ${literal({ ...manifest.memory, outputs: sizeOf(manifest.output), raws: sizeOf(manifest.raw) })};`,
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
    `const BUILD_EXPORT = ${literal(BUILD_EXPORT)};`,
    `const WORKER_FILE = ${literal(WORKER_FILE)};`,
    `const workerVersion = ${literal(WORKER_VERSION)};`,
    `const workerText = ${literal(WORKER_TEXT)};`,
    '',
    WASM_LOADER,
  ].join('\n');

export const loaderTypes = (manifest: Manifest): string => {
  const input = manifest.input.dtype === 'f32' ? 'Float32Array' : 'Uint8Array | Uint8ClampedArray';
  const output = manifest.output.dtype === 'f32' ? 'Float32Array' : 'Int32Array';
  return `// Written by kanc.
${META_TYPES}

export interface Model {
  readonly meta: Meta;
  /** Row-major samples, \`${sizeOf(manifest.input)}\` elements each; returns \`${sizeOf(manifest.output)}\` per sample. */
  readonly predict: (input: ${input}, batch?: number) => ${output};
  /** The last integers of the network, \`${sizeOf(manifest.raw)}\` per sample. */
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

const poolTypes = (input: string, output: string): string => `\
/** The model on several threads: for batches of thousands; a few samples are faster on one. */
export interface Pool {
  readonly meta: Meta;
  readonly threads: number;
  /** As those of \`Model\`. They reject where a worker fails, and after \`close\`. */
  readonly predict: (input: ${input}, batch?: number) => Promise<${output}>;
  readonly predictRaw: (input: ${input}, batch?: number) => Promise<Int32Array>;
  /** Ends the workers. */
  readonly close: () => void;
}

export interface PoolOptions extends LoadOptions {
  /** Each has tables of its own. Default: the number of cores. */
  readonly threads?: number;
  /** Where ${WORKER_FILE} of the artifact is, on the origin of the page. Default: beside index.js. */
  readonly worker?: URL | string;
}
`;
