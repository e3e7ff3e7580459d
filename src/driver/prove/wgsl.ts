/** The stages of a WebGPU artifact, on a device of this machine. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { WgslManifest } from '../../backends/wgsl/manifest.js';
import { type Diagnostics, fail } from '../../diagnostics/index.js';
import type { Graph } from '../../ir/graph.js';
import type { StageMachine } from '../../prove/machine.js';
import type { Capabilities } from '../capabilities.js';
import type { ArtifactFiles } from '../models.js';

export const wgslMachine = (
  gpu: Capabilities['gpu'],
  graph: Graph<'table'>,
  manifest: WgslManifest,
  { files }: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> => {
  const [wgsl, bin] = [files.get('model.wgsl'), files.get('model.bin')];
  if (wgsl === undefined || bin === undefined) {
    return TE.fromEither(fail('K0603', 'the artifact has no model.wgsl or no model.bin'));
  }
  return pipe(
    TE.Do,
    TE.bind('device', () => gpu),
    TE.bind('module', () => TE.fromTask(() => import('../../backends/wgsl/stages.js'))),
    TE.flatMap(({ device, module }) => module.stagesOnGpu(graph, manifest, { wgsl, bin }, device)),
    TE.map(
      ({ stages, schedule, close }): StageMachine => ({
        stages: stages.map((stage) => ({ ...stage, way: '' })),
        addsPerSecond: 4e8,
        about:
          schedule === 'layers'
            ? 'the entry points of model.wgsl, each by itself'
            : 'the functions of model.wgsl, each by itself: called by entry points added behind it, with the lines that its own has for them',
        close,
      }),
    ),
  );
};
