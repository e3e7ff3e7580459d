/** Which codes occur on given inputs: what `dont-cares=data` takes for all that can occur. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, InternalError } from '../diagnostics/index.js';
import type { Graph, ValueName } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import type { Tensor } from '../ir/tensor.js';
import { levelsOf, sizeOf } from '../ir/types.js';

/** For each value that is codes, and each of its elements, a 1 for every code that occurs. */
export type SeenCodes = ReadonlyMap<string, ReadonlyArray<Uint8Array>>;

/** Samples that the interpreter runs at a time. */
const CHUNK = 256;

/** Runs the interpreter on all samples. K0701 as it gives it. */
export const seenCodes = (graph: Graph, input: Tensor): Checked<SeenCodes> => {
  const seen = new Map<string, ReadonlyArray<Uint8Array>>();
  const note = (name: ValueName, { type, batch, data }: Tensor): void => {
    if (type.element.kind !== 'uint') return;
    const size = sizeOf(type);
    const known = seen.get(name) ?? Array.from({ length: size }, () => new Uint8Array(levelsOf(type)));
    seen.set(name, known);
    for (let n = 0; n < batch; n++) for (let e = 0; e < size; e++) known[e]![data[n * size + e]!] = 1;
  };
  const [first] = graph.inputs;
  if (first === undefined) throw new InternalError('a graph without inputs');
  const size = sizeOf(input.type);
  for (let from = 0; from < input.batch; from += CHUNK) {
    const batch = Math.min(CHUNK, input.batch - from);
    const part: Tensor = {
      type: input.type,
      batch,
      data: input.data.subarray(from * size, (from + batch) * size),
    };
    note(first.name, part);
    const ran = interpret(graph, [part], note);
    if (E.isLeft(ran)) return ran;
  }
  return E.right(seen);
};
