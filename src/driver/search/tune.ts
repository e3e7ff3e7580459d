/** Tuning of a checkpoint: programs are compiled to WASM as `kanc compile` does, and run in this process. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Form } from '../../analyses/form-cost.js';
import { instantiate, type Program } from '../../backends/wasm/index.js';
import { type Checked, type Diagnostics, diagnostic, fail, InternalError } from '../../diagnostics/index.js';
import type { ImportOptions } from '../../importers/family.js';
import type { Source } from '../../importers/source.js';
import { bytesOrFloats } from '../../ir/batches.js';
import type { Graph } from '../../ir/graph.js';
import { tableLayerOf } from '../../ir/table-layer.js';
import type { Dataset } from '../../passes/dataset.js';
import { bytesOption } from '../../passes/options.js';
import { type Forms, type Run, race, type Tuned, tune } from '../../search/tune.js';
import { type CompileWorld, compileCheckpoint } from '../compile.js';
import { type CompileOptions, compilePipeline } from '../compile-options.js';
import { samplesFor } from '../data.js';

export interface TuneRequest {
  readonly source: Source;
  readonly importOptions: ImportOptions;
  readonly options: CompileOptions;
  /** Samples of a call. */
  readonly samples: number;
  /** Inputs as the program gets them. */
  readonly data: Dataset;
  readonly onProgress: (done: number, of: number) => void;
}

interface Made {
  readonly graph: Graph<'table'>;
  readonly run: Run;
}

/** Inputs change from call to call, up to so many samples: what is skipped depends on them. */
const MOST_SAMPLES = 512;

/** The options with the forms of single layers; they stand last, so that they hold. */
export const withForms = (options: CompileOptions, forms: Forms): CompileOptions =>
  forms.size === 0
    ? options
    : {
        ...options,
        quant: {
          ...options.quant,
          ...Object.fromEntries([...forms].map(([layer, form]) => [`${layer}.form`, form])),
        },
      };

/** The name that `tabulate` gives to the accumulators of a layer, behind which later passes may put a number. */
const ACCUMULATORS = /^(.*)_acc\d*$/;

/** Layers by name, with their forms; those whose form the options tell are left out. */
const formsIn = (graph: Graph<'table'>, { quant = {} }: CompileOptions): ReadonlyMap<string, Form> =>
  new Map(
    graph.nodes.flatMap(({ name, op }): ReadonlyArray<readonly [string, Form]> => {
      const layer = ACCUMULATORS.exec(name)?.[1];
      const table = tableLayerOf(op);
      if (layer === undefined || table === undefined || Object.hasOwn(quant, `${layer}.form`)) return [];
      return [[layer, table.form]];
    }),
  );

/** The default of `tabulate`. */
const BUDGET = '64MiB';

/** Bytes of the largest table of a layer in a graph. */
const largestTable = (graph: Graph<'table'>): number =>
  graph.nodes.reduce((most, { op }) => Math.max(most, tableLayerOf(op)?.weights.data.byteLength ?? 0), 0);

/** Calls of `samples` samples, one after the other through the data (K0801 where it has fewer). */
const callsOf = (program: Program, graph: Graph<'table'>, data: Dataset, samples: number): Checked<Run> =>
  pipe(
    samplesFor(data, graph.inputs[0]!.type, Math.max(samples, MOST_SAMPLES)),
    E.filterOrElse(
      ({ batch }) => batch >= samples,
      ({ batch }): Diagnostics => [
        diagnostic('K0801', `calls of ${samples} samples cannot be measured with ${batch}`, {
          place: { option: '--tune' },
          hint: 'Give --calib more samples, or measure smaller calls.',
        }),
      ],
    ),
    E.map((tensor) => {
      const inputs = bytesOrFloats(tensor);
      const size = samples * program.features;
      const calls = Array.from({ length: Math.floor(inputs.length / size) }, (_, k) =>
        inputs.slice(k * size, (k + 1) * size),
      );
      let next = 0;
      return () => {
        const result = program.predict(calls[next++ % calls.length]!);
        if (E.isLeft(result)) throw new InternalError(`tuning: ${result.left[0].message}`);
      };
    }),
  );

const withinBudget = (graph: Graph<'table'>, budgetMem: string): Checked<void> => {
  const budget = bytesOption('', '').parse(budgetMem);
  return E.isRight(budget) && largestTable(graph) > budget.right
    ? fail('K0801', `its table would be larger than ${budgetMem}`)
    : E.right(undefined);
};

export const tuneCheckpoint =
  (world: CompileWorld) =>
  (request: TuneRequest): TE.TaskEither<Diagnostics, Tuned> => {
    const { source, importOptions, options, samples, data } = request;
    const make = (forms: Forms): TE.TaskEither<Diagnostics, Made> =>
      pipe(
        compileCheckpoint(world)({
          source,
          importOptions,
          pipeline: (level) => compilePipeline(withForms(options, forms), level),
          target: 'wasm',
          targetOptions: {},
          verifyEach: false,
          told: {},
        }),
        TE.tap(({ graph }) =>
          TE.fromEither(
            forms.size === 0 ? E.right(undefined) : withinBudget(graph, options.budgetMem ?? BUDGET),
          ),
        ),
        TE.bind('program', ({ artifact }) => instantiate(artifact.files)),
        TE.bind('run', ({ program, graph }) => TE.fromEither(callsOf(program, graph, data, samples))),
        TE.map(({ graph, run }): Made => ({ graph, run })),
      );
    return tune<Made>({
      make,
      formsOf: ({ graph }) => formsIn(graph, options),
      race: (first, second) => race(world, first.run, second.run),
      onProgress: request.onProgress,
    });
  };
