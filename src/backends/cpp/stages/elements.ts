/** Stages that compute every element by itself: codes from floats, codes from codes, codes from accumulators. */
import { channel, type PerChannel } from '../../../ir/constant.js';
import type { BucketizeAttrs } from '../../../ir/ops/bucketize.js';
import type { QuantizeAttrs } from '../../../ir/ops/quantize.js';
import type { RecodeAttrs } from '../../../ir/ops/recode.js';
import type { RequantizeAttrs } from '../../../ir/ops/requantize.js';
import type { TableSumAttrs } from '../../../ir/ops/table-sum.js';
import { isShared, thresholdList } from '../../../ir/quantizer.js';
import { clampBounds, productForm } from '../../../numeric/fixed-point.js';
import { orderOf } from '../../../numeric/float-order.js';
import { type Code, decimalLiteral, floatLiteral, literal, loop } from '../code.js';
import { type SharedRows, shareRows } from '../rows.js';
import { type Dialect, load, type Slot, type Stage, store } from '../stage.js';
import type { Table } from '../table.js';

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

const elementwise = (
  base: StageBase,
  op: string,
  parts: Pick<Stage, 'tables' | 'body'> & Partial<Pick<Stage, 'helpers'>> & { form: string; bits?: number },
): Stage => ({
  ...base,
  op,
  helpers: [],
  ...parts,
  inOrder: true,
  cycles: () => base.output.length,
  summary: {
    form: parts.form,
    inputs: base.inputs[0]?.length ?? 1,
    outputs: base.output.length,
    ...(parts.bits === undefined ? {} : { bits: parts.bits }),
  },
});

/** Codes of floats: how many thresholds are not above, by the integers that order floats. */
export const quantizeStage = (base: StageBase, { quantizer }: QuantizeAttrs): Stage => {
  const count = quantizer.levels - 1;
  const rows = isShared(quantizer) ? 1 : base.channels;
  const keys = new Int32Array(rows * count);
  for (let r = 0; r < rows; r++) {
    // Both zeros have one place in the order.
    const list = thresholdList(quantizer, r);
    for (let k = 0; k < count; k++) keys[r * count + k] = list[k] === 0 ? -1 : orderOf(list[k]!);
  }
  return searchStage(base, 'quantize', shareRows(`${base.id}_thresholds`, keys, rows, count), count, {
    key: 'float_order(in0[j])',
    helpers: ['order'],
  });
};

/** Codes of accumulators by thresholds of integers. */
export const bucketizeStage = (base: StageBase, { thresholds }: BucketizeAttrs): Stage => {
  const [rows, count] = [thresholds.shape[0]!, thresholds.shape[1]!];
  const shared = shareRows(`${base.id}_thresholds`, thresholds.data, rows, count);
  return searchStage(base, 'bucketize', shared, count, { key: load('in0[j]'), helpers: [] });
};

/**
 * How many of `count` thresholds are at most `key`, by a binary search of always as many steps: HLS unrolls loops of known
 * length only.
 */
const searchStage = (
  base: StageBase,
  op: string,
  shared: SharedRows,
  count: number,
  { key, helpers }: { readonly key: string; readonly helpers: Stage['helpers'] },
): Stage =>
  elementwise(base, op, {
    form: 'thresholds of integers',
    tables: shared.tables,
    helpers,
    body: (d) =>
      elements(d, base, shared.perChannel, [
        `const int32_t key = ${key};`,
        ...(shared.perChannel ? [`const int32_t row = ${shared.start(d, 'c')};`] : []),
        'int32_t code = 0;',
        `for (int32_t step = ${2 ** Math.floor(Math.log2(count))}; step > 0; step >>= 1) {`,
        [
          ...d.pragma('HLS UNROLL'),
          'const int32_t last = code + step - 1;',
          `if (last < ${count} && ${d.table(shared.table).read(shared.perChannel ? 'row' : '', 'last')} <= key) {`,
          ['code += step;'],
          '}',
        ],
        '}',
        store(d, 'out[j]', base.output.type, 'code'),
      ]),
  });

export const recodeStage = (base: StageBase, { map }: RecodeAttrs): Stage => {
  const shared = shareRows(`${base.id}_map`, map.data, map.shape[0]!, map.shape[1]!);
  return elementwise(base, 'recode', {
    form: 'map',
    tables: shared.tables,
    body: (d) =>
      elements(d, base, shared.perChannel, [
        store(
          d,
          'out[j]',
          base.output.type,
          d.table(shared.table).read(shared.start(d, 'c'), load('in0[j]')),
        ),
      ]),
  });
};

/** One number for all channels as a literal, or a table with one for each. */
const numbers = (name: string, values: ReadonlyArray<number>): SharedRows | number => {
  const [first] = values;
  return first !== undefined && values.every((v) => v === first)
    ? first
    : shareRows(name, Int32Array.from(values), values.length, 1);
};

const reading = (d: Dialect, v: SharedRows | number): string =>
  typeof v === 'number' ? literal(v) : d.table(v.table).read(v.start(d, 'c'), '0');

const tablesOf = (...parts: ReadonlyArray<SharedRows | number>): ReadonlyArray<Table> =>
  parts.flatMap((p) => (typeof p === 'number' ? [] : p.tables));

const perChannel = (p: PerChannel, channels: number): ReadonlyArray<number> =>
  Array.from({ length: channels }, (_, c) => channel(p, c));

/**
 * code = clamp(((acc + bias) * mul + 2^(shift-1)) >> shift): in 32 bits where the products fit them after clamping,
 * else with one 64-bit product, which is shorter than the two halves of the wide form and gives the same code.
 */
export const requantizeStage = (base: StageBase, a: RequantizeAttrs): Stage => {
  const top = a.quantizer.levels - 1;
  const muls = perChannel(a.mul, base.channels);
  const narrow = productForm(muls, a.shift, a.quantizer.levels) === 'narrow';
  const largest = muls.map((m) => Math.min(clampBounds(m, a.shift, a.quantizer.levels).hi, 2 ** 31 - 1));
  const bias = numbers(
    `${base.id}_bias`,
    Array.from({ length: base.channels }, (_, c) => a.bias?.data[c] ?? 0),
  );
  const mul = numbers(`${base.id}_mul`, muls);
  const hi = narrow ? numbers(`${base.id}_most`, largest) : 0;
  const half = 2 ** (a.shift - 1);
  return elementwise(base, 'requantize', {
    form: narrow ? 'products of 32 bits' : 'products of 64 bits',
    bits: a.bits,
    tables: tablesOf(bias, mul, hi),
    body: (d) =>
      elements(
        d,
        base,
        [bias, mul, hi].some((v) => typeof v !== 'number'),
        [
          `int32_t v = ${load('in0[j]')}${bias === 0 ? '' : ` + ${reading(d, bias)}`};`,
          'v = v < 0 ? 0 : v;',
          ...(narrow
            ? [
                `v = v > ${reading(d, hi)} ? ${reading(d, hi)} : v;`,
                `v = (v * ${reading(d, mul)} + ${half}) >> ${a.shift};`,
                `v = v > ${top} ? ${top} : v;`,
                store(d, 'out[j]', base.output.type, 'v'),
              ]
            : [
                `const uint64_t q = ((uint64_t)v * (uint64_t)${reading(d, mul)} + ((uint64_t)1 << ${a.shift - 1})) >> ${a.shift};`,
                store(d, 'out[j]', base.output.type, `q > ${top}u ? ${top} : (int32_t)q`),
              ]),
        ],
      ),
  });
};

/** bias[c] + sum over operands of their tables. */
export const sumStage = (base: StageBase, a: TableSumAttrs): Stage => {
  const shared = a.tables.map((t, k) => shareRows(`${base.id}_t${k}`, t.data, t.shape[0]!, t.shape[1]!));
  const bias = numbers(
    `${base.id}_bias`,
    Array.from({ length: base.channels }, (_, c) => a.bias?.data[c] ?? 0),
  );
  return elementwise(base, 'table.sum', {
    form: `${a.tables.length} table${a.tables.length === 1 ? '' : 's'} added`,
    bits: Math.max(...shared.map((s) => s.table.type.bits)),
    tables: [...shared.flatMap((s) => s.tables), ...tablesOf(bias)],
    body: (d) =>
      elements(d, base, typeof bias !== 'number' || shared.some((s) => s.perChannel), [
        `int32_t sum = ${reading(d, bias)};`,
        ...shared.map((s, k) => `sum += ${d.table(s.table).read(s.start(d, 'c'), load(`in${k}[j]`))};`),
        store(d, 'out[j]', base.output.type, 'sum'),
      ]),
  });
};

/** Floats from accumulators: one conversion and one multiplication. */
export const dequantizeStage = (base: StageBase, scale: PerChannel): Stage =>
  elementwise(base, 'dequantize', {
    form: 'floats',
    tables: [],
    body: (d) => {
      const line = dequantizeLine(d, scale, base.channels, base.id);
      return elements(d, base, line.perChannel, [
        ...line.declare,
        `out[j] = (float)${load('in0[j]')} * ${line.factor};`,
      ]);
    },
  });

/** The factor of each channel, as code. */
export const dequantizeLine = (
  d: Dialect,
  scale: PerChannel,
  channels: number,
  id: string,
  spelling: 'hexadecimal' | 'decimal' = 'hexadecimal',
): { readonly declare: Code; readonly factor: string; readonly perChannel: boolean } => {
  const values = perChannel(scale, channels);
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
