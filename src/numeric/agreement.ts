/** How many codes two samples have in common: the Gram matrix of one-hot inputs. */

/**
 * [n, n] row-major, lower triangle with diagonal: K[a, b] = number of inputs i with codes[a, i] = codes[b, i], the
 * product of two rows of the design matrix of an edge-table layer (one column for every input and code, a one where
 * the sample has it). `codes` is [n, inputs].
 *
 * Codes are cut into bit planes of 32 inputs a word, so that 32 inputs are compared by one XOR for each bit.
 */
export const agreementMatrix = (codes: ArrayLike<number>, n: number, inputs: number): Float64Array => {
  let largest = 0;
  for (let j = 0; j < n * inputs; j++) if (codes[j]! > largest) largest = codes[j]!;
  const bits = Math.max(1, 32 - Math.clz32(largest));
  const words = Math.ceil(inputs / 32);
  const length = words * bits;
  const planes = new Int32Array(n * length);
  for (let a = 0; a < n; a++) {
    for (let i = 0; i < inputs; i++) {
      const code = codes[a * inputs + i]!;
      const at = a * length + (i >> 5) * bits;
      for (let b = 0; b < bits; b++) planes[at + b]! |= ((code >> b) & 1) << (i & 31);
    }
  }
  const result = new Float64Array(n * n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b <= a; b++) {
      let differ = 0;
      let p = a * length;
      let q = b * length;
      for (let w = 0; w < words; w++) {
        let mask = 0;
        for (let k = 0; k < bits; k++, p++, q++) mask |= planes[p]! ^ planes[q]!;
        differ += ones(mask);
      }
      result[a * n + b] = inputs - differ;
    }
  }
  return result;
};

/** Ones in a word of 32 bits: sums of neighbouring bits, pairs, nibbles; the product adds the bytes. */
const ones = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};
