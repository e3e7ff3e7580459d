/** `kanc report`. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { writeFileAtomically } from '../../driver/atomic.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { parseQuant } from '../../driver/compile-options.js';
import { reportOnModel } from '../../driver/cost-report.js';
import { checkFile } from '../../driver/destination.js';
import { reportPage } from '../costs/html.js';
import { reportJson } from '../costs/json.js';
import { reportText } from '../costs/text.js';
import { addImportFlags, type ImportFlags, readImportOptions } from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';
import { jsonLine } from '../show.js';

export interface ReportFlags extends ImportFlags {
  readonly quant?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export const addReport: AddCommand = (command, world, settle) => {
  command
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint')
    .option(
      '--quant <bits>',
      'bits of the tables that are not compiled, such as act=6,coef=4,basis=3 (8 where not given; an artifact has its own)',
    )
    .option('--html <file>', 'write a page with a chart too')
    .option('--json', 'print one JSON object');
  addImportFlags(command).action(async (model: string, flags: ReportFlags) => {
    await settle(report(world, model, flags));
  });
};

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
