/** `kanc compile`. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Json } from '../../../backends/backend.js';
import { defined } from '../../../diagnostics/defined.js';
import type { Checked, Diagnostics } from '../../../diagnostics/index.js';
import { writeArtifact } from '../../../driver/atomic.js';
import type { Capabilities } from '../../../driver/capabilities.js';
import { loadSource } from '../../../driver/checkpoint-files.js';
import { type Compilation, compileCheckpoint } from '../../../driver/compile.js';
import { type CompileOptions, compilePipeline } from '../../../driver/compile-options.js';
import { dataFromFiles } from '../../../driver/data.js';
import { checkDestination } from '../../../driver/destination.js';
import { sha256Of } from '../../../driver/node/hash.js';
import { loadPlugins, type Plugin } from '../../../driver/plugins.js';
import type { Timing } from '../../../driver/run-passes.js';
import { parseTargetOptions, type TargetOptions } from '../../../driver/target-options.js';
import type { ImportOptions } from '../../../importers/family.js';
import type { Tuned } from '../../../search/tune.js';
import {
  addImportFlags,
  addPassFlags,
  checkLayoutUsed,
  type ImportFlags,
  importOptions,
  layoutTold,
  type PassFlags,
  parseCount,
  readImportOptions,
  readingOf,
} from '../../flags/index.js';
import { addSearchFlags, type SearchFlags } from '../../flags/search.js';
import { addShapeFlags, type ShapeFlags, shapeOptions } from '../../flags/shape.js';
import {
  checkDumps,
  checkPrinted,
  flushing,
  observer,
  showRemarks,
  showTimings,
} from '../../observe-passes.js';
import { progressOf } from '../../progress.js';
import { EXIT } from '../../report.js';
import type { AddCommand } from '../../settle.js';
import { jsonLine, showAssumptions, showBytes } from '../../show.js';
import { goalOf } from './goal.js';
import { layoutLines, qualityLines } from './quality.js';
import { type Searched, searchFor, searchText } from './search.js';
import { checkTune, type TuneFlags, tuneFor, tuneText } from './tune.js';

export interface CompileFlags extends ShapeFlags, ImportFlags, PassFlags, SearchFlags, TuneFlags {
  readonly out: string;
  readonly singleFile?: boolean;
  readonly floatBaseline?: boolean;
  readonly targetOptions?: string;
  readonly sampleInputs?: string;
  readonly json?: boolean;
}

export const addCompile: AddCommand = (command, world, settle) => {
  command
    .argument('<checkpoint>', 'a .pt, .pth or .safetensors file, or the files or folder of pykan or KANELE')
    .requiredOption('-o, --out <folder>', 'the folder of the artifact; one from before is replaced')
    .option('--target <name>', 'what to compile for; `kanc targets` lists them', 'wasm');
  addShapeFlags(command);
  command
    .option(
      '--tune [samples]',
      'measure on this machine, in calls of so many samples (default 1), which form of each layer is faster, from what --form auto chooses',
      parseCount,
    )
    .option('--single-file', 'put the module into index.js')
    .option('--float-baseline', 'wgsl: add the float network as a program of its own, to compare with')
    .option(
      '--target-options <options>',
      'options of the target, as name=value,...; docs/targets-*.md tell them',
    )
    .option(
      '--sample-inputs <file>',
      'an .npy file of inputs for targets that look at some, in place of --calib',
    )
    .option('--json', 'print one JSON object about the artifact');
  addPassFlags(addImportFlags(addSearchFlags(command))).action(
    async (checkpoint: string, flags: CompileFlags) => {
      await settle(compile(world, checkpoint, flags));
    },
  );
};

const optionsOf = (flags: CompileFlags): Checked<CompileOptions> =>
  E.flatMap(() => shapeOptions(flags))(
    checkLayoutUsed(flags, [flags.calib, flags.sampleInputs, flags.holdout]),
  );

/** What can be wrong with the options whatever the network is: looked at before any file is read. */
const askedOf = (world: Capabilities, flags: CompileFlags) =>
  pipe(
    TE.fromEither(optionsOf(flags)),
    TE.bindTo('options'),
    TE.bind('targetOptions', () => TE.fromEither(targetOptionsOf(flags))),
    TE.bind('pipeline', ({ options }) => TE.fromEither(compilePipeline(options))),
    TE.bind('goal', ({ options }) => TE.fromEither(goalOf(flags, options))),
    TE.bind('tuning', ({ options }) => TE.fromEither(checkTune(flags, options))),
    TE.bind('target', () => checkDestination(world)(flags.out)),
    TE.tap(({ target }) => checkDumps(world, flags, target)),
    TE.bind('builtin', () =>
      TE.fromTask<Awaited<ReturnType<typeof world.passes>>, Diagnostics>(world.passes),
    ),
    TE.bind('plugins', ({ builtin }) => loadPlugins(world, builtin)(flags.plugin ?? [])),
    TE.bind('passes', ({ builtin, plugins }) => TE.right([...builtin, ...plugins.flatMap((p) => p.passes)])),
    TE.tap(({ passes }) => TE.fromEither(checkPrinted(flags, passes))),
  );

export const compile = (
  world: Capabilities,
  checkpoint: string,
  flags: CompileFlags,
): TE.TaskEither<Diagnostics, number> => {
  const seen = observer(world, flags);
  return pipe(
    askedOf(world, flags),
    TE.bind('importing', () => readImportOptions(world)(flags)),
    TE.bind('source', () => loadSource(world)(checkpoint)),
    TE.let('data', () => dataFromFiles(world, readingOf(flags))),
    TE.bind('samples', ({ data }) =>
      flags.sampleInputs === undefined ? TE.right(undefined) : data(flags.sampleInputs),
    ),
    TE.bind('searched', ({ goal, source, importing: importOptions, options, passes }) =>
      searchFor(world, flags, goal, { source, importOptions, options, passes }),
    ),
    TE.bind('tuned', ({ tuning, source, importing: importOptions, options, passes, data }) =>
      tuneFor(world, tuning, { source, importOptions, options, passes, data }),
    ),
    TE.bind('made', (all) => {
      const { source, importing, passes, plugins, targetOptions, samples, searched } = all;
      const options = all.tuned?.options ?? all.options;
      const line = `kanc: compiling ${checkpoint}`;
      // In a log only where it ends a search, whose stages are told there too.
      if (searched === undefined) world.terminal.progress(line);
      else progressOf(world).stage(line);
      return flushing(seen)(
        compileCheckpoint({ ...world, passes, data: all.data })({
          source,
          importOptions: importing,
          pipeline: (level) =>
            searched === undefined ? compilePipeline(options, level) : E.right(searched.choice.pipeline),
          target: flags.target,
          targetOptions,
          verifyEach: flags.verifyEach === true,
          ...defined({ samples }),
          told: {
            ...toldOf(flags, importing, options, plugins, targetOptions),
            ...(searched === undefined ? {} : { search: searched.told }),
          },
          onImport: (graph) => seen.onStart(graph, 'import'),
          onPass: seen.onPass,
        }),
      );
    }),
    // As it was resolved at first: nothing that runs in between moves it.
    TE.bind('writing', ({ made, target }) => timedWrite(world, target, made)),
    TE.map(({ made, writing, searched, tuned }) => {
      tell(world, flags, made, [...made.timings, writing], searched, tuned?.tuned);
      return EXIT.ok;
    }),
  );
};

const tell = (
  world: Capabilities,
  flags: CompileFlags,
  made: Compilation,
  timings: ReadonlyArray<Timing>,
  searched: Searched | undefined,
  tuned: Tuned | undefined,
): void => {
  const { out, err } = world.terminal;
  err(showAssumptions(made.assumptions));
  err(showRemarks(made.remarks, flags.remarks === true));
  if (flags.timing === true) err(showTimings(timings));
  if (searched !== undefined) err(searchText(searched));
  if (tuned !== undefined) err(tuneText(tuned));
  err(summary(flags, made, searched === undefined));
  if (flags.json === true) {
    const search = searched === undefined ? {} : { search: searched.told };
    out(jsonLine({ ...toJson(flags, made, timings), ...search }));
  }
};

/** What only some targets take: their codecs refuse what they do not know. */
const targetOptionsOf = ({
  singleFile,
  floatBaseline,
  targetOptions,
}: CompileFlags): Checked<TargetOptions> =>
  pipe(
    targetOptions === undefined ? E.right({}) : parseTargetOptions(targetOptions),
    E.map((named) => ({
      ...named,
      ...(singleFile === true ? { singleFile: true } : {}),
      ...(floatBaseline === true ? { floatBaseline: true } : {}),
    })),
  );

/** The options for the manifest: no paths, so the calibration data and the pipeline stand elsewhere in it. */
const toldOf = (
  flags: CompileFlags,
  { architecture }: ImportOptions,
  { calib: _, passes: __, ...options }: CompileOptions,
  plugins: ReadonlyArray<Plugin>,
  targetOptions: TargetOptions,
): { readonly [key: string]: Json } => ({
  ...options,
  ...layoutTold(flags),
  ...importOptions(flags),
  ...(architecture === undefined ? {} : { architecture: sha256Of(architecture.text) }),
  ...(Object.keys(targetOptions).length === 0 ? {} : { targetOptions }),
  ...(plugins.length === 0 ? {} : { plugins: plugins.map((p) => p.sha256) }),
});

const timedWrite =
  (world: Capabilities, folder: string, { artifact }: Compilation): TE.TaskEither<Diagnostics, Timing> =>
  async () => {
    const started = world.now();
    const written = await writeArtifact(world)(folder, artifact)();
    return E.map(() => ({ step: '(write)', milliseconds: world.now() - started }))(written);
  };

const sizeOf = (content: Uint8Array | string): number => Buffer.byteLength(content);

/** `hints`: not where the difference was chosen. */
const summary = (flags: CompileFlags, made: Compilation, hints: boolean): string => {
  const { artifact, cost } = made;
  const bytes = [...artifact.files].map(([name, content]) => (name.endsWith('.kir') ? 0 : sizeOf(content)));
  const size = showBytes(bytes.reduce((a, b) => a + b, 0));
  const lines = [
    `${flags.out}: ${flags.target}, ${size}, ${showBytes(cost.bytes)} of tables`,
    ...layoutLines(flags, made),
    ...qualityLines(flags, made, hints),
  ];
  return `${lines.join('\n')}\n`;
};

const toJson = (
  flags: CompileFlags,
  { artifact, assumptions, cost, divergence, pipeline, remarks }: Compilation,
  timings: ReadonlyArray<Timing>,
): { readonly [key: string]: Json } => ({
  out: flags.out,
  target: flags.target,
  pipeline,
  files: Object.fromEntries(
    [...artifact.files].map(([name, content]) => [
      name,
      { bytes: sizeOf(content), sha256: sha256Of(content) },
    ]),
  ),
  cost: { ...cost },
  divergence: divergence === undefined ? null : { ...divergence },
  assumptions: assumptions.map((a) => ({ ...a })),
  remarks: remarks.map((r) => ({ ...r })),
  timings: timings.map((t) => ({ ...t })),
});
