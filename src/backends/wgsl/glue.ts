/**
 * The loader that ships with a program: a header with its data, and text that is the same for all (web/loaders). Everything that
 * comes from a checkpoint goes through JSON, and nothing else of a checkpoint gets into the source.
 */
import { encodeBase64 } from '../../ir/resources-base64.js';
import { sizeOf } from '../../ir/types.js';
import { literal } from '../shared/javascript.js';
import { META_TYPES, WGSL_LOADER } from '../texts.js';
import { DOT4_MARK } from './library.js';
import type { WgslManifest } from './manifest.js';

/** What a loader is told about its program. */
export type LoaderData = Pick<WgslManifest, 'name' | 'input' | 'output' | 'raw' | 'kanc' | 'program'>;

/** Where the loader finds its program: files beside it, or text and bytes in itself. */
export type ProgramFiles =
  | { readonly _tag: 'beside'; readonly wgsl: string; readonly bin: string }
  | { readonly _tag: 'inlined'; readonly wgsl: string; readonly bin: Uint8Array };

/** The data of a program, which code of web/loaders follows. `own`: lines that say where its files are. */
export const loaderHead = (data: LoaderData, own: ReadonlyArray<string> = []): string => {
  const { name, input, output, raw, kanc, program } = data;
  return [
    '// Written by kanc. Runs in browsers with WebGPU, and in Node with a device of the npm package webgpu.',
    `export const meta = ${literal({ name, input, output, raw, kanc })};`,
    `const program = ${literal(program, 0)};`,
    ...own,
    `const DOT4_MARK = ${literal(DOT4_MARK)};`,
    '',
  ].join('\n');
};

export const loaderSource = (data: LoaderData, files: ProgramFiles): string => {
  const own =
    files._tag === 'beside'
      ? [
          `const ownSource = () => new URL(${literal(`./${files.wgsl}`)}, import.meta.url);`,
          `const ownConstants = () => new URL(${literal(`./${files.bin}`)}, import.meta.url);`,
        ]
      : [
          `const ownSource = () => new Response(${literal(files.wgsl)});`,
          `const ownConstants = () => Uint8Array.from(atob('${encodeBase64(files.bin)}'), (c) => c.charCodeAt(0));`,
        ];
  return [loaderHead(data, own), WGSL_LOADER].join('\n');
};

// Long: one text, in the order in which it is read.
export const loaderTypes = ({ input, output, raw }: LoaderData): string => {
  const given = input.dtype === 'f32' ? 'Float32Array' : 'Uint8Array | Uint8ClampedArray';
  const result = output.dtype === 'f32' ? 'Float32Array' : 'Int32Array';
  return `// Written by kanc.
${META_TYPES}

/**
 * What load and predict reject with, but for arguments of a wrong type or size, which are a TypeError. The code tells what
 * a page may do about it: most often, take another target.
 */
export interface ModelError extends Error {
  readonly code:
    | 'files'
    | 'no-webgpu'
    | 'no-adapter'
    | 'limits'
    | 'out-of-memory'
    | 'device-lost'
    | 'destroyed'
    | 'failed';
}

export interface Model {
  readonly meta: Meta;
  /** Row-major samples, ${sizeOf(input)} elements each; resolves to ${sizeOf(output)} per sample. */
  readonly predict: (input: ${given}, batch?: number) => Promise<${result}>;
  /** The last integers of the network, ${sizeOf(raw)} per sample. */
  readonly predictRaw: (input: ${given}, batch?: number) => Promise<Int32Array>;
  /** Every value of the network, by name: for tools that compare implementations. */
  readonly inspect: (
    input: ${given},
    batch?: number,
  ) => Promise<Map<string, Uint32Array | Int32Array | Float32Array>>;
  /** Resolves with the reason when the device is lost: load again then. */
  readonly lost: Promise<string>;
  /** The gpu of load: Dawn, the WebGPU of Node, must outlive its devices, so that the model holds it. */
  readonly gpu: object | undefined;
  /** Frees the memory on the device, and the device if load has made it. */
  readonly destroy: () => void;
}

export interface LoadOptions {
  /** A GPUDevice to run on. Default: one of the adapter that gpu gives. */
  readonly device?: object;
  /** The GPU object that devices come from. Default: navigator.gpu. In Node give it beside device too. */
  readonly gpu?: object;
  /** Which adapter to ask for where there are several. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** model.wgsl: its text or bytes, a URL or path, or a Response. Default: the file beside index.js. */
  readonly wgsl?: ArrayBuffer | ArrayBufferView | URL | string | Response;
  /** model.bin: bytes, a URL or path, or a Response. Default: the file beside index.js. */
  readonly bin?: ArrayBuffer | ArrayBufferView | URL | string | Response;
  /** false: do without dot4U8Packed even where there is one. The results are the same. */
  readonly packedDot?: boolean;
}

export const meta: Meta;
export function load(options?: LoadOptions): Promise<Model>;
export default load;
`;
};
