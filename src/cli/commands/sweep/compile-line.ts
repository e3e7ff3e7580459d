/** The command that compiles a point of a sweep, ready to be copied. */
import * as E from 'fp-ts/lib/Either.js';
import { parseQuant } from '../../../driver/compile-options.js';
import { flagOf, readingOptions } from '../../../importers/family.js';
import { parsePipeline } from '../../../passes/pipeline-text.js';
import { type Configuration, nameOf } from '../../../search/configuration.js';
import type { MeasuredPoint, Results } from '../../../search/sweep/merge.js';
import type { Identity } from '../../../search/sweep/records.js';

/** The files of a sweep: results hold their hashes only, so that they are the same wherever the files lie. */
export interface SweepFiles {
  readonly checkpoint: string;
  readonly calib: string;
  readonly arch: string;
}

/** What stands for the files where their names are not known. */
export const PLACEHOLDERS: SweepFiles = {
  checkpoint: 'CHECKPOINT',
  calib: 'INPUTS',
  arch: 'ARCHITECTURE',
};

/** As a POSIX shell reads it as one word. */
const word = (text: string): string =>
  /^[A-Za-z0-9_./:=,+%@-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;

const PASS_FLAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  input: { dtype: '--input-dtype', mean: '--input-mean', std: '--input-std' },
  quantize: {
    ranges: '--ranges',
    quantizer: '--quantizer',
    range: '--out-of-range',
    nan: '--nan',
  },
};

/** A value as it is typed behind its flag. */
const valueWords = (flag: string, value: unknown): ReadonlyArray<string> => {
  if (Array.isArray(value)) return [flag, value.join('x')];
  return value === true ? [flag] : [flag, String(value)];
};

const importWords = (options: Identity['options'], { arch }: SweepFiles): ReadonlyArray<string> => [
  ...readingOptions().flatMap(([key]) => {
    const value = key === 'architecture' && options[key] !== undefined ? arch : options[key];
    return value === undefined ? [] : valueWords(flagOf(key), value);
  }),
  ...(options['inputLayout'] === undefined ? [] : valueWords('--input-layout', options['inputLayout'])),
];

/** The flags that the passes of all points had their options from. */
const passWords = ({ pipeline }: Identity['options']): ReadonlyArray<string> => {
  const calls = parsePipeline(typeof pipeline === 'string' ? pipeline : '');
  return E.isLeft(calls)
    ? []
    : calls.right.flatMap(({ name, options }) =>
        Object.entries(PASS_FLAGS[name] ?? {}).flatMap(([key, flag]) => {
          const value = options[key];
          return value === undefined ? [] : [flag, value];
        }),
      );
};

/** `kanc compile ...`; undefined for what no options of it ask for. */
export const compileLine = (
  { options }: Identity,
  configuration: Configuration,
  files: SweepFiles = PLACEHOLDERS,
): string | undefined => {
  const [form = '', ...bits] = nameOf(configuration).split(' ');
  const quant = bits.join(',');
  if (configuration.symmetry === 'symmetric' || E.isLeft(parseQuant(quant))) return undefined;
  const { checkpoint, calib } = files;
  return [
    ...['kanc', 'compile', checkpoint, '-o', 'out', '--calib', calib],
    ...importWords(options, files),
    ...passWords(options),
    ...['--form', form, '--quant', quant],
  ]
    .map(word)
    .join(' ');
};

export interface PointLine extends MeasuredPoint {
  readonly line: string;
}

/** The points among `indices` with the command that compiles each, smallest drop first. */
export const linesOf = (
  { header }: Results,
  measured: ReadonlyArray<MeasuredPoint>,
  indices: ReadonlySet<number>,
  files?: SweepFiles,
): ReadonlyArray<PointLine> =>
  measured
    .filter(({ point }) => indices.has(point.index))
    .flatMap((measuredPoint) => {
      const line = compileLine(header.identity, measuredPoint.point.configuration, files);
      return line === undefined ? [] : [{ ...measuredPoint, line }];
    })
    .sort((a, b) => a.result.drop - b.result.drop);
