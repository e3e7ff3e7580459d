/** `kanc report`: what can be typed. */
import { addImportFlags, type ImportFlags } from '../flags.js';
import type { AddCommand } from '../settle.js';

export interface ReportFlags extends ImportFlags {
  readonly quant?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export const addReport: AddCommand = (program, world, settle) => {
  const command = program
    .command('report')
    .description(
      'what a model costs: BitOps, table reads, bytes and parameters of every layer, as recursion, as tables and as it is compiled',
    )
    .argument('<model>', 'an artifact folder, a .kir file, or a checkpoint')
    .option(
      '--quant <bits>',
      'bits of the tables that are not compiled, such as act=6,coef=4,basis=3 (8 where not given; an artifact has its own)',
    )
    .option('--html <file>', 'write a page with a chart too')
    .option('--json', 'print one JSON object');
  addImportFlags(command).action(async (model: string, flags: ReportFlags) => {
    const { report } = await import('../actions/report.js');
    await settle(report(world, model, flags));
  });
};
