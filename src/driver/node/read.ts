/** Reading a file of which nobody knows what it is: never waiting for a pipe that was not asked for, never without a limit. */
import { constants, type FileHandle, open } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';

/** A device may change its state when it is opened to wait, and a terminal may become that of the process. */
const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Bytes that are asked for at once. */
const PIECE = 2 ** 24;

/** Most bytes of a file that the user named: an array of bytes cannot be much longer in all engines. */
const MOST_NAMED = 2 ** 31 - 1;

/** Most bytes of a pipe or a device that the user named, whose end is not known before. */
export const MOST_STREAMED = 2 ** 28;

const tooLong = (path: string, most: number, hint?: string): Checked<never> =>
  fail('K0113', `the file is longer than the ${most} bytes that are read of one like it`, {
    place: { file: path },
    ...(hint === undefined ? {} : { hint }),
  });

/** Fills `into`; how many bytes there were. */
const fill = async (file: FileHandle, into: Uint8Array): Promise<number> => {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, Math.min(PIECE, into.length - at), null);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
};

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/**
 * All bytes up to the end; undefined where there are more than `most`. `size` is what the system tells, which is 0 for
 * what has no size, and may have changed since.
 */
const upToEnd = async (file: FileHandle, size: number, most: number): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let next = Math.min(size, most); ; next = 2 ** 16) {
    const part = new Uint8Array(next);
    const filled = await fill(file, part);
    if (filled > 0) parts.push(part.subarray(0, filled));
    length += filled;
    if (length > most) return undefined;
    if (filled < next) return joined(parts);
  }
};

/**
 * A regular file that kanc found by itself, which is opened without waiting and looked at once it is open: no other file
 * can take its place in between. K0101 on pipes, devices, sockets and links to them; K0113 on more than `most` bytes.
 */
export const readRegular = async (path: string, most: number): Promise<Checked<Uint8Array>> => {
  const file = await open(path, WITHOUT_WAITING);
  try {
    const found = await file.stat();
    if (!found.isFile()) {
      const what = found.isDirectory() ? 'it is a folder' : 'it is a pipe or a device';
      return fail('K0101', `cannot be read: ${what}`, { place: { file: path }, expected: 'a regular file' });
    }
    if (found.size > most) return tooLong(path, most);
    const bytes = await upToEnd(file, found.size, most);
    return bytes === undefined ? tooLong(path, most) : E.right(bytes);
  } finally {
    await file.close();
  }
};

/**
 * What the user named: a file, or a pipe or device such as /dev/stdin, which is waited for. K0113 on what is longer than
 * can be held, and on streams that do not end.
 */
export const readNamed = async (path: string): Promise<Checked<Uint8Array>> => {
  const file = await open(path, 'r');
  try {
    const found = await file.stat();
    if (found.isFile() && found.size > MOST_NAMED) return tooLong(path, MOST_NAMED);
    const most = found.isFile() ? MOST_NAMED : MOST_STREAMED;
    const bytes = await upToEnd(file, found.isFile() ? found.size : 0, most);
    if (bytes !== undefined) return E.right(bytes);
    return tooLong(path, most, found.isFile() ? undefined : 'Write what comes out of it to a file first.');
  } finally {
    await file.close();
  }
};
