/** The lines that stand in front of the loader: the data of one program (glue.ts of the target). */
import type { Build } from '../../../src/backends/wasm/build.js';
import type { Manifest } from '../../../src/backends/wasm/manifest.js';

export type Memory = Pick<Manifest['memory'], 'capacity' | 'input' | 'output'> & {
  /** Elements of the results of a sample, of `predict` and of `predictRaw`. */
  readonly outputs: number;
  readonly raws: number;
};

export declare const memory: Memory;
export declare const build: Build;
/** What the name of the export begins with that names a build. */
export declare const BUILD_EXPORT: string;
export declare const ownModule: () => URL | Uint8Array;
/** Makes a worker of the file beside index.js, in an artifact that has one. */
export declare const besideWorker: (() => Worker) | undefined;
export declare const WORKER_FILE: string;
export declare const workerVersion: string;
export declare const workerText: string;
