/** The product's promise, checked: an artifact gives the integers of the interpreter, every one of them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { batchesOf, bytesOrFloats, samplesAtOnce } from '../ir/batches.js';
import type { TypedArray } from '../ir/element.js';
import type { Graph } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import type { Program } from './program.js';

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

/** Samples that the interpreter runs at a time, where values are not large. */
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

/** What the interpreter gives for a chunk of samples, by name. */
const expectedValues = (graph: Graph, chunk: Tensor): Checked<ReadonlyMap<string, Tensor>> => {
  const values = new Map<string, Tensor>();
  const ran = interpret(graph, [chunk], (name, value) => values.set(name, value));
  return E.isLeft(ran) ? ran : E.right(values);
};

/** What the program gives for a chunk: pairs of how it is called and what it is compared with. */
const foundValues = (
  program: Program,
  chunk: Tensor,
): TE.TaskEither<
  Diagnostics,
  ReadonlyArray<{ readonly value: string; readonly name: string; readonly found: TypedArray }>
> => {
  const given = bytesOrFloats(chunk);
  const { output, raw } = program.manifest;
  return pipe(
    TE.Do,
    TE.bind('predictRaw', () => program.predictRaw(given)),
    TE.bind('predict', () => program.predict(given)),
    TE.bind('kept', () => program.inspect(given)),
    TE.map(({ predictRaw, predict, kept }) => [
      { value: 'predictRaw', name: raw.name, found: predictRaw },
      { value: 'predict', name: output.name, found: predict },
      ...[...kept].map(([name, found]) => ({ value: name, name, found })),
    ]),
  );
};

/**
 * Compares on a batch: every value that the artifact keeps, and what `predict` and `predictRaw` return for whole
 * batches.
 */
export const compareArtifact =
  (
    program: Program,
    graph: Graph,
    input: Tensor,
    { onProgress }: CompareOptions,
  ): TE.TaskEither<Diagnostics, Comparison> =>
  async () => {
    const tally: Tally = { integers: 0, floats: 0, mismatches: 0, first: undefined };
    let from = 0;
    for (const chunk of batchesOf(input, samplesAtOnce([graph], CHUNK))) {
      const { batch } = chunk;
      const values = expectedValues(graph, chunk);
      if (E.isLeft(values)) return values;
      const compared = await foundValues(program, chunk)();
      if (E.isLeft(compared)) return compared;
      for (const { value, name, found } of compared.right) {
        const expected = values.right.get(name);
        const width = expected === undefined ? 0 : sizeOf(expected.type);
        if (expected === undefined || found.length !== batch * width) return unknownValue(name);
        for (let s = 0; s < batch; s++) {
          compare(tally, expected.data, s * width, found, s * width, width, { value, sample: from + s });
        }
      }
      from += batch;
      onProgress(from);
    }
    const { first, ...counts } = tally;
    return E.right({ samples: input.batch, ...counts, ...(first === undefined ? {} : { first }) });
  };

const unknownValue = (name: string): Checked<never> =>
  fail('K0603', `the manifest names a value '${name}' that model.kir does not have in this shape`, {
    hint: 'The files are of different compilations: compile the model again.',
  });
