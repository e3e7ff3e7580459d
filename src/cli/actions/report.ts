/** `kanc report`: what it does. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { parseQuant } from '../../driver/compile-options.js';
import { reportOnModel } from '../../driver/cost-report.js';
import { checkFile } from '../../driver/destination.js';
import type { ReportFlags } from '../commands/report.js';
import { reportPage } from '../cost-html.js';
import { reportJson } from '../cost-json.js';
import { reportText } from '../cost-text.js';
import { readImportOptions } from '../import-options.js';
import { EXIT } from '../report.js';
import { jsonLine } from '../show.js';

export const report = (
  world: Capabilities,
  model: string,
  flags: ReportFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    TE.fromEither(flags.quant === undefined ? E.right(undefined) : parseQuant(flags.quant)),
    TE.bindTo('quant'),
    TE.tap(() => checkFile(world)(flags.html)),
    TE.bind('options', () => readImportOptions(world)(flags)),
    TE.bind('made', ({ options, quant }) => reportOnModel(world)(model, options, quant)),
    TE.tap(({ made }) =>
      flags.html === undefined
        ? TE.right(undefined)
        : writeFileAtomically(world)(flags.html, reportPage(made)),
    ),
    TE.map(({ made }) => {
      world.terminal.out(flags.json === true ? jsonLine(reportJson(made)) : reportText(made));
      return EXIT.ok;
    }),
  );
