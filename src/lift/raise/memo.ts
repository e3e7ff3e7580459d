/** What is known of functions, found once for each. */
import { argumentsOf, type FunctionId, type FunctionTable } from '../functions.js';

/**
 * A property of functions that follows from the properties of their parts. It is computed once for each function,
 * parts first and without recursion: recurrences make chains of thousands.
 */
export const inductive = <A>(
  table: FunctionTable,
  compute: (id: FunctionId, known: (part: FunctionId) => A) => A,
): ((id: FunctionId) => A) => {
  const found = new Map<FunctionId, A>();
  const known = (id: FunctionId): A => {
    const value = found.get(id);
    if (value === undefined && !found.has(id)) throw new RangeError(`function ${id} is met before its parts`);
    return value as A;
  };
  return (id) => {
    if (found.has(id)) return known(id);
    const open = [id];
    while (open.length > 0) {
      const top = open[open.length - 1]!;
      const before = open.length;
      for (const part of argumentsOf(table.nodeOf(top))) if (!found.has(part)) open.push(part);
      if (open.length > before) continue;
      open.pop();
      if (!found.has(top)) found.set(top, compute(top, known));
    }
    return known(id);
  };
};
