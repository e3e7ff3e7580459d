/** The kernels of a WASM artifact, in this process. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Manifest } from '../../backends/wasm/manifest.js';
import { stagesOf } from '../../backends/wasm/stages.js';
import { type Diagnostics, fail } from '../../diagnostics/index.js';
import type { Graph } from '../../ir/graph.js';
import type { StageMachine } from '../../prove/machine.js';
import type { ArtifactFiles } from '../models.js';

export const wasmMachine = (
  graph: Graph<'table'>,
  manifest: Manifest,
  { files }: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> => {
  const module = files.get('model.wasm');
  if (module === undefined) return TE.fromEither(fail('K0603', 'the artifact has no model.wasm'));
  return pipe(
    stagesOf(graph, manifest, module),
    TE.map((stages): StageMachine => {
      const cut = new Set(stages.filter((s) => s.inParts).map((s) => s.name));
      return {
        stages: stages.map((stage) => ({
          name: stage.name,
          operands: stage.operands,
          way: stage.inParts ? 'calls of many samples' : cut.has(stage.name) ? 'calls of few samples' : '',
          run: (operands, samples) => TE.fromIO(() => stage.run(operands, samples)),
        })),
        addsPerSecond: 4e9,
        about: 'the functions of model.wasm, each by itself',
        close: () => {},
      };
    }),
  );
};
