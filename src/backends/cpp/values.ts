/** What integers values hold, and what makes floats of them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { levelsOf, type ValueType } from '../../ir/types.js';
import type { ElementType } from './stage.js';
import { integerType } from './table.js';

/** What integers a value holds: codes below their levels, accumulators in their proven range. */
export const elementOf = (type: ValueType): ElementType => {
  if (type.element.kind === 'f32') return 'f32';
  if (type.element.kind === 'uint') return integerType(0, levelsOf(type) - 1);
  const { meaning } = type;
  if (meaning?._tag !== 'scaled') return { signed: true, bits: type.element.bits };
  const { bits } = integerType(Math.min(meaning.lo, -1), meaning.hi);
  return { signed: true, bits };
};

/** The scale of a value, one for all channels or one for each. */
export const scalesOf = ({ meaning }: ValueType): ArrayLike<number> =>
  meaning?._tag !== 'scaled' ? [1] : typeof meaning.scale === 'number' ? [meaning.scale] : meaning.scale.data;

/** A scale that is no number has no literal. */
export const checkFactors = (factors: ArrayLike<number>, value: ValueName, target: string): Checked<void> =>
  Array.from(factors).every(Number.isFinite)
    ? E.right(undefined)
    : fail('K0602', `the scale of %${value} is not a finite f32 value`, {
        place: { op: value },
        hint: `The ${target} target multiplies in f32.`,
      });
