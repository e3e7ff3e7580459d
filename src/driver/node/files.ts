/** Files of a Node process, with the errors of the system in words. */
import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { identity } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Checked, type DiagnosticCode, type Diagnostics, diagnostic } from '../../diagnostics/index.js';
import type { FileKind, Files } from '../capabilities.js';
import { readNamed, readRegular } from './read.js';

/** What people are told in place of the names of system errors. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'its symbolic links go round in a circle',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EBUSY: 'it is in use',
  ENOTEMPTY: 'the folder is not empty',
  EEXIST: 'it exists already',
  ENXIO: 'it is a socket or a device that is not there',
};

export const SystemError = t.type({ code: t.string });

/** Messages of the engine may have several lines. */
const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

export const reasonOf = (error: unknown): string =>
  SystemError.is(error) && REASONS[error.code] !== undefined
    ? REASONS[error.code]!
    : error instanceof Error
      ? oneLine(error.message)
      : oneLine(String(error));

const isAbsence = (error: unknown): boolean => SystemError.is(error) && error.code === 'ENOENT';

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

/** What was found out on the way is told like what the system says. */
const checked: <A>(task: TE.TaskEither<Diagnostics, Checked<A>>) => TE.TaskEither<Diagnostics, A> =
  TE.flatMapEither(identity);

const kindOf = async (path: string): Promise<FileKind> => {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'folder';
    return found.isFile() ? 'file' : 'other';
  } catch (error) {
    if (isAbsence(error)) return 'absent';
    throw error;
  }
};

const resolveLinks = async (path: string): Promise<string> => {
  const missing: string[] = [];
  for (let known = resolve(path); ; known = dirname(known)) {
    try {
      return join(await realpath(known), ...missing);
    } catch (error) {
      if (!isAbsence(error) || dirname(known) === known) throw error;
      missing.unshift(basename(known));
    }
  }
};

/** Makes one folder; false where there is one by now: another process may have been faster. */
const makeOne = async (folder: string): Promise<boolean> => {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (SystemError.is(error) && error.code === 'EEXIST' && (await kindOf(folder)) === 'folder') return false;
    // Its parent is there, so what is missing is the permission of the file system.
    throw isAbsence(error) ? new Error(`no folder can be made in ${dirname(folder)}`) : error;
  }
};

/** One by one: file systems that refuse to make a folder (such as /proc) keep a recursive mkdir busy for ever. */
const makeFolders = async (path: string): Promise<ReadonlyArray<string>> => {
  const missing: string[] = [];
  let known = resolve(path);
  while ((await kindOf(known)) === 'absent' && dirname(known) !== known) {
    missing.unshift(known);
    known = dirname(known);
  }
  const made: string[] = [];
  try {
    for (const folder of missing) if (await makeOne(folder)) made.push(folder);
  } catch (error) {
    for (const folder of made.reverse()) await rmdir(folder).catch(() => undefined);
    throw error;
  }
  return made;
};

export const nodeFiles: Files = {
  read: (path) => checked(attempt('K0101', 'read', path, () => readNamed(path))),
  readFound: (path, most) => checked(attempt('K0101', 'read', path, () => readRegular(path, most))),
  kindOf: (path) => attempt('K0101', 'looked at', path, () => kindOf(path)),
  resolve: (path) => attempt('K0101', 'looked at', path, () => resolveLinks(path)),
  list: (folder) => attempt('K0101', 'read', folder, () => readdir(folder)),
  write: (path, content) => attempt('K0102', 'written', path, () => writeFile(path, content)),
  append: (path, content) => attempt('K0102', 'written', path, () => append(path, content)),
  makeFolder: (path) => attempt('K0102', 'made', path, () => makeFolders(path)),
  rename: (from, to) => attempt('K0102', 'written', to, () => rename(from, to)),
  remove: (path) => attempt('K0102', 'removed', path, () => rm(path, { recursive: true, force: true })),
  removeEmpty: (folder) => attempt('K0102', 'removed', folder, () => rmdir(folder)),
};

/** What is needed of a file that is open for appending, so that tests can let a disk be full. */
export interface Appendable {
  readonly stat: () => Promise<{ readonly size: number }>;
  readonly write: (
    bytes: Uint8Array,
    from: number,
    length: number,
  ) => Promise<{ readonly bytesWritten: number }>;
  readonly truncate: (length: number) => Promise<void>;
  readonly datasync: () => Promise<void>;
}

const writeAll = async (file: Appendable, bytes: Uint8Array): Promise<void> => {
  for (let from = 0; from < bytes.length; ) {
    // A full disk takes what fits and says so at the next write only.
    const { bytesWritten } = await file.write(bytes, from, bytes.length - from);
    if (bytesWritten === 0) throw new Error(`only ${from} of ${bytes.length} bytes were taken`);
    from += bytesWritten;
  }
};

/**
 * Writes all of the content to the end of an open file, and through the caches: what is told to be finished survives a
 * crash. Where that fails, the file has its old length again.
 */
export const appendWhole = async (file: Appendable, content: string): Promise<void> => {
  const bytes = new TextEncoder().encode(content);
  const { size } = await file.stat();
  try {
    await writeAll(file, bytes);
    await file.datasync();
  } catch (error) {
    // The first error is the one to tell: devices cannot be cut off, and a torn line is left out by those who read it.
    await file.truncate(size).catch(() => undefined);
    throw error;
  }
};

/** What is being appended to each file: cutting one line off must not take another with it. */
const pending = new Map<string, Promise<void>>();

/** To the end of a file, which is made where there is none; one at a time for each path. */
export const append = async (path: string, content: string): Promise<void> => {
  const before = pending.get(path) ?? Promise.resolve();
  const mine = before.then(async () => {
    const file = await open(path, 'a');
    try {
      await appendWhole(file, content);
    } finally {
      await file.close();
    }
  });
  const settled = mine.catch(() => undefined);
  pending.set(path, settled);
  try {
    await mine;
  } finally {
    if (pending.get(path) === settled) pending.delete(path);
  }
};
