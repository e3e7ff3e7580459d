/** The command line: arguments in, messages out, an exit code. What the commands do is loaded when one is called. */
import { Command, CommanderError } from 'commander';
import type { Capabilities } from '../driver/capabilities.js';
import { EXIT, exitCodeOf, showAll } from './report.js';
import { reportCrash } from './report-crash.js';
import type { AddCommand, Settle } from './settle.js';

const EPILOGUE = `
Exit codes: 0 success, 1 an error that the message explains, 2 wrong usage, 3 a bug of kanc.

Examples:
  kanc compile model.safetensors -o out --calib calib.npy
  kanc compile model.pt -o out --calib images.npy --input-dtype u8 --input-mean 0.5 --input-std 0.5
  kanc eval out --data test.npy --labels labels.npy --json
  kanc verify out`;

/** The commands in the order of the help, each loaded when it is asked for: most of them load half of the compiler. */
const COMMANDS: ReadonlyArray<readonly [name: string, load: () => Promise<AddCommand>]> = [
  ['compile', async () => (await import('./commands/compile/index.js')).addCompile],
  ['run', async () => (await import('./commands/run.js')).addRun],
  ['eval', async () => (await import('./commands/eval.js')).addEval],
  ['verify', async () => (await import('./commands/verify/index.js')).addVerify],
  ['report', async () => (await import('./commands/report.js')).addReport],
  ['view', async () => (await import('./commands/view.js')).addView],
  ['sweep', async () => (await import('./commands/sweep/index.js')).addSweep],
  ['synth', async () => (await import('./commands/synth.js')).addSynth],
  ['import', async () => (await import('./commands/import.js')).addImport],
  ['print', async () => (await import('./commands/print.js')).addPrint],
  ['opt', async () => (await import('./commands/opt.js')).addOpt],
  ['passes', async () => (await import('./commands/list.js')).addPasses],
  ['targets', async () => (await import('./commands/list.js')).addTargets],
  ['explain', async () => (await import('./commands/explain.js')).addExplain],
];

/** The command that is called; all where it is another word, or help: those that exist are told then. */
const commandsFor = (argv: ReadonlyArray<string>): typeof COMMANDS => {
  const called = COMMANDS.filter(([name]) => name === argv[0]);
  if (called.length > 0) return called;
  return argv.length === 1 && argv[0] === '--version' ? [] : COMMANDS;
};

const programOf = async (
  argv: ReadonlyArray<string>,
  world: Capabilities,
  settle: Settle,
): Promise<Command> => {
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
  for (const [, load] of commandsFor(argv)) (await load())(program, world, settle);
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
    const program = await programOf(argv, world, settle);
    await program.parseAsync([...argv], { from: 'user' });
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
