import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { readZip, readZipEntry } from '../../../src/importers/containers/zip.js';
import { codeOf, rightOf } from '../../support/checked.js';
import { u64 } from '../../support/pickle-writer.js';

const CONTENT = Uint8Array.of(1, 2, 3, 4, 5);
const plain = (): Uint8Array => zipSync({ 'a/b': CONTENT }, { level: 0 });
const le = (n: number, width: number): number[] => u64(n).slice(0, width);
const find = (bytes: Uint8Array, signature: string): number =>
  Buffer.from(bytes).lastIndexOf(signature, undefined, 'latin1');

/** The archive of one entry with the 64-bit records that torch writes. */
const wide = (bytes: Uint8Array): Uint8Array => {
  const central = find(bytes, 'PK\x01\x02');
  const end = find(bytes, 'PK\x05\x06');
  const view = new DataView(bytes.buffer);
  const entry = [...bytes.subarray(central, end)];
  const extra = [1, 0, 24, 0, ...u64(CONTENT.length), ...u64(CONTENT.length), ...u64(0)];
  entry.splice(20, 8, ...new Array<number>(8).fill(0xff));
  entry.splice(30, 2, ...le(view.getUint16(central + 30, true) + extra.length, 2));
  entry.splice(42, 4, ...new Array<number>(4).fill(0xff));
  entry.splice(46 + view.getUint16(central + 28, true), 0, ...extra);
  const end64 = central + entry.length;
  return Uint8Array.from([
    ...bytes.subarray(0, central),
    ...entry,
    ...[...Buffer.from('PK\x06\x06', 'latin1'), ...u64(44), 45, 0, 45, 0, ...u64(0), ...u64(1), ...u64(1)],
    ...[...u64(entry.length), ...u64(central)],
    ...[...Buffer.from('PK\x06\x07', 'latin1'), 0, 0, 0, 0, ...u64(end64), 1, 0, 0, 0],
    ...[...Buffer.from('PK\x05\x06', 'latin1'), ...new Array<number>(16).fill(0xff), 0, 0],
  ]);
};

const content = (bytes: Uint8Array): Uint8Array => {
  const archive = rightOf(readZip(bytes));
  const entry = archive.entries.get('a/b');
  if (entry === undefined) throw new Error('the entry is missing');
  return rightOf(readZipEntry(archive, entry));
};

describe('zip', () => {
  test('stored entries are windows of the archive', () => {
    const bytes = plain();
    const found = content(bytes);
    expect(found).toEqual(CONTENT);
    expect(found.buffer).toBe(bytes.buffer);
  });

  test('64-bit records', () => expect(content(wide(plain()))).toEqual(CONTENT));

  test('64-bit records cut short or pointing elsewhere', () => {
    const bytes = wide(plain());
    const end64 = find(bytes, 'PK\x06\x06');
    const bend = (at: number, ...values: number[]): string => {
      const bent = bytes.slice();
      bent.set(values, at);
      return codeOf(readZip(bent));
    };
    expect(bend(end64, 0)).toBe('K0110');
    expect(bend(end64 + 32, ...u64(2 ** 52))).toBe('K0110');
    expect(bend(end64 + 48, ...u64(2 ** 63))).toBe('K0110');
    const extra = find(bytes, 'a/b') + 3;
    expect(bend(extra, 2)).toBe('K0110');
    expect(bend(extra + 2, 8)).toBe('K0110');
    expect(bend(extra + 2, 255)).toBe('K0110');
    expect(bend(extra + 20, ...u64(2 ** 40))).toBe('K0110');
  });

  test('a comment after the end', () => {
    const bytes = Uint8Array.from([...plain(), 0x50, 0x4b]);
    expect(codeOf(readZip(bytes))).toBe('K0110');
    bytes[bytes.length - 4] = 2;
    expect(content(bytes)).toEqual(CONTENT);
  });

  test('a name that stands twice', () => {
    const bytes = zipSync({ 'a/b': CONTENT, 'a/c': CONTENT }, { level: 0 });
    const at = find(bytes, 'a/c');
    bytes[at + 2] = 0x62;
    expect(codeOf(readZip(bytes))).toBe('K0110');
  });

  test('encrypted and unknown methods are refused', () => {
    const central = find(plain(), 'PK\x01\x02');
    for (const [offset, value] of [
      [8, 1],
      [10, 12],
    ] as const) {
      const bytes = plain();
      bytes[central + offset] = value;
      const archive = rightOf(readZip(bytes));
      const entry = archive.entries.get('a/b');
      expect(entry && codeOf(readZipEntry(archive, entry))).toBe('K0110');
    }
  });
});
