/**
 * Zip archives, read by their central directory. Stored entries (all that torch writes) are windows of the file
 * and cost nothing; deflated ones are inflated one by one, never beyond the size that the directory states.
 */
import { Inflate } from 'fflate';
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { decodeUtf8, hasAscii, readU64, viewOf } from './bytes.js';
import { crc32 } from './crc32.js';
import { DISTRIBUTED } from './other-archives.js';

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly localHeader: number;
}

export interface ZipArchive {
  readonly bytes: Uint8Array;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** Weights compress little: an archive that claims to be much larger inside than outside is a bomb. */
const MAX_INFLATION = 8;
const ALWAYS_ALLOWED = 16 * 2 ** 20;

const END = 'PK\x05\x06';
const END64 = 'PK\x06\x06';
const END64_LOCATOR = 'PK\x06\x07';
const CENTRAL = 'PK\x01\x02';
const LOCAL = 'PK\x03\x04';
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT = 0xffff;

export const isZip = (bytes: Uint8Array): boolean => hasAscii(bytes, 0, LOCAL) || hasAscii(bytes, 0, END);

const damaged = (what: string) =>
  fail('K0110', `The zip archive is damaged: ${what}`, {
    hint: 'It may have been cut off while being copied: fetch it again and compare sizes.',
  });

/** Offsets count from the beginning of an archive: others stand before the one that ends the file. */
const severalArchives = fail(
  'K0104',
  'The file is several zip archives one after another, as torch.distributed.checkpoint writes them',
  { expected: 'safetensors or a torch checkpoint (.pt, .pth)', hint: DISTRIBUTED },
);

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** The end record is the last thing in the file, but for a comment. */
const findEnd = (bytes: Uint8Array): number | undefined => {
  const lowest = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT);
  for (let at = bytes.length - END_BYTES; at >= lowest; at--) {
    if (bytes[at] === 0x50 && hasAscii(bytes, at, END)) {
      const comment = bytes[at + 20]! + bytes[at + 21]! * 256;
      if (at + END_BYTES + comment === bytes.length) return at;
    }
  }
  return undefined;
};

const readEnd = (bytes: Uint8Array): Checked<Directory> => {
  const at = findEnd(bytes);
  if (at === undefined) return damaged('it has no central directory');
  const view = viewOf(bytes);
  let directory: Directory = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  let limit = at;
  // torch always writes the 64-bit records, whatever the size of the file.
  if (at >= 20 && hasAscii(bytes, at - 20, END64_LOCATOR)) {
    const at64 = readU64(view, at - 20 + 8);
    if (at64 > at - 20 - 56 || !hasAscii(bytes, at64, END64)) {
      return at >= 76 && hasAscii(bytes, at - 76, END64)
        ? severalArchives
        : damaged('its 64-bit end record is missing');
    }
    directory = {
      count: readU64(view, at64 + 32),
      size: readU64(view, at64 + 40),
      offset: readU64(view, at64 + 48),
    };
    limit = at64;
  }
  if (directory.offset + directory.size < limit && hasAscii(bytes, limit - directory.size, CENTRAL)) {
    return severalArchives;
  }
  return directory.offset + directory.size > limit || directory.count * CENTRAL_BYTES > directory.size
    ? damaged('its central directory does not fit in the file')
    : E.right(directory);
};

interface Wide {
  readonly size: number;
  readonly compressedSize: number;
  readonly localHeader: number;
}

/** The 64-bit values of an extra field, for those of the three that are all ones in the entry itself. */
const widen = (extra: Uint8Array, narrow: Wide): Wide | undefined => {
  const view = viewOf(extra);
  const isWide = (n: number): boolean => n === 0xffffffff;
  if (!isWide(narrow.size) && !isWide(narrow.compressedSize) && !isWide(narrow.localHeader)) return narrow;
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > extra.length) return undefined;
    if (view.getUint16(at, true) === 1) {
      let from = at + 4;
      const next = (value: number): number => {
        if (!isWide(value)) return value;
        from += 8;
        return from <= end ? readU64(view, from - 8) : Number.POSITIVE_INFINITY;
      };
      const size = next(narrow.size);
      const compressedSize = next(narrow.compressedSize);
      return { size, compressedSize, localHeader: next(narrow.localHeader) };
    }
    at = end;
  }
  return undefined;
};

/**
 * Reads the directory of an archive: names, sizes, places; no contents. Refuses names that stand twice, entries
 * outside the file and archives that claim to inflate to far more than their size. Fails with K0110, K0113.
 */
export const readZip = (bytes: Uint8Array): Checked<ZipArchive> => {
  const found = readEnd(bytes);
  if (E.isLeft(found)) return found;
  const { offset, size, count } = found.right;
  const directory = bytes.subarray(offset, offset + size);
  const view = viewOf(directory);
  const entries = new Map<string, ZipEntry>();
  const limit = Math.max(ALWAYS_ALLOWED, MAX_INFLATION * bytes.length);
  let total = 0;
  let at = 0;
  for (let n = 0; n < count; n++) {
    if (at + CENTRAL_BYTES > size || !hasAscii(directory, at, CENTRAL))
      return damaged(`entry ${n} is malformed`);
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    const name = decodeUtf8(directory.subarray(at + CENTRAL_BYTES, nameEnd));
    if (end > size || name === undefined) return damaged(`entry ${n} is malformed`);
    const wide = widen(directory.subarray(nameEnd, extraEnd), {
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      localHeader: view.getUint32(at + 42, true),
    });
    const method = view.getUint16(at + 10, true);
    if (
      wide === undefined ||
      wide.localHeader + LOCAL_BYTES + wide.compressedSize > offset ||
      (method === 0 && wide.size !== wide.compressedSize)
    ) {
      return damaged(`the sizes of entry ${n} do not fit in the file`);
    }
    if (entries.has(name)) return damaged(`two entries are named ${printable(name, 100)}`);
    total += wide.size;
    if (total > limit) {
      return fail(
        'K0113',
        `The zip archive of ${bytes.length} bytes claims to hold more than ${limit} bytes`,
      );
    }
    const encrypted = (view.getUint16(at + 8, true) & 1) !== 0;
    entries.set(name, { name, method, encrypted, crc: view.getUint32(at + 16, true), ...wide });
    at = end;
  }
  return E.right({ bytes, entries });
};

/** Input is fed in small steps, so that a stream that is longer than it claims is dropped soon. */
const STEP = 16_384;

const inflate = (raw: Uint8Array, size: number): Uint8Array | undefined => {
  const out = new Uint8Array(size);
  let filled = 0;
  let fits = true;
  const stream = new Inflate((chunk) => {
    if (filled + chunk.length > size) fits = false;
    else {
      out.set(chunk, filled);
      filled += chunk.length;
    }
  });
  try {
    for (let at = 0; at < raw.length && fits; at += STEP) {
      stream.push(raw.subarray(at, at + STEP), at + STEP >= raw.length);
    }
  } catch {
    return undefined;
  }
  return fits && filled === size ? out : undefined;
};

/** The contents of an entry: for a stored one, a window of the archive. Fails with K0110. */
export const readZipEntry = (archive: ZipArchive, entry: ZipEntry): Checked<Uint8Array> => {
  const { bytes } = archive;
  const label = printable(entry.name, 100);
  const { localHeader: at } = entry;
  if (!hasAscii(bytes, at, LOCAL)) return damaged(`${label} has no local header`);
  const view = viewOf(bytes);
  const start = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + entry.compressedSize > bytes.length) return damaged(`${label} ends outside the file`);
  if (entry.encrypted || (entry.method !== 0 && entry.method !== 8)) {
    return fail('K0110', `${label} in the zip archive is encrypted or compressed in a way that is not read`, {
      expected: 'stored or deflated entries, as torch writes them',
    });
  }
  const raw = bytes.subarray(start, start + entry.compressedSize);
  const content = entry.method === 0 ? raw : inflate(raw, entry.size);
  if (content === undefined) return damaged(`${label} does not inflate to its ${entry.size} bytes`);
  return crc32(content) === entry.crc ? E.right(content) : damaged(`the checksum of ${label} is wrong`);
};
