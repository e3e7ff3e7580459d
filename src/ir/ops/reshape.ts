/** The same elements in another shape. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { program } from '../../code/language.js';
import type { Rule } from '../../diagnostics/index.js';
import { integer, record } from '../codec.js';
import { elementCount } from '../constant.js';
import { MEANING_LIMIT, perChannelSize, tooMuchMeaning } from '../meanings.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { pickMeaning } from '../quantizer.js';
import { channelsOf, sizeOf, type ValueType, valueType } from '../types.js';

export interface ReshapeAttrs {
  /** Without the batch. */
  readonly shape: ReadonlyArray<number>;
}

/** Channels that are as many or are split stay apart. */
const mixes = (before: number, after: number): boolean => after % before !== 0;

/** What the elements mean in the new shape: channels may stay or be split, but not mix. */
const reshapedMeaning = (x: ValueType, shape: ReadonlyArray<number>): Rule<ValueType['meaning']> => {
  const [before, after] = [channelsOf(x), shape[0] ?? 1];
  const perChannel = perChannelSize(x.meaning);
  if (before === after || perChannel === 0) return E.right(x.meaning);
  if (mixes(before, after)) return E.left('channels that mean different things would mix');
  if (after * perChannel > MEANING_LIMIT) return E.left(tooMuchMeaning(after));
  const parts = after / before;
  return E.right(
    pickMeaning(
      x.meaning,
      Uint32Array.from({ length: after }, (_, c) => Math.floor(c / parts)),
    ),
  );
};

export const reshape = defineOp<'reshape', ReshapeAttrs, 'layout'>({
  kind: 'reshape',
  role: {
    _tag: 'layout',
    // Channels are split, or all alike: what the type rule lets through.
    channels: ({ shape }, [before = 1]) =>
      Array.from({ length: shape[0]! }, (_, c) => ({
        operand: 0,
        channel: Math.floor((c * before) / shape[0]!),
      })),
    mixes: ({ shape }, [before = 1]) => mixes(before, shape[0]!),
  },
  summary: 'the same elements, row-major, in another shape',
  doc: {
    does: 'the same elements in another shape',
    text: [
      'The same elements, row-major, in another `shape` (a list of dimensions without the batch). Where channels mean different things they may be split but not mixed: the new number of channels is a multiple of the old one.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({ shape: t.readonlyArray(integer(1, 2 ** 31 - 1)) }, {}),
  infer: (a, [x]) => {
    if (x === undefined) return E.left('takes one value');
    const size = elementCount(a.shape);
    if (a.shape.length === 0 || size !== sizeOf(x)) {
      return E.left(
        `[${a.shape.join(', ')}] does not hold the ${sizeOf(x)} elements of [${x.shape.join(', ')}]`,
      );
    }
    const meaning = reshapedMeaning(x, a.shape);
    return E.isLeft(meaning) ? meaning : E.right(valueType(x.element, a.shape, meaning.right));
  },
  evaluate: (_, [x], type) => ({ ...x!, type }),
  lower: () => program('copy', { _tag: 'reshape' }),
  cost: () => NO_COST,
});
