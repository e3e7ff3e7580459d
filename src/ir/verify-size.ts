/** How large the values of a graph may be: a few lines of text can tell of more memory than any machine has. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import type { Graph } from './graph.js';
import { sizeOf } from './types.js';

/** Most elements of one sample of a value, as importers have it. */
export const MOST_OF_VALUE = 2 ** 28;
/** Most elements of one sample of all values together. */
export const MOST_OF_GRAPH = 2 ** 29;

const HINT = 'No network of a library has values of this size. If yours does, please report it.';

/** K0113, with the value, before anything is allocated by a shape. Shapes that are none are for others to tell. */
export const checkSizes = ({ inputs, nodes }: Graph): Checked<void> => {
  let total = 0;
  for (const { name, type } of [...inputs, ...nodes]) {
    const size = Array.isArray(type.shape) ? sizeOf(type) : 0;
    if (size > MOST_OF_VALUE) {
      return fail('K0113', `a value of the shape [${type.shape.join(', ')}] has ${size} elements`, {
        place: { op: name },
        expected: `at most ${MOST_OF_VALUE} in one sample`,
        hint: HINT,
      });
    }
    if (size > 0) total += size;
    if (total > MOST_OF_GRAPH) {
      return fail('K0113', `the values up to this one have ${total} elements together`, {
        place: { op: name },
        expected: `at most ${MOST_OF_GRAPH} in one sample`,
        hint: HINT,
      });
    }
  }
  return E.right(undefined);
};
