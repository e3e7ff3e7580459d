/** The same elements in another shape. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { integer, record } from '../codec.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { pickMeaning, type Quantizer, type Scaled } from '../quantizer.js';
import { channelsOf, sizeOf, type ValueType, valueType } from '../types.js';

export interface ReshapeAttrs {
  /** Without the batch. */
  readonly shape: ReadonlyArray<number>;
}

/** Whether a meaning says the same for all channels. */
const isUniformMeaning = (m: Quantizer | Scaled | undefined): boolean =>
  m === undefined ||
  (m._tag === 'uniform' && typeof m.lo === 'number' && typeof m.step === 'number') ||
  (m._tag === 'scaled' && typeof m.scale === 'number') ||
  (m._tag === 'thresholds' && m.thresholds.shape[0] === 1 && m.values.shape[0] === 1);

/** What the elements mean in the new shape: channels may stay or be split; undefined when they would mix. */
const reshapedMeaning = (
  x: ValueType,
  shape: ReadonlyArray<number>,
): { meaning: ValueType['meaning'] } | undefined => {
  const [before, after] = [channelsOf(x), shape[0] ?? 1];
  if (before === after || isUniformMeaning(x.meaning)) return { meaning: x.meaning };
  if (after % before !== 0) return undefined;
  const indices = Uint32Array.from({ length: after }, (_, c) => Math.floor((c * before) / after));
  return { meaning: pickMeaning(x.meaning, indices) };
};

export const reshape = defineOp<'reshape', ReshapeAttrs>({
  kind: 'reshape',
  summary: 'the same elements, row-major, in another shape',
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({ shape: t.readonlyArray(integer(1, 2 ** 31 - 1)) }, {}),
  infer: (a, [x]) => {
    if (x === undefined) return E.left('takes one value');
    const size = a.shape.reduce((n, d) => n * d, 1);
    if (a.shape.length === 0 || size !== sizeOf(x)) {
      return E.left(
        `[${a.shape.join(', ')}] does not hold the ${sizeOf(x)} elements of [${x.shape.join(', ')}]`,
      );
    }
    const meaning = reshapedMeaning(x, a.shape);
    return meaning === undefined
      ? E.left('channels that mean different things would mix')
      : E.right(valueType(x.element, a.shape, meaning.meaning));
  },
  evaluate: (_, [x], type) => ({ ...x!, type }),
  cost: () => NO_COST,
});
