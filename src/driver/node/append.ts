/** Appending whole lines to files: all of a line, or nothing of it. */
import { open } from 'node:fs/promises';

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
