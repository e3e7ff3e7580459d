/** The command line: arguments in, messages out, an exit code. What the commands do is loaded when one is called. */
import { Command, CommanderError } from 'commander';
import type { Capabilities } from '../driver/capabilities.js';
import { addCompile } from './commands/compile.js';
import { addEval } from './commands/eval.js';
import { addExplain } from './commands/explain.js';
import { addImport } from './commands/import.js';
import { addOpt } from './commands/opt.js';
import { addPasses } from './commands/passes.js';
import { addPrint } from './commands/print.js';
import { addReport } from './commands/report.js';
import { addRun } from './commands/run.js';
import { addSweep } from './commands/sweep.js';
import { addSynth } from './commands/synth.js';
import { addTargets } from './commands/targets.js';
import { addVerify } from './commands/verify.js';
import { addView } from './commands/view.js';
import { EXIT, exitCodeOf, showAll } from './report.js';
import { reportCrash } from './report-crash.js';
import type { Settle } from './settle.js';

const EPILOGUE = `
Exit codes: 0 success, 1 an error that the message explains, 2 wrong usage, 3 a bug of kanc.

Examples:
  kanc compile model.safetensors -o out --calib calib.npy
  kanc compile model.pt -o out --calib images.npy --input-dtype u8 --input-mean 0.5 --input-std 0.5
  kanc eval out --data test.npy --labels labels.npy --json
  kanc verify out`;

const programOf = (world: Capabilities, settle: Settle): Command => {
  const program = new Command('kanc')
    .description('Compiles trained Kolmogorov-Arnold networks to small integer programs.')
    .version(world.version)
    .exitOverride()
    // So that what stands behind `sweep merge` are options of merge.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: world.terminal.out,
      writeErr: world.terminal.err,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', EPILOGUE);
  for (const add of [
    addCompile,
    addRun,
    addEval,
    addVerify,
    addReport,
    addView,
    addSweep,
    addSynth,
    addImport,
    addPrint,
    addOpt,
    addPasses,
    addTargets,
    addExplain,
  ]) {
    add(program, world, settle);
  }
  return program;
};

/** Runs one command line, without `node` and the script, and gives its exit code. Never throws. */
export const main = async (argv: ReadonlyArray<string>, world: Capabilities): Promise<number> => {
  let exit: number = EXIT.ok;
  const settle: Settle = async (task) => {
    const result = await task();
    world.terminal.progress('');
    if (result._tag === 'Right') exit = result.right;
    else {
      world.terminal.err(showAll(result.left));
      exit = exitCodeOf(result.left);
    }
  };
  try {
    await programOf(world, settle).parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { lackOfMemory } = await import('../driver/crash.js');
    const lack = lackOfMemory(error);
    if (lack === undefined) return reportCrash(world, argv, error);
    world.terminal.progress('');
    world.terminal.err(showAll(lack));
    return exitCodeOf(lack);
  }
};
