/** The capabilities of a Node process: the only module of kanc that touches files and streams. */
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type DiagnosticCode, type Diagnostics, diagnostic } from '../diagnostics/index.js';
import type { Capabilities, FileKind, Files, Terminal } from './capabilities.js';

/** What people are told in place of the names of system errors. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EBUSY: 'it is in use',
  ENOTEMPTY: 'the folder is not empty',
  EEXIST: 'it exists already',
};

const SystemError = t.type({ code: t.string });

const reasonOf = (error: unknown): string =>
  SystemError.is(error) && REASONS[error.code] !== undefined
    ? REASONS[error.code]!
    : error instanceof Error
      ? error.message
      : String(error);

const attempt = <A>(
  code: DiagnosticCode,
  verb: string,
  file: string,
  action: () => Promise<A>,
): TE.TaskEither<Diagnostics, A> =>
  TE.tryCatch(
    action,
    (error): Diagnostics => [diagnostic(code, `cannot be ${verb}: ${reasonOf(error)}`, { place: { file } })],
  );

const kindOf = async (path: string): Promise<FileKind> => {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'absent';
  }
};

export const nodeFiles: Files = {
  read: (path) => attempt('K0101', 'read', path, () => readFile(path)),
  kindOf: (path) => () => kindOf(path),
  list: (folder) => attempt('K0101', 'read', folder, () => readdir(folder)),
  write: (path, content) => attempt('K0102', 'written', path, () => writeFile(path, content)),
  makeFolder: (path) => attempt('K0102', 'made', path, () => mkdir(path, { recursive: true })),
  rename: (from, to) => attempt('K0102', 'written', to, () => rename(from, to)),
  remove: (path) => attempt('K0102', 'removed', path, () => rm(path, { recursive: true, force: true })),
};

const nodeTerminal = (): Terminal => {
  // A reader that stops early (`kanc print x | head`) is no error.
  process.stdout.on('error', (error) => {
    if (SystemError.is(error) && error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`error K0102: standard output cannot be written: ${reasonOf(error)}\n`);
    process.exit(1);
  });
  let shown = false;
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001b[2K');
    shown = false;
  };
  return {
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      clear();
      process.stderr.write(text);
    },
    progress: (text) => {
      if (!process.stderr.isTTY) return;
      clear();
      if (text === '') return;
      process.stderr.write(text.slice(0, Math.max(10, process.stderr.columns - 1)));
      shown = true;
    },
  };
};

const PackageJson = t.type({ version: t.string });

/** The version in the package.json that this module is shipped with. */
export const ownVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const data: unknown = JSON.parse(text);
  return PackageJson.is(data) ? data.version : 'unknown';
};

const importModule = (path: string): TE.TaskEither<Diagnostics, unknown> =>
  TE.tryCatch(
    async (): Promise<unknown> => import(pathToFileURL(resolve(path)).href),
    (error): Diagnostics => [
      diagnostic('K0506', `the module could not be loaded: ${reasonOf(error)}`, { place: { file: path } }),
    ],
  );

let uniques = 0;
export const unique = (): string => `${process.pid}-${uniques++}`;

export const nodeCapabilities = (): Capabilities => ({
  files: nodeFiles,
  terminal: nodeTerminal(),
  now: () => performance.now(),
  unique,
  importModule,
  passes: async () => (await import('../passes/registry.js')).BUILTIN_PASSES,
  crashFolder: '.',
  version: ownVersion(),
});
