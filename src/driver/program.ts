/** A compiled program that is ready to run, whatever it was compiled for. */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ArtifactManifest } from '../backends/artifact-manifest.js';
import type { Input } from '../backends/shared/check-input.js';
import type { Program as WasmProgram } from '../backends/wasm/runtime.js';
import { type Checked, type Diagnostics, InternalError } from '../diagnostics/index.js';
import type { TypedArray } from '../ir/element.js';

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

/** A WASM artifact in this process. */
export const wasmProgram = (program: WasmProgram): Program => ({
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
