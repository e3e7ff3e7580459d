/** Values side by side, along the channels: what a layer takes both as it is and normalised. */
import * as E from 'fp-ts/lib/Either.js';
import { record } from '../codec.js';
import { sameElement } from '../element.js';
import { concatMeanings } from '../meanings.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelsOf, sizeOf, valueType } from '../types.js';

export type ConcatAttrs = Record<never, never>;

export const concat = defineOp<'concat', ConcatAttrs, 'layout'>({
  kind: 'concat',
  role: {
    _tag: 'layout',
    channels: (_, counts) =>
      counts.flatMap((count, operand) =>
        Array.from({ length: count }, (_count, channel) => ({ operand, channel })),
      ),
  },
  summary: 'the operands one after another, along channels',
  doc: {
    does: 'values side by side',
    text: [
      'The operands one after another, along channels. They have one element type and differ in their channels only. Codes need quantizers of equal levels, which are joined; accumulators are not taken.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 'several',
  attrs: record({}, {}),
  infer: (_, operands) => {
    const [first] = operands;
    if (first === undefined) return E.left('takes at least one value');
    for (const x of operands) {
      const sameRest =
        x.shape.length === first.shape.length && x.shape.every((d, k) => k === 0 || d === first.shape[k]);
      if (!sameElement(x.element, first.element) || !sameRest) {
        return E.left('takes values of one element type that differ in their channels only');
      }
    }
    const meaning = concatMeanings(
      operands.map((x) => ({ meaning: x.meaning, channels: channelsOf(x) })),
      first.element.kind === 'f32' ? 0 : first.element.bits,
    );
    if (E.isLeft(meaning)) return meaning;
    const channels = operands.reduce((n, x) => n + channelsOf(x), 0);
    return E.right(valueType(first.element, [channels, ...first.shape.slice(1)], meaning.right));
  },
  evaluate: (_, operands, type) => {
    const batch = operands[0]!.batch;
    const result = emptyTensor(type, batch);
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (const x of operands) {
        const size = sizeOf(x.type);
        result.data.set(x.data.subarray(n * size, (n + 1) * size), at);
        at += size;
      }
    }
    return result;
  },
  cost: () => NO_COST,
});
