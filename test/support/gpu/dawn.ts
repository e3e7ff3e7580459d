/**
 * WebGPU in tests: Dawn (npm package webgpu) on the software adapter SwiftShader that comes with Debian's Chromium, or
 * on what VK_DRIVER_FILES and the system's Vulkan loader give. Where it is missing the tests say so and are skipped; in
 * CI that is a failure.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Artifact } from '../../../src/backends/backend.js';
import type { Input } from '../../../src/backends/shared/check-input.js';
import type { TypedArray } from '../../../src/ir/element.js';

const CHROMIUM = process.env['CHROMIUM_LIBRARIES'] ?? '/usr/lib/chromium';

/** The environment of a process that uses WebGPU: the Vulkan loader and driver of Chromium, unless others are named. */
export const gpuEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(process.env['VK_DRIVER_FILES'] === undefined
    ? {
        VK_DRIVER_FILES: join(CHROMIUM, 'vk_swiftshader_icd.json'),
        LD_LIBRARY_PATH: [process.env['LD_LIBRARY_PATH'], CHROMIUM].filter((p) => p !== undefined).join(':'),
      }
    : {}),
  XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? tmpdir(),
});

const hasPackage = (): boolean => {
  try {
    createRequire(import.meta.url).resolve('webgpu');
    return true;
  } catch {
    return false;
  }
};

const missing = ((): string | undefined => {
  if (!hasPackage()) return 'the npm package webgpu is not installed: npm install';
  if (process.env['VK_DRIVER_FILES'] !== undefined || existsSync(join(CHROMIUM, 'vk_swiftshader_icd.json')))
    return undefined;
  return `no software Vulkan in ${CHROMIUM}: apt-get install chromium, or set VK_DRIVER_FILES to the driver of a GPU`;
})();

if (missing !== undefined && process.env['CI'] === undefined) console.warn(`skipped: ${missing}`);

/** Whether tests of a GPU are left out. In CI they run, and fail where something is missing. */
export const skipsGpu = missing !== undefined && process.env['CI'] === undefined;

export interface GpuOptions {
  readonly packedDot?: boolean;
}

export type Call = 'predict' | 'predictRaw' | 'inspect';
export type Results = Partial<{
  predict: Float32Array | Int32Array;
  predictRaw: Int32Array;
  inspect: Map<string, TypedArray>;
}>;

export interface Gpu {
  /** The adapter, in words. */
  readonly adapter: string;
  readonly hasPackedDot: boolean;
  readonly run: (
    artifact: Artifact,
    input: Input,
    calls: ReadonlyArray<Call>,
    options?: GpuOptions,
  ) => Promise<Results>;
  /** Runs the body of an async function of (gpu, device, open, argument) in the other process. */
  readonly script: (artifact: Artifact, body: string, argument?: unknown) => Promise<unknown>;
  readonly close: () => void;
}

const textOf = (content: Uint8Array | string | undefined): string =>
  typeof content === 'string' ? content : new TextDecoder().decode(content);

const programOf = ({ files }: Artifact, options: GpuOptions) => ({
  loader: textOf(files.get('index.js')),
  wgsl: textOf(files.get('model.wgsl')),
  bin: files.get('model.bin'),
  packedDot: options.packedDot ?? true,
});

interface Answer {
  readonly id?: number;
  readonly ready?: string | null;
  readonly dot?: boolean;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code?: string };
}

/** Starts the other process. Rejects where there is no adapter. */
export const openGpu = async (): Promise<Gpu> => {
  if (missing !== undefined) throw new Error(missing);
  const child: ChildProcess = fork(fileURLToPath(new URL('./dawn-host.mjs', import.meta.url)), {
    env: gpuEnvironment(),
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  });
  const waiting = new Map<number, { done: (r: unknown) => void; failed: (e: Error) => void }>();
  const ready = new Promise<Answer>((done, failed) => {
    child.on('message', (answer: Answer) => {
      if (answer.ready !== undefined) {
        if (answer.ready === null) failed(new Error('Dawn found no graphics adapter'));
        else done(answer);
        return;
      }
      const asked = waiting.get(answer.id ?? -1);
      waiting.delete(answer.id ?? -1);
      if (answer.error === undefined) asked?.done(answer.result);
      else asked?.failed(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
    });
    child.on('exit', (code, signal) => {
      const error = new Error(`the process with the GPU ended: ${code ?? signal}`);
      failed(error);
      for (const { failed: fail } of waiting.values()) fail(error);
      waiting.clear();
    });
  });
  let last = 0;
  const ask = (kind: 'run' | 'script', request: unknown): Promise<unknown> =>
    new Promise((done, failed) => {
      const id = last++;
      waiting.set(id, { done, failed });
      child.send({ id, kind, request });
    });
  const { ready: adapter, dot } = await ready;
  return {
    adapter: adapter ?? '',
    hasPackedDot: dot === true,
    run: async (artifact, input, calls, options = {}) => {
      const results = await ask('run', { program: programOf(artifact, options), input, calls });
      return isResults(results) ? results : {};
    },
    script: (artifact, body, argument) => ask('script', { program: programOf(artifact, {}), body, argument }),
    close: () => {
      child.disconnect();
    },
  };
};

const isResults = (u: unknown): u is Results => typeof u === 'object' && u !== null;
