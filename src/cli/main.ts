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

interface CommandEntry {
  readonly name: string;
  /** What stands behind the name, and a line about it: for the help, which loads nothing. */
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<AddCommand>;
}

/** The commands in the order of the help. Each is loaded when it is called: most of them load half of the compiler. */
const COMMANDS: ReadonlyArray<CommandEntry> = [
  {
    name: 'compile',
    usage: '[options] <checkpoint>',
    summary: 'compile a checkpoint to an artifact',
    load: async () => (await import('./commands/compile/index.js')).addCompile,
  },
  {
    name: 'run',
    usage: '[options] <model>',
    summary: 'run a model on data',
    load: async () => (await import('./commands/run.js')).addRun,
  },
  {
    name: 'eval',
    usage: '[options] <model>',
    summary: 'measure a model on labelled data: accuracy for integer labels, RMSE for float targets',
    load: async () => (await import('./commands/eval.js')).addEval,
  },
  {
    name: 'verify',
    usage: '[options] <folder>',
    summary: 'compare an artifact with the interpreter: every intermediate integer and every output bit',
    load: async () => (await import('./commands/verify/index.js')).addVerify,
  },
  {
    name: 'report',
    usage: '[options] <model>',
    summary:
      'what a model costs: BitOps, table reads, bytes and parameters of every layer, as recursion, as tables and as it is compiled',
    load: async () => (await import('./commands/report.js')).addReport,
  },
  {
    name: 'view',
    usage: '[options] <model>',
    summary: 'see the compiler work: one page with every pass, graph, edge and table of a model',
    load: async () => (await import('./commands/view.js')).addView,
  },
  {
    name: 'sweep',
    usage: '[options] <checkpoint>',
    summary: 'measure many configurations of bits: accuracy lost against memory, BitOps and LUTs',
    load: async () => (await import('./commands/sweep/index.js')).addSweep,
  },
  {
    name: 'synth',
    usage: '[options] <folder>',
    summary:
      'synthesize a Verilog artifact with yosys: LUTs, registers, the longest path, and a placed clock',
    load: async () => (await import('./commands/synth.js')).addSynth,
  },
  {
    name: 'import',
    usage: '[options] <checkpoint>',
    summary: 'read a checkpoint: tell what is in it, or write it as a graph',
    load: async () => (await import('./commands/import.js')).addImport,
  },
  {
    name: 'print',
    usage: '[options] <model>',
    summary: 'print the graph of a model',
    load: async () => (await import('./commands/print.js')).addPrint,
  },
  {
    name: 'opt',
    usage: '[options] <graph>',
    summary: 'run passes on a graph',
    load: async () => (await import('./commands/opt.js')).addOpt,
  },
  {
    name: 'passes',
    usage: '[options]',
    summary: 'list the passes and their options',
    load: async () => (await import('./commands/list.js')).addPasses,
  },
  {
    name: 'targets',
    usage: '[options]',
    summary: 'list what kanc can compile for',
    load: async () => (await import('./commands/list.js')).addTargets,
  },
  {
    name: 'explain',
    usage: '[code]',
    summary: 'explain the code of an error',
    load: async () => (await import('./commands/explain.js')).addExplain,
  },
];

/** The command that a line calls, or asks the help of. */
const calledBy = (argv: ReadonlyArray<string>): string | undefined => {
  const [first, second] = argv.filter((word) => !word.startsWith('-'));
  return first === 'help' ? second : first;
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
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .addHelpText('after', EPILOGUE);
  const called = calledBy(argv);
  for (const { name, usage, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary);
    if (name === called) (await load())(command, world, settle);
    else command.usage(usage);
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
