import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readNpy, type WritableNpyArray, writeNpy } from '../../../src/importers/containers/npy/index.js';
import { codeOf, rightOf } from '../../support/checked.js';

const file = (dict: string, data: ReadonlyArray<number>, version = 1): Uint8Array => {
  const header = [...Buffer.from(dict)];
  const length = version === 1 ? 2 : 4;
  const size = Array.from({ length }, (_, i) => (header.length >> (8 * i)) & 255);
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...size, ...header, ...data]);
};
const dict = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

const KINDS = {
  f4: (n: number) => fc.array(fc.float(), { minLength: n, maxLength: n }).map((v) => Float32Array.from(v)),
  f8: (n: number) => fc.array(fc.double(), { minLength: n, maxLength: n }).map((v) => Float64Array.from(v)),
  i1: (n: number) => fc.int8Array({ minLength: n, maxLength: n }),
  i2: (n: number) => fc.int16Array({ minLength: n, maxLength: n }),
  i4: (n: number) => fc.int32Array({ minLength: n, maxLength: n }),
  u1: (n: number) => fc.uint8Array({ minLength: n, maxLength: n }),
  u2: (n: number) => fc.uint16Array({ minLength: n, maxLength: n }),
  u4: (n: number) => fc.uint32Array({ minLength: n, maxLength: n }),
} as const;

const kind = fc.constantFrom('f4', 'f8', 'i1', 'i2', 'i4', 'u1', 'u2', 'u4');
const arrays: fc.Arbitrary<WritableNpyArray> = fc
  .tuple(kind, fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([dtype, shape]) =>
    KINDS[dtype](shape.reduce((a, b) => a * b, 1)).map((data: WritableNpyArray['data']) => ({
      shape,
      dtype,
      data,
    })),
  );

describe('npy', () => {
  test('what is written reads back, aligned to 64 bytes', () => {
    fc.assert(
      fc.property(arrays, (array) => {
        const bytes = writeNpy(array);
        expect((bytes.length - array.data.byteLength) % 64).toBe(0);
        expect(rightOf(readNpy(bytes))).toEqual(array);
      }),
    );
  });

  test('the header is byte for byte that of numpy', () => {
    const bytes = writeNpy({ shape: [3], dtype: 'u1', data: Uint8Array.of(1, 2, 3) });
    const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
    expect(Buffer.from(bytes).toString('latin1')).toBe(
      `\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n\x01\x02\x03`,
    );
  });

  test('Fortran order becomes C order', () => {
    const array = rightOf(readNpy(file(dict('|u1', '(2, 3)', 'True'), [1, 4, 2, 5, 3, 6])));
    expect(array).toEqual({ shape: [2, 3], dtype: 'u1', data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  test('big endian, half, 64-bit, bool, versions 2 and 3', () => {
    expect(rightOf(readNpy(file(dict('>i4', '(1,)'), [0, 0, 1, 2]))).data).toEqual(Int32Array.of(258));
    expect(rightOf(readNpy(file(dict('<f2', '(1,)'), [0, 0x3c], 2))).data).toEqual(Float32Array.of(1));
    expect(rightOf(readNpy(file(dict('>i8', '(1,)'), [0, 0, 0, 0, 0, 0, 1, 0], 3))).data).toEqual(
      Float64Array.of(256),
    );
    expect(rightOf(readNpy(file(dict('|b1', '(2L,)'), [0, 9]))).data).toEqual(Uint8Array.of(0, 1));
    expect(rightOf(readNpy(file(dict('|i1', '()'), [255])))).toEqual({
      shape: [],
      dtype: 'i1',
      data: Int8Array.of(-1),
    });
  });

  test.each([
    ['object', dict('|O', '(1,)')],
    ['text', dict('<U4', '(1,)')],
    ['complex', dict('<c8', '(1,)')],
    ['structured', "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"],
    ['a missing key', "{'descr': '<f4', 'shape': (1,)}"],
    ['a key twice', "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"],
    ['no tuple', dict('<f4', '(1)')],
    ['a negative size', dict('<f4', '(-1,)')],
    ['an expression', dict('<f4', "__import__('os').system('x')")],
    ['more text', `${dict('<f4', '(1,)')} 1`],
    ['no dict', '12'],
    ['an overflowing shape', dict('<f4', '(4294967296, 4294967296)')],
    ['a huge integer', dict('<f4', `(${'9'.repeat(400)},)`)],
  ])('refuses %s', (_, header) => expect(codeOf(readNpy(file(header, [0, 0, 0, 0])))).toBe('K0111'));

  test('a shape beyond the data is refused before anything is allocated', () => {
    expect(codeOf(readNpy(file(dict('<f4', '(1000000000000,)'), [0, 0, 0, 0])))).toBe('K0103');
  });

  test('refuses every truncation', () => {
    const bytes = writeNpy({ shape: [2, 2], dtype: 'f4', data: Float32Array.of(1, 2, 3, 4) });
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(readNpy(bytes.subarray(0, length)))).toMatch(/K0103|K0111/);
    }
  });

  test('never throws', () => {
    const valid = writeNpy({ shape: [2], dtype: 'i2', data: Int16Array.of(1, 2) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(140), fc.nat(255), (noise, at, byte) => {
        readNpy(noise);
        const bent = valid.slice();
        bent[at % bent.length] = byte;
        readNpy(bent);
        readNpy(Uint8Array.from([...valid.subarray(0, 10), ...noise]));
      }),
    );
  });
});
