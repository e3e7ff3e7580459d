/** Kernels that compute every element by itself: expressions of src/code as WGSL, in integers of 32 bits. */
import { match } from 'ts-pattern';
import {
  type BinaryOp,
  type Expr,
  nodesOf,
  type Rows,
  type Scaled,
  type Value,
} from '../../../code/language.js';
import { channelsOf, sizeOf, type ValueType } from '../../../ir/types.js';
import { SPLIT_BITS } from '../../../numeric/fixed-point.js';
import {
  type Access,
  channelOf,
  constantAt,
  type Emitted,
  each,
  i,
  type LibraryName,
  type Text,
  u,
} from '../kernel.js';
import { floatBits, integers, packed, type Section, signedBits, wordsOf } from '../words.js';

/** Rows as a section of constants, and how an expression reads them. */
interface Table {
  readonly rows: Rows;
  readonly section: Section;
  readonly uses: ReadonlyArray<LibraryName>;
  readonly bits?: number;
  /** `at`: the entry, as u32. */
  readonly read: (section: Text, at: Text) => Typed;
}

/** An expression with its type; both convert into one another bit by bit. */
interface Typed {
  readonly type: 'i32' | 'u32';
  readonly text: Text;
}

const asI32 = ({ type, text }: Typed): Text => (type === 'i32' ? text : `i32(${text})`);
const asU32 = ({ type, text }: Typed): Text => (type === 'u32' ? text : `u32(${text})`);

const byWords = (rows: Rows): Table => ({
  rows,
  section: integers(rows.data),
  uses: [],
  read: (section, at) => ({ type: 'i32', text: `bitcast<i32>(${constantAt(`${section} + ${at}`)})` }),
});

/** A number for each channel is a word; tables are packed. */
const entryTable = (rows: Rows): Table => {
  const isUnsigned = rows.data.every((entry: number) => entry >= 0);
  const bits = signedBits(isUnsigned ? rows.data.map((entry: number) => entry >> 1) : rows.data);
  if (rows.width === 1) return byWords(rows);
  if (bits === 32) return { ...byWords(rows), bits };
  return {
    rows,
    section: packed(rows.data, bits),
    uses: [bits === 8 ? 'entry8' : 'entry16'],
    bits,
    read: (section, at) =>
      isUnsigned
        ? { type: 'u32', text: `entry${bits}(${section}, ${at})` }
        : { type: 'i32', text: `signed${bits}(${section}, ${at})` },
  };
};

/** Signed integers turned into u32 that ascend alike. */
const KEY_BIT = 0x80000000;

const rankTable = (rows: Rows): Table => ({
  rows,
  section: {
    length: rows.data.length,
    make: () => Uint32Array.from(rows.data, (threshold: number) => threshold ^ KEY_BIT),
  },
  uses: ['countAtMost'],
  read: (section, key) => ({ type: 'u32', text: `count_at_most(${section}, ${u(rows.width)}, ${key})` }),
});

const factorTable = (rows: Rows): Table => ({
  rows,
  section: floatBits(rows.data),
  uses: ['timesScale'],
  read: (section, at) => ({ type: 'u32', text: constantAt(`${section} + ${at}`) }),
});

const tablesOf = (value: Value): ReadonlyArray<Table> => {
  const found = new Map<Rows, Table>();
  for (const node of nodesOf(value)) {
    if (node._tag === 'entry') found.set(node.rows, entryTable(node.rows));
    else if (node._tag === 'rank') found.set(node.rows, rankTable(node.rows));
    else if (node._tag === 'float') found.set(node.factor, factorTable(node.factor));
  }
  return [...found.values()];
};

/** What an expression is written with: `lines` gathers the statements that stand before its text. */
interface Writer {
  readonly access: Access;
  readonly operands: ReadonlyArray<ValueType>;
  readonly tables: ReadonlyArray<Table>;
  readonly lines: Text[];
}

const sectionOf = (w: Writer, rows: Rows): { readonly table: Table; readonly first: Text } => {
  const k = w.tables.findIndex((table) => table.rows === rows);
  return { table: w.tables[k]!, first: w.access.section(k) };
};

/** A variable of its own for a value that is read more than once. */
const named = (w: Writer, wish: Text, text: Text): Text => {
  const name = `${wish}_${w.lines.length}`;
  w.lines.push(`let ${name} = ${text};`);
  return name;
};

const textOf = (w: Writer, e: Expr): Typed =>
  match(e)
    .with({ _tag: 'literal' }, ({ value }): Typed => ({ type: 'i32', text: i(value) }))
    .with({ _tag: 'element' }, ({ operand }): Typed => {
      const word = w.access.word(operand, 'item');
      return w.operands[operand]!.element.kind === 'int'
        ? { type: 'i32', text: `bitcast<i32>(${word})` }
        : { type: 'u32', text: word };
    })
    .with({ _tag: 'order' }, (o): Typed => ({ type: 'u32', text: `(${keyOf(w, o)} ^ ${u(KEY_BIT)})` }))
    .with({ _tag: 'entry' }, ({ rows, at }) => {
      const { table, first } = sectionOf(w, rows);
      const index = asU32(at._tag === 'literal' ? { type: 'u32', text: u(at.value) } : textOf(w, at));
      if (rows.rows === 1) return table.read(first, index);
      return table.read(first, rows.width === 1 ? 'channel' : `channel * ${u(rows.width)} + ${index}`);
    })
    .with({ _tag: 'rank' }, ({ rows, of }) => {
      const { table, first } = sectionOf(w, rows);
      const row = rows.rows === 1 ? first : `${first} + channel * ${u(rows.width)}`;
      return table.read(row, keyOf(w, of));
    })
    .with(
      { _tag: 'binary' },
      ({ op, left, right }): Typed => ({
        type: 'i32',
        text: BINARY[op](asI32(textOf(w, left)), asI32(textOf(w, right))),
      }),
    )
    .with({ _tag: 'choose' }, ({ when, left, right, yes, no }): Typed => {
      const [a, b, c, d] = [left, right, yes, no].map((part) => asI32(textOf(w, part)));
      return { type: 'i32', text: `select(${d}, ${c}, ${a} ${when === 'less' ? '<' : '=='} ${b})` };
    })
    .with({ _tag: 'scaled' }, (s): Typed => ({ type: 'u32', text: scaledText(w, s) }))
    .exhaustive();

const infix =
  (sign: string) =>
  (a: Text, b: Text): Text =>
    `(${a} ${sign} ${b})`;

const BINARY: Readonly<Record<BinaryOp, (a: Text, b: Text) => Text>> = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  and: infix('&'),
  min: (a, b) => `min(${a}, ${b})`,
  max: (a, b) => `max(${a}, ${b})`,
  shl: (a, b) => `(${a} << u32(${b}))`,
  shr: (a, b) => `(${a} >> u32(${b}))`,
};

/** An integer as a u32 that ascends with it. */
const keyOf = (w: Writer, e: Expr): Text =>
  e._tag === 'order'
    ? `float_key(${w.access.word(e.operand, 'item')})`
    : `(${asU32(textOf(w, e))} ^ ${u(KEY_BIT)})`;

/** In the form that numeric/fixed-point.ts proves. */
const scaledText = (w: Writer, { of, mul, most, shift, top, form }: Scaled): Text => {
  const [from, factor, bound] = [of, mul, most].map((part) => asI32(textOf(w, part)));
  // Clamped first: outside of these bounds the code no longer changes, and inside all is below 2^31.
  const value = named(w, 'value', `u32(clamp(${from}, 0i, ${bound}))`);
  const by = named(w, 'mul', `u32(${factor})`);
  if (form === 'narrow') return `min((${value} * ${by} + ${u(2 ** (shift - 1))}) >> ${u(shift)}, ${u(top)})`;
  const high = named(w, 'high', `(${value} >> ${u(SPLIT_BITS)}) * ${by}`);
  const low = named(w, 'low', `((${value} & ${u(2 ** SPLIT_BITS - 1)}) * ${by}) >> ${u(SPLIT_BITS)}`);
  return `min((${high} + ${low} + ${u(2 ** (shift - 1 - SPLIT_BITS))}) >> ${u(shift - SPLIT_BITS)}, ${u(top)})`;
};

/** The word of a value. */
const wordOf = (w: Writer, value: Value): Text => {
  if (value._tag !== 'float') return asU32(textOf(w, value));
  const { table, first } = sectionOf(w, value.factor);
  const factor = table.read(first, value.factor.rows === 1 ? '0u' : 'channel');
  return `times_scale(${asI32(textOf(w, value.of))}, ${factor.text})`;
};

export const elementsKernel = (
  form: string,
  value: Value,
  operands: ReadonlyArray<ValueType>,
  type: ValueType,
): Emitted => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  const tables = tablesOf(value);
  const bits = tables.flatMap((table) => table.bits ?? []);
  const body = (access: Access): ReadonlyArray<Text> => {
    const w: Writer = { access, operands, tables, lines: [] };
    const word = wordOf(w, value);
    return [
      ...(tables.some(({ rows }) => rows.rows > 1)
        ? [`let channel = ${channelOf('item', channels, length)};`]
        : []),
      ...w.lines,
      access.store('item', word),
    ];
  };
  return {
    form,
    ...(bits.length === 0 ? {} : { bits: Math.max(...bits) }),
    parts: each(length, wordsOf(tables.map(({ section }) => section)), body, [
      ...tables.flatMap(({ uses }) => uses),
      ...(nodesOf(value).some((node) => node._tag === 'order') ? (['floatKey'] as const) : []),
    ]),
  };
};
