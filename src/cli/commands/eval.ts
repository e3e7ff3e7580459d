/** `kanc eval`. */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Json } from '../../backends/backend.js';
import { defined } from '../../diagnostics/defined.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { dataFromFiles } from '../../driver/data.js';
import { engineOf } from '../../driver/engines.js';
import { type Evaluation, evaluate } from '../../driver/evaluate.js';
import { assumptionsOf, loadModel } from '../../driver/models.js';
import type { Assumption } from '../../importers/family.js';
import {
  addImportFlags,
  addInputFlags,
  type ImportFlags,
  type InputFlags,
  inputOptions,
  parseCount,
  readImportOptions,
  readingOf,
} from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';
import { jsonLine, showModelAssumptions, showPercent } from '../show.js';

export interface EvalFlags extends InputFlags, ImportFlags {
  readonly data: string;
  readonly labels: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export const addEval: AddCommand = (command, world, settle) => {
  command
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint (the float network)')
    .requiredOption('--data <file>', 'an .npy file of inputs, samples first')
    .requiredOption('--labels <file>', 'an .npy file of class numbers or of target values')
    .option('--limit <n>', 'use the first n samples only', parseCount)
    .option('--json', 'print one JSON object');
  addInputFlags(addImportFlags(command)).action(async (model: string, flags: EvalFlags) => {
    await settle(evaluateModel(world, model, flags));
  });
};

export const evaluateModel = (
  world: Capabilities,
  model: string,
  flags: EvalFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    readImportOptions(world)(flags),
    TE.flatMap((options) => loadModel(world)(model, options)),
    TE.bindTo('loaded'),
    TE.bind('engine', ({ loaded }) => engineOf(world, inputOptions(flags))(loaded)),
    TE.bind('data', () => dataFromFiles(world, readingOf(flags))(flags.data)),
    TE.bind('labels', () => dataFromFiles(world)(flags.labels)),
    TE.bind('result', ({ engine, data, labels }) =>
      evaluate(engine, data, labels, {
        ...defined({ limit: flags.limit }),
        now: world.now,
        onProgress: (samples, of) => world.terminal.progress(`kanc: ${samples} of ${of} samples`),
      }),
    ),
    TE.map(({ loaded, engine, result }) => {
      engine.close();
      world.terminal.progress('');
      world.terminal.err(showModelAssumptions(loaded));
      world.terminal.out(
        flags.json === true ? jsonLine(toJson(result, assumptionsOf(loaded))) : showEvaluation(result),
      );
      return EXIT.ok;
    }),
  );

const toJson = (
  { clipped, ...rest }: Evaluation,
  assumptions: ReadonlyArray<Assumption>,
): { readonly [key: string]: Json } => ({
  ...rest,
  assumptions: assumptions.map((a) => ({ ...a })),
  ...(clipped === undefined ? {} : { clipped: { ...clipped } }),
});

const showShare = (share: number | null): string => (share === null ? 'none' : showPercent(share));

/** Ranges that hold the values of a program's inputs clip next to none of them. */
const SUSPICIOUS = 0.05;

export const showEvaluation = (e: Evaluation): string => {
  const scores = [
    ...(e.accuracy === undefined ? [] : [`accuracy ${showPercent(e.accuracy)}`]),
    ...(e.rmse === undefined ? [] : [`RMSE ${e.rmse.toPrecision(4)}`]),
  ];
  const lines = [
    `${scores.join(', ')} on ${e.samples} samples (${e.engine}, ${e.microsecondsPerInference.toPrecision(3)} us per inference)`,
    ...(e.note === undefined ? [] : [`note: ${e.note}`]),
  ];
  if (e.clipped !== undefined) {
    lines.push(
      `clipped to the calibrated range: inputs ${showShare(e.clipped.input)}, hidden values ${showShare(e.clipped.hidden)}`,
    );
    if ((e.clipped.input ?? 0) > SUSPICIOUS) {
      lines.push(
        'warning: that is much: the calibration data were not such inputs; calibrate with some of them, or check their units and normalisation',
      );
    }
  }
  return `${lines.join('\n')}\n`;
};
