/** The measurements of `kanc compile --tune`: whether they can be asked for, and what people are told of them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../../../diagnostics/index.js';
import type { Capabilities } from '../../../driver/capabilities.js';
import type { CompileOptions } from '../../../driver/compile-options.js';
import type { DataSource } from '../../../driver/data.js';
import { tuneCheckpoint, withForms } from '../../../driver/search/tune.js';
import type { ImportOptions } from '../../../importers/family.js';
import type { Source } from '../../../importers/source.js';
import type { NamedPass } from '../../../passes/registry.js';
import type { Trial, Tuned } from '../../../search/tune.js';
import { progressBar, progressOf } from '../../progress.js';

const wrong = (message: string, hint: string): Checked<never> =>
  fail('K0801', message, { place: { option: '--tune' }, hint });

/** What `kanc compile` is asked for that measuring depends on. */
export interface TuneFlags {
  readonly target: string;
  /** Samples of a call; true where none are told. */
  readonly tune?: number | true;
  readonly maxDrop?: number;
}

/** Samples of the calls that are measured, or undefined; K0801 where there is nothing that could be measured. */
export const checkTune = (flags: TuneFlags, options: CompileOptions): Checked<number | undefined> => {
  const { tune, target, maxDrop } = flags;
  if (tune === undefined) return E.right(undefined);
  if (target !== 'wasm') {
    return wrong(
      `it measures WASM in this process, and says nothing about ${target}`,
      'Leave it out, or compile for --target wasm.',
    );
  }
  if (options.calib === undefined) {
    return wrong('it measures on the calibration data, and there is none', 'Add --calib.');
  }
  if (options.passes !== undefined || maxDrop !== undefined) {
    const flag = options.passes === undefined ? '--max-drop' : '--passes';
    return wrong(`the forms of layers are told by ${flag} already`, 'Leave one of the two out.');
  }
  if (options.form !== undefined && options.form !== 'auto') {
    return wrong(`--form ${options.form} has decided the form of all layers`, 'Leave one of the two out.');
  }
  return E.right(tune === true ? 1 : tune);
};

/** The options with the forms that were found, and what was tried; undefined where nothing is asked for. */
export const tuneFor = (
  world: Capabilities,
  samples: number | undefined,
  request: {
    readonly source: Source;
    readonly importOptions: ImportOptions;
    readonly options: CompileOptions;
    readonly passes: ReadonlyArray<NamedPass>;
    readonly data: DataSource;
  },
): TE.TaskEither<Diagnostics, { readonly options: CompileOptions; readonly tuned: Tuned } | undefined> => {
  if (samples === undefined) return TE.right(undefined);
  const { options, passes, source, importOptions } = request;
  const data = request.data;
  const draw = progressBar(world, progressOf(world), 'layers measured');
  return pipe(
    data(options.calib ?? ''),
    TE.flatMap((calibration) =>
      tuneCheckpoint({ version: world.version, sha256: world.sha256, now: world.now, passes, data })({
        source,
        importOptions,
        options,
        samples,
        data: calibration,
        onProgress: draw,
      }),
    ),
    TE.map((tuned) => {
      world.terminal.progress('');
      return { options: withForms(options, tuned.forms), tuned };
    }),
  );
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const rowOf = ({ layer, from, to, result }: Trial): ReadonlyArray<string> =>
  result._tag === 'impossible'
    ? [layer, `${from} -> ${to}`, '', '', '', '', `not possible: ${result.why}`]
    : [
        layer,
        `${from} -> ${to}`,
        result.race.times[0].toFixed(2),
        result.race.times[1].toFixed(2),
        `${(1 / (1 - result.race.gain)).toFixed(2)}x`,
        percent(result.race.noise),
        result.kept ? `kept ${to}` : `kept ${from}`,
      ];

/** A table of what was tried, and the option that gives the same program without measuring again. */
export const tuneText = ({ trials, forms }: Tuned): string => {
  if (trials.length === 0) return 'tune: no layer has two forms\n';
  const rows = [['layer', 'form', 'before, us', 'after, us', 'speed', 'noise', ''], ...trials.map(rowOf)];
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd(),
  );
  const found = [...forms].map(([layer, form]) => `${layer}.form=${form}`).join(',');
  return `${lines.join('\n')}\n${found === '' ? '' : `the same program without measuring: --quant ${found}\n`}`;
};
