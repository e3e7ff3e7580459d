/** Passes of a search run on a graph: for the study, for trials, and for the program that is chosen. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { type Graph, isLevel } from '../ir/graph.js';
import type { Dataset } from '../passes/dataset.js';
import { bindPipeline, runPipeline } from '../passes/pipeline.js';
import type { PassCall } from '../passes/pipeline-text.js';
import type { NamedPass } from '../passes/registry.js';
import { sizesChecked } from '../passes/table-sizes.js';

/** `data` is what every name of data means. K0507 before tables are made that are too large. */
export const runCalls = (
  graph: Graph,
  calls: ReadonlyArray<PassCall>,
  passes: ReadonlyArray<NamedPass>,
  data: Dataset,
): Checked<Graph> =>
  pipe(
    bindPipeline(calls, passes, graph.level),
    E.flatMap((pipeline) =>
      runPipeline(sizesChecked(pipeline, calls), graph, {
        context: { dataset: () => data },
        verifyEach: false,
      }),
    ),
  );

/** The same to tables; K0504 where passes do not lead there. */
export const tablesBy = (...given: Parameters<typeof runCalls>): Checked<Graph<'table'>> =>
  pipe(
    runCalls(...given),
    E.flatMap((made) =>
      isLevel('table')(made) ? E.right(made) : fail('K0504', `the pipeline ends with a ${made.level} graph`),
    ),
  );
