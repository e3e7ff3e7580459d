/**
 * Edge tables: a row of the table for every input and code, added.
 *
 * An item is a few words of a row, of 8, 4 or 2 outputs each. Entries are stored minus the smallest of their slab, so that they
 * are unsigned, and are added in pairs of 16 bits, without unpacking: `(word >> shift) & mask` holds one output in the
 * low half and another in the high half. Before 16 bits could overflow, the pairs are added to sums of 32 bits. What
 * was subtracted is a constant of each output and joins its bias.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { TableEdgeAttrs } from '../../../ir/ops/table-edge.js';
import { slabOf } from '../../../ir/ops/table-edge.js';
import type { ValueType } from '../../../ir/types.js';
import {
  type Access,
  constantAt,
  type Emitted,
  type Part,
  type Sum,
  signed,
  type Text,
  u,
  unsigned,
} from '../kernel.js';
import { type EntryBits, entryBits, integers, type Section, wordsOf } from '../words.js';
import { type LayerSource, layerSource, splitTaps } from './layer-source.js';

/** What the packing of a table needs to know. */
interface Packing {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly width: number;
  readonly bits: EntryBits;
  /** Words of a row, and how many of them make an item. */
  readonly rowWords: number;
  readonly itemWords: number;
  /** Smallest entry of each slab. */
  readonly least: Float64Array;
}

/** Sums of an item: they stay in registers. */
const MOST_SUMS = 16;

const packingOf = (a: TableEdgeAttrs): Packing => {
  const [slabs, rows, width] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const { data } = a.table;
  const least = new Float64Array(slabs);
  let span = 0;
  for (let s = 0; s < slabs; s++) {
    let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = s * rows * width; k < (s + 1) * rows * width; k++) {
      lo = Math.min(lo, data[k]!);
      hi = Math.max(hi, data[k]!);
    }
    least[s] = lo;
    span = Math.max(span, hi - lo);
  }
  const bits = entryBits(span);
  const rowWords = Math.ceil((width * bits) / 32);
  const itemWords = [4, 3, 2].find((n) => rowWords % n === 0 && (n * 32) / bits <= MOST_SUMS) ?? 1;
  return { data, rows, width, bits, rowWords, itemWords, least };
};

/** [slab, code, word] for slabs in the given order. */
const tableWords = (p: Packing, slabs: ArrayLike<number>): Section => {
  const length = slabs.length * p.rows * p.rowWords;
  return {
    length,
    make: () => {
      const words = new Uint32Array(length);
      const each = 32 / p.bits;
      let row = 0;
      for (let k = 0; k < slabs.length; k++) {
        const slab = slabs[k]!;
        const least = p.least[slab]!;
        for (let c = 0; c < p.rows; c++, row += p.rowWords) {
          const from = (slab * p.rows + c) * p.width;
          for (let o = 0; o < p.width; o++) {
            const word = row + Math.floor(o / each);
            words[word] = words[word]! | ((p.data[from + o]! - least) << (p.bits * (o % each)));
          }
        }
      }
      return words;
    },
  };
};

/** `limit`: words that the constants of one dispatch may have. */
export const edgeTables = (
  a: TableEdgeAttrs,
  operand: ValueType,
  type: ValueType,
  limit: number,
): Checked<Emitted> => {
  const source = layerSource(a.window, operand, type);
  const p = packingOf(a);
  const slabWords = p.rows * p.rowWords;
  // What every part has beside its table: where accumulators start, and the list of a window.
  const beside = source.groups * p.width + (source.section?.length ?? 0);
  const room = Math.max(0, limit - beside);
  const whole = p.least.length * slabWords + (a.slabs?.data.length ?? 0) <= room;
  const split = whole ? [[0, source.taps] as const] : splitTaps(source.taps, slabWords * source.groups, room);
  if (split === undefined) {
    return fail('K0605', `the table of one input has ${slabWords * source.groups * 4} bytes`, {
      expected: `at most ${room * 4}, beside ${beside * 4} of other constants`,
      hint: 'Lower the bits of the activations, or choose the basis form.',
    });
  }
  const parts = split.map(([from, to], k) => partOf(a, p, source, { from, to, first: k === 0, whole }));
  return E.right({
    form: `${32 / p.bits} to a word${split.length === 1 ? '' : `, in ${split.length} parts`}`,
    bits: p.bits,
    parts,
  });
};

interface Range {
  readonly from: number;
  readonly to: number;
  /** The first part starts with the bias, others with what is there. */
  readonly first: boolean;
  /** Whether the part holds all slabs, in their order, and not those of its inputs. */
  readonly whole: boolean;
}

// Long: one dispatch, its constants beside the text that reads them.
const partOf = (a: TableEdgeAttrs, p: Packing, source: LayerSource, range: Range): Part => {
  const { groups, taps } = source;
  const { from, to } = range;
  const slabs = range.whole
    ? Array.from(p.least, (_, s) => s)
    : Array.from({ length: groups * (to - from) }, (_, k) =>
        slabOf(a, Math.floor(k / (to - from)) * taps + from + (k % (to - from))),
      );
  // Where accumulators start: the bias, and what was taken from the entries of all inputs.
  const starts = new Float64Array(groups * p.width);
  for (let g = 0; g < groups; g++) {
    let taken = 0;
    for (let t = from; t < to; t++) taken += p.least[slabOf(a, g * taps + t)]!;
    for (let o = 0; o < p.width; o++) {
      const bias = range.first ? (a.bias?.data[g * p.width + o] ?? 0) : 0;
      starts[g * p.width + o] = bias + taken;
    }
  }
  const listed = range.whole && a.slabs !== undefined;
  const sections: Section[] = [integers(starts)];
  const tapsAt = source.section === undefined ? -1 : sections.push(source.section) - 1;
  const slabsAt = listed ? sections.push(integers(a.slabs?.data ?? [])) - 1 : -1;
  const tableAt = sections.push(tableWords(p, slabs)) - 1;

  const slabText = (access: Access): Text => {
    const input = groups === 1 ? 'tap' : `group * ${u(range.whole ? taps : to - from)} + tap`;
    const own = range.whole || from === 0 ? input : `${input} - ${u(from)}`;
    return listed ? constantAt(`${access.section(slabsAt)} + ${input}`) : own;
  };
  const sums = (p.itemWords * 32) / p.bits;
  const columns = p.rowWords / p.itemWords;
  const form: Sum = {
    kind: 'sum',
    items: source.positions * groups * columns,
    width: sums,
    inputs: to - from,
    partial: (access, slices) => [
      ...itemParts(source, columns),
      ...source.prepare,
      ...addRows(p, { from, to, slices }, [
        ...source.read(access, tapsAt, p.rows - 1),
        `let row = (${slabText(access)}) * ${u(p.rows)} + code;`,
        `let first = ${access.section(tableAt)} + row * ${u(p.rowWords)} + column${p.itemWords === 1 ? '' : ` * ${u(p.itemWords)}`};`,
      ]),
    ],
    finish: (access) => [
      ...itemParts(source, columns),
      `let output = column * ${u(sums)};`,
      ...Array.from({ length: sums }, (_, k) => k).flatMap((k) => storeSum(access, k)),
    ],
  };
  /** Output k of an item. The last word of a row may have room for more outputs than there are. */
  const storeSum = (access: Access, k: number): ReadonlyArray<Text> => {
    const output = k === 0 ? 'output' : `output + ${u(k)}`;
    const channel = groups === 1 ? output : `group * ${u(p.width)} + ${output}`;
    const at = source.positions === 1 ? channel : `(${channel}) * ${u(source.positions)} + position`;
    const start = signed(constantAt(`${access.section(0)} + ${channel}`));
    const sum = range.first ? `${start} + sums[${k}]` : `${start} + ${signed(access.own(at))} + sums[${k}]`;
    const store = access.store(at, unsigned(sum));
    return [columns * sums === p.width ? store : `if (${output} < ${u(p.width)}) { ${store} }`];
  };
  return { form, words: wordsOf(sections), uses: [] };
};

/** `column`, `group` and `position` of an item of `columns` columns. */
export const itemParts = ({ groups, positions }: LayerSource, columns: number): ReadonlyArray<Text> => [
  `let column = ${columns === 1 ? '0u' : groups * positions === 1 ? 'item' : `item % ${u(columns)}`};`,
  ...(groups === 1 ? [] : [`let group = item / ${u(columns)} % ${u(groups)};`]),
  `let position = ${positions === 1 ? '0u' : `item / ${u(columns * groups)}`};`,
];

interface Taps {
  readonly from: number;
  readonly to: number;
  readonly slices: number;
}

/** The loop over inputs: `read` declares `first`, the first word of the item. */
const addRows = ({ bits, itemWords }: Packing, t: Taps, read: ReadonlyArray<Text>): ReadonlyArray<Text> => {
  const indent = (lines: ReadonlyArray<Text>): ReadonlyArray<Text> => lines.map((line) => `  ${line}`);
  const start = t.from === 0 ? 'slice' : `${u(t.from)} + slice`;
  const words = Array.from({ length: itemWords }, (_, w) => w);
  const load = words.map((w) => `let word${w} = ${constantAt(w === 0 ? 'first' : `first + ${u(w)}`)};`);
  const loop = (head: Text, end: Text, add: ReadonlyArray<Text>): ReadonlyArray<Text> => [
    `for (${head}; tap < ${end}; tap += ${u(t.slices)}) {`,
    ...indent([...read, ...load, ...add]),
    '}',
  ];
  if (bits === 32) {
    const add = words.map((w) => `sums[${w}] += bitcast<i32>(word${w});`);
    return loop(`var tap = ${start}`, u(t.to), add);
  }
  if (bits === 16) {
    const add = words.flatMap((w) => [
      `sums[${2 * w}] += i32(word${w} & 0xffffu);`,
      `sums[${2 * w + 1}] += i32(word${w} >> 16u);`,
    ]);
    return loop(`var tap = ${start}`, u(t.to), add);
  }
  // Pair k of a word holds its entries k and k + pairs.
  const pairs = 16 / bits;
  const all = words.flatMap((w) =>
    Array.from({ length: pairs }, (_, k) => ({ w, k, name: `pair${w * pairs + k}` })),
  );
  const mask = bits === 8 ? '0x00ff00ffu' : '0x000f000fu';
  const add = all.map(
    ({ w, k, name }) => `${name} += ${k === 0 ? `word${w}` : `(word${w} >> ${u(bits * k)})`} & ${mask};`,
  );
  const flush = all.flatMap(({ w, k, name }) => [
    `sums[${2 * w * pairs + k}] += i32(${name} & 0xffffu);`,
    `sums[${2 * w * pairs + k + pairs}] += i32(${name} >> 16u);`,
  ]);
  const fitting = Math.floor(65535 / (2 ** bits - 1)) * t.slices;
  const declare = all.map(({ name }) => `var ${name} = 0u;`);
  if (t.to - t.from <= fitting) {
    return [...declare, ...loop(`var tap = ${start}`, u(t.to), add), ...flush];
  }
  return [
    `var tap = ${start};`,
    `while (tap < ${u(t.to)}) {`,
    ...indent([
      ...declare,
      `let end = min(${u(t.to)}, tap + ${u(fitting)});`,
      ...loop('', 'end', add),
      ...flush,
    ]),
    '}',
  ];
};
