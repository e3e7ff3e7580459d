/**
 * Base64 (RFC 4648, with padding) over typed arrays: the same code in Node and in browsers, and strict, which
 * `atob` is not (it takes white space and missing padding, so that two texts would mean the same bytes).
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 61; // '='

const ENCODE = Uint8Array.from(ALPHABET, (c) => c.charCodeAt(0));

const INVALID = 255;
const DECODE = new Uint8Array(128).fill(INVALID);
for (let i = 0; i < 64; i++) DECODE[ENCODE[i]!] = i;

/** Length of the text of `bytes` bytes. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

export const encodeBase64 = (bytes: Uint8Array): string => {
  const text = new Uint8Array(base64Length(bytes.length));
  const whole = bytes.length - (bytes.length % 3);
  let at = 0;
  for (let i = 0; i < whole; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text[at++] = ENCODE[group >> 18]!;
    text[at++] = ENCODE[(group >> 12) & 63]!;
    text[at++] = ENCODE[(group >> 6) & 63]!;
    text[at++] = ENCODE[group & 63]!;
  }
  if (whole < bytes.length) {
    const two = whole + 1 < bytes.length;
    const group = (bytes[whole]! << 16) | (two ? bytes[whole + 1]! << 8 : 0);
    text[at++] = ENCODE[group >> 18]!;
    text[at++] = ENCODE[(group >> 12) & 63]!;
    text[at++] = two ? ENCODE[(group >> 6) & 63]! : PAD;
    text[at++] = PAD;
  }
  return new TextDecoder('latin1').decode(text);
};

/**
 * Fills `result` with the bytes that text[start .. start + base64Length(result.length)) spells; the caller has
 * checked that there is so much text. Returns the offset of the first wrong character, or -1.
 */
export const decodeBase64 = (text: string, start: number, result: Uint8Array): number => {
  const bytes = result.length;
  const whole = bytes - (bytes % 3);
  let at = start;
  const digit = (offset: number): number => {
    const code = text.charCodeAt(offset);
    return code < 128 ? DECODE[code]! : INVALID;
  };
  for (let i = 0; i < whole; i += 3) {
    const [a, b, c, d] = [digit(at), digit(at + 1), digit(at + 2), digit(at + 3)];
    // Digits are below 64, so a set bit 7 anywhere means a wrong character.
    if (((a | b | c | d) & 128) !== 0) return firstWrong(text, at);
    result[i] = (a << 2) | (b >> 4);
    result[i + 1] = (b << 4) | (c >> 2);
    result[i + 2] = (c << 6) | d;
    at += 4;
  }
  if (whole === bytes) return -1;
  const two = whole + 1 < bytes;
  const [a, b, c] = [digit(at), digit(at + 1), two ? digit(at + 2) : 0];
  // Bits that belong to no byte must be 0: each sequence of bytes has one text.
  const spare = two ? c & 3 : b & 15;
  const padded = text.charCodeAt(at + 3) === PAD && (two || text.charCodeAt(at + 2) === PAD);
  if (((a | b | c) & 128) !== 0 || spare !== 0 || !padded) return firstWrong(text, at);
  result[whole] = (a << 2) | (b >> 4);
  if (two) result[whole + 1] = (b << 4) | (c >> 2);
  return -1;
};

const firstWrong = (text: string, at: number): number => {
  const wrong = [0, 1, 2, 3].find((k) => {
    const code = text.charCodeAt(at + k);
    return !(code < 128 && DECODE[code] !== INVALID);
  });
  return at + (wrong ?? 3);
};
