/** What stages know of the values around them. */
import * as E from 'fp-ts/lib/Either.js';
import type { ElementCode } from '../../code/expr.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { PerChannel } from '../../ir/constant.js';
import type { Value, ValueName } from '../../ir/graph.js';
import { channelsOf, levelsOf, type ValueType } from '../../ir/types.js';
import type { ElementType, Slot } from './stage.js';
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

/** What stages know of the values around them. */
export interface Scope {
  readonly typeOf: (name: ValueName) => ValueType;
  readonly slotOf: (name: ValueName) => Slot;
}

export const scaleOf = (type: ValueType): PerChannel =>
  type.meaning?._tag === 'scaled' ? type.meaning.scale : 1;

/** A scale of more precision would be multiplied in another precision than the definition says. */
export const checkScale = (scale: ElementCode['scale'], value: Value, target: string): Checked<void> => {
  if (scale === undefined) return E.right(undefined);
  for (let c = 0; c < channelsOf(value.type); c++) {
    const factor = typeof scale === 'number' ? scale : scale.data[c]!;
    if (!Number.isFinite(factor) || !Object.is(Math.fround(factor), factor)) {
      return fail('K0602', `the scale of %${value.name} is not a finite f32 value`, {
        place: { op: value.name },
        hint: `The ${target} target multiplies in f32.`,
      });
    }
    if (typeof scale === 'number') break;
  }
  return E.right(undefined);
};
