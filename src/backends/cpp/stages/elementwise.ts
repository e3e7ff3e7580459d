/** Elementwise ops as stages: what an element is, written in C. */
import { match } from 'ts-pattern';
import { type ElementCode, type Expr, everyPart, isPerChannel, type Rows } from '../../../code/expr.js';
import { orderOf } from '../../../numeric/float-order.js';
import { type Code, decimalLiteral, floatLiteral, literal, loop } from '../code.js';
import { type SharedRows, shareRows } from '../rows.js';
import { type Dialect, type Helper, load, type Slot, type Stage, store } from '../stage.js';

/** What a stage is told about its value. */
export interface StageBase {
  readonly name: string;
  /** The prefix of its tables. */
  readonly id: string;
  readonly comment: string;
  readonly inputs: ReadonlyArray<Slot>;
  readonly output: Slot;
  readonly channels: number;
}

/** A loop over all elements: `j` is the element, `c` its channel, which only some bodies need. */
export const elements = (d: Dialect, base: StageBase, perChannel: boolean, body: Code): Code => {
  const { length } = base.output;
  const { channels } = base;
  const pipeline = d.pragma('HLS PIPELINE II=1');
  if (!perChannel || channels === 1) {
    return loop('j', length, [...(perChannel ? ['const int32_t c = 0;'] : []), ...body], pipeline);
  }
  if (channels === length) return loop('j', length, ['const int32_t c = j;', ...body], pipeline);
  const inner = [`const int32_t j = p * ${channels} + c;`, ...body];
  return loop('p', length / channels, loop('c', channels, inner, pipeline));
};

/** The tables of an expression as they are stored, by the tables that it names. */
type Stored = ReadonlyMap<unknown, SharedRows>;

/** Thresholds of floats by the integers that order floats; both zeros have one place in the order. */
const ordersOf = (thresholds: Float32Array): Int32Array =>
  Int32Array.from(thresholds, (t) => (t === 0 ? -1 : orderOf(t)));

const storedTables = (id: string, e: Expr): Stored => {
  const stored = new Map<unknown, SharedRows>();
  const keep = (key: unknown, { name, data, rows, width }: Rows): void => {
    if (!stored.has(key)) stored.set(key, shareRows(`${id}_${name}`, data, rows, width));
  };
  for (const part of everyPart(e)) {
    if (part.kind === 'constant' || part.kind === 'entry') keep(part.table, part.table);
    if (part.kind === 'count') keep(part.thresholds, part.thresholds);
    if (part.kind === 'countFloats') {
      const { thresholds } = part;
      keep(thresholds, { ...thresholds, name: 'thresholds', data: ordersOf(thresholds.data) });
    }
  }
  return stored;
};

/** What must stand in parentheses inside of others. */
const OPEN: ReadonlySet<Expr['kind']> = new Set([
  'add',
  'subtract',
  'multiply',
  'least',
  'greatest',
  'scaled',
]);

/** An expression as statements and the value that they leave; `j` is the element, `c` its channel. */
const written = (d: Dialect, stored: Stored, e: Expr): { readonly code: Code; readonly value: string } => {
  const code: Array<Code[number]> = [];
  let names = 0;
  const named = (value: string): string => {
    if (/^\w+$/.test(value)) return value;
    const name = `v${names++}`;
    code.push(`const int32_t ${name} = ${value};`);
    return name;
  };
  /** A binary search of always as many steps: HLS unrolls loops of known length only. */
  const search = (table: unknown, count: number, key: string): string => {
    const rows = stored.get(table)!;
    const [name, row] = [`q${names++}`, rows.perChannel ? named(rows.start(d, 'c')) : ''];
    code.push(
      `int32_t ${name} = 0;`,
      `for (int32_t step = ${2 ** Math.floor(Math.log2(count))}; step > 0; step >>= 1) {`,
      [
        ...d.pragma('HLS UNROLL'),
        `const int32_t last = ${name} + step - 1;`,
        `if (last < ${count} && ${d.table(rows.table).read(row, 'last')} <= ${key}) {`,
        [`${name} += step;`],
        '}',
      ],
      '}',
    );
    return name;
  };
  const choice = (a: Expr, b: Expr, sign: '<' | '>'): string => {
    const [x, y] = [named(of(a)), named(of(b))];
    return `${x} ${sign} ${y} ? ${x} : ${y}`;
  };
  /** As a part of a larger expression. */
  const closed = (part: Expr): string => (OPEN.has(part.kind) ? `(${of(part)})` : of(part));
  const of = (part: Expr): string =>
    match(part)
      .with({ kind: 'literal' }, ({ value }) => literal(value))
      .with({ kind: 'operand' }, ({ index }) => load(`in${index}[j]`))
      .with({ kind: 'constant' }, ({ table }) => {
        const rows = stored.get(table)!;
        return d.table(rows.table).read(rows.start(d, 'c'), '0');
      })
      .with({ kind: 'entry' }, ({ table, at }) => {
        const rows = stored.get(table)!;
        return d.table(rows.table).read(rows.start(d, 'c'), closed(at));
      })
      .with({ kind: 'count' }, ({ thresholds, key }) => search(thresholds, thresholds.width, named(of(key))))
      .with({ kind: 'countFloats' }, ({ thresholds, index }) =>
        search(thresholds, thresholds.width, named(`float_order(in${index}[j])`)),
      )
      .with({ kind: 'add' }, ({ a, b }) => `${closed(a)} + ${closed(b)}`)
      .with({ kind: 'subtract' }, ({ a, b }) => `${of(a)} - ${closed(b)}`)
      .with({ kind: 'multiply' }, ({ a, b }) => `${closed(a)} * ${closed(b)}`)
      .with({ kind: 'least' }, ({ a, b }) => choice(a, b, '<'))
      .with({ kind: 'greatest' }, ({ a, b }) => choice(a, b, '>'))
      .with({ kind: 'scaled' }, ({ value, mul, shift, product }) => {
        const [v, m] = [named(of(value)), closed(mul)];
        return product === 'narrow'
          ? `(${v} * ${m} + ${2 ** (shift - 1)}) >> ${shift}`
          : `(int32_t)(((uint64_t)${v} * (uint64_t)${m} + ((uint64_t)1 << ${shift - 1})) >> ${shift})`;
      })
      .exhaustive();
  return { value: of(e), code };
};

const readsFloats = (e: Expr): boolean => everyPart(e).some(({ kind }) => kind === 'countFloats');

/** The stage of an elementwise op. */
export const elementStage = (base: StageBase, op: string, lowered: ElementCode): Stage => {
  const { value: e, scale, form, bits } = lowered;
  const stored = storedTables(base.id, e);
  const helpers: ReadonlyArray<Helper> = readsFloats(e) ? ['order'] : [];
  return {
    ...base,
    op,
    tables: [...stored.values()].flatMap(({ tables }) => tables),
    helpers,
    body: (d) => {
      const { code, value } = written(d, stored, e);
      if (scale === undefined) {
        const perChannel = [...stored.values()].some((rows) => rows.perChannel);
        return elements(d, base, perChannel, [...code, store(d, 'out[j]', base.output.type, value)]);
      }
      const line = dequantizeLine(d, scale, base.channels, base.id);
      return elements(d, base, line.perChannel || isPerChannel(e), [
        ...line.declare,
        ...code,
        `out[j] = (float)(${value}) * ${line.factor};`,
      ]);
    },
    inOrder: true,
    cycles: () => base.output.length,
    summary: {
      form,
      inputs: base.inputs[0]?.length ?? 1,
      outputs: base.output.length,
      ...(bits === undefined ? {} : { bits }),
    },
  };
};

/** The factor of each channel, as code. */
export const dequantizeLine = (
  d: Dialect,
  scale: NonNullable<ElementCode['scale']>,
  channels: number,
  id: string,
  spelling: 'hexadecimal' | 'decimal' = 'hexadecimal',
): { readonly declare: Code; readonly factor: string; readonly perChannel: boolean } => {
  const values = Array.from({ length: channels }, (_, c) =>
    typeof scale === 'number' ? scale : scale.data[c]!,
  );
  const [first] = values;
  const spell = spelling === 'decimal' ? decimalLiteral : floatLiteral;
  if (first !== undefined && values.every((v) => Object.is(v, first))) {
    return { declare: [], factor: spell(first), perChannel: false };
  }
  const list = values.map(spell);
  const lines: string[] = [];
  for (let k = 0; k < list.length; k += 4) lines.push(`${list.slice(k, k + 4).join(', ')},`);
  const place = d.place === '' ? '' : `${d.place} `;
  return {
    declare: [`${place}static const float ${id}_scale[${channels}] = {`, lines, '};'],
    factor: d.float(`${id}_scale`, 'c'),
    perChannel: true,
  };
};
