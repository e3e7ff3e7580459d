/**
 * Where the tables of C programs lie. Most linkers put constants into flash, where they are read like all memory. AVR copies
 * them into its RAM unless they have an attribute, and reads flash with instructions of its own; where it has more than
 * 64 KiB of it, with addresses of more than 16 bits.
 */
import type { Code } from '../cpp/code.js';

/** Stands before the declaration of a table. */
export const FLASH = 'KANC_FLASH';

const ELEMENTS = [
  ['I8', 'int8_t', 'byte', ''],
  ['U8', 'uint8_t', 'byte', ''],
  ['I16', 'int16_t', 'word', ' * 2u'],
  ['U16', 'uint16_t', 'word', ' * 2u'],
  ['I32', 'int32_t', 'dword', ' * 4u'],
  ['U32', 'uint32_t', 'dword', ' * 4u'],
  ['F32', 'float', 'float', ' * 4u'],
] as const;

/** An element of a table of a C type. */
export const flashRead = (ctype: string, table: string, at: string): string => {
  const known = ELEMENTS.find(([, type]) => type === ctype);
  return known === undefined ? `${table}[${at}]` : `KANC_${known[0]}(${table}, ${at})`;
};

/** The macros that declare and read tables. */
export const flashCode: Code = [
  '/* Tables lie in flash. On AVR that takes an attribute, and instructions of their own to read them. */',
  '#ifdef __AVR__',
  '#include <avr/pgmspace.h>',
  `#define ${FLASH} PROGMEM`,
  '#ifdef pgm_read_byte_far',
  ...ELEMENTS.map(
    ([name, ctype, unit, size]) =>
      `#define KANC_${name}(table, at) ((${ctype})pgm_read_${unit}_far(pgm_get_far_address(table) + (uint32_t)(at)${size}))`,
  ),
  '#else',
  ...ELEMENTS.map(
    ([name, ctype, unit]) => `#define KANC_${name}(table, at) ((${ctype})pgm_read_${unit}((table) + (at)))`,
  ),
  '#endif',
  '#else',
  `#define ${FLASH}`,
  ...ELEMENTS.map(([name]) => `#define KANC_${name}(table, at) ((table)[at])`),
  '#endif',
  '',
];
