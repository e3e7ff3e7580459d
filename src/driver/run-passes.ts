/** Runs a pipeline text on a graph: loads the data that its passes name, and keeps the recorder up to date. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { at, type Checked, type Diagnostics, InternalError, showDiagnostic } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import { verify } from '../ir/verify.js';
import { withinIntegers } from '../passes/integer-limits.js';
import type { Remark } from '../passes/pass.js';
import { bindPipeline, type PassEvent, type Pipeline, runPipeline } from '../passes/pipeline.js';
import { type PassCall, parsePipeline, showPipeline } from '../passes/pipeline-text.js';
import type { NamedPass } from '../passes/registry.js';
import { sizesChecked } from '../passes/table-sizes.js';
import type { Recorder } from './crash.js';
import { anonymousCalls, contextOf, type DataSource, type HashedDataset, loadAll } from './data.js';

export interface PassRun {
  readonly graph: Graph;
  readonly pipeline: string;
  readonly verifyEach: boolean;
  readonly onPass?: (event: PassEvent) => void;
}

export interface Timing {
  readonly step: string;
  readonly milliseconds: number;
}

/** A remark and the pass that made it. */
export interface PassRemark extends Remark {
  readonly pass: string;
}

export interface PassesDone {
  readonly graph: Graph;
  /** The pipeline with the names of data files replaced by hashes: the same wherever the files lie. */
  readonly pipeline: string;
  readonly calls: ReadonlyArray<PassCall>;
  /** In the order in which the pipeline names them. */
  readonly data: ReadonlyArray<HashedDataset>;
  readonly timings: ReadonlyArray<Timing>;
  readonly remarks: ReadonlyArray<PassRemark>;
  /** The last float graph on the way: what the integers stand for, normalisation included. */
  readonly lastFloat: Graph | undefined;
}

export interface PassWorld {
  readonly passes: ReadonlyArray<NamedPass>;
  readonly data: DataSource;
}

/**
 * The verifier on a graph that passes made. A range that cannot be proven may come from what was asked for;
 * any other fault is a bug (passes of plugins are verified on their own, see plugins.ts).
 */
const verifyMade = (graph: Graph, pass: string): Checked<void> => {
  const sound = at({ pass })(verify(graph));
  if (E.isLeft(sound) && sound.left.some((d) => d.code !== 'K0402')) {
    throw new InternalError(`an invalid graph was made: ${sound.left.map(showDiagnostic).join(' ')}`);
  }
  return sound;
};

/** Binds, loads and runs. Before the first pass runs, everything is checked that can be. */
export const runPasses =
  ({ passes, data: source }: PassWorld, recorder: Recorder) =>
  (run: PassRun): TE.TaskEither<Diagnostics, PassesDone> =>
    pipe(
      parsePipeline(run.pipeline),
      E.bindTo('calls'),
      E.bind('bound', ({ calls }) => bindPipeline(calls, passes, run.graph.level)),
      E.let('pipeline', ({ calls, bound }) => sizesChecked(bound, calls)),
      at({ option: '--passes' }),
      E.tap(({ calls }) =>
        calls.some(({ name }) => name === 'tabulate') ? withinIntegers(run.graph) : E.right(undefined),
      ),
      TE.fromEither,
      TE.bind('data', ({ pipeline }) => loadAll(source)(pipeline.files)),
      TE.flatMapEither(({ calls, pipeline, data }) => execute(run, recorder, calls, pipeline, data)),
    );

const execute = (
  run: PassRun,
  recorder: Recorder,
  calls: ReadonlyArray<PassCall>,
  pipeline: Pipeline,
  data: ReadonlyMap<string, HashedDataset>,
): Checked<PassesDone> => {
  // Of the graphs on the way only these are kept: they can be large.
  let lastFloat = run.graph.level === 'float' ? run.graph : undefined;
  const timings: Timing[] = [];
  const remarks: PassRemark[] = [];
  const unproven: Diagnostics[] = [];
  recorder.graph = run.graph;
  recorder.pipeline = showPipeline(calls);
  const finish = (event: PassEvent): void => {
    if (event.after.level === 'float') lastFloat = event.after;
    timings.push({ step: event.name, milliseconds: event.milliseconds });
    for (const remark of event.remarks) remarks.push({ ...remark, pass: event.name });
    run.onPass?.(event);
    if (run.verifyEach || event.index === calls.length) {
      const sound = verifyMade(event.after, event.name);
      if (E.isLeft(sound)) unproven.push(sound.left);
    }
    recorder.graph = event.after;
    recorder.pipeline = showPipeline(calls.slice(event.index));
  };
  return pipe(
    // Verified above instead, where the recorder still has the graph that the pass was given.
    runPipeline(pipeline, run.graph, { context: contextOf(data), verifyEach: false, onPass: finish }),
    E.flatMap((graph) => (unproven[0] === undefined ? E.right(graph) : E.left(unproven[0]))),
    E.map((graph) => ({
      graph,
      pipeline: showPipeline(anonymousCalls(calls, data)),
      calls,
      data: [...data.values()],
      timings,
      remarks,
      lastFloat,
    })),
  );
};
