/** What is known of functions, found once for each. */
import { InternalError } from '../../diagnostics/index.js';
import { argumentsOf, type FunctionId, type FunctionTable } from '../functions.js';

/**
 * A property of functions that follows from the properties of their parts. It is computed once for each function,
 * parts first and without recursion: recurrences make chains of thousands.
 */
export const inductive = <A>(
  table: FunctionTable,
  compute: (id: FunctionId, known: (part: FunctionId) => A) => A,
): ((id: FunctionId) => A) => {
  // Ids are dense, so that an array serves; what is stored may be undefined. Tables grow while they are looked at.
  let found: (A | undefined)[] = new Array(table.size());
  let done = new Uint8Array(table.size());
  const isDone = (id: FunctionId): boolean => done[id] === 1;
  const store = (id: FunctionId, value: A): void => {
    if (id >= done.length) {
      const size = 2 * id + 16;
      const [longer, more] = [new Uint8Array(size), new Array<A | undefined>(size)];
      longer.set(done);
      for (let k = 0; k < done.length; k++) more[k] = found[k];
      [done, found] = [longer, more];
    }
    found[id] = value;
    done[id] = 1;
  };
  const known = (id: FunctionId): A => {
    if (!isDone(id)) throw new InternalError(`function ${id} is met before its parts`);
    return found[id] as A;
  };
  const open: FunctionId[] = [];
  return (id) => {
    if (isDone(id)) return known(id);
    open.push(id);
    while (open.length > 0) {
      const top = open[open.length - 1]!;
      const before = open.length;
      const taken = argumentsOf(table.nodeOf(top));
      for (let k = 0; k < taken.length; k++) if (!isDone(taken[k]!)) open.push(taken[k]!);
      if (open.length > before) continue;
      open.pop();
      if (!isDone(top)) store(top, compute(top, known));
    }
    return known(id);
  };
};
