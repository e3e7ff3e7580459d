/** The meaning of expressions, for tests of lowerings and of what is rendered from them. The interpreter does not use it. */
import { match } from 'ts-pattern';
import type { Expr, FloatRows, Rows } from './expr.js';

const rowAt = ({ rows, width }: Rows | FloatRows, channel: number): number =>
  (rows === 1 ? 0 : channel) * width;

const countAtMost = (thresholds: Rows | FloatRows, channel: number, key: number): number => {
  const first = rowAt(thresholds, channel);
  let count = 0;
  while (count < thresholds.width && thresholds.data[first + count]! <= key) count++;
  return count;
};

/** The value of an element: `channel` is its channel, `elements` are those of the operands. */
export const evaluateExpr = (e: Expr, channel: number, elements: ArrayLike<number>): number => {
  const of = (part: Expr): number => evaluateExpr(part, channel, elements);
  return match(e)
    .with({ kind: 'literal' }, ({ value }) => value)
    .with({ kind: 'operand' }, ({ index }) => elements[index]!)
    .with({ kind: 'constant' }, ({ table }) => table.data[rowAt(table, channel)]!)
    .with({ kind: 'entry' }, ({ table, at }) => table.data[rowAt(table, channel) + of(at)]!)
    .with({ kind: 'count' }, ({ thresholds, key }) => countAtMost(thresholds, channel, of(key)))
    .with({ kind: 'countFloats' }, ({ thresholds, index }) =>
      countAtMost(thresholds, channel, elements[index]!),
    )
    .with({ kind: 'add' }, ({ a, b }) => of(a) + of(b))
    .with({ kind: 'subtract' }, ({ a, b }) => of(a) - of(b))
    .with({ kind: 'multiply' }, ({ a, b }) => of(a) * of(b))
    .with({ kind: 'least' }, ({ a, b }) => Math.min(of(a), of(b)))
    .with({ kind: 'greatest' }, ({ a, b }) => Math.max(of(a), of(b)))
    .with({ kind: 'scaled' }, ({ value, mul, shift }) =>
      // Below 2^53 by what requantize proves.
      Math.floor((of(value) * of(mul) + 2 ** (shift - 1)) / 2 ** shift),
    )
    .exhaustive();
};
