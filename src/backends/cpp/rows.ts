/** Rows of constants by channel: equal rows are kept once. */
import type { TypedArray } from '../../ir/element.js';
import type { Dialect } from './stage.js';
import { type Table, tableOf } from './table.js';

export interface SharedRows {
  readonly tables: ReadonlyArray<Table>;
  /** Where the row of a channel begins, as code; empty where all channels share one row. */
  readonly start: (d: Dialect, channel: string) => string;
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
    const start = (_: Dialect, channel: string): string => (width === 1 ? channel : `${channel} * ${width}`);
    return { tables: [table], start, table, width, perChannel: true };
  }
  const index = tableOf(`${name}_row`, which);
  return {
    tables: [table, index],
    start: (d, channel) => {
      const row = d.table(index).read('', channel);
      return width === 1 ? row : `${row} * ${width}`;
    },
    table,
    width,
    perChannel: true,
  };
};
