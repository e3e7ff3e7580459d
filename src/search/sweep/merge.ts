/** Puts the points of all shards together. What comes out depends on the points alone, not on who found them. */
import * as E from 'fp-ts/lib/Either.js';
import { paretoFront } from '../../analyses/pareto.js';
import type { Json } from '../../backends/backend.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { KNOBS } from '../configuration.js';
import type { Measured } from '../outcome.js';
import type { Point } from './points.js';
import {
  checkSame,
  damaged,
  type Finished,
  type Header,
  headerOf,
  lineOfPoint,
  type RecordsFile,
} from './records.js';

/** The measures that a front is of, beside the drop. */
export const FRONTS = { memory: 'bytes', packed: 'packed', bitops: 'bitOps', luts: 'luts' } as const;
export type Front = keyof typeof FRONTS;

export interface Results {
  readonly header: Header;
  /** All points in their order. */
  readonly points: ReadonlyArray<Finished>;
  /** Indices of the points that no other one beats in the drop and this measure. */
  readonly fronts: Readonly<Record<Front, ReadonlyArray<number>>>;
}

export interface MeasuredPoint {
  readonly point: Finished;
  readonly result: Measured;
}

export const measuredOf = (points: ReadonlyArray<Finished>): ReadonlyArray<MeasuredPoint> =>
  points.flatMap((point) => (point.result._tag === 'measured' ? [{ point, result: point.result }] : []));

const frontOf = (points: ReadonlyArray<Finished>, front: Front): ReadonlyArray<number> => {
  const measured = measuredOf(points);
  return paretoFront(measured.map(({ result }) => [result.drop, result.cost[FRONTS[front]]])).map(
    (k) => measured[k]!.point.index,
  );
};

const MISSING_SHOWN = 12;

/**
 * The first shards that have points to be tried yet, and how many there are. The work grows with the points that are there:
 * how many there should be, and how many shards, is what a file says.
 */
const unfinished = (points: number, count: number, found: ReadonlySet<number>) => {
  const tried = new Map<number, number>();
  for (const index of found) tried.set(index % count, (tried.get(index % count) ?? 0) + 1);
  const isWhole = (k: number): boolean => tried.get(k) === Math.ceil((points - k) / count);
  const nonEmpty = Math.min(count, points);
  const first: number[] = [];
  for (let k = 0; k < nonEmpty && first.length < MISSING_SHOWN; k++) if (!isWhole(k)) first.push(k + 1);
  return { first, all: nonEmpty - [...tried.keys()].filter(isWhole).length };
};

interface Sighting {
  readonly file: string;
  readonly line: number;
  readonly point: Finished;
}

const disagreement = (first: Sighting, { file, line, point }: Sighting): Checked<never> =>
  fail(
    'K0905',
    `point ${point.index} ('${printable(point.name, 100)}') is not the same as in ${first.file}:${first.line}`,
    {
      place: { file, line },
      expected: 'the same record wherever a point was tried',
      hint: 'One of the two is damaged or was changed: remove that file, and run kanc sweep again for what is missing.',
    },
  );

/** As JSON whose keys stand in one order. */
const canonicalJson = (point: Finished): string =>
  JSON.stringify(point, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** All points by their index. K0905 where files say different things of the same point. */
export const collect = (files: ReadonlyArray<RecordsFile>): Checked<ReadonlyMap<number, Finished>> => {
  const seen = new Map<number, Sighting>();
  for (const { file, points } of files) {
    for (const [k, point] of points.entries()) {
      const here: Sighting = { file, line: lineOfPoint(k), point };
      const first = seen.get(point.index);
      if (first === undefined) seen.set(point.index, here);
      else if (canonicalJson(first.point) !== canonicalJson(point)) return disagreement(first, here);
    }
  }
  return E.right(new Map([...seen].map(([index, { point }]) => [index, point])));
};

/** K0905 on a record that is not of the point of its index, where it is known which points there are. */
export const checkPoints = (
  points: ReadonlyArray<Point>,
  { file, points: found }: RecordsFile,
): Checked<void> => {
  for (const [k, { index, name }] of found.entries()) {
    const meant = points[index]?.name;
    if (name === meant) continue;
    return damaged(
      file,
      lineOfPoint(k),
      `point ${index} is '${printable(name, 100)}', but should be '${printable(meant ?? '', 100)}'`,
    );
  }
  return E.right(undefined);
};

/** Names the shards whose points are missing, where all files are of one split. */
const missing = ({ points }: Header, found: ReadonlySet<number>, files: ReadonlyArray<RecordsFile>) => {
  const counts = [...new Set(files.map((f) => f.shard.count))];
  const split = counts.length === 1 ? counts[0] : undefined;
  const shards = split === undefined ? { first: [], all: 0 } : unfinished(points, split, found);
  const named = shards.first.map((index) => `${index}/${split}`);
  const more = shards.all > named.length ? ` and ${shards.all - named.length} more` : '';
  return fail('K0904', `${points - found.size} of ${points} points are missing`, {
    ...(files[0] === undefined ? {} : { place: { file: files[0].file } }),
    hint:
      named.length === 0
        ? 'Run kanc sweep with the same options and folder again: it tries what is missing.'
        : `Run the shards ${named.join(', ')}${more} again: they go on where they ended.`,
  });
};

/** Points whose names are not those that the sweep is the hash of: some stand at the index of another. */
const misplaced = (
  header: Header,
  all: ReadonlyArray<Finished>,
  files: ReadonlyArray<RecordsFile>,
): Checked<never> => {
  const names = new Set<string>();
  const twice = all.find(({ name }) => names.size === names.add(name).size);
  const file = files.find((f) => f.points.some((p) => p.index === twice?.index)) ?? files[0];
  return fail(
    'K0905',
    twice === undefined
      ? 'the points are not those of the header: some stand at the index of another, or the header was changed'
      : `point ${twice.index} is '${printable(twice.name, 100)}', which is another point of the sweep`,
    {
      ...(file === undefined ? {} : { place: { file: file.file } }),
      expected: `the ${header.points} points of sweep ${header.sweep.slice(0, 12)}, each at its own index`,
      hint: 'Run kanc sweep with the same options and folder again: it tells the line that is wrong.',
    },
  );
};

/**
 * K0904 where points are missing, K0901 where files are of different sweeps, K0905 where they contradict each other or
 * points are not those of the sweep.
 */
export const mergeRecords = (files: ReadonlyArray<RecordsFile>): Checked<Results> => {
  const header = files.find((f) => f.header !== undefined)?.header;
  if (header === undefined) {
    return fail('K0904', 'no points were found', {
      ...(files[0] === undefined ? {} : { place: { file: files[0].file } }),
      expected: 'a folder that kanc sweep has written to',
    });
  }
  for (const { header: other, file } of files) {
    const same = other === undefined ? E.right(undefined) : checkSame(header, other, file);
    if (E.isLeft(same)) return same;
  }
  const points = collect(files);
  if (E.isLeft(points)) return points;
  if (points.right.size < header.points) return missing(header, new Set(points.right.keys()), files);
  const all = [...points.right.values()].sort((a, b) => a.index - b.index);
  if (headerOf(header.identity, all).sweep !== header.sweep) return misplaced(header, all, files);
  return E.right({
    header,
    points: all,
    fronts: {
      memory: frontOf(all, 'memory'),
      packed: frontOf(all, 'packed'),
      bitops: frontOf(all, 'bitops'),
      luts: frontOf(all, 'luts'),
    },
  });
};

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
