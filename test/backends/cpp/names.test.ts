/** Names from outside never reach code as they are; numbers and floats read back as themselves. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commentText,
  decimalLiteral,
  floatLiteral,
  literal,
  numberLines,
} from '../../../src/backends/cpp/code.js';
import { identifier } from '../../../src/backends/cpp/names.js';

describe('identifiers', () => {
  it('are identifiers, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(identifier(name, 'model')).toMatch(/^[A-Za-z][A-Za-z0-9_]{0,45}$/);
      }),
    );
  });

  it.each([
    ['fashion_mnist', 'fashion_mnist'],
    ['my net', 'my_net'],
    ['été "x"', 'e_te_x'],
    ['', 'model'],
    ['*/ int x; /*', 'int_x'],
    ['int', 'int_model'],
    ['Golden', 'Golden_model'],
    ['9lives', 'model_9lives'],
    ['__a__b', 'a_b'],
    // Files that projects have beside those of the model, headers of the library, names of generated values and stages.
    ['trace', 'trace_model'],
    ['kanc_hls', 'kanc_hls_model'],
    ['stdint', 'stdint_model'],
    ['v0_t', 'v0_t_model'],
    ['s12_order', 's12_order_model'],
    ['v8', 'v8_model'],
    ['vgg', 'vgg'],
  ])('%j becomes %s', (name, expected) => {
    expect(identifier(name, 'model')).toBe(expected);
  });
});

describe('comments', () => {
  it('cannot be left, continued on the next line or reordered', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(commentText(text)).toMatch(/^[A-Za-z0-9_.,:;<>=()[\] +?-]*$/);
      }),
    );
    expect(commentText('a */ int b; /* \\')).toBe('a ?? int b; ?? ?');
  });
});

/** What a C compiler makes of a hexadecimal literal. */
const readHex = (text: string): number => {
  const match = /^(-?)0x1(?:\.([0-9a-f]+))?p(-?\d+)f$/.exec(text);
  if (match === null) return Number.parseFloat(text);
  const [, sign, digits = '', exponent] = match;
  const fraction = digits === '' ? 0 : Number.parseInt(digits, 16) / 16 ** digits.length;
  return (sign === '-' ? -1 : 1) * (1 + fraction) * 2 ** Number(exponent);
};

describe('numbers', () => {
  it('floats read back as themselves, in both spellings', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(readHex(floatLiteral(x))).toBe(x);
        expect(Math.fround(Number.parseFloat(decimalLiteral(x)))).toBe(x);
      }),
      { numRuns: 2000 },
    );
  });

  it('integers have literals of their own type', () => {
    expect(literal(-(2 ** 31))).toBe('(-2147483647 - 1)');
    expect(literal(2 ** 31)).toBe('2147483648u');
    expect(numberLines(Int32Array.of(-(2 ** 31), 5))).toEqual(['(-2147483647 - 1), 5,']);
    const lines = numberLines(Int8Array.from({ length: 300 }, (_, k) => (k % 256) - 128));
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    expect(lines.join(' ').split(', ').length).toBe(300);
  });
});
