/** Elementwise ops as kernels: what an element is, written in WGSL. */
import { match } from 'ts-pattern';
import { type ElementCode, type Expr, everyPart, isPerChannel, type Rows } from '../../../code/expr.js';
import { channelsOf, sizeOf, type ValueType } from '../../../ir/types.js';
import { SPLIT_BITS } from '../../../numeric/fixed-point.js';
import { orderOf } from '../../../numeric/float-order.js';
import type { KernelSummary } from '../../shared/manifest.js';
import {
  type Access,
  channelOf,
  constantAt,
  each,
  i,
  type LibraryName,
  type Part,
  signed,
  type Text,
  u,
  unsigned,
} from '../kernel.js';
import { entryBits, floatBits, integers, packed, type Section, signedBits, wordsOf } from '../words.js';

export interface Emitted {
  readonly parts: ReadonlyArray<Part>;
  readonly form: KernelSummary['form'];
  readonly bits?: number;
}

/** Integers packed into words, and how one is read as an i32; `at` is a u32. */
interface Packing {
  readonly section: Section;
  readonly read: (first: Text, at: Text) => Text;
  readonly uses: ReadonlyArray<LibraryName>;
}

const packing = (data: Int32Array): Packing => {
  const isUnsigned = data.every((v) => v >= 0);
  const most = data.reduce((a, v) => Math.max(a, v), 0);
  const bits = isUnsigned ? Math.max(8, entryBits(most)) : signedBits(data);
  if (bits === 8 || bits === 16) {
    const use = `entry${bits}` as const;
    return {
      section: packed(data, bits),
      read: (first, at) => (isUnsigned ? `i32(${use}(${first}, ${at}))` : `signed${bits}(${first}, ${at})`),
      uses: [use],
    };
  }
  return {
    section: integers(data),
    read: (first, at) => signed(constantAt(`${first} + ${at}`)),
    uses: [],
  };
};

interface Stored {
  /** By the table of the expression: its section, and how it is read. */
  readonly at: ReadonlyMap<unknown, { readonly section: number; readonly packing: Packing }>;
  readonly sections: ReadonlyArray<Section>;
  readonly uses: ReadonlyArray<LibraryName>;
}

const storedTables = (e: Expr): Stored => {
  const at = new Map<unknown, { section: number; packing: Packing }>();
  const uses: LibraryName[] = [];
  const keep = (key: unknown, made: Packing): void => {
    if (at.has(key)) return;
    at.set(key, { section: at.size, packing: made });
    uses.push(...made.uses);
  };
  /** Lists that are searched lie one to a word. */
  const searched = (data: Int32Array, ...names: ReadonlyArray<LibraryName>): Packing => ({
    section: integers(data),
    read: (first) => first,
    uses: ['countAtMost', ...names],
  });
  for (const part of everyPart(e)) {
    if (part.kind === 'constant' || part.kind === 'entry') keep(part.table, packing(part.table.data));
    if (part.kind === 'count') keep(part.thresholds, searched(part.thresholds.data));
    if (part.kind === 'countFloats') {
      // Both zeros have one place in the order.
      const orders = Int32Array.from(part.thresholds.data, (t) => (t === 0 ? -1 : orderOf(t)));
      keep(part.thresholds, searched(orders, 'floatOrder'));
    }
  }
  return { at, sections: [...at.values()].map(({ packing: { section } }) => section), uses };
};

/** An expression as statements, and the i32 that they leave; `item` is the element, `channel` its channel. */
const written = (
  access: Access,
  stored: Stored,
  e: Expr,
): { readonly code: ReadonlyArray<Text>; readonly value: Text } => {
  const code: Text[] = [];
  const named = (value: Text): Text => {
    const name = `v${code.length}`;
    code.push(`let ${name} = ${value};`);
    return name;
  };
  const tableOf = (table: unknown) => {
    const { section, packing: own } = stored.at.get(table)!;
    return { first: access.section(section), read: own.read };
  };
  const index = ({ rows, width }: Pick<Rows, 'rows' | 'width'>, column: Text): Text =>
    rows === 1 ? column : width === 1 ? 'channel' : `channel * ${u(width)} + ${column}`;
  const search = (table: Pick<Rows, 'rows' | 'width'>, key: Text): Text => {
    const { first } = tableOf(table);
    const from = table.rows === 1 ? first : `${first} + ${u(table.width)} * channel`;
    return `count_at_most(${from}, ${u(table.width)}, ${key})`;
  };
  /** As u32, which indices are. */
  const word = (part: Expr): Text =>
    part.kind === 'operand' ? access.word(part.index, 'item') : `u32(${of(part)})`;
  const of = (part: Expr): Text =>
    match(part)
      .with({ kind: 'literal' }, ({ value }) => i(value))
      .with({ kind: 'operand' }, (o) => signed(access.word(o.index, 'item')))
      .with({ kind: 'constant' }, ({ table }) => {
        const { first, read } = tableOf(table);
        return read(first, index(table, '0u'));
      })
      .with({ kind: 'entry' }, ({ table, at }) => {
        const { first, read } = tableOf(table);
        return read(first, index(table, word(at)));
      })
      .with({ kind: 'count' }, ({ thresholds, key }) => search(thresholds, of(key)))
      .with({ kind: 'countFloats' }, ({ thresholds, index: k }) =>
        search(thresholds, `float_order(${access.word(k, 'item')})`),
      )
      .with({ kind: 'add' }, ({ a, b }) => `(${of(a)} + ${of(b)})`)
      .with({ kind: 'subtract' }, ({ a, b }) => `(${of(a)} - ${of(b)})`)
      .with({ kind: 'multiply' }, ({ a, b }) => `(${of(a)} * ${of(b)})`)
      .with({ kind: 'least' }, ({ a, b }) => `min(${of(a)}, ${of(b)})`)
      .with({ kind: 'greatest' }, ({ a, b }) => `max(${of(a)}, ${of(b)})`)
      .with({ kind: 'scaled' }, ({ value, mul, shift, product }) => {
        if (product === 'narrow')
          return `((${of(value)} * ${of(mul)} + ${i(2 ** (shift - 1))}) >> ${u(shift)})`;
        const [v, m] = [named(of(value)), named(of(mul))];
        const high = named(`(${v} >> ${u(SPLIT_BITS)}) * ${m}`);
        const low = named(`((${v} & ${i(2 ** SPLIT_BITS - 1)}) * ${m}) >> ${u(SPLIT_BITS)}`);
        return `((${high} + ${low} + ${i(2 ** (shift - 1 - SPLIT_BITS))}) >> ${u(shift - SPLIT_BITS)})`;
      })
      .exhaustive();
  return { value: of(e), code };
};

/** The kernel of an elementwise op with a result of a type. */
export const elementKernel = ({ value: e, scale, form, bits }: ElementCode, type: ValueType): Emitted => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  const stored = storedTables(e);
  const scales = scale === undefined ? [] : typeof scale === 'number' ? [scale] : scale.data;
  const sections = [...stored.sections, ...(scale === undefined ? [] : [floatBits(scales)])];
  return {
    form,
    ...(bits === undefined ? {} : { bits }),
    parts: each(
      length,
      wordsOf(sections),
      (access) => {
        const { code, value } = written(access, stored, e);
        const factor = `${access.section(stored.sections.length)}${scales.length === 1 ? '' : ' + channel'}`;
        return [
          ...(isPerChannel(e) || scales.length > 1
            ? [`let channel = ${channelOf('item', channels, length)};`]
            : []),
          ...code,
          access.store(
            'item',
            scale === undefined ? unsigned(value) : `times_scale(${value}, ${constantAt(factor)})`,
          ),
        ];
      },
      [...stored.uses, ...(scale === undefined ? [] : ['timesScale' as const])],
    ),
  };
};
