/** Constants of kernels as 32-bit words: what `constants` of a WGSL module holds. */
import type { TypedArray } from '../../ir/element.js';

/** A part of a kernel's constants. Its words are made when they are written: tables are nearly all of an artifact. */
export interface Section {
  readonly length: number;
  readonly make: () => Uint32Array;
}

/** Sections one after another; `at` gives their word offsets. */
export interface Words extends Section {
  readonly at: ReadonlyArray<number>;
}

export const NO_WORDS: Words = { length: 0, at: [], make: () => new Uint32Array(0) };

export const wordsOf = (sections: ReadonlyArray<Section>): Words => {
  let length = 0;
  const at = sections.map((section) => {
    const start = length;
    length += section.length;
    return start;
  });
  return {
    length,
    at,
    make: () => {
      const words = new Uint32Array(length);
      for (const [k, section] of sections.entries()) words.set(section.make(), at[k]!);
      return words;
    },
  };
};

/** Integers of up to 32 bits, one to a word (two's complement). */
export const integers = (data: ArrayLike<number>): Section => ({
  length: data.length,
  make: () => Uint32Array.from(data),
});

/** Bits of floats, one to a word. */
export const floatBits = (data: ArrayLike<number>): Section => ({
  length: data.length,
  make: () => new Uint32Array(Float32Array.from(data).buffer),
});

/** Bits of an entry in packed lists. */
export type EntryBits = 4 | 8 | 16 | 32;

/** The narrowest entry that holds all of [0, span]. */
export const entryBits = (span: number): EntryBits =>
  span < 16 ? 4 : span < 256 ? 8 : span < 65536 ? 16 : 32;

/** Several integers to a word, the first in the lowest bits; entries are taken modulo their width. */
export const packed = (data: ArrayLike<number>, bits: EntryBits): Section => {
  const each = 32 / bits;
  return {
    length: Math.ceil(data.length / each),
    make: () => {
      const words = new Uint32Array(Math.ceil(data.length / each));
      const mask = bits === 32 ? -1 : 2 ** bits - 1;
      for (let k = 0; k < data.length; k++) {
        const word = Math.floor(k / each);
        words[word] = words[word]! | ((data[k]! & mask) << (bits * (k % each)));
      }
      return words;
    },
  };
};

/** The narrowest of 8, 16 and 32 bits that holds all values as signed integers. */
export const signedBits = (data: TypedArray): 8 | 16 | 32 => {
  let [lo, hi] = [0, 0];
  for (let k = 0; k < data.length; k++) {
    lo = Math.min(lo, data[k]!);
    hi = Math.max(hi, data[k]!);
  }
  return lo >= -128 && hi < 128 ? 8 : lo >= -32768 && hi < 32768 ? 16 : 32;
};
