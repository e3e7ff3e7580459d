/// <reference types="@webgpu/types" />
/** What loaders use beyond the pages of browsers: WebGPU, and a little of Node. */

declare const process: { readonly versions?: { readonly node?: string } } | undefined;

declare module 'node:fs/promises' {
  export const readFile: (file: URL | string) => Promise<Uint8Array<ArrayBuffer>>;
}

declare module 'node:os' {
  export const availableParallelism: () => number;
}

declare module 'node:worker_threads' {
  export interface NodeWorker {
    readonly on: {
      (event: 'message', listener: (message: unknown) => void): void;
      (event: 'error', listener: (error: unknown) => void): void;
      (event: 'exit', listener: (code: number) => void): void;
    };
    readonly postMessage: (message: unknown, transfer?: ReadonlyArray<Transferable>) => void;
    readonly terminate: () => unknown;
    readonly ref: () => void;
    readonly unref: () => void;
  }
  export const Worker: new (source: URL | string, options?: { readonly eval: boolean }) => NodeWorker;
  export const parentPort: Pick<NodeWorker, 'on' | 'postMessage'>;
}
