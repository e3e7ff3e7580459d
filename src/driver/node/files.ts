/** Files of a Node process, with the errors of the system in words. */
import { mkdir, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { identity } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Checked, type DiagnosticCode, type Diagnostics, diagnostic } from '../../diagnostics/index.js';
import type { FileKind, Files } from '../capabilities.js';
import { append } from './append.js';
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
