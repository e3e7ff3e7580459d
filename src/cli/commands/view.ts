/** `kanc view`: what can be typed. */
import { addImportFlags, addPluginFlag, type ImportFlags, parseCount } from '../flags.js';
import type { AddCommand } from '../settle.js';
import { addShapeFlags, type ShapeFlags } from '../shape-flags.js';

export interface ViewFlags extends ShapeFlags, ImportFlags {
  readonly out: string;
  readonly data?: string;
  readonly labels?: string;
  readonly limit?: number;
  readonly plugin?: ReadonlyArray<string>;
  readonly verifyEach?: boolean;
  readonly json?: boolean;
}

export const addView: AddCommand = (program, world, settle) => {
  const command = program
    .command('view')
    .description('see the compiler work: one page with every pass, graph, edge and table of a model')
    .argument('<model>', 'a checkpoint, a .kir file, or an artifact folder')
    .requiredOption('-o, --out <file>', 'the HTML file to write');
  addPluginFlag(addImportFlags(addShapeFlags(command)))
    .option('--data <file>', 'an .npy file of inputs to measure every pass on (default: those of --calib)')
    .option('--labels <file>', 'an .npy file of their labels or targets')
    .option(
      '--limit <n>',
      'measure on the first n of them (default: 1000, fewer for large networks)',
      parseCount,
    )
    .option('--verify-each', 'verify the graph after every pass')
    .option('--json', 'print one JSON object')
    .action(async (model: string, flags: ViewFlags) => {
      const { view } = await import('../actions/view.js');
      await settle(view(world, model, flags));
    });
};
