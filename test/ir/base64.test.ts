/** Base64: as everybody else writes it, and one text only for each sequence of bytes. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Length, decodeBase64, encodeBase64 } from '../../src/ir/resources-base64.js';

/** The bytes as hex, or the offset of the first wrong character. */
const decoded = (text: string, bytes: number): string | number => {
  const result = new Uint8Array(bytes);
  const wrong = decodeBase64(text, 0, result);
  return wrong < 0 ? Buffer.from(result).toString('hex') : wrong;
};

describe('base64', () => {
  it('is what Node writes and reads, at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.string(), (bytes, before) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(text).toHaveLength(base64Length(bytes.length));
        const result = new Uint8Array(bytes.length);
        expect(decodeBase64(`${before}${text}tail`, before.length, result)).toBe(-1);
        expect(result).toStrictEqual(bytes);
      }),
    );
  });

  it.each([
    ['AAAA', 3, '000000'],
    ['/+8=', 2, 'ffef'],
    ['/w==', 1, 'ff'],
    ['A*AA', 3, 1],
    ['AAA=', 3, 3],
    ['AA\u00e9A', 3, 2],
    ['AA\u{1f600}', 3, 2],
    ['AAAAA AA', 6, 5],
    ['AAAA', 2, 3],
    ['AA=A', 1, 2],
    // Bits that belong to no byte: the texts AAA= and AAB= would be the same two bytes.
    ['AAB=', 2, 3],
    ['AB==', 1, 2],
  ])('%s as %d bytes', (text, bytes, result) => {
    expect(decoded(text, bytes)).toBe(result);
  });

  it('takes each text of a group for one sequence of bytes only', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9+/]{2}[A-Za-z0-9+/=]{2}$/),
        fc.constantFrom(1, 2, 3),
        (text, bytes) => {
          const found = decoded(text, bytes);
          if (typeof found === 'string') expect(Buffer.from(found, 'hex').toString('base64')).toBe(text);
        },
      ),
    );
  });
});
