/** A compiled program that is ready to run, whatever it was compiled for. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match, P } from 'ts-pattern';
import type { ArtifactManifest } from '../backends/artifact-manifest.js';
import type { Input } from '../backends/shared/check-input.js';
import { instantiate, type Program as WasmProgram } from '../backends/wasm/runtime.js';
import { type Checked, type Diagnostics, InternalError } from '../diagnostics/index.js';
import type { TypedArray } from '../ir/element.js';
import type { Capabilities } from './capabilities.js';
import type { ArtifactFiles } from './models.js';
import { nativeProgram } from './native.js';
import { simulatedRtl } from './rtl-simulation.js';

type Async<A> = TE.TaskEither<Diagnostics, A>;

export interface Program {
  readonly manifest: ArtifactManifest;
  /** f32 results, or i32 where the graph ends in integers. Fails with K0701 on an input that does not fit. */
  readonly predict: (input: Input) => Async<Float32Array | Int32Array>;
  /** The last integers before they become floats. */
  readonly predictRaw: (input: Input) => Async<Int32Array>;
  /** Every value that the program keeps, by name, row-major, of all samples. */
  readonly inspect: (input: Input) => Async<ReadonlyMap<string, TypedArray>>;
  /** Gives back what the program holds. */
  readonly close: () => void;
}

/**
 * Programs of C and HLS are built with a compiler of the machine, Verilog runs in a simulator. Fails with K0603 on damaged
 * artifacts and without such a tool, and with K0606 where there is no GPU for one that needs it.
 */
export const startProgram =
  (world: Pick<Capabilities, 'gpu' | 'tools'>) =>
  (artifact: ArtifactFiles): Async<Program> => {
    const { manifest, files, folder } = artifact;
    return pipe(
      match(manifest)
        .with({ target: 'wasm' }, (): Async<Program> => pipe(instantiate(files), TE.map(wasmProgram)))
        .with(
          { target: P.union('c', 'hls') },
          (own): Async<Program> => nativeProgram(world.tools, own, artifact),
        )
        .with({ target: 'verilog' }, (own): Async<Program> => simulatedRtl(world.tools, own, artifact))
        .with(
          { target: 'wgsl' },
          (): Async<Program> =>
            pipe(
              TE.Do,
              TE.bind('gpu', () => world.gpu),
              TE.bind('runtime', () => TE.fromTask(() => import('../backends/wgsl/runtime.js'))),
              TE.flatMap(({ gpu, runtime }) => runtime.startOnGpu(files, gpu)),
            ),
        )
        .exhaustive(),
      TE.mapLeft(
        ([first, ...rest]): Diagnostics => [{ ...first, place: { file: folder, ...first.place } }, ...rest],
      ),
    );
  };

const wasmProgram = (program: WasmProgram): Program => ({
  manifest: program.manifest,
  predict: (input) => TE.fromIOEither(() => program.predict(input)),
  predictRaw: (input) => TE.fromIOEither(() => program.predictRaw(input)),
  inspect: (input) => TE.fromIOEither(() => inspectAll(program, input)),
  close: () => {},
});

/** A WASM program keeps the values of one sample. */
const inspectAll = (program: WasmProgram, input: Input): Checked<ReadonlyMap<string, TypedArray>> => {
  const { features } = program;
  const samples = input.length / features;
  const all = new Map<string, TypedArray>();
  for (let s = 0; s < samples; s++) {
    const kept = program.inspect(input.subarray(s * features, (s + 1) * features));
    if (E.isLeft(kept)) return kept;
    for (const [name, found] of kept.right) {
      const whole = all.get(name) ?? sameKind(found, samples * found.length);
      whole.set(found, s * found.length);
      all.set(name, whole);
    }
  }
  return E.right(all);
};

const sameKind = (data: TypedArray, length: number): TypedArray => {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof Uint8Array) return new Uint8Array(length);
  if (data instanceof Uint16Array) return new Uint16Array(length);
  if (data instanceof Int16Array) return new Int16Array(length);
  if (data instanceof Int32Array) return new Int32Array(length);
  throw new InternalError(`a value in a ${data.constructor.name}`);
};
