/** Bounds of functions that follow from their last ops, whatever x is. */
import type { FunctionId, FunctionTable } from '../functions.js';

/** [lo, hi], infinite where nothing is known. */
export type Bounds = readonly [number, number];

const ANY: Bounds = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Chains of bounds are short: what is deeper is not followed. */
const MOST_DEPTH = 12;

export const boundsOf = (table: FunctionTable, id: FunctionId, depth = 0): Bounds => {
  const node = table.nodeOf(id);
  if (node.kind === 'constant') return [node.value, node.value];
  if (node.kind !== 'call' || depth > MOST_DEPTH) return ANY;
  const of = (k: number): Bounds => boundsOf(table, node.args[k]!, depth + 1);
  switch (node.fn) {
    case 'tanh':
    case 'sin':
    case 'cos':
    case 'erf':
      return [-1, 1];
    case 'sigmoid':
      return [0, 1];
    case 'exp':
    case 'abs':
    case 'softplus':
      return [0, Number.POSITIVE_INFINITY];
    case 'relu':
      return [Math.max(0, of(0)[0]), Math.max(0, of(0)[1])];
    case 'max': {
      const [a, b] = [of(0), of(1)];
      return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    }
    case 'min': {
      const [a, b] = [of(0), of(1)];
      return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
    }
    case 'add': {
      const [a, b] = [of(0), of(1)];
      return [a[0] + b[0], a[1] + b[1]];
    }
    case 'floor':
    case 'ceil':
    case 'round':
    case 'trunc':
      return [Math.floor(of(0)[0]), Math.ceil(of(0)[1])];
    default:
      return ANY;
  }
};
