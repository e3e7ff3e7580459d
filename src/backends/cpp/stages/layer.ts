import type { TableLayer } from '../../../ir/table-layer.js';
import { tapsOf } from '../../../ir/window.js';
import { type Code, loop } from '../code.js';
import { type Dialect, load, type Stage, type StageBase, store } from '../stage.js';
import { type Table, tableOf } from '../table.js';
import { overWindows, tapInside, tapPixel, tapRead, type WindowLoops } from './window.js';

/** What an input adds: statements over `i`, its number, and `code`. */
export interface Rows {
  readonly tables: ReadonlyArray<Table>;
  /** Those of them that hold rows of all outputs. */
  readonly wide: ReadonlyArray<Table>;
  readonly onCode: (d: Dialect, sums: Sums) => Code;
  /** The code that stands for a tap in the padding; absent where such taps add nothing. */
  readonly padding?: number;
  /** Rows that an input adds. */
  readonly rows: number;
  readonly form: string;
  readonly bits: number;
}

/** Adds a row to the accumulators. */
export type Sums = (row: {
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
    return loop(
      'o',
      width,
      [store(d, acc('o'), base.output.type, `${before} + ${product}`)],
      addsRows(d, width)
        ? d.pragma('HLS UNROLL')
        : [...d.pragma('HLS PIPELINE II=1'), ...d.pragma(`HLS UNROLL factor=${d.lanes(width)}`)],
    );
  };
};

/** Whether a whole row is added in one cycle, so that the loop around it is what is pipelined. */
const addsRows = (d: Dialect, width: number): boolean => d.lanes(width) === width;

export const rowPipeline = (d: Dialect, width: number): Code =>
  addsRows(d, width) ? d.pragma('HLS PIPELINE II=1') : [];

/** Rows lie in block memory, as many entries side by side as are added in one cycle. */
const storage = (d: Dialect, table: Table, width: number): Code => [
  ...d.pragma(`HLS ARRAY_RESHAPE variable=${table.name} type=cyclic factor=${d.lanes(width)} dim=1`),
  ...d.pragma(`HLS BIND_STORAGE variable=${table.name} type=rom_1p impl=bram`),
];

// Long: one stage, its loops over inputs or windows and what is told of it.
export const layerStage = (
  base: StageBase,
  layer: TableLayer,
  shape: ReadonlyArray<number>,
  rows: Rows,
): Stage => {
  const { window, groups, outputs: width } = layer;
  const bias = layer.bias === undefined ? undefined : tableOf(`${base.id}_bias`, layer.bias.data);
  const loops: WindowLoops | undefined =
    window === undefined ? undefined : { window, shape, input: base.inputs[0]! };
  const outputs = base.channels;
  const taps = window === undefined ? shape[0]! : tapsOf(window, shape[0]!);
  const positions = base.output.length / outputs;
  return {
    ...base,
    tables: [...rows.tables, ...(bias === undefined ? [] : [bias])],
    helpers: [],
    body: (d) => {
      const sums = sumsOf(d, base, width, groups > 1);
      const begin = startSums(d, base, bias);
      const end = endSums(d, base);
      const declared = [...rows.wide.flatMap((t) => storage(d, t, width)), ...declareSums(d, base)];
      if (loops === undefined) {
        const inputs = loop(
          'i',
          taps,
          [`const int32_t code = ${load('in0[i]')};`, ...rows.onCode(d, sums)],
          rows.rows === 1 ? rowPipeline(d, width) : [],
        );
        return [...declared, 'const int32_t at = 0;', ...begin, ...inputs, ...end];
      }
      const at = `const int32_t at = p * ${outputs};`;
      return [
        ...declared,
        ...overWindows(d, loops, [
          at,
          ...begin,
          ...tapLoops(d, loops, rows, rowPipeline(d, width), sums),
          ...end,
        ]),
      ];
    },
    ...(window === undefined
      ? {
          edges: {
            inputs: taps,
            outputs,
            levels: layer.levels,
            edge: layer.entry,
            ...(layer.bias === undefined ? {} : { bias: layer.bias.data }),
          },
        }
      : {}),
    inOrder: true,
    cycles: (lanes) => positions * (groups * taps * rows.rows * (width / lanes(width)) + outputs + 1),
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

const startSums = (d: Dialect, base: StageBase, bias: Table | undefined): Code =>
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
const tapLoops = (d: Dialect, loops: WindowLoops, rows: Rows, whole: Code, sums: Sums): Code => {
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
  const read = tapRead(d, loops, channel);
  const add: Code = [`const int32_t code = ${padded(read, inside, rows.padding)};`, ...rows.onCode(d, sums)];
  const tap: Code = [
    `const int32_t i = ${number.join(' + ')};`,
    ...tapPixel(loops),
    ...(inside === undefined || rows.padding !== undefined ? add : [`if (${inside}) {`, add, '}']),
  ];
  const pipeline = rows.rows === 1 ? whole : [];
  const kernel = loop('ky', kh, loop('kx', kw, tap, pipeline));
  const channels = perGroup === 1 ? kernel : loop('c', perGroup, kernel);
  return grouped ? loop('g', window.groups, channels) : channels;
};

const padded = (read: string, inside: string | undefined, padding: number | undefined): string =>
  inside === undefined || padding === undefined ? read : `${inside} ? ${read} : ${padding}`;
