import type { Input } from '../shared/input.js';
import type { Memory } from './head.js';

export type Results = Float32Array | Int32Array;

export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly run: (samples: number) => void;
  readonly runRaw: (samples: number) => void;
}

/** A class of typed arrays, in the ways in which arrays are made here. */
export interface ArrayClass<A> {
  new (from: number | ArrayLike<number>): A;
  new (memory: ArrayBufferLike, address: number, length: number): A;
}

/** What of a program its calls depend on. */
export interface Shape {
  readonly memory: Memory;
  readonly features: number;
  readonly floatInput: boolean;
  readonly floatOutput: boolean;
}

/** The array of results, and how many each sample has. */
export const resultsOf = (
  raw: boolean,
  { memory, floatOutput }: Shape,
): { readonly Results: ArrayClass<Results>; readonly width: number } =>
  raw || !floatOutput
    ? { Results: Int32Array, width: memory.raws }
    : { Results: Float32Array, width: memory.outputs };

/** Calls of an instance for any number of samples: so many at once as its memory holds. */
export const runnerOf = (exports: Exports, shape: Shape) => {
  const { memory, features, floatInput } = shape;
  const { buffer } = exports.memory;
  const inputs = new (floatInput ? Float32Array : Uint8Array)(
    buffer,
    memory.input.address,
    memory.capacity * features,
  );
  const kind = (raw: boolean) => {
    const { Results, width } = resultsOf(raw, shape);
    const found = new Results(buffer, memory.output.address, memory.capacity * width);
    return { call: Results === Int32Array ? exports.runRaw : exports.run, found, Results, width };
  };
  const kinds = [kind(false), kind(true)] as const;

  /** Samples from `at` on, to the same place in `results`. */
  const stretch = (raw: boolean, input: Input, results: Results, at: number, samples: number): void => {
    const { call, found, width } = kinds[raw ? 1 : 0];
    for (let done = 0; done < samples; done += memory.capacity) {
      const count = Math.min(memory.capacity, samples - done);
      const from = at + done;
      inputs.set(input.subarray(from * features, (from + count) * features));
      call(count);
      results.set(found.subarray(0, count * width), from * width);
    }
  };

  const all = (raw: boolean, input: Input, samples: number): Results => {
    const { call, found, Results, width } = kinds[raw ? 1 : 0];
    if (samples <= memory.capacity) {
      inputs.set(input);
      call(samples);
      return found.slice(0, samples * width);
    }
    const results = new Results(samples * width);
    stretch(raw, input, results, 0, samples);
    return results;
  };
  return { stretch, all };
};
