/** Constant tables, and rows of them: as narrow as their entries allow, packed below a byte where a target asks for it. */
import type { TypedArray } from '../../ir/element.js';
import { type Code, numberLines, rangeOf } from './code.js';

/** What integers a thing holds: `bits` wide, with a sign or without. */
export interface IntegerType {
  readonly signed: boolean;
  readonly bits: number;
}

export interface Table {
  /** Unique in a program. */
  readonly name: string;
  readonly data: TypedArray;
  /** Entries that are read together: rows begin at multiples of it. */
  readonly row: number;
  readonly type: IntegerType;
}

/** The narrowest type for integers of [lo, hi], at least one bit; signed where some are negative. */
export const integerType = (lo: number, hi: number): IntegerType => {
  let bits = 1;
  if (lo >= 0) {
    while (bits < 32 && hi >= 2 ** bits) bits++;
    return { signed: false, bits };
  }
  while (bits < 32 && (lo < -(2 ** (bits - 1)) || hi >= 2 ** (bits - 1))) bits++;
  return { signed: true, bits };
};

export const tableOf = (name: string, data: TypedArray, row = 1): Table => ({
  name,
  data,
  row,
  type: integerType(...rangeOf(data)),
});

/** How a table lies in memory. */
export interface TableForm {
  readonly ctype: string;
  /** Entries of a byte: 1 where nothing is packed. */
  readonly perByte: 1 | 2 | 4;
  readonly bytes: number;
  /** Elements of the array. */
  readonly length: number;
  /** The entry at an index, as an int32_t; for packed tables `row` is the index of the first byte of a row. */
  readonly read: (base: string, offset: string) => string;
  /** The element of the array at an index, in its own type. */
  readonly element: (at: string) => string;
}

const sum = (base: string, offset: string): string =>
  base === '' ? offset : offset === '0' ? base : `${base} + ${offset}`;

/** The C type of the machine that holds an integer type. */
export const machineType = ({ signed, bits }: IntegerType): string =>
  `${signed ? '' : 'u'}int${bits <= 8 ? 8 : bits <= 16 ? 16 : 32}_t`;

export const machineBytes = ({ bits }: IntegerType): number => (bits <= 8 ? 1 : bits <= 16 ? 2 : 4);

/** Entries of a byte when rows of `row` entries are packed: few bits, and rows that end with a byte. */
const packing = ({ type: { bits }, row }: Table): 1 | 2 | 4 => {
  if (bits <= 2 && row % 4 === 0) return 4;
  return bits <= 4 && row % 2 === 0 ? 2 : 1;
};

/** How an element of a type is read from an array. */
export type ElementRead = (ctype: string, array: string, at: string) => string;

export const tableForm = (
  table: Table,
  pack: boolean,
  readElement: ElementRead = (_, array, at) => `${array}[${at}]`,
): TableForm => {
  const perByte = pack ? packing(table) : 1;
  const { name, type, data } = table;
  const ctype = perByte === 1 ? machineType(type) : 'uint8_t';
  const element = (at: string): string => readElement(ctype, name, at);
  if (perByte === 1) {
    return {
      ctype,
      perByte,
      bytes: data.length * machineBytes(type),
      length: data.length,
      read: (base, offset) => `(int32_t)${element(sum(base, offset))}`,
      element,
    };
  }
  const bits = 8 / perByte;
  const [mask, middle] = [2 ** bits - 1, type.signed ? 2 ** (bits - 1) : 0];
  const [shift, part] = [Math.log2(perByte), Math.log2(bits)];
  return {
    ctype,
    perByte,
    bytes: data.length / perByte,
    length: data.length / perByte,
    // Entries are stored with their middle added, so that they come without a sign; low bits first.
    read: (base, offset) => {
      const at = `(${sum(base, offset)})`;
      const code = `(int32_t)((${element(`${at} >> ${shift}`)} >> ((${at} & ${perByte - 1}) << ${part})) & ${mask}u)`;
      return middle === 0 ? code : `(${code} - ${middle})`;
    },
    element,
  };
};

/** The elements of the array that holds a table. */
const stored = (table: Table, perByte: number): TypedArray => {
  if (perByte === 1) return table.data;
  const bits = 8 / perByte;
  const middle = table.type.signed ? 2 ** (bits - 1) : 0;
  const bytes = new Uint8Array(table.data.length / perByte);
  for (let k = 0; k < table.data.length; k++) {
    bytes[Math.floor(k / perByte)]! |= (table.data[k]! + middle) << ((k % perByte) * bits);
  }
  return bytes;
};

/** `static const int8_t name[n] = { ... };`, after what says where it lies, if anything does. */
export const tableCode = (table: Table, { ctype, length, perByte }: TableForm, place = ''): Code => [
  `${place === '' ? '' : `${place} `}static const ${ctype} ${table.name}[${length}] = {`,
  numberLines(stored(table, perByte)),
  '};',
];

/** Rows of constants by channel: equal rows are kept once. */
export interface SharedRows {
  readonly tables: ReadonlyArray<Table>;
  /** Where the row of a channel begins, as code; empty where all channels share one row. */
  readonly start: (form: (table: Table) => TableForm, channel: string) => string;
  readonly table: Table;
  readonly width: number;
  /** Whether the row depends on the channel. */
  readonly perChannel: boolean;
}

/** The distinct rows of `data`, and for each row which of them it is. */
const distinctRows = (
  data: TypedArray,
  rows: number,
  width: number,
): { readonly firsts: ReadonlyArray<number>; readonly which: Uint32Array } => {
  const seen = new Map<string, number>();
  const firsts: number[] = [];
  const which = new Uint32Array(rows);
  for (let r = 0; r < rows; r++) {
    const key = data.subarray(r * width, (r + 1) * width).join();
    const known = seen.get(key);
    if (known === undefined) {
      seen.set(key, firsts.length);
      which[r] = firsts.length;
      firsts.push(r);
    } else {
      which[r] = known;
    }
  }
  return { firsts, which };
};

/** `data`: [rows, width], one row for all channels or one for each. */
export const shareRows = (name: string, data: TypedArray, rows: number, width: number): SharedRows => {
  const { firsts, which } = distinctRows(data, rows, width);
  const kept = new Int32Array(firsts.length * width);
  for (const [k, r] of firsts.entries()) kept.set(data.subarray(r * width, (r + 1) * width), k * width);
  const table = tableOf(name, kept, width);
  if (firsts.length === 1) return { tables: [table], start: () => '', table, width, perChannel: false };
  if (firsts.length === rows) {
    const start = (_: unknown, channel: string): string => (width === 1 ? channel : `${channel} * ${width}`);
    return { tables: [table], start, table, width, perChannel: true };
  }
  const index = tableOf(`${name}_row`, which);
  return {
    tables: [table, index],
    start: (form, channel) => {
      const row = form(index).read('', channel);
      return width === 1 ? row : `${row} * ${width}`;
    },
    table,
    width,
    perChannel: true,
  };
};
