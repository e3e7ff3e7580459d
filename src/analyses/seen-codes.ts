/** What occurs on given inputs: what `dont-cares=data` takes for all that can occur. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, InternalError } from '../diagnostics/index.js';
import { batchesOf, samplesAtOnce } from '../ir/batches.js';
import type { Graph, ValueName } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import type { Tensor } from '../ir/tensor.js';
import { levelsOf, sizeOf } from '../ir/types.js';

/** The smallest and the largest integer that each element of a value is. */
export interface SeenRange {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

export interface Seen {
  /** For each value that is codes, and each of its elements, a 1 for every code that occurs. */
  readonly codes: ReadonlyMap<string, ReadonlyArray<Uint8Array>>;
  /** Of each value that is integers with a sign. */
  readonly ranges: ReadonlyMap<string, SeenRange>;
}

/** Samples that the interpreter runs at a time. */
const CHUNK = 256;

/** Runs the interpreter on all samples. K0701 as it gives it. */
export const seenCodes = (graph: Graph, input: Tensor): Checked<Seen> => {
  const codes = new Map<string, ReadonlyArray<Uint8Array>>();
  const ranges = new Map<string, SeenRange>();
  const noteCodes = (name: ValueName, { type, batch, data }: Tensor): void => {
    const size = sizeOf(type);
    const known = codes.get(name) ?? Array.from({ length: size }, () => new Uint8Array(levelsOf(type)));
    codes.set(name, known);
    for (let n = 0; n < batch; n++) for (let e = 0; e < size; e++) known[e]![data[n * size + e]!] = 1;
  };
  const noteRanges = (name: ValueName, { type, batch, data }: Tensor): void => {
    const size = sizeOf(type);
    const known = ranges.get(name) ?? {
      lo: new Int32Array(size).fill(2 ** 31 - 1),
      hi: new Int32Array(size).fill(-(2 ** 31)),
    };
    ranges.set(name, known);
    for (let n = 0; n < batch; n++) {
      for (let e = 0; e < size; e++) {
        const v = data[n * size + e]!;
        if (v < known.lo[e]!) known.lo[e] = v;
        if (v > known.hi[e]!) known.hi[e] = v;
      }
    }
  };
  const note = (name: ValueName, value: Tensor): void => {
    if (value.type.element.kind === 'uint') noteCodes(name, value);
    else if (value.type.element.kind === 'int') noteRanges(name, value);
  };
  const [first] = graph.inputs;
  if (first === undefined) throw new InternalError('a graph without inputs');
  for (const part of batchesOf(input, samplesAtOnce([graph], CHUNK))) {
    note(first.name, part);
    const ran = interpret(graph, [part], note);
    if (E.isLeft(ran)) return ran;
  }
  return E.right({ codes, ranges });
};
