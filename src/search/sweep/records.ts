/** Files of points: a line that says of which sweep they are, and one for each point that is finished. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { integer, showFirstError } from '../../ir/codec.js';
import { nameOf } from '../configuration.js';
import type { Measured } from '../outcome.js';
import { CostCodec, type Refused, RefusedCodec } from '../trial.js';
import { type Point, PointCodec, type Shard } from './points.js';

/** All that the results depend on. */
const IdentityCodec = t.readonly(
  t.type({
    kanc: t.string,
    checkpoint: t.readonlyArray(t.string),
    /** Of the network, the input and the passes. */
    options: t.readonly(t.record(t.string, t.unknown)),
    data: t.string,
    /** Data to measure on; null where a part of `data` is held out. */
    holdout: t.union([t.string, t.null]),
    labels: t.union([t.string, t.null]),
    grid: t.string,
    sensitivity: t.boolean,
    refit: t.number,
    samples: t.number,
    folds: t.number,
    metric: t.keyof({ accuracy: null, changed: null, error: null, rms: null }),
    layers: t.readonlyArray(t.string),
  }),
  'what the results depend on',
);

export type Identity = t.TypeOf<typeof IdentityCodec>;

const HeaderCodec = t.readonly(
  t.type({
    format: t.literal('kanc-sweep'),
    version: t.literal(1),
    /** The hash of the identity and of the names of all points. */
    sweep: t.string,
    points: integer(1, 2 ** 32),
    identity: IdentityCodec,
  }),
  'the header of a sweep',
);

export type Header = t.TypeOf<typeof HeaderCodec>;

const MeasuredCodec = t.readonly(
  t.type({
    _tag: t.literal('measured'),
    drop: t.number,
    error: t.number,
    loss: t.number,
    samples: t.number,
    cost: CostCodec,
  }),
);

const ResultCodec = t.union([MeasuredCodec, RefusedCodec], 'a result with the _tag measured or refused');

const FinishedCodec = t.intersection([
  PointCodec,
  t.readonly(t.type({ result: ResultCodec }), 'a point of a sweep'),
]);

export type Finished = t.TypeOf<typeof FinishedCodec>;

const hashOf = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

export const headerOf = (identity: Identity, points: ReadonlyArray<Point>): Header => ({
  format: 'kanc-sweep',
  version: 1,
  sweep: hashOf(JSON.stringify([identity, points.map((p) => p.name)])),
  points: points.length,
  identity,
});

export const finished = (point: Point, result: Measured | Refused): Finished => ({ ...point, result });

/** JSON has no line ends in it. */
export const lineOf = (record: Header | Finished): string => `${JSON.stringify(record)}\n`;

export const fileNameOf = ({ index, count }: Shard): string => `points-${index}-of-${count}.jsonl`;

export const shardOfName = (name: string): Shard | undefined => {
  const [, index, count] = /^points-(\d{1,9})-of-(\d{1,9})\.jsonl$/.exec(name) ?? [];
  return index === undefined ? undefined : { index: Number(index), count: Number(count) };
};

export interface Records {
  /** Absent where not even the first line is whole. */
  readonly header: Header | undefined;
  readonly points: ReadonlyArray<Finished>;
  /** The lines that are whole, as they are. */
  readonly text: string;
}

export interface RecordsFile extends Records {
  readonly file: string;
  readonly shard: Shard;
}

export const damaged = (file: string, line: number, what: string): Checked<never> =>
  fail('K0905', what, {
    place: { file, line },
    expected: 'a file that kanc sweep has written',
    hint: 'Remove the file: its points are tried again.',
  });

/** A line as the record that it should be; a left says what is wrong with it. */
const decoded = <A>(codec: t.Decoder<unknown, A>, line: string): E.Either<string, A> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(line),
      () => 'it is not JSON',
    ),
    E.flatMap((data) => E.mapLeft(showFirstError)(codec.decode(data))),
  );

/** What is wrong with a point by itself; undefined where nothing is. */
const contradiction = ({ index, name, configuration }: Finished, points: number): string | undefined => {
  if (!Number.isInteger(index) || index < 0 || index >= points) {
    return `point ${index} of a sweep whose points are 0 to ${points - 1}`;
  }
  const meant = nameOf(configuration);
  return meant === name
    ? undefined
    : `point ${index} is named '${printable(name, 100)}', but its configuration is '${printable(meant, 100)}'`;
};

/** The line of the k-th point: the header stands above all of them. */
export const lineOfPoint = (k: number): number => k + 2;

/** Reads a file. What stands behind the last line end was cut off while it was written, and is left out. */
export const parseRecords = (content: string, file: string): Checked<Records> => {
  const text = content.slice(0, content.lastIndexOf('\n') + 1);
  const [first, ...rest] = text.split('\n').slice(0, -1);
  if (first === undefined) return E.right({ header: undefined, points: [], text: '' });
  const header = decoded(HeaderCodec, first);
  if (E.isLeft(header)) return damaged(file, 1, `the first line is no header: ${header.left}`);
  const points: Finished[] = [];
  for (const [k, line] of rest.entries()) {
    const point = decoded(FinishedCodec, line);
    if (E.isLeft(point)) return damaged(file, lineOfPoint(k), `the line is no point: ${point.left}`);
    const wrong = contradiction(point.right, header.right.points);
    if (wrong !== undefined) return damaged(file, lineOfPoint(k), wrong);
    points.push(point.right);
  }
  return E.right({ header: header.right, points, text });
};

/** Refuses points of another sweep (K0901), and says in what it differs. */
export const checkSame = (mine: Header, other: Header, file: string): Checked<void> => {
  if (mine.sweep === other.sweep) return E.right(undefined);
  const keys = Object.keys(IdentityCodec.type.props);
  const entries = (h: Header): ReadonlyMap<string, string> =>
    new Map(Object.entries(h.identity).map(([k, v]) => [k, JSON.stringify(v)]));
  const [a, b] = [entries(mine), entries(other)];
  const differing = keys.filter((key) => a.get(key) !== b.get(key));
  return fail(
    'K0901',
    `the points are of another sweep, with other ${differing.length === 0 ? 'points' : differing.join(', ')}`,
    {
      place: { file },
      expected: 'points of the same checkpoint, data, labels and options, and of the same version of kanc',
      hint: 'Choose another folder with -o, or remove what is there.',
    },
  );
};
