/** Functions of C99 that stages call: shifts of negative numbers, square roots, the order of floats. */
import type { Code } from './code.js';
import type { Helper } from './stage.js';

const HELPERS: Readonly<Record<Helper, Code>> = {
  shift: [
    '/* floor(v / 2^s): C leaves shifts of negative numbers to the compiler. */',
    'static int32_t shift_right(int32_t v, int32_t s)',
    '{',
    ['return v >= 0 ? v >> s : -1 - ((-1 - v) >> s);'],
    '}',
    '',
  ],
  bits: [
    '/* How many bits x has: 0 for 0. */',
    'static int32_t bit_length(uint64_t x)',
    '{',
    [
      'int32_t n = 0;',
      'int32_t step;',
      'for (step = 32; step > 0; step >>= 1) {',
      ['if ((x >> step) != 0u) {', ['n += step;', 'x >>= step;'], '}'],
      '}',
      'return x != 0u ? n + 1 : n;',
    ],
    '}',
    '',
  ],
  sqrt: [
    '/* floor(sqrt(x)), bit by bit. */',
    'static uint32_t square_root(uint32_t x)',
    '{',
    [
      'uint32_t root = 0u;',
      'uint32_t bit;',
      'for (bit = 32768u; bit > 0u; bit >>= 1) {',
      ['const uint32_t next = root + bit;', 'if (next * next <= x) {', ['root = next;'], '}'],
      '}',
      'return root;',
    ],
    '}',
    '',
  ],
  order: [
    '/* Floats by their bits: integers in the same order. 0 and -0 are both -1 here; a NaN comes before all. */',
    'static int32_t float_order(float x)',
    '{',
    [
      'union {',
      ['float f;', 'uint32_t u;'],
      '} same;',
      'uint32_t magnitude;',
      'same.f = x;',
      'magnitude = same.u & 0x7fffffffu;',
      'if (magnitude > 0x7f800000u) {',
      ['return -2147483647 - 1;'],
      '}',
      'if (magnitude == 0u) {',
      ['return -1;'],
      '}',
      'return same.u == magnitude ? (int32_t)magnitude : -1 - (int32_t)magnitude;',
    ],
    '}',
    '',
  ],
};

const ORDER: ReadonlyArray<Helper> = ['shift', 'bits', 'sqrt', 'order'];

/** The helpers that a program needs, each once. */
export const helperCode = (needed: ReadonlySet<Helper>): Code =>
  ORDER.flatMap((h) => (needed.has(h) ? HELPERS[h] : []));
