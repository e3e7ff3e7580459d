/** Stages that compute every element by itself: expressions of src/code as C. */
import { match } from 'ts-pattern';
import {
  type BinaryOp,
  type Expr,
  nodesOf,
  type Rows,
  rowsOf,
  type Scaled,
  type Value,
} from '../../../code/language.js';
import { type Code, decimalLiteral, floatLiteral, literal, loop } from '../code.js';
import { type Dialect, type Helper, load, type Stage, type StageBase, store } from '../stage.js';
import { type SharedRows, shareRows } from '../table.js';

/** A loop over all elements: `j` is the element, `c` its channel, which only some bodies need. */
const overElements = (d: Dialect, base: StageBase, perChannel: boolean, body: Code): Code => {
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

/** What an expression is written with: `lines` gathers the statements that stand before its text. */
interface Writer {
  readonly d: Dialect;
  readonly tables: ReadonlyMap<Rows, SharedRows>;
  readonly lines: Array<Code[number]>;
  /** A name for a variable: the one that is asked for, with a number where it is taken. */
  readonly name: (wish: string) => string;
}

const writer = (d: Dialect, tables: Writer['tables']): Writer => {
  const taken = new Map<string, number>();
  const name = (wish: string): string => {
    const count = (taken.get(wish) ?? 0) + 1;
    taken.set(wish, count);
    return count === 1 ? wish : `${wish}${count}`;
  };
  return { d, tables, lines: [], name };
};

/** The text of an int32_t, behind statements that `w` takes. */
const textOf = (w: Writer, e: Expr): string =>
  match(e)
    .with({ _tag: 'literal' }, ({ value }) => literal(value))
    .with({ _tag: 'element' }, ({ operand }) => load(`in${operand}[j]`))
    .with({ _tag: 'order' }, ({ operand }) => `float_order(in${operand}[j])`)
    .with({ _tag: 'entry' }, ({ rows, at }) => {
      const { table, start } = sharedOf(w, rows);
      return w.d.table(table).read(start(w.d.table, 'c'), innerText(w, at));
    })
    .with({ _tag: 'rank' }, ({ rows, of }) => rankText(w, rows, of))
    .with({ _tag: 'binary' }, ({ op, left, right }) => BINARY[op](w, left, right))
    .with({ _tag: 'choose' }, ({ when, left, right, yes, no }) => {
      const test = `${innerText(w, left)} ${when === 'less' ? '<' : '=='} ${innerText(w, right)}`;
      return `${test} ? ${innerText(w, yes)} : ${innerText(w, no)}`;
    })
    .with({ _tag: 'scaled' }, (s) => scaledText(w, s))
    .exhaustive();

/** The same as a part of an expression. */
const innerText = (w: Writer, e: Expr): string => {
  const text = textOf(w, e);
  return e._tag === 'binary' || e._tag === 'choose' || e._tag === 'scaled' ? `(${text})` : text;
};

type WriteBinary = (w: Writer, left: Expr, right: Expr) => string;

const infix =
  (sign: string): WriteBinary =>
  (w, left, right) =>
    `${innerText(w, left)} ${sign} ${innerText(w, right)}`;

/** One of two, which are named as they are read twice. */
const oneOf =
  (sign: string): WriteBinary =>
  (w, left, right) => {
    const [a, b] = [named(w, 'a', left), named(w, 'b', right)];
    return `${a} ${sign} ${b} ? ${a} : ${b}`;
  };

const named = (w: Writer, wish: string, e: Expr): string => {
  const text = textOf(w, e);
  const name = w.name(wish);
  w.lines.push(`const int32_t ${name} = ${text};`);
  return name;
};

/** The terms of a chain of sums, in their order. */
const termsOf = (e: Expr): ReadonlyArray<Expr> =>
  e._tag === 'binary' && e.op === 'add' ? [...termsOf(e.left), e.right] : [e];

/** Two terms in a line, and more in a line each. */
const sumText = (w: Writer, terms: ReadonlyArray<Expr>): string => {
  const [first = '0', ...rest] = terms.map((term) => innerText(w, term));
  if (rest.length < 2) return [first, ...rest].join(' + ');
  const sum = w.name('sum');
  w.lines.push(`int32_t ${sum} = ${first};`, ...rest.map((term) => `${sum} += ${term};`));
  return sum;
};

const BINARY: Readonly<Record<BinaryOp, WriteBinary>> = {
  add: (w, left, right) => sumText(w, [...termsOf(left), right]),
  sub: infix('-'),
  mul: infix('*'),
  and: infix('&'),
  min: oneOf('<'),
  max: oneOf('>'),
  shl: (w, left, right) => `(int32_t)((uint32_t)${innerText(w, left)} << ${innerText(w, right)})`,
  shr: (w, left, right) => `shift_right(${textOf(w, left)}, ${textOf(w, right)})`,
};

const sharedOf = ({ tables }: Writer, rows: Rows): SharedRows => tables.get(rows)!;

/** A binary search of always as many steps: HLS unrolls loops of known length only. */
const rankText = (w: Writer, rows: Rows, of: Expr): string => {
  const { table, start, perChannel } = sharedOf(w, rows);
  const key = named(w, 'key', of);
  const [row, code] = [perChannel ? w.name('row') : '', w.name('code')];
  w.lines.push(
    ...(perChannel ? [`const int32_t ${row} = ${start(w.d.table, 'c')};`] : []),
    `int32_t ${code} = 0;`,
    `for (int32_t step = ${2 ** Math.floor(Math.log2(rows.width))}; step > 0; step >>= 1) {`,
    [
      ...w.d.pragma('HLS UNROLL'),
      `const int32_t last = ${code} + step - 1;`,
      `if (last < ${rows.width} && ${w.d.table(table).read(row, 'last')} <= ${key}) {`,
      [`${code} += step;`],
      '}',
    ],
    '}',
  );
  return code;
};

/**
 * In 32 bits where the products fit them after clamping, else with one 64-bit product, which is shorter than the two
 * halves of the wide form and gives the same code.
 */
const scaledText = (w: Writer, { of, mul, most, shift, top, form }: Scaled): string => {
  const from = textOf(w, of);
  const v = w.name('v');
  w.lines.push(`int32_t ${v} = ${from};`, `${v} = ${v} < 0 ? 0 : ${v};`);
  if (form === 'narrow') {
    const bound = innerText(w, most);
    w.lines.push(
      `${v} = ${v} > ${bound} ? ${bound} : ${v};`,
      `${v} = (${v} * ${innerText(w, mul)} + ${2 ** (shift - 1)}) >> ${shift};`,
      `${v} = ${v} > ${top} ? ${top} : ${v};`,
    );
    return v;
  }
  const q = w.name('q');
  w.lines.push(
    `const uint64_t ${q} = ((uint64_t)${v} * (uint64_t)${innerText(w, mul)} + ((uint64_t)1 << ${shift - 1})) >> ${shift};`,
  );
  return `${q} > ${top}u ? ${top} : (int32_t)${q}`;
};

/** The rows that are read here: products of 64 bits need no bound. */
const readRows = (value: Value): ReadonlyArray<Rows> => {
  const unread = new Set(
    nodesOf(value).flatMap((v) => (v._tag === 'scaled' && v.form === 'wide' ? rowsOf(v.most) : [])),
  );
  return rowsOf(value).filter((rows) => !unread.has(rows));
};

const helpersOf = (value: Value): ReadonlyArray<Helper> => {
  const nodes = nodesOf(value);
  return [
    ...(nodes.some((v) => v._tag === 'order') ? (['order'] as const) : []),
    ...(nodes.some((v) => v._tag === 'binary' && v.op === 'shr') ? (['shift'] as const) : []),
  ];
};

export const elementsStage = (base: StageBase, form: string, value: Value): Stage => {
  const tables = new Map(
    readRows(value).map((r) => [r, shareRows(`${base.id}_${r.name}`, r.data, r.rows, r.width)]),
  );
  const shared = [...tables.values()];
  const bits = shared.filter(({ width }) => width > 1).map(({ table }) => table.type.bits);
  return {
    ...base,
    tables: shared.flatMap((s) => s.tables),
    helpers: helpersOf(value),
    body: (d) => {
      const w = writer(d, tables);
      if (value._tag === 'float') {
        const { declare, factor, perChannel } = factorCode(d, value.factor.data, base.id);
        const from = innerText(w, value.of);
        const line = `out[j] = (float)${from} * ${factor};`;
        return overElements(d, base, perChannel || shared.some((s) => s.perChannel), [
          ...declare,
          ...w.lines,
          line,
        ]);
      }
      const text = textOf(w, value);
      return overElements(
        d,
        base,
        shared.some((s) => s.perChannel),
        [...w.lines, store(d, 'out[j]', base.output.type, text)],
      );
    },
    inOrder: true,
    cycles: () => base.output.length,
    summary: {
      form,
      inputs: base.inputs[0]?.length ?? 1,
      outputs: base.output.length,
      ...(bits.length === 0 ? {} : { bits: Math.max(...bits) }),
    },
  };
};

/** The factor that makes floats of integers, as code; `factors`: one for all channels or one for each. */
export const factorCode = (
  d: Dialect,
  factors: ArrayLike<number>,
  id: string,
  spelling: 'hexadecimal' | 'decimal' = 'hexadecimal',
): { readonly declare: Code; readonly factor: string; readonly perChannel: boolean } => {
  const list = Array.from(factors, spelling === 'decimal' ? decimalLiteral : floatLiteral);
  const [first] = list;
  if (first !== undefined && list.every((factor) => factor === first)) {
    return { declare: [], factor: first, perChannel: false };
  }
  const lines: string[] = [];
  for (let k = 0; k < list.length; k += 4) lines.push(`${list.slice(k, k + 4).join(', ')},`);
  const place = d.place === '' ? '' : `${d.place} `;
  return {
    declare: [`${place}static const float ${id}_scale[${list.length}] = {`, lines, '};'],
    factor: d.float(`${id}_scale`, 'c'),
    perChannel: true,
  };
};
