/**
 * Artifacts that run on this machine: WASM in this process, C and simulated HLS with a compiler of the machine, Verilog in
 * a simulator.
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ManifestHead } from '../backends/manifest.js';
import { instantiate } from '../backends/wasm/runtime.js';
import { type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import type { TypedArray } from '../ir/element.js';
import type { Tools } from './capabilities.js';
import type { ArtifactFiles } from './models.js';
import { nativeProgram } from './native.js';
import { simulatedRtl } from './rtl-simulation.js';

type Input = Float32Array | Uint8Array;

export interface Runnable {
  readonly target: 'wasm' | 'c' | 'hls' | 'verilog';
  readonly manifest: ManifestHead;
  /** Elements of the results of one sample, and of its last integers. */
  readonly outputs: number;
  readonly raws: number;
  /** f32 results, or i32 where the graph ends in integers. Fails with K0701 on an input that does not fit. */
  readonly predict: (input: Input) => Checked<Float32Array | Int32Array>;
  /** The last integers before they become floats. */
  readonly predictRaw: (input: Input) => Checked<Int32Array>;
  /** For some samples: the values that the program keeps for the s-th of them, by name, row-major. */
  readonly inspect: (samples: Input) => (s: number) => Checked<ReadonlyMap<string, TypedArray>>;
}

/** Makes an artifact ready. K0603 when it is damaged, or when nothing here can run it. */
export const runnableOf =
  (tools: Tools) =>
  (artifact: ArtifactFiles): TE.TaskEither<Diagnostics, Runnable> => {
    switch (artifact.manifest.target) {
      case 'wasm':
        return pipe(
          instantiate(artifact.files),
          TE.map(
            (program): Runnable => ({
              ...program,
              target: 'wasm',
              inspect: (samples) => (s) =>
                program.inspect(samples.subarray(s * program.features, (s + 1) * program.features)),
            }),
          ),
        );
      case 'c':
      case 'hls':
        return TE.fromEither(nativeProgram(tools, artifact));
      case 'verilog':
        return TE.fromEither(simulatedRtl(tools, artifact));
      default:
        return TE.fromEither(
          fail('K0603', `artifacts of the target ${artifact.manifest.target} cannot be run by kanc`, {
            place: { file: artifact.folder },
            hint: 'Run its model.kir, which computes the same.',
          }),
        );
    }
  };
