/** What a sweep is made of: the study, the points, and the header that says which sweep it is. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { defined } from '../../diagnostics/defined.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { ImportOptions } from '../../importers/family.js';
import type { Source } from '../../importers/source.js';
import type { Graph } from '../../ir/graph.js';
import { showPipeline } from '../../passes/pipeline-text.js';
import type { NamedPass } from '../../passes/registry.js';
import type { CompileOptions } from '../compile-options.js';
import { anonymousCalls, type HashedDataset } from '../data.js';
import { sourceHashes } from '../hash.js';
import type { InputLayout } from '../input-layout.js';
import { sha256Of } from '../node-hash.js';
import { studyCalls } from '../search/search-checkpoint.js';
import { prepareStudy, type Study } from '../search/study.js';
import { type Grid, parseGrid } from './grid.js';
import { type Point, pointsOf } from './points.js';
import { type Header, headerOf } from './records.js';

export interface SweepRequest {
  readonly source: Source;
  /** The float network of the source, as it was imported with the options. */
  readonly graph: Graph;
  readonly importOptions: ImportOptions;
  /** Without bits, form and budget: the points say those. */
  readonly options: CompileOptions;
  readonly data: HashedDataset;
  /** To measure on; `labels` are its own then. */
  readonly holdout?: HashedDataset;
  readonly labels?: HashedDataset;
  readonly grid: string;
  readonly sensitivity: boolean;
  /** As data and holdout were read. */
  readonly layout?: InputLayout;
  /** Most samples to measure on. */
  readonly samples?: number;
  /** Samples that coarse tables are refit on; 0: none. */
  readonly refit: number;
}

export interface Sweep {
  readonly study: Study;
  readonly points: ReadonlyArray<Point>;
  readonly header: Header;
  readonly refit: number;
}

/** Calibrates and runs the float network; no configuration is tried yet. */
export const prepareSweep =
  (version: string, passes: ReadonlyArray<NamedPass>) =>
  (request: SweepRequest): TE.TaskEither<Diagnostics, Sweep> => {
    const { source, graph, importOptions, options, data, holdout, labels, samples, layout } = request;
    const { architecture, ...told } = importOptions;
    return pipe(
      TE.fromEither(parseGrid(request.grid)),
      TE.bindTo('grid'),
      TE.bind('calls', () => TE.fromEither(studyCalls(options))),
      TE.bind('study', ({ calls }) =>
        TE.fromIOEither(() =>
          prepareStudy({ graph, calls, passes, data, ...defined({ holdout, labels, samples }) }),
        ),
      ),
      TE.map(({ grid, calls, study }) => {
        const points = pointsOf(grid, request.sensitivity, study.layers);
        const header = headerOf(
          {
            kanc: version,
            checkpoint: sourceHashes(sha256Of)(source),
            options: {
              ...told,
              ...(layout === undefined || layout === 'nchw' ? {} : { inputLayout: layout }),
              ...(architecture === undefined ? {} : { architecture: sha256Of(architecture.text) }),
              pipeline: showPipeline(anonymousCalls(calls, new Map([[data.path, data]]))),
            },
            data: data.sha256,
            holdout: holdout?.sha256 ?? null,
            labels: labels?.sha256 ?? null,
            grid: gridText(grid),
            sensitivity: request.sensitivity,
            refit: request.refit,
            samples: study.samples,
            folds: study.folds.length,
            metric: study.metric,
            layers: study.layers.map((layer) => layer.name),
          },
          points,
        );
        return { study, points, header, refit: request.refit };
      }),
    );
  };

/** As it was read: two spellings of one grid are one. */
const gridText = ({ form, bits }: Grid): string =>
  [...Object.entries(bits).map(([k, v]) => `${k}=${v.join(',')}`), `form=${form.join(',')}`].join(',');
