import { describe, expect, test } from 'vitest';
import { decodeValues, halfToFloat } from '../../../src/importers/containers/dtype.js';
import { codeOf, rightOf } from '../../support/checked.js';

const bigs = (...values: bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(values).buffer);

describe('element types', () => {
  test.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0xbc01, -(1 + 2 ** -10)],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('half %i is %d', (bits, value) => expect(halfToFloat(bits)).toBe(value));

  test('bfloat16 is the upper half of a float', () => {
    const raw = new Uint8Array(Uint16Array.of(0x3f80, 0xc020, 0x7f80).buffer);
    expect(rightOf(decodeValues('BF16', raw, true))).toEqual(Float32Array.of(1, -2.5, Infinity));
  });

  test('8-bit floats: every value, NaN and what the largest exponent is', () => {
    const all = Uint8Array.from({ length: 256 }, (_, k) => k);
    const e4m3 = rightOf(decodeValues('F8_E4M3', all, true));
    expect([0x00, 0x01, 0x07, 0x08, 0x38, 0x7e, 0x7f, 0xb8].map((k) => e4m3[k])).toEqual([
      0,
      2 ** -9,
      7 * 2 ** -9,
      2 ** -6,
      1,
      448,
      Number.NaN,
      -1,
    ]);
    const e5m2 = rightOf(decodeValues('F8_E5M2', all, true));
    expect([0x01, 0x04, 0x3c, 0x7b, 0x7c, 0x7d, 0xbc].map((k) => e5m2[k])).toEqual([
      2 ** -16,
      2 ** -14,
      1,
      57344,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      -1,
    ]);
  });

  test('64-bit integers are exact or refused', () => {
    const edge = 2n ** 53n - 1n;
    expect(rightOf(decodeValues('I64', bigs(-1n, edge, -edge, 5_000_000_000n), true))).toEqual(
      Float64Array.of(-1, Number(edge), -Number(edge), 5e9),
    );
    for (const beyond of [2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 62n]) {
      expect(codeOf(decodeValues('I64', bigs(beyond), true))).toBe('K0112');
    }
    expect(codeOf(decodeValues('U64', bigs(-1n), true))).toBe('K0112');
  });

  test('big endian', () => {
    expect(rightOf(decodeValues('I16', Uint8Array.of(1, 2, 0xff, 0xfe), false))).toEqual(
      Int16Array.of(258, -2),
    );
    expect(rightOf(decodeValues('I64', Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0), false))).toEqual(
      Float64Array.of(256),
    );
  });

  test('bool is 0 or 1', () => {
    expect(rightOf(decodeValues('BOOL', Uint8Array.of(0, 1, 7), true))).toEqual(Uint8Array.of(0, 1, 1));
  });
});
