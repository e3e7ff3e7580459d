/**
 * Layers: rows of tables (or of coefficients, times basis values) added to the accumulators of all outputs, input
 * after input in the order for which the IR proves the range of every partial sum.
 */
import type { TableBasisAttrs } from '../../../ir/ops/table-basis.js';
import type { TableEdgeAttrs } from '../../../ir/ops/table-edge.js';
import { isPadded, tapsOf, type Window } from '../../../ir/window.js';
import { type Code, literal, loop } from '../code.js';
import { rangeOf } from '../range.js';
import { type Dialect, load, type Stage, store } from '../stage.js';
import { type Table, tableOf } from '../table.js';
import type { StageBase } from './elementwise.js';
import { overWindows, tapInside, tapPixel, tapRead, type WindowLoops } from './window.js';

/** What an input adds: statements over `i`, its number, and `code`; `undefined`: nothing. */
interface Rows {
  readonly tables: ReadonlyArray<Table>;
  readonly bias?: Table;
  /** Outputs of a group. */
  readonly width: number;
  readonly onCode: (d: Dialect, sums: Sums) => Code;
  readonly onPadding?: (d: Dialect, sums: Sums) => Code;
  /** Rows that an input adds. */
  readonly rows: number;
  readonly form: string;
  readonly bits: number;
}

/** Adds a row to the accumulators. */
type Sums = (row: {
  readonly table: Table;
  readonly from: string;
  readonly times?: string;
  readonly wide?: boolean;
}) => Code;

/** The accumulators of one window or sample: in `out` itself, or in an array of their own. */
const sumsOf = (d: Dialect, base: StageBase, width: number, grouped: boolean): Sums => {
  const first = grouped ? `g * ${width} + ` : '';
  const acc = (o: string): string => (d.localSums ? `acc[${first}${o}]` : `out[at + ${first}${o}]`);
  return ({ table, from, times, wide }) => {
    const entry = d.table(table).read(from, 'o');
    // The sum fits its accumulator, but a product that leads from one end to the other may have a bit more than 32.
    const [before, product] =
      wide === true
        ? [`(int64_t)${acc('o')}`, `(int64_t)${entry} * ${times}`]
        : [load(acc('o')), times === undefined ? entry : `${entry} * ${times}`];
    const lanes = d.lanes(width);
    return loop(
      'o',
      width,
      [store(d, acc('o'), base.output.type, `${before} + ${product}`)],
      [...d.pragma('HLS PIPELINE II=1'), ...d.pragma(`HLS UNROLL factor=${lanes}`)],
    );
  };
};

const layerStage = (
  base: StageBase,
  op: string,
  shape: ReadonlyArray<number>,
  window: Window | undefined,
  rows: Rows,
): Stage => {
  const loops: WindowLoops | undefined =
    window === undefined ? undefined : { window, shape, input: base.inputs[0]! };
  const outputs = base.channels;
  const taps = window === undefined ? shape[0]! : tapsOf(window, shape[0]!);
  const positions = base.output.length / outputs;
  const groups = window?.groups ?? 1;
  return {
    ...base,
    op,
    tables: [...rows.tables, ...(rows.bias === undefined ? [] : [rows.bias])],
    helpers: [],
    body: (d) => {
      const sums = sumsOf(d, base, rows.width, groups > 1);
      const begin = startSums(d, base, rows);
      const end = endSums(d, base);
      if (loops === undefined) {
        const inputs = loop('i', taps, [`const int32_t code = ${load('in0[i]')};`, ...rows.onCode(d, sums)]);
        return [...declareSums(d, base), 'const int32_t at = 0;', ...begin, ...inputs, ...end];
      }
      const at = `const int32_t at = p * ${outputs};`;
      return [
        ...declareSums(d, base),
        ...overWindows(d, loops, [at, ...begin, ...tapLoops(d, loops, rows, sums), ...end]),
      ];
    },
    inOrder: true,
    cycles: (lanes) =>
      positions *
      (groups * taps * rows.rows * (rows.width / lanes(rows.width)) + 2 * (outputs / lanes(outputs))),
    summary: {
      form: rows.form,
      inputs: taps * groups,
      outputs,
      bits: rows.bits,
    },
  };
};

const declareSums = (d: Dialect, base: StageBase): Code =>
  d.localSums
    ? [
        `${d.element(base.output.type)} acc[${base.channels}];`,
        ...d.pragma(`HLS ARRAY_PARTITION variable=acc type=cyclic factor=${d.lanes(base.channels)} dim=1`),
      ]
    : [];

const startSums = (d: Dialect, base: StageBase, { bias }: Rows): Code =>
  loop(
    'o',
    base.channels,
    [
      store(
        d,
        d.localSums ? 'acc[o]' : 'out[at + o]',
        base.output.type,
        bias === undefined ? '0' : d.table(bias).read('', 'o'),
      ),
    ],
    d.pragma('HLS UNROLL'),
  );

const endSums = (d: Dialect, base: StageBase): Code =>
  d.localSums ? loop('o', base.channels, ['out[at + o] = acc[o];'], d.pragma('HLS PIPELINE II=1')) : [];

/** All taps of a window: channels, then kernel rows and columns, which is the order of the inputs. */
const tapLoops = (d: Dialect, loops: WindowLoops, rows: Rows, sums: Sums): Code => {
  const { window, shape } = loops;
  const [kh, kw] = window.kernel;
  const perGroup = shape[0]! / window.groups;
  const grouped = window.groups > 1;
  const number = [
    grouped ? `g * ${perGroup * kh * kw}` : '',
    perGroup === 1 ? '' : `c * ${kh * kw}`,
    `ky * ${kw} + kx`,
  ].filter((s) => s !== '');
  const channel = grouped ? (perGroup === 1 ? 'g' : `g * ${perGroup} + c`) : 'c';
  const inside = tapInside(loops);
  const onCode: Code = [`const int32_t code = ${tapRead(d, loops, channel)};`, ...rows.onCode(d, sums)];
  const onPadding = rows.onPadding?.(d, sums);
  const tap: Code = [
    `const int32_t i = ${number.join(' + ')};`,
    ...tapPixel(loops),
    ...(inside === undefined
      ? onCode
      : [`if (${inside}) {`, onCode, ...(onPadding === undefined ? ['}'] : ['} else {', onPadding, '}'])]),
  ];
  const kernel = loop('ky', kh, loop('kx', kw, tap));
  const channels = perGroup === 1 ? kernel : loop('c', perGroup, kernel);
  return grouped ? loop('g', window.groups, channels) : channels;
};

const biasOf = (base: StageBase, bias: TableEdgeAttrs['bias']): Pick<Rows, 'bias'> =>
  bias === undefined ? {} : { bias: tableOf(`${base.id}_bias`, bias.data) };

/** One row of the table for every input and code. */
export const edgeStage = (base: StageBase, a: TableEdgeAttrs, shape: ReadonlyArray<number>): Stage => {
  const [slabs, perSlab, width] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const table = tableOf(`${base.id}_table`, a.table.data, width);
  const which = a.slabs === undefined ? undefined : tableOf(`${base.id}_slab`, a.slabs.data);
  const from =
    (code: string) =>
    (d: Dialect, sums: Sums): Code => {
      const slab = which === undefined ? 'i' : d.table(which).read('', 'i');
      return [
        `const int32_t row = (${slab} * ${perSlab} + ${code}) * ${width};`,
        ...sums({ table, from: 'row' }),
      ];
    };
  const padded = a.window !== undefined && isPadded(a.window);
  return layerStage(base, 'table.edge', shape, a.window, {
    tables: [table, ...(which === undefined ? [] : [which])],
    ...biasOf(base, a.bias),
    width,
    onCode: from('code'),
    ...(padded ? { onPadding: from(String(perSlab - 1)) } : {}),
    rows: 1,
    form: `edge tables, ${slabs} slabs of ${perSlab} rows`,
    bits: table.type.bits,
  });
};

/** The largest product of two integers of tables. */
const largestProduct = (a: ArrayLike<number>, b: ArrayLike<number>, shift: number): number => {
  const most = (data: ArrayLike<number>): number => {
    const [lo, hi] = rangeOf(data);
    return Math.max(Math.abs(lo), Math.abs(hi));
  };
  return most(a) * most(b) * 2 ** shift;
};

/** p + 1 rows of coefficients times basis values, which all inputs share, and one times the base branch. */
export const basisStage = (base: StageBase, a: TableBasisAttrs, shape: ReadonlyArray<number>): Stage => {
  const [functions, width] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const [levels, values] = [a.span.shape[1]!, a.basis.shape[1]!];
  const table = (name: string, data: Parameters<typeof tableOf>[1], row = 1): Table =>
    tableOf(`${base.id}_${name}`, data, row);
  const coefficients = table('coef', a.coefficients.data, width);
  const basis = table('basis', a.basis.data);
  const [span, frac] = [table('span', a.span.data), table('frac', a.frac.data)];
  const knots = a.rows === undefined || a.span.shape[0] === 1 ? undefined : table('knots', a.rows.data);
  const [own, ownTable] = [a.base, a.baseTable];
  const baseRows =
    own === undefined || ownTable === undefined
      ? undefined
      : {
          weights: table('base', own.data, width),
          values: table('base_value', ownTable.data),
          wide: largestProduct(own.data, ownTable.data, 0) >= 2 ** 31,
        };
  const wide = largestProduct(a.coefficients.data, a.basis.data, a.shift) >= 2 ** 31;
  const onCode = (d: Dialect, sums: Sums): Code => {
    const read = (t: Table, from: string, offset = '0'): string => d.table(t).read(from, offset);
    const place = knots === undefined ? 'code' : `${read(knots, 'i')} * ${levels} + code`;
    const value = `${read(basis, `fraction * ${values}`, 'k')}${a.shift === 0 ? '' : ` << ${a.shift}`}`;
    return [
      `const int32_t place = ${place};`,
      `const int32_t fraction = ${read(frac, 'place')};`,
      `const int32_t first = i * ${functions} + ${read(span, 'place')};`,
      ...loop('k', values, [
        `const int32_t b = ${value};`,
        `const int32_t row = (first + k) * ${width};`,
        ...sums({ table: coefficients, from: 'row', times: 'b', wide }),
      ]),
      ...(baseRows === undefined
        ? []
        : [
            `const int32_t s = ${read(baseRows.values, 'place')};`,
            `const int32_t own = i * ${width};`,
            ...sums({ table: baseRows.weights, from: 'own', times: 's', wide: baseRows.wide }),
          ]),
    ];
  };
  return layerStage(base, 'table.basis', shape, a.window, {
    tables: [
      coefficients,
      basis,
      span,
      frac,
      ...(knots === undefined ? [] : [knots]),
      ...(baseRows === undefined ? [] : [baseRows.weights, baseRows.values]),
    ],
    ...biasOf(base, a.bias),
    width,
    onCode,
    rows: values + (baseRows === undefined ? 0 : 1),
    form: `basis table of ${a.basis.shape[0]} x ${values} values, ${literal(functions)} coefficients an edge`,
    bits: coefficients.type.bits,
  });
};
