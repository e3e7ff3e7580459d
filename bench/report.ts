/** What was measured as Markdown and SVG, and its place in docs/performance.md. */
import { barChart, lineChart } from './chart.js';
import { ENGINES, type EngineName } from './engines/engine.js';

/** Microseconds of one inference, or why there are none. */
export type Cell = { readonly us: number; readonly spread: number } | { readonly why: string };

export interface Row {
  readonly model: string;
  readonly batch: number;
  readonly cells: Readonly<Record<EngineName, Cell>>;
}

export interface Loading {
  readonly model: string;
  /** Of each engine the bytes to load and the milliseconds that it takes. */
  readonly cells: Readonly<Partial<Record<EngineName, { readonly bytes: number; readonly ms: number }>>>;
}

export interface Width {
  readonly width: number;
  readonly edges: number;
  /** Microseconds of one inference. */
  readonly kanc: number;
  readonly float: number;
}

export interface Results {
  readonly machine: string;
  readonly rows: ReadonlyArray<Row>;
  readonly loading: ReadonlyArray<Loading>;
  readonly arkan: ReadonlyArray<{ readonly batch: number; readonly kanc: number; readonly float: number }>;
  readonly widths: ReadonlyArray<Width>;
}

const us = (v: number): string => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2));

const timeOf = (cell: Cell): number | undefined => ('us' in cell ? cell.us : undefined);

const ratio = (peer: number | undefined, own: number | undefined): string => {
  if (peer === undefined || own === undefined) return '';
  const r = peer / own;
  return `${r >= 10 ? r.toFixed(0) : r.toFixed(1)}x`;
};

const table = (
  header: ReadonlyArray<string>,
  left: number,
  rows: ReadonlyArray<ReadonlyArray<string>>,
): string =>
  [header, header.map((_, k) => (k < left ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** Times, with a note for every reason that there is none. */
export const timesTable = (rows: ReadonlyArray<Row>): string => {
  const notes: string[] = [];
  const shown = (cell: Cell): string => {
    if ('us' in cell) return us(cell.us);
    if (!notes.includes(cell.why)) notes.push(cell.why);
    return `- (${notes.indexOf(cell.why) + 1})`;
  };
  const body = rows.map(({ model, batch, cells }) => {
    const own = timeOf(cells.kanc);
    return [
      model,
      String(batch),
      ...ENGINES.map((name) => shown(cells[name])),
      ratio(timeOf(cells['float recursion']), own),
      ratio(timeOf(cells['onnxruntime-web']), own),
      ratio(timeOf(cells['tfjs-wasm']), own),
    ];
  });
  const header = ['model', 'batch', ...ENGINES, 'to float', 'to onnxruntime', 'to tfjs'];
  const list = notes.map((note, k) => `${k + 1}. ${note}.`).join('\n');
  return `${table(header, 1, body)}${notes.length === 0 ? '' : `\n\nWhere there is no figure:\n\n${list}`}`;
};

const kib = (bytes: number): string => (bytes / 1024).toFixed(bytes < 10240 ? 1 : 0);

export const loadingTable = (loading: ReadonlyArray<Loading>): string =>
  table(
    ['model', ...ENGINES.flatMap((name) => [`${name}, KiB`, 'ms'])],
    1,
    loading.map(({ model, cells }) => [
      model,
      ...ENGINES.flatMap((name) => {
        const cell = cells[name];
        return cell === undefined ? ['-', '-'] : [kib(cell.bytes), cell.ms.toFixed(2)];
      }),
    ]),
  );

export const widthsTable = (widths: ReadonlyArray<Width>): string =>
  table(
    ['width', 'edges', 'kanc', 'ns per 1,000 edges', 'float recursion', 'ns per 1,000 edges', 'ratio'],
    1,
    widths.map(({ width, edges, kanc, float }) => [
      String(width),
      String(edges),
      us(kanc),
      ((1e6 * kanc) / edges).toFixed(0),
      us(float),
      ((1e6 * float) / edges).toFixed(0),
      ratio(float, kanc),
    ]),
  );

const batchChart = (batch: number): string => `performance-batch-${batch}.svg`;
const WIDTHS_CHART = 'performance-widths.svg';

const batchesOf = (rows: ReadonlyArray<Row>): ReadonlyArray<number> => [...new Set(rows.map((r) => r.batch))];

/** Sections of docs/performance.md, by the names of their markers. */
export const sectionsOf = (r: Results): ReadonlyMap<string, string> =>
  new Map([
    [
      'times',
      [
        timesTable(r.rows),
        `Microseconds of one inference. Machine: ${r.machine}.`,
        ...batchesOf(r.rows).map((batch) => `![Times at batch ${batch}](${batchChart(batch)})`),
      ].join('\n\n'),
    ],
    ['loading', loadingTable(r.loading)],
    [
      'arkan',
      table(
        ['batch', 'kanc, us per inference', 'float recursion', 'ratio'],
        1,
        r.arkan.map(({ batch, kanc, float }) => [String(batch), us(kanc), us(float), ratio(float, kanc)]),
      ),
    ],
    ['widths', `${widthsTable(r.widths)}\n\n![Cost against edges](${WIDTHS_CHART})`],
  ]);

export const chartsOf = ({ rows, widths }: Results): ReadonlyMap<string, string> => {
  const charts = new Map<string, string>();
  for (const batch of batchesOf(rows)) {
    const groups = rows
      .filter((r) => r.batch === batch)
      .map(({ model, cells }) => ({ label: model, values: ENGINES.map((name) => timeOf(cells[name])) }));
    charts.set(
      batchChart(batch),
      barChart(`Batch ${batch}`, 'microseconds of one inference', ENGINES, groups),
    );
  }
  if (widths.length > 1) {
    charts.set(
      WIDTHS_CHART,
      lineChart('Cost against edges', { x: 'edges', y: 'microseconds of one inference' }, [
        { name: 'kanc', points: widths.map((w) => [w.edges, w.kanc]) },
        { name: 'float recursion', points: widths.map((w) => [w.edges, w.float]) },
      ]),
    );
  }
  return charts;
};

/** Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. */
export const withSection = (document: string, name: string, content: string): string => {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from)
    throw new Error(`docs/performance.md has no section between ${open} and ${close}`);
  return `${document.slice(0, from + open.length)}\n\n${content}\n\n${document.slice(to)}`;
};
