/** Scales of tables that mean something. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { PerChannel } from '../../ir/constant.js';

/** Weights may be finite and what they compute not: a table of it would mean nothing. */
export const finite = <A>(scale: PerChannel, made: A): Checked<A> => {
  const scales = typeof scale === 'number' ? [scale] : [...scale.data];
  return scales.every((v) => Number.isFinite(v) && v > 0)
    ? E.right(made)
    : fail('K0204', 'its functions reach values that 32-bit floats do not hold', {
        expected: 'weights whose functions stay finite over the range of the inputs',
        hint: 'The training probably diverged: take an earlier checkpoint.',
      });
};
