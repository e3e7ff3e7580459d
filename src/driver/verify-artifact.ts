/** The product's promise, checked: an artifact gives the integers of the interpreter, every one of them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { TypedArray } from '../ir/element.js';
import type { Graph } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import { bytesOrFloats } from './engines.js';
import type { Runnable } from './runnable.js';

export interface Mismatch {
  /** The name of a value; `predict` and `predictRaw` for what these return on a whole batch. */
  readonly value: string;
  readonly index: number;
  readonly sample: number;
  readonly expected: number;
  readonly found: number;
}

export interface Comparison {
  readonly samples: number;
  /** Codes, accumulators and indices. */
  readonly integers: number;
  /** f32 values, compared by their bits (all NaN are alike). */
  readonly floats: number;
  readonly mismatches: number;
  readonly first?: Mismatch;
}

/** Samples that the interpreter runs at a time. */
const CHUNK = 128;

interface Tally {
  integers: number;
  floats: number;
  mismatches: number;
  first: Mismatch | undefined;
}

/** `found` from `at` on against `expected` from `from` on, `count` elements of one sample. */
const compare = (
  tally: Tally,
  expected: TypedArray,
  from: number,
  found: TypedArray,
  at: number,
  count: number,
  where: Pick<Mismatch, 'value' | 'sample'>,
): void => {
  if (expected instanceof Float32Array) tally.floats += count;
  else tally.integers += count;
  for (let j = 0; j < count; j++) {
    const [e, f] = [expected[from + j]!, found[at + j]!];
    // NaN is equal to NaN, and 0 is not -0: the comparison of bits.
    if (Object.is(e, f)) continue;
    tally.mismatches++;
    tally.first ??= { ...where, index: j, expected: e, found: f };
  }
};

export interface CompareOptions {
  readonly onProgress: (samples: number) => void;
}

/**
 * Compares on a batch: every value that the artifact keeps in memory, sample by sample, and what `predict` and
 * `predictRaw` return for whole batches.
 */
export const compareArtifact = (
  program: Runnable,
  graph: Graph,
  input: Tensor,
  { onProgress }: CompareOptions,
): Checked<Comparison> => {
  const features = sizeOf(input.type);
  const { raws, outputs, manifest } = program;
  const tally: Tally = { integers: 0, floats: 0, mismatches: 0, first: undefined };
  for (let from = 0; from < input.batch; from += CHUNK) {
    const batch = Math.min(CHUNK, input.batch - from);
    const data = input.data.subarray(from * features, (from + batch) * features);
    const values = new Map<string, Tensor>();
    const ran = interpret(graph, [{ type: input.type, batch, data }], (name, value) =>
      values.set(name, value),
    );
    if (E.isLeft(ran)) return ran;
    const given = bytesOrFloats({ type: input.type, batch, data });
    for (const [value, width, result] of [
      ['predictRaw', raws, program.predictRaw(given)],
      ['predict', outputs, program.predict(given)],
    ] as const) {
      if (E.isLeft(result)) return result;
      const name = value === 'predict' ? manifest.output.name : manifest.raw.name;
      const expected = values.get(name);
      if (expected === undefined) return unknownValue(name);
      for (let s = 0; s < batch; s++) {
        const where = { value, sample: from + s };
        compare(tally, expected.data, s * width, result.right, s * width, width, where);
      }
    }
    const inspected = program.inspect(given);
    for (let s = 0; s < batch; s++) {
      const kept = inspected(s);
      if (E.isLeft(kept)) return kept;
      for (const [name, found] of kept.right) {
        const expected = values.get(name);
        if (expected === undefined) return unknownValue(name);
        const width = sizeOf(expected.type);
        if (found.length !== width) return unknownValue(name);
        compare(tally, expected.data, s * width, found, 0, width, { value: name, sample: from + s });
      }
    }
    onProgress(from + batch);
  }
  const { first, ...counts } = tally;
  return E.right({ samples: input.batch, ...counts, ...(first === undefined ? {} : { first }) });
};

const unknownValue = (name: string): Checked<never> =>
  fail('K0603', `the manifest names a value '${name}' that model.kir does not have in this shape`, {
    hint: 'The files are of different compilations: compile the model again.',
  });
