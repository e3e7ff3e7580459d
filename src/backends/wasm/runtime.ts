/** Runs an artifact in this process: what `kanc run`, `eval` and `verify` use. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, diagnostic, fail } from '../../diagnostics/index.js';
import type { TypedArray } from '../../ir/element.js';
import { sizeOf } from '../../ir/types.js';
import { checkInput, type Input } from '../shared/check-input.js';
import { asWritten, manifestText } from '../shared/manifest.js';
import { type Manifest, parseManifest } from './manifest.js';
import { arrayAt, storageBytes } from './storage.js';

export type { Input } from '../shared/check-input.js';

export interface Program {
  readonly manifest: Manifest;
  /** Elements of one sample and of its results. */
  readonly features: number;
  readonly outputs: number;
  readonly raws: number;
  /** f32 results, or i32 where the graph ends in integers. Fails with K0701 on an input that does not fit. */
  readonly predict: (input: Input) => Checked<Float32Array | Int32Array>;
  /** The last integers before they become floats. */
  readonly predictRaw: (input: Input) => Checked<Int32Array>;
  /** Every materialised value for one sample, by name, row-major. */
  readonly inspect: (sample: Input) => Checked<ReadonlyMap<string, TypedArray>>;
}

/** The part of the WebAssembly API that is used here: Node has it, but its type package does not declare it. */
interface Engine {
  readonly instantiate: (
    bytes: Uint8Array,
  ) => Promise<{ readonly instance: { readonly exports: Readonly<Record<string, unknown>> } }>;
}

// The global exists in every Node and browser that kanc supports; only its declaration is missing.
const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

export type Call = (...parameters: ReadonlyArray<number>) => void;

/** A module that runs: what it exports. */
export interface Instance {
  readonly memory: ArrayBuffer | undefined;
  readonly functionOf: (name: string) => Call | undefined;
}

const isCall = (u: unknown): u is Call => typeof u === 'function';

const isMemory = (u: unknown): u is { readonly buffer: ArrayBuffer } =>
  typeof u === 'object' && u !== null && 'buffer' in u && u.buffer instanceof ArrayBuffer;

/** K0603 where the module does not run here. */
export const instanceOf = (module: Uint8Array): TE.TaskEither<Diagnostics, Instance> =>
  pipe(
    TE.tryCatch(
      () => engine.instantiate(module),
      (reason): Diagnostics => [
        diagnostic('K0603', `model.wasm does not run here: ${String(reason)}`, {
          hint: 'The engine needs WebAssembly SIMD (Node 16.4 or later).',
        }),
      ],
    ),
    TE.map(({ instance: { exports } }) => {
      const { memory } = exports;
      return {
        memory: isMemory(memory) ? memory.buffer : undefined,
        functionOf: (name) => {
          const found = exports[name];
          return isCall(found) ? found : undefined;
        },
      };
    }),
  );

/** What an artifact exports, with functions that take a number of samples. */
interface Exports {
  readonly memory: ArrayBuffer;
  readonly run?: Call;
  readonly runRaw: Call;
}

/** Checks `manifest.json` and `model.wasm` of an artifact and makes them ready. K0603 when they are damaged. */
export const instantiate = (
  files: ReadonlyMap<string, Uint8Array | string>,
): TE.TaskEither<Diagnostics, Program> =>
  pipe(
    manifestText(files),
    E.flatMap(parseManifest),
    E.bindTo('manifest'),
    E.bind('module', ({ manifest }) => moduleOf(files.get('model.wasm'), manifest)),
    TE.fromEither,
    TE.bind('instance', ({ module }) => instanceOf(module)),
    TE.flatMapEither(({ manifest, instance }) =>
      pipe(
        checkMemory(manifest, instance),
        E.map((exports) => programOf(manifest, exports)),
      ),
    ),
  );

const moduleOf = (file: Uint8Array | string | undefined, manifest: Manifest): Checked<Uint8Array> => {
  if (file === undefined || typeof file === 'string') return fail('K0603', 'the artifact has no model.wasm');
  return asWritten('model.wasm', file, manifest);
};

/** Whether everything that the manifest says to lie in memory does (K0603): a manifest can be edited. */
const checkMemory = (manifest: Manifest, { memory, functionOf }: Instance): Checked<Exports> => {
  const [run, runRaw] = [functionOf('run'), functionOf('runRaw')];
  const wrong = (what: string): Checked<never> =>
    fail('K0603', `manifest.json does not fit model.wasm: ${what}`, { hint: 'Compile the model again.' });
  if (memory === undefined || runRaw === undefined) return wrong('it exports no memory or no runRaw');
  const { input, output, raw } = manifest;
  if (run === undefined && output.dtype === 'f32') return wrong('it exports no run');
  const { capacity, ...at } = manifest.memory;
  const results = Math.max(sizeOf(output), sizeOf(raw));
  const unit = input.dtype === 'f32' ? 4 : 1;
  const given = {
    name: 'the input',
    address: at.input.address,
    unit,
    length: capacity * sizeOf(input),
  };
  const arrays = [
    given,
    { name: 'the output', address: at.output.address, unit: 4, length: capacity * results },
    ...manifest.buffers.map((b) => ({ ...b, unit: storageBytes(b.element) })),
  ];
  for (const { name, address, unit, length } of arrays) {
    if (address % unit !== 0) return wrong(`${name} is not aligned`);
    if (address + length * unit > memory.byteLength) return wrong(`${name} ends outside of the memory`);
  }
  const end = given.address + given.length * unit;
  if (given.address <= at.output.address && end > at.output.address) {
    return wrong('the input reaches into the output');
  }
  return E.right({ memory, runRaw, ...(run === undefined ? {} : { run }) });
};

// Long: all of it sees one instance, its memory and its functions.
const programOf = (manifest: Manifest, exports: Exports): Program => {
  const { capacity, input, output } = manifest.memory;
  const features = sizeOf(manifest.input);
  const outputs = sizeOf(manifest.output);
  const raws = sizeOf(manifest.raw);
  const { memory: buffer, run, runRaw } = exports;
  const floats = manifest.input.dtype === 'f32';
  const source = floats
    ? new Float32Array(buffer, input.address, capacity * features)
    : new Uint8Array(buffer, input.address, capacity * features);

  const execute = <R extends Float32Array | Int32Array>(
    call: Call,
    results: R,
    all: R,
    given: Input,
    width: number,
  ): R => {
    const samples = given.length / features;
    for (let at = 0; at < samples; at += capacity) {
      const count = Math.min(capacity, samples - at);
      source.set(given.subarray(at * features, (at + count) * features));
      call(count);
      all.set(results.subarray(0, count * width), at * width);
    }
    return all;
  };
  const integers = new Int32Array(buffer, output.address, capacity * raws);
  const raw = (given: Input): Int32Array =>
    execute(runRaw, integers, new Int32Array((given.length / features) * raws), given, raws);
  const checked = (given: Input): Checked<Input> => checkInput(manifest, features, given);

  return {
    manifest,
    features,
    outputs,
    raws,
    predictRaw: (given) => pipe(checked(given), E.map(raw)),
    predict: (given) =>
      pipe(
        checked(given),
        E.map((data) => {
          if (run === undefined) return raw(data);
          const results = new Float32Array(buffer, output.address, capacity * outputs);
          return execute(run, results, new Float32Array((data.length / features) * outputs), data, outputs);
        }),
      ),
    inspect: (sample) =>
      pipe(
        checked(sample),
        E.filterOrElse(
          (data) => data.length === features,
          (): Diagnostics => [diagnostic('K0701', 'inspect takes one sample')],
        ),
        E.map((data) => {
          source.set(data);
          (run ?? runRaw)(1);
          return new Map(manifest.buffers.map((b) => [b.name, elementsOf(buffer, b)]));
        }),
      ),
  };
};

/** A value of the sample that was run last, [channel, position]: in memory, channels may stand interleaved. */
const elementsOf = (
  buffer: ArrayBuffer,
  { element, address, length, channels }: Manifest['buffers'][number],
): TypedArray => {
  const data = arrayAt(buffer, element, address, length);
  const result = data.slice();
  if (channels === 1 || channels === length) return result;
  const positions = length / channels;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < positions; p++) result[c * positions + p] = data[p * channels + c]!;
  }
  return result;
};
