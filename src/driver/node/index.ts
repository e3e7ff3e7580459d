/**
 * The capabilities of a Node process. The modules of this folder are the only ones of kanc that touch
 * files and streams.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Diagnostics, diagnostic } from '../../diagnostics/index.js';
import { type Capabilities, MOST_BYTES } from '../capabilities.js';
import { removeOnInterrupt } from './cleanup.js';
import { nodeFiles, reasonOf } from './files.js';
import { sha256Of } from './hash.js';
import { nodeTerminal } from './terminal.js';
import { nodeTools } from './tools.js';

const PackageJson = t.type({ version: t.string });

/** The version in the package.json that this module is shipped with. */
export const ownVersion = (): string => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const data: unknown = JSON.parse(text);
  return PackageJson.is(data) ? data.version : 'unknown';
};

/** The same path from `src` as from `dist`, where it is a neighbour. */
const asset = (name: string): TE.TaskEither<Diagnostics, string> => {
  const path = fileURLToPath(new URL(`../../../dist/${name}`, import.meta.url));
  return pipe(
    nodeFiles.readFound(path, MOST_BYTES.asset),
    TE.bimap(
      ([first]): Diagnostics => [
        { ...first, hint: 'It is made by npm run build; install kanc again, or build it.' },
      ],
      (bytes) => new TextDecoder().decode(bytes),
    ),
  );
};

const importModule = (path: string): TE.TaskEither<Diagnostics, unknown> =>
  TE.tryCatch(
    async (): Promise<unknown> => import(pathToFileURL(resolve(path)).href),
    (error): Diagnostics => [
      diagnostic('K0506', `the module could not be loaded: ${reasonOf(error)}`, { place: { file: path } }),
    ],
  );

/** What the npm package webgpu exports; no types of it are needed, so that it need not be installed. */
const isGpuPackage = (u: unknown): u is { readonly create: (options: string[]) => unknown } =>
  typeof u === 'object' && u !== null && 'create' in u && typeof u.create === 'function';

let dawn: unknown;

/** Dawn, of the npm package webgpu, which kanc does not depend on. One object for the process: it must outlive its devices. */
const gpu: TE.TaskEither<Diagnostics, unknown> = TE.tryCatch(
  async (): Promise<unknown> => {
    const name = 'webgpu';
    const found: unknown = await import(/* @vite-ignore */ name);
    if (!isGpuPackage(found)) throw new Error('it does not export create');
    dawn ??= found.create([]);
    return dawn;
  },
  (error): Diagnostics => [
    diagnostic('K0606', `the npm package webgpu could not be loaded: ${reasonOf(error)}`, {
      hint: 'Install it beside kanc (npm install webgpu), or run the artifact in a browser.',
    }),
  ],
);
/** Where the files of a package are, seen from the current folder. */
const packageEntry = (name: string): string | undefined => {
  try {
    return createRequire(resolve('package.json')).resolve(name);
  } catch {
    return undefined;
  }
};

const importPackage = (name: string): TE.TaskEither<Diagnostics, unknown> => {
  const entry = packageEntry(name);
  return async () => {
    try {
      const module: unknown = await import(entry === undefined ? name : pathToFileURL(entry).href);
      return E.right(module);
    } catch {
      return E.right(undefined);
    }
  };
};

/** Numbers of processes are those of one machine or container, and several may write to one folder. */
const PROCESS = `${process.pid}-${randomBytes(4).toString('hex')}`;
let uniques = 0;
const unique = (): string => `${PROCESS}-${uniques++}`;

/** Either may be missing: the folder may have been removed, and accounts of services have no home. */
const occupied = (): ReadonlyArray<string> =>
  [() => process.cwd(), homedir].flatMap((find) => {
    try {
      return [find()];
    } catch {
      return [];
    }
  });

/** The part of the capabilities that writing an artifact needs. */
export const nodeDisk: Pick<Capabilities, 'files' | 'unique' | 'occupied' | 'removeOnInterrupt'> = {
  files: nodeFiles,
  unique,
  occupied,
  removeOnInterrupt,
};

export const nodeCapabilities = (): Capabilities => ({
  ...nodeDisk,
  terminal: nodeTerminal(),
  tools: nodeTools,
  now: () => performance.now(),
  importModule,
  gpu,
  importPackage,
  passes: async () => (await import('../../passes/registry.js')).BUILTIN_PASSES,
  crashFolder: '.',
  threads: availableParallelism,
  trials: (study, threads) => async () => (await import('./workers.js')).nodeTrials(study, threads),
  sha256: sha256Of,
  asset,
  version: ownVersion(),
});
