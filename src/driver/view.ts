/** Runs a pipeline and keeps what it made of every pass, measured on data: the history that `kanc view` shows. */
import { basename } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { costReport } from '../analyses/cost-report.js';
import { networkFacts } from '../analyses/layer-facts.js';
import { type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import type { PassEvent } from '../passes/pipeline.js';
import { type PassCall, showPipeline } from '../passes/pipeline-text.js';
import type { NamedPass } from '../passes/registry.js';
import type { History, HistoryStep } from '../view/view-model.js';
import { type CompileOptions, compilePipeline } from './compile-options.js';
import { askedBits, storedFacts } from './cost-report.js';
import { newRecorder, recorded } from './crash.js';
import type { DataSource, HashedDataset } from './data.js';
import { artifactGraph, type Model } from './models.js';
import { type PassesDone, runPasses } from './run-passes.js';
import { type Qualities, qualities } from './view-quality.js';

export interface ViewRequest {
  readonly model: Model;
  readonly options: CompileOptions;
  readonly verifyEach: boolean;
  /** Inputs to measure every graph on; those that the pipeline names where there are none. */
  readonly data?: HashedDataset;
  /** Labels or targets of these inputs. */
  readonly labels?: HashedDataset;
  readonly limit?: number;
  readonly onPass?: (event: PassEvent) => void;
}

export interface ViewWorld {
  readonly version: string;
  readonly passes: ReadonlyArray<NamedPass>;
  readonly data: DataSource;
}

const graphOf = (model: Model): Checked<Graph> =>
  model._tag === 'artifact' ? artifactGraph(model.artifact) : E.right(model.graph);

const isGiven = ({ passes: _, ...options }: CompileOptions): boolean =>
  Object.values(options).some((value) => value !== undefined);

/** The pipeline for a model: what is compiled already is shown as it is, unless passes are named. */
const pipelineFor = ({ model, options }: ViewRequest, graph: Graph): Checked<string> => {
  if (model._tag === 'checkpoint' || (model._tag === 'graph' && graph.level === 'float')) {
    return compilePipeline(options, graph.level);
  }
  return isGiven(options)
    ? fail('K0801', 'the model is compiled already, so options that shape the program have no effect', {
        hint: 'Leave them out, name passes to run on it with --passes, or give the checkpoint.',
      })
    : E.right(options.passes ?? '');
};

/** Calls with data files by their names alone: a page tells no paths, and what is copied from it should say what is meant. */
const withoutPaths = ({ calls, data }: PassesDone): ReadonlyArray<PassCall> => {
  const paths = new Set(data.map(({ path }) => path));
  return calls.map(({ name, options }) => ({
    name,
    options: Object.fromEntries(
      Object.entries(options).map(([key, value]) => [key, paths.has(value) ? basename(value) : value]),
    ),
  }));
};

/** A graph for each step: where a pass changed nothing the same, so that it is measured once. */
const graphsOf = (graph: Graph, events: ReadonlyArray<PassEvent>): ReadonlyArray<Graph> => {
  const graphs = [graph];
  for (const { changed, after } of events) graphs.push(changed ? after : (graphs.at(-1) ?? after));
  return graphs;
};

const historySteps = (
  graph: Graph,
  events: ReadonlyArray<PassEvent>,
  request: ViewRequest,
  world: ViewWorld,
  named: ReadonlyArray<PassCall>,
  measured: Qualities | undefined,
): ReadonlyArray<HistoryStep> => {
  const calls = named.map((call) => showPipeline([call]));
  const qualityOf = (k: number) => {
    const quality = measured?.steps[k];
    return quality === undefined ? {} : { quality };
  };
  const origin = request.model._tag === 'checkpoint' ? 'import' : 'input';
  return [
    {
      name: origin,
      call: origin,
      summary: origin === 'import' ? 'the network as it was imported' : 'the graph as it came',
      graph,
      changed: true,
      remarks: [],
      ...qualityOf(0),
    },
    ...events.map((event, k) => ({
      name: event.name,
      call: calls[k] ?? event.name,
      summary: world.passes.find(({ name }) => name === event.name)?.summary ?? '',
      graph: event.after,
      changed: event.changed,
      milliseconds: event.milliseconds,
      remarks: event.remarks,
      ...qualityOf(k + 1),
    })),
  ];
};

/** The cost report of the last graph, with the network that it was made of where that is known. */
const costsOf = ({ model }: ViewRequest, graph: Graph, last: Graph, pipeline: string) => {
  const facts =
    model._tag === 'artifact'
      ? storedFacts(model.artifact)
      : graph.level === 'table'
        ? undefined
        : networkFacts(graph);
  return costReport({
    name: graph.name,
    facts,
    graph: last.level === 'float' ? undefined : last,
    fallback: askedBits(pipeline),
  });
};

const fileOf = (model: Model): string =>
  basename(model._tag === 'artifact' ? model.artifact.folder : model.file);

/** Exceptions leave as a `Crash` (see crash.ts). */
export const viewHistory =
  (world: ViewWorld) =>
  (request: ViewRequest): TE.TaskEither<Diagnostics, History> => {
    const recorder = newRecorder();
    const events: PassEvent[] = [];
    const { model } = request;
    return pipe(
      TE.fromEither(graphOf(model)),
      TE.bindTo('graph'),
      TE.bind('pipeline', ({ graph }) => TE.fromEither(pipelineFor(request, graph))),
      TE.bind('done', ({ graph, pipeline }) =>
        runPasses(
          world,
          recorder,
        )({
          graph,
          pipeline,
          verifyEach: request.verifyEach,
          onPass: (event) => {
            events.push(event);
            request.onPass?.(event);
          },
        }),
      ),
      TE.bind('measured', ({ graph, done }) =>
        TE.fromIOEither(() =>
          qualities(
            graphsOf(graph, events),
            request.data ?? done.data[0],
            // Only data that are asked for must fit.
            request.data !== undefined || request.labels !== undefined,
            request.labels,
            request.limit,
          ),
        ),
      ),
      TE.map(
        ({ graph, done, measured }): History => ({
          kanc: world.version,
          name: graph.name,
          file: fileOf(model),
          kind: model._tag,
          pipeline: showPipeline(withoutPaths(done)),
          steps: historySteps(graph, events, request, world, withoutPaths(done), measured),
          costs: costsOf(request, graph, done.graph, done.pipeline),
          ...(measured === undefined ? {} : { measured: measured.on }),
        }),
      ),
      recorded(recorder, { version: world.version, options: { ...request.options } }),
    );
  };
