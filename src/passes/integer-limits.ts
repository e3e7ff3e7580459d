/** Networks that sum more than 32-bit integers hold: refused before anything runs where that is sure, else by `tabulate`. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { type Graph, type Node, typesOf } from '../ir/graph.js';
import { inferType, type Op } from '../ir/ops/index.js';
import { normGroup } from '../ir/ops/norm.js';
import type { ValueType } from '../ir/types.js';
import { NORM_GROUP_LIMIT } from '../numeric/integer-norm.js';
import { POOLED } from './tabulate/sum.js';

/** Pixels of a mean at most: a channel that varies has entries of up to `POOLED.top`. */
export const LARGEST_MEAN = Math.floor((2 ** 31 - 1) / POOLED.top);

const tooMany = (node: Node, found: string, most: string, hint: string): Checked<never> =>
  fail('K0611', found, { place: { op: node.name }, expected: most, hint });

/** K0611 on poolings and norms over more elements than integers can sum, whatever the values are. */
export const withinIntegers = (graph: Graph): Checked<void> => {
  const types = typesOf(graph);
  for (const node of graph.nodes) {
    const { op } = node;
    if (op.kind === 'pool' && op.attrs.reduce === 'mean') {
      const [height, width] = op.attrs.window.kernel;
      if (height * width > LARGEST_MEAN) {
        return tooMany(
          node,
          `the mean over windows of ${height}x${width} pixels sums more than 32-bit integers hold`,
          `windows of at most ${LARGEST_MEAN} pixels, such as 724x724`,
          'Pool in two steps (a mean of means of equal windows is the same mean), or use smaller images, less padding or more stride before it.',
        );
      }
    }
    if (op.kind === 'norm') {
      const group = normGroup(op.attrs.over, types.get(node.operands[0]!)?.shape ?? []);
      if (group > NORM_GROUP_LIMIT) {
        return tooMany(
          node,
          `the norm takes statistics over ${group} elements, more than its integers hold`,
          `at most ${NORM_GROUP_LIMIT}`,
          'Use smaller images, or pool before the norm.',
        );
      }
    }
  }
  return E.right(undefined);
};

/** K0611 where the type rule of an op that reads integers refuses the range of them. */
export const integersFit = (op: Op, operands: ReadonlyArray<ValueType>): Checked<void> => {
  const type = inferType(op, operands);
  return E.isRight(type)
    ? E.right(undefined)
    : fail('K0611', `${op.kind}: ${type.left}`, {
        hint: 'Fewer elements under one sum, or values that lie nearer to 0, fit: pool in two steps, or normalise before.',
      });
};
