/** `kanc eval`: what it does. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { dataFromFiles } from '../../driver/data.js';
import { defined } from '../../driver/defined.js';
import { engineOf } from '../../driver/engines.js';
import { type Evaluation, evaluate } from '../../driver/evaluate.js';
import { loadModel } from '../../driver/models.js';
import type { EvalFlags } from '../commands/eval.js';
import { inputOptions, readingOf } from '../flags.js';
import { readImportOptions } from '../import-options.js';
import { EXIT } from '../report.js';
import { jsonLine } from '../show.js';
import { showEvaluation } from '../show-evaluation.js';

export const evaluateModel = (
  world: Capabilities,
  model: string,
  flags: EvalFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    readImportOptions(world)(flags),
    TE.flatMap((options) => loadModel(world)(model, options)),
    TE.flatMap(engineOf(world, inputOptions(flags))),
    TE.bindTo('engine'),
    TE.bind('data', () => dataFromFiles(world, readingOf(flags))(flags.data)),
    TE.bind('labels', () => dataFromFiles(world)(flags.labels)),
    TE.bind('result', ({ engine, data, labels }) =>
      evaluate(engine, data, labels, {
        ...defined({ limit: flags.limit }),
        now: world.now,
        onProgress: (samples, of) => world.terminal.progress(`kanc: ${samples} of ${of} samples`),
      }),
    ),
    TE.map(({ engine, result }) => {
      engine.close();
      world.terminal.progress('');
      world.terminal.out(flags.json === true ? jsonLine(toJson(result)) : showEvaluation(result));
      return EXIT.ok;
    }),
  );

const toJson = ({ clipped, ...rest }: Evaluation) => ({
  ...rest,
  ...(clipped === undefined ? {} : { clipped: { ...clipped } }),
});
