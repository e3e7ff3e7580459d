import { features, type Input, isFloat } from '../shared/input.js';
import { isNode } from '../shared/node.js';
import { memory } from './head.js';
import { shape } from './load.js';
import type { Answer } from './messages.js';
import { type ArrayClass, type Results, resultsOf } from './runner.js';
import type { Started } from './workers.js';

/** One call of a pool. */
export interface Call {
  readonly id: number;
  readonly raw: boolean;
  readonly input: Input;
  readonly samples: number;
}

/** A call that workers are at. */
export interface Work {
  /** What a worker has sent back. */
  readonly receive: (worker: Started, answer: Answer) => void;
  /** When all of them have. */
  readonly results: () => Results;
}

/** Memory that all threads share. */
interface Keeper {
  readonly take: (bytes: number) => SharedArrayBuffer;
  readonly give: (buffer: SharedArrayBuffer) => void;
}

/** Whether memory can be shared with workers. */
export const canShare = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && (isNode() || globalThis.crossOriginIsolated === true);

// Shared memory that no call uses: touching new memory for the first time takes longer than filling it.
export const keeper = (): Keeper => {
  const free: Array<SharedArrayBuffer> = [];
  return {
    take: (bytes) => {
      const at = free.findIndex((buffer) => buffer.byteLength >= bytes);
      return at < 0 ? new SharedArrayBuffer(bytes) : free.splice(at, 1)[0]!;
    },
    give: (buffer) => {
      free.push(buffer);
      free.sort((a, b) => a.byteLength - b.byteLength);
      if (free.length > 4) free.shift();
    },
  };
};

const InputArray: ArrayClass<Input> = isFloat ? Float32Array : Uint8Array;

// From so many samples on, layers with large tables read them once for all samples of a call.
export const LEAST_PIECE = 128;

/** Over memory that all threads share: workers take the next piece of the batch when they are done with one. */
export const shareOut = (workers: ReadonlyArray<Started>, call: Call, memories: Keeper): Work => {
  const { id, raw, input, samples } = call;
  // An input in shared memory is read where it is: it must stay as it is until the results are there.
  const isShared = input.buffer instanceof SharedArrayBuffer;
  const inputMemory = isShared ? undefined : memories.take(input.byteLength);
  const given = inputMemory === undefined ? input : new InputArray(inputMemory, 0, input.length);
  if (given !== input) given.set(input);
  const { Results, width } = resultsOf(raw, shape);
  const resultMemory = memories.take(4 * samples * width);
  const results = new Results(resultMemory, 0, samples * width);
  const next = new Int32Array(new SharedArrayBuffer(4));
  // A few pieces for each worker, so that a slow one does not hold up all.
  const few = Math.ceil(samples / (4 * workers.length));
  const piece = Math.max(LEAST_PIECE, Math.min(memory.capacity, few));
  for (const worker of workers) {
    worker.send({ id, raw, samples, input: given, shared: { results, next, piece } });
  }
  return {
    receive: () => {},
    results: () => {
      const own = new Results(results);
      memories.give(resultMemory);
      if (inputMemory !== undefined) memories.give(inputMemory);
      return own;
    },
  };
};

/** Without such memory: each worker is sent its part. */
export const sendOut = (workers: ReadonlyArray<Started>, { id, raw, input, samples }: Call): Work => {
  const { Results, width } = resultsOf(raw, shape);
  const results = new Results(samples * width);
  const startOf = (part: number): number => Math.floor((part * samples) / workers.length);
  workers.forEach((worker, k) => {
    const [from, to] = [startOf(k), startOf(k + 1)];
    const own = new InputArray(input.subarray(from * features, to * features));
    worker.send({ id, raw, samples: to - from, input: own }, [own.buffer as ArrayBuffer]);
  });
  return {
    receive: (worker, { own }) => results.set(own!, startOf(workers.indexOf(worker)) * width),
    results: () => results,
  };
};
