/** Sections of a WASM binary, read and written without the rest of it (WebAssembly core specification, 5.5). */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';

/** LEB128. */
const unsigned = (n: number): ReadonlyArray<number> =>
  n < 128 ? [n] : [(n % 128) | 128, ...unsigned(Math.floor(n / 128))];

/** Signed LEB128 of a 32-bit address: addresses from 2^31 are negative constants. */
const signed = (address: number): ReadonlyArray<number> => {
  const bytes: number[] = [];
  for (let n = address | 0; ; n >>= 7) {
    const low = n & 127;
    if ((n >> 7 === 0 && low < 64) || (n >> 7 === -1 && low >= 64)) return [...bytes, low];
    bytes.push(low | 128);
  }
};

/** LEB128 from `at` on: the number and where it ends. Modules of artifacts have no number above 2^32. */
const readUnsigned = (bytes: Uint8Array, at: number): readonly [number, number] => {
  let [value, factor, next] = [0, 1, at];
  for (;;) {
    const byte = bytes[next++] ?? 0;
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) return [value, next];
  }
};

export interface Segment {
  readonly address: number;
  readonly length: number;
  /** Asked for once, when the segment is written. */
  readonly bytes: () => Uint8Array;
}

/**
 * The data section appended to a module that binaryen emitted without one. Tables make up nearly all of a module, and
 * handing them to binaryen copies them several times, into and out of its own heap; the section itself is only a header
 * and the bytes, and the last one with a meaning, so it can simply follow what is there.
 */
export const appendData = (module: Uint8Array, segments: ReadonlyArray<Segment>): Uint8Array => {
  const parts = segments
    .filter((s) => s.length > 0)
    // Kind 0: active, in memory 0, at the constant address.
    .map((s) => ({
      head: [0x00, 0x41, ...signed(s.address), 0x0b, ...unsigned(s.length)],
      segment: s,
    }));
  if (parts.length === 0) return module;
  const count = unsigned(parts.length);
  const size = parts.reduce((n, p) => n + p.head.length + p.segment.length, count.length);
  const header = [0x0b, ...unsigned(size), ...count];
  const result = new Uint8Array(module.length + header.length + size - count.length);
  result.set(module);
  let at = module.length;
  const put = (bytes: ArrayLike<number>): void => {
    result.set(bytes, at);
    at += bytes.length;
  };
  put(header);
  for (const part of parts) {
    put(part.head);
    put(part.segment.bytes());
  }
  return result;
};

const EXPORT_SECTION = 7;
const FUNCTION = 0;

export interface FunctionExport {
  readonly name: string;
  /** Number of the function in the module. */
  readonly index: number;
}

interface Section {
  readonly id: number;
  /** Where its header and its content start, and its end. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

const sectionsOf = (module: Uint8Array): ReadonlyArray<Section> => {
  const sections: Section[] = [];
  for (let at = 8; at < module.length; ) {
    const [length, content] = readUnsigned(module, at + 1);
    sections.push({ id: module[at]!, start: at, content, end: content + length });
    at = content + length;
  }
  return sections;
};

/** The functions that a module exports, by name; K0603 where it is no module with exports. */
export const exportedFunctions = (module: Uint8Array): Checked<ReadonlyMap<string, number>> => {
  const section = sectionsOf(module).find(({ id }) => id === EXPORT_SECTION);
  if (section === undefined) return fail('K0603', 'model.wasm exports nothing');
  const functions = new Map<string, number>();
  const [count, first] = readUnsigned(module, section.content);
  for (let k = 0, at = first; k < count; k++) {
    const [length, name] = readUnsigned(module, at);
    const [index, next] = readUnsigned(module, name + length + 1);
    if (module[name + length] === FUNCTION) {
      functions.set(new TextDecoder().decode(module.subarray(name, name + length)), index);
    }
    at = next;
  }
  return E.right(functions);
};

/**
 * The module with exports beside its own; `exports` have ASCII names that it does not export yet. The export section is
 * written anew; every other byte, code and data above all, stays what it was, so that what is run through the new exports
 * is the module itself.
 */
export const addExports = (
  module: Uint8Array,
  exports: ReadonlyArray<FunctionExport>,
): Checked<Uint8Array> => {
  const section = sectionsOf(module).find(({ id }) => id === EXPORT_SECTION);
  if (section === undefined) return fail('K0603', 'model.wasm exports nothing');
  const [count, first] = readUnsigned(module, section.content);
  const added = exports.flatMap(({ name, index }) => [
    ...unsigned(name.length),
    ...new TextEncoder().encode(name),
    FUNCTION,
    ...unsigned(index),
  ]);
  const total = unsigned(count + exports.length);
  const length = total.length + (section.end - first) + added.length;
  const parts = [
    module.subarray(0, section.start),
    Uint8Array.from([EXPORT_SECTION, ...unsigned(length), ...total]),
    module.subarray(first, section.end),
    Uint8Array.from(added),
    module.subarray(section.end),
  ];
  const result = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return E.right(result);
};
