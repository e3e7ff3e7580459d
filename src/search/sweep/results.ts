/** The results of a sweep as JSON and CSV. docs/sweep.md tells what the fields mean. */
import type { Json } from '../../backends/backend.js';
import { KNOBS } from '../configuration.js';
import { FRONTS, type Front, type Results } from './merge.js';
import type { Finished } from './records.js';

const FRONT_NAMES: ReadonlyArray<Front> = ['memory', 'packed', 'bitops', 'luts'];

/** What was read as JSON, as the plain data that it is. */
const plain = (u: unknown): Json => {
  if (typeof u === 'string' || typeof u === 'number' || typeof u === 'boolean') return u;
  if (Array.isArray(u)) return u.map(plain);
  if (typeof u !== 'object' || u === null) return null;
  return Object.fromEntries(Object.entries(u).map(([key, value]) => [key, plain(value)]));
};

const pointJson = ({ index, name, configuration, alone, result }: Finished): Json => ({
  index,
  name,
  configuration: plain(configuration),
  alone: alone === undefined ? null : { ...alone },
  ...(result._tag === 'measured'
    ? {
        drop: result.drop,
        error: result.error,
        loss: result.loss,
        samples: result.samples,
        cost: {
          bytes: result.cost.bytes,
          packed: result.cost.packed,
          bitOps: result.cost.bitOps,
          luts: result.cost.luts,
          reads: result.cost.reads,
        },
        refused: null,
      }
    : { refused: { code: result.code, message: result.message } }),
});

export const resultsJson = ({ header, points, fronts }: Results): string => {
  const json: Json = {
    format: 'kanc-sweep-results',
    version: 1,
    sweep: header.sweep,
    identity: plain(header.identity),
    fronts: Object.fromEntries(FRONT_NAMES.map((front) => [front, [...fronts[front]]])),
    points: points.map(pointJson),
  };
  return `${JSON.stringify(json, null, 1)}\n`;
};

/** RFC 4180: quotes where a comma, a quote or a line end stands in it. A leading = + - @ would be a formula to spreadsheets. */
const cell = (value: string | number): string => {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
};

const COLUMNS = [
  'index',
  'name',
  'form',
  'act',
  'hidden',
  'table',
  'coef',
  'basis',
  'layer',
  'knob',
  'bits',
  'drop',
  'error',
  'loss',
  'samples',
  ...Object.values(FRONTS),
  'reads',
  ...FRONT_NAMES.map((front) => `front_${front}`),
  'refused',
];

const csvRow = (p: Finished, fronts: Results['fronts']): ReadonlyArray<string | number> => {
  const { configuration: c, alone, result } = p;
  const measured: ReadonlyArray<string | number> =
    result._tag === 'measured'
      ? [
          result.drop,
          result.error,
          result.loss,
          result.samples,
          ...FRONT_NAMES.map((front) => result.cost[FRONTS[front]]),
          result.cost.reads,
        ]
      : new Array<string>(5 + FRONT_NAMES.length).fill('');
  return [
    p.index,
    p.name,
    c.form,
    c.act,
    c.hidden,
    ...KNOBS.filter((k) => k !== 'act').map((k) => c[k]),
    alone?.layer ?? '',
    alone?.knob ?? '',
    alone?.bits ?? '',
    ...measured,
    ...FRONT_NAMES.map((front) => (fronts[front].includes(p.index) ? 1 : 0)),
    result._tag === 'refused' ? `${result.code} ${result.message}` : '',
  ];
};

/** One line for each point, in their order; the first line has the names of the columns. */
export const resultsCsv = ({ points, fronts }: Results): string =>
  [COLUMNS, ...points.map((p) => csvRow(p, fronts))].map((row) => `${row.map(cell).join(',')}\n`).join('');
