/** `kanc eval`: what it does. */
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
import { showModelAssumptions } from '../assumptions.js';
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
