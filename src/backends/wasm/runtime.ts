/** Runs an artifact in this process: what `kanc run`, `eval` and `verify` use. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, diagnostic, fail } from '../../diagnostics/index.js';
import { elementCount } from '../../ir/constant.js';
import type { TypedArray } from '../../ir/element.js';
import { checkInput, type Input } from '../shared/check-input.js';
import { asWritten, manifestText } from '../shared/manifest.js';
import { type Manifest, parseManifest } from './manifest.js';
import { storageBytes } from './storage.js';

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
  ) => Promise<{ readonly instance: { readonly exports: Partial<Exports> } }>;
}
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly run?: (samples: number) => void;
  readonly runRaw: (samples: number) => void;
}

// The global exists in every Node and browser that kanc supports; only its declaration is missing.
const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

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
    TE.flatMap(({ manifest, module }) =>
      pipe(
        TE.tryCatch(
          () => engine.instantiate(module),
          (reason): Diagnostics => [
            diagnostic('K0603', `model.wasm does not run here: ${String(reason)}`, {
              hint: 'The engine needs WebAssembly SIMD (Node 16.4 or later).',
            }),
          ],
        ),
        TE.flatMapEither(({ instance }) =>
          pipe(
            checkMemory(manifest, instance.exports),
            E.map((exports) => programOf(manifest, exports)),
          ),
        ),
      ),
    ),
  );

const moduleOf = (file: Uint8Array | string | undefined, manifest: Manifest): Checked<Uint8Array> => {
  if (file === undefined || typeof file === 'string') return fail('K0603', 'the artifact has no model.wasm');
  return asWritten('model.wasm', file, manifest);
};

/** Whether everything that the manifest says to lie in memory does (K0603): a manifest can be edited. */
const checkMemory = (manifest: Manifest, { memory, run, runRaw }: Partial<Exports>): Checked<Exports> => {
  const wrong = (what: string): Checked<never> =>
    fail('K0603', `manifest.json does not fit model.wasm: ${what}`, { hint: 'Compile the model again.' });
  if (memory === undefined || runRaw === undefined) return wrong('it exports no memory or no runRaw');
  const { input, output, raw } = manifest;
  if (run === undefined && output.dtype === 'f32') return wrong('it exports no run');
  const { capacity, ...at } = manifest.memory;
  const results = Math.max(elementCount(output.shape), elementCount(raw.shape));
  const unit = input.dtype === 'f32' ? 4 : 1;
  const given = {
    name: 'the input',
    address: at.input.address,
    unit,
    length: capacity * elementCount(input.shape),
  };
  const arrays = [
    given,
    { name: 'the output', address: at.output.address, unit: 4, length: capacity * results },
    ...manifest.buffers.map((b) => ({ ...b, unit: storageBytes(b.element) })),
  ];
  for (const { name, address, unit, length } of arrays) {
    if (address % unit !== 0) return wrong(`${name} is not aligned`);
    if (address + length * unit > memory.buffer.byteLength)
      return wrong(`${name} ends outside of the memory`);
  }
  const end = given.address + given.length * unit;
  if (given.address <= at.output.address && end > at.output.address) {
    return wrong('the input reaches into the output');
  }
  return E.right({ memory, runRaw, ...(run === undefined ? {} : { run }) });
};

const programOf = (manifest: Manifest, exports: Exports): Program => {
  const { capacity, input, output } = manifest.memory;
  const features = elementCount(manifest.input.shape);
  const outputs = elementCount(manifest.output.shape);
  const raws = elementCount(manifest.raw.shape);
  const { buffer } = exports.memory;
  const floats = manifest.input.dtype === 'f32';
  const source = floats
    ? new Float32Array(buffer, input.address, capacity * features)
    : new Uint8Array(buffer, input.address, capacity * features);
  const { run, runRaw } = exports;

  const execute = <R extends Float32Array | Int32Array>(
    call: (samples: number) => void,
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
          return new Map(manifest.buffers.map((b) => [b.name, rowMajor(copyOf(buffer, b), b.channels)]));
        }),
      ),
  };
};

const copyOf = (buffer: ArrayBuffer, b: Manifest['buffers'][number]): TypedArray => {
  switch (b.element) {
    case 'u8':
      return new Uint8Array(buffer, b.address, b.length).slice();
    case 'u16':
      return new Uint16Array(buffer, b.address, b.length).slice();
    case 'i16':
      return new Int16Array(buffer, b.address, b.length).slice();
    case 'i32':
      return new Int32Array(buffer, b.address, b.length).slice();
    case 'f32':
      return new Float32Array(buffer, b.address, b.length).slice();
  }
};

/** From interleaved channels, [position, channel], to [channel, position]. */
const rowMajor = (data: TypedArray, channels: number): TypedArray => {
  if (channels === 1 || channels === data.length) return data;
  const result = data.slice();
  const positions = data.length / channels;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < positions; p++) result[c * positions + p] = data[p * channels + c]!;
  }
  return result;
};
