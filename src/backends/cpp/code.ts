/** C and C++ text as nested lists of lines: a list inside a list is indented once more. */
import type { TypedArray } from '../../ir/element.js';

export type Code = ReadonlyArray<string | Code>;

const INDENT = '    ';

const flatten = (code: Code, depth: number, lines: string[]): void => {
  for (const part of code) {
    if (typeof part !== 'string') flatten(part, depth + 1, lines);
    else lines.push(part === '' ? '' : `${INDENT.repeat(depth)}${part}`);
  }
};

/** The text of code, one line for each string, with a line end after the last. */
export const render = (code: Code): string => {
  const lines: string[] = [];
  flatten(code, 0, lines);
  return `${lines.join('\n')}\n`;
};

/** `for (int32_t i = 0; i < count; i++) { ... }`; the body directly where it runs once and names no index. */
export const loop = (index: string, count: number, body: Code, pragmas: Code = []): Code => [
  `for (int32_t ${index} = 0; ${index} < ${count}; ${index}++) {`,
  [...pragmas, ...body],
  '}',
];

const COMMENT_LIMIT = 70;

/** Text from a checkpoint made fit for a comment: letters, digits and plain signs only, and not long. */
export const commentText = (text: string): string => {
  const safe = text.replace(/[^A-Za-z0-9_.,:;<>=()[\] +-]/g, '?');
  return safe.length > COMMENT_LIMIT ? `${safe.slice(0, COMMENT_LIMIT)}...` : safe;
};

/** Columns of a line of numbers. */
const COLUMNS = 96;

/** Integers, as many a line as surely fit: tables may have millions of them. */
export const numberLines = (numbers: TypedArray): ReadonlyArray<string> => {
  const [lo, hi] = rangeOf(numbers);
  const longest = Math.max(String(lo).length, String(hi).length) + 2;
  const perLine = Math.max(4, Math.floor(COLUMNS / longest));
  const isPlain = lo > -(2 ** 31) && hi < 2 ** 31;
  const lines: string[] = [];
  for (let k = 0; k < numbers.length; k += perLine) {
    const part = numbers.subarray(k, k + perLine);
    lines.push(`${isPlain ? part.join(', ') : Array.from(part, literal).join(', ')},`);
  }
  return lines;
};

/** A constant of C: -2^31 has no literal of its own type, and what is above 2^31 - 1 is unsigned. */
export const literal = (n: number): string => {
  if (n === -(2 ** 31)) return '(-2147483647 - 1)';
  return n > 2 ** 31 - 1 ? `${n}u` : String(n);
};

/** A finite f32 as a C literal that reads back as the same float: hexadecimal, as C99 and C++17 have it. */
export const floatLiteral = (x: number): string => {
  if (!Number.isFinite(x)) throw new RangeError('constants of programs are finite');
  if (x === 0) return Object.is(x, -0) ? '-0.0f' : '0.0f';
  let [mantissa, exponent] = [Math.abs(x), 0];
  while (mantissa >= 2) [mantissa, exponent] = [mantissa / 2, exponent + 1];
  while (mantissa < 1) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  // 23 bits of fraction are 6 hexadecimal digits and a half.
  const fraction = Math.round((mantissa - 1) * 2 ** 24);
  const digits = fraction.toString(16).padStart(6, '0').replace(/0+$/, '');
  return `${x < 0 ? '-' : ''}0x1${digits === '' ? '' : `.${digits}`}p${exponent}f`;
};

/** The same with nine decimal digits, which read back as the same float too: for C++ before 2017. */
export const decimalLiteral = (x: number): string => `${Object.is(x, -0) ? '-' : ''}${x.toExponential(8)}f`;

/** The smallest and the largest of some numbers; 0 and 0 of none. */
export const rangeOf = (data: ArrayLike<number>): readonly [number, number] => {
  let [lo, hi] = data.length === 0 ? [0, 0] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < data.length; k++) {
    const v = data[k]!;
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return [lo, hi];
};
