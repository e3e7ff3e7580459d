/** Random pipelines that are legal for every float network, and data to calibrate with. */
import * as fc from 'fast-check';
import { match } from 'ts-pattern';
import { showPipeline } from '../../src/passes/index.js';
import { randomOf } from '../../test/support/random.js';

export interface PipelineSpec {
  /** Without data ranges are assumed. */
  readonly data: DataSpec | undefined;
  readonly input: Readonly<Record<string, string>> | undefined;
  readonly bins: number;
  readonly quantize: Readonly<Record<string, string>>;
  readonly tabulate: Readonly<Record<string, string>>;
  readonly refit: boolean;
  /** Passes for graphs of every level, behind calibrate and behind quantize. */
  readonly between: readonly [ReadonlyArray<AnyLevel>, ReadonlyArray<AnyLevel>];
  /** In any order, and some of them twice. */
  readonly table: ReadonlyArray<TableName>;
}

type AnyLevel = 'dedupe' | 'dce';
type TableName = 'fold' | 'prune' | 'narrow' | AnyLevel;

export interface DataSpec {
  readonly style: 'uniform' | 'equal' | 'wide' | 'narrow' | 'two' | 'any';
  readonly samples: number;
  readonly seed: number;
}

/** The name of the data in pipelines. */
export const DATA = 'calib.npy';

const bits = (lo: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      { weight: 40, arbitrary: fc.integer({ min: lo, max: 5 }) },
      { weight: 8, arbitrary: fc.integer({ min: 6, max: 8 }) },
      { weight: 1, arbitrary: fc.integer({ min: 9, max: 16 }) },
    )
    .map(String);
const choice = (...texts: ReadonlyArray<string>): fc.Arbitrary<string> => fc.constantFrom(...texts);

/** Some of the options: those that are left out have their defaults. */
const some = (model: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<Record<string, string>> =>
  fc
    .record(model, { requiredKeys: [] })
    .map((o) => Object.fromEntries(Object.entries(o).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))));

const TABLE = ['fold', 'prune', 'dedupe', 'narrow', 'dce'] as const;

/** Without `fold` few networks are integers from end to end, which compiled programs are. */
const table: fc.Arbitrary<PipelineSpec['table']> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(TABLE) },
  { weight: 5, arbitrary: fc.shuffledSubarray<TableName>(['fold', 'fold', ...TABLE], { minLength: 4 }) },
  { weight: 1, arbitrary: fc.shuffledSubarray<TableName>([...TABLE]) },
);

const between: fc.Arbitrary<ReadonlyArray<AnyLevel>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.shuffledSubarray<AnyLevel>(['dedupe', 'dce']) },
);

export const pipelines: fc.Arbitrary<PipelineSpec> = fc.record({
  data: fc.option(
    fc.record({
      style: fc.constantFrom<DataSpec['style']>(
        'uniform',
        'uniform',
        'equal',
        'wide',
        'narrow',
        'two',
        'any',
      ),
      samples: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) },
        { weight: 5, arbitrary: fc.integer({ min: 6, max: 40 }) },
        { weight: 1, arbitrary: fc.integer({ min: 41, max: 150 }) },
      ),
      seed: fc.nat(),
    }),
    { nil: undefined, freq: 5 },
  ),
  input: fc.option(
    some({
      dtype: choice('f32', 'u8', 'u8'),
      mean: choice('0', '0.5', '-3', '1e30'),
      std: choice('1', '0.25', '1e-30', '1e30'),
    }),
    { nil: undefined, freq: 3 },
  ),
  bins: fc.constantFrom(1024, 64, 64, 2, 7),
  quantize: some({
    act: bits(1),
    hidden: bits(1),
    table: bits(2),
    coef: bits(2),
    basis: bits(1),
    ranges: choice('minmax', 'percentile', 'mse', 'histogram'),
    clip: choice('0', '1', '20', '49'),
    symmetry: choice('affine', 'symmetric'),
    margin: choice('0', '1', '100'),
    range: choice('clamp', 'extend'),
    inputRanges: choice('tensor', 'feature'),
    hiddenRanges: choice('feature', 'tensor'),
    quantizer: choice('uniform', 'lloyd'),
    align: choice('free', 'knots'),
    values: choice('mean', 'middle'),
    nan: choice('zero', 'zero', 'refuse'),
  }),
  tabulate: some({
    form: choice('auto', 'edge', 'basis'),
    scale: choice('output', 'tensor'),
    coefScale: choice('output', 'tensor'),
    cells: choice('mean', 'value'),
    budget: choice('64MiB', '1kB'),
  }),
  refit: fc.boolean(),
  between: fc.tuple(between, between),
  table,
});

/** The part of it that table graphs take. */
export const tablePipelineText = (p: PipelineSpec): string =>
  showPipeline(p.table.length === 0 ? [{ name: 'dce', options: {} }] : plain(p.table));

const plain = (names: ReadonlyArray<string>) => names.map((name) => ({ name, options: {} }));

/** The text of a pipeline. */
export const pipelineText = (p: PipelineSpec): string => {
  const data: Record<string, string> = p.data === undefined ? {} : { data: DATA };
  return showPipeline([
    ...(p.input === undefined ? [] : [{ name: 'input', options: p.input }]),
    { name: 'calibrate', options: { ...data, bins: String(p.bins) } },
    ...plain(p.between[0]),
    { name: 'quantize', options: p.quantize },
    ...plain(p.between[1]),
    { name: 'tabulate', options: { ...p.tabulate, ...(p.refit ? data : {}) } },
    ...plain(p.table),
  ]);
};

/** Calibration data of a style for an input of so many features. */
export const dataOf = ({ style, samples, seed }: DataSpec, features: number): Float32Array => {
  const r = randomOf(seed);
  const pair = [r.float(), r.float()];
  return Float32Array.from({ length: samples * features }, (_, j) =>
    match(style)
      .with('uniform', () => 2 * r.unit() - 1)
      .with('equal', () => pair[0]!)
      .with('wide', () => (2 * r.unit() - 1) * 2 ** ((j * 17) % 120))
      .with('narrow', () => 1 + r.unit() * 2 ** -20)
      .with('two', () => r.pick(pair))
      .with('any', r.float)
      .exhaustive(),
  );
};
