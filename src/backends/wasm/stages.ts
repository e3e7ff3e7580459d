/**
 * Runs the kernels of a module one at a time. They are the functions of the artifact itself, exported beside `run`
 * (binary.ts); where each reads and writes is told by the layout, which follows from the graph.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import { allocate, type TypedArray } from '../../ir/element.js';
import { type Graph, typesOf, type ValueName } from '../../ir/graph.js';
import { channelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import type { Stage } from '../backend.js';
import { addExports, exportedFunctions, type FunctionExport } from './binary.js';
import { partName } from './calls.js';
import { bufferOf, type Cut, type Layout, layoutOf } from './layout.js';
import type { Manifest } from './manifest.js';
import { placeOf } from './module.js';
import { type Plan, planOf } from './plan.js';
import { type Call, instanceOf } from './runtime.js';
import { arrayAt, storageBytes, storageOf } from './storage.js';

export interface WasmStage extends Stage<TypedArray> {
  /** Whether this is the way of calls of many samples, of a layer that has one. */
  readonly inParts: boolean;
}

/** `module`: the bytes of model.wasm. K0603 where it is not what this version makes of the graph. */
export const stagesOf = (
  graph: Graph<'table'>,
  manifest: Manifest,
  module: Uint8Array,
): TE.TaskEither<Diagnostics, ReadonlyArray<WasmStage>> =>
  pipe(
    planOf(graph),
    E.bindTo('plan'),
    E.bind('layout', ({ plan }) => layoutOf(plan)),
    E.bind('exports', ({ plan, layout }) => exportsOf(plan, layout)),
    E.tap(({ layout, exports }) => checkModule(layout, manifest, module, exports)),
    E.bind('extended', ({ exports }) => addExports(module, exports)),
    TE.fromEither,
    TE.bind('instance', ({ extended }) => instanceOf(extended)),
    TE.flatMapEither(({ plan, layout, instance: { memory, functionOf } }) => {
      if (memory === undefined) return fail('K0603', 'model.wasm exports no memory');
      return E.right(allStages(graph, plan, layout, memory, (name) => functionOf(name) ?? (() => {})));
    }),
  );

/** The functions of kernels and parts, in the order in which module.ts adds them. */
const exportsOf = (plan: Plan, layout: Layout): Checked<ReadonlyArray<FunctionExport>> => {
  const names = plan.kernels.flatMap((_, k) => {
    const cut = layout.cuts.find((c) => c.kernel === k);
    const parts = Array.from({ length: cut?.parts.count ?? 0 }, (_, p) => partName(k, p));
    return [`kernel${k}`, ...parts];
  });
  return E.right(names.map((name, index) => ({ name, index })));
};

const checkModule = (
  layout: Layout,
  manifest: Manifest,
  module: Uint8Array,
  own: ReadonlyArray<FunctionExport>,
): Checked<void> => {
  const same =
    layout.buffers.length === manifest.buffers.length &&
    layout.buffers.every((b, k) => {
      const other = manifest.buffers[k]!;
      return b.name === other.name && b.address === other.address && b.storage === other.element;
    }) &&
    layout.capacity === manifest.memory.capacity;
  return pipe(
    exportedFunctions(module),
    E.flatMap((exports) =>
      same && exports.get('runRaw') === own.length
        ? E.right(undefined)
        : fail('K0603', 'the memory of model.wasm is not laid out as this version of kanc does it', {
            hint: 'Another version has written the artifact: compile the model again.',
          }),
    ),
  );
};

/** A value of one sample in memory; its channels may stand interleaved. */
interface Place {
  readonly memory: TypedArray;
  readonly length: number;
  readonly channels: number;
}

/** Sample `s` of row-major values into memory. */
const put = ({ memory, length, channels }: Place, values: TypedArray, s: number): void => {
  const at = s * length;
  if (channels === 1 || channels === length) {
    memory.set(values.subarray(at, at + length));
    return;
  }
  const inner = length / channels;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < inner; p++) memory[p * channels + c] = values[at + c * inner + p]!;
  }
};

const take = ({ memory, length, channels }: Place, values: TypedArray, s: number): void => {
  const at = s * length;
  if (channels === 1 || channels === length) {
    values.set(memory, at);
    return;
  }
  const inner = length / channels;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < inner; p++) values[at + c * inner + p] = memory[p * channels + c]!;
  }
};

const allStages = (
  graph: Graph,
  plan: Plan,
  layout: Layout,
  buffer: ArrayBuffer,
  call: (name: string) => Call,
): ReadonlyArray<WasmStage> => {
  const types = typesOf(graph);
  const typeOf = (name: ValueName): ValueType => types.get(name) ?? plan.input.type;
  return plan.kernels.flatMap((kernel, k): ReadonlyArray<WasmStage> => {
    const { name, operands } = kernel;
    const type = typeOf(name);
    const places = operands.map((operand): Place => {
      const place = placeOf(plan, layout, name, operand);
      const length = sizeOf(typeOf(operand));
      if (place._tag === 'input') {
        const storage = storageOf(plan.input.type.element);
        return { memory: arrayAt(buffer, storage, layout.input.address, length), length, channels: 1 };
      }
      const { storage, address, channels } = bufferOf(layout, operand);
      return { memory: arrayAt(buffer, storage, address, length), length, channels };
    });
    const own = bufferOf(layout, name);
    const result: Place = {
      memory: arrayAt(buffer, own.storage, own.address, own.length),
      length: own.length,
      channels: own.channels,
    };
    const once = call(`kernel${k}`);
    const whole: WasmStage = {
      name,
      operands,
      inParts: false,
      run: (given, samples) => {
        const values = allocate(type.element, samples * own.length);
        for (let s = 0; s < samples; s++) {
          for (let o = 0; o < places.length; o++) put(places[o]!, given[o]!, s);
          once(layout.input.address);
          take(result, values, s);
        }
        return values;
      },
    };
    const cut = layout.cuts.find((c) => c.kernel === k);
    return cut === undefined
      ? [whole]
      : [whole, stageInParts(whole, cut, layout, type, places[0]!, buffer, call)];
  });
};

/** As calls.ts goes through the parts: for each tile, part after part over all samples. */
const stageInParts = (
  whole: WasmStage,
  { kernel, parts, codes, sums }: Cut,
  layout: Layout,
  type: ValueType,
  source: Place,
  buffer: ArrayBuffer,
  call: (name: string) => Call,
): WasmStage => {
  const outputs = channelsOf(type);
  const calls = Array.from({ length: parts.count }, (_, p) => call(partName(kernel, p)));
  const from = codes ?? layout.input;
  const unit = source.memory.BYTES_PER_ELEMENT;
  const storage = bufferOf(layout, whole.name).storage;
  const tile = parts.tileBytes / storageBytes(storage);
  const some = (given: TypedArray, first: number, count: number, values: TypedArray): void => {
    for (let s = 0; s < count; s++) {
      const at = (first + s) * source.length;
      const memory = codesAt(buffer, unit, from.address + s * from.stride, source.length);
      memory.set(given.subarray(at, at + source.length));
    }
    for (let t = 0; t < parts.tiles; t++) {
      for (const part of calls) {
        for (let s = 0; s < count; s++) {
          part(from.address + s * from.stride, sums.address + t * sums.stride + s * parts.tileBytes, t);
        }
      }
      const width = Math.min(tile, outputs - t * tile);
      for (let s = 0; s < count; s++) {
        const address = sums.address + t * sums.stride + s * parts.tileBytes;
        values.set(arrayAt(buffer, storage, address, width), (first + s) * outputs + t * tile);
      }
    }
  };
  return {
    ...whole,
    inParts: true,
    run: ([given], samples) => {
      const values = allocate(type.element, samples * outputs);
      for (let first = 0; first < samples; first += layout.capacity) {
        some(given!, first, Math.min(layout.capacity, samples - first), values);
      }
      return values;
    },
  };
};

const codesAt = (buffer: ArrayBuffer, bytes: number, address: number, length: number): TypedArray =>
  bytes === 1 ? new Uint8Array(buffer, address, length) : new Uint16Array(buffer, address, length);
