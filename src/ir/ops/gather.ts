/** Picks features by index: dead inputs leave the program through it. */
import * as E from 'fp-ts/lib/Either.js';
import { HOLDS } from '../../diagnostics/index.js';
import { constantOf, record } from '../codec.js';
import type { Constant } from '../constant.js';
import { MEANING_LIMIT, perChannelSize, tooMuchMeaning } from '../meanings.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { pickMeaning } from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelsOf, innerOf, sizeOf, valueType } from '../types.js';

export interface GatherAttrs {
  /** u32[J], each below the number of features. */
  readonly indices: Constant;
}

export const gather = defineOp<'gather', GatherAttrs, 'layout'>({
  kind: 'gather',
  role: {
    _tag: 'layout',
    channels: ({ indices }) => Array.from(indices.data, (channel) => ({ operand: 0, channel })),
  },
  summary: 'y[j] = x[indices[j]], over channels',
  doc: {
    does: 'picks channels',
    text: [
      'Channel j of the result is channel indices[j]: T[n, C, ...] to T[n, J, ...], the meaning with its channels picked alike. `indices`: uint[J], each below C.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({ indices: constantOf('uint', 1) }, {}),
  infer: (a, [x]) => {
    if (x === undefined) return E.left('takes one value');
    const picked = a.indices.data.length;
    if (picked === 0) return E.left('picks no features');
    if (picked * perChannelSize(x.meaning) > MEANING_LIMIT) return E.left(tooMuchMeaning(picked));
    return E.right(
      valueType(x.element, [picked, ...x.shape.slice(1)], pickMeaning(x.meaning, a.indices.data)),
    );
  },
  check: (a, [x]) => {
    const features = channelsOf(x!);
    const wrong = a.indices.data.findIndex((i: number) => i >= features);
    return wrong < 0 ? HOLDS : E.left(`index ${a.indices.data[wrong]} of ${features} features`);
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const indices = a.indices.data;
    const channels = channelsOf(x!.type);
    const inner = innerOf(x!.type);
    for (let n = 0; n < x!.batch; n++) {
      for (let j = 0; j < indices.length; j++) {
        const from = (n * channels + indices[j]!) * inner;
        result.data.set(x!.data.subarray(from, from + inner), (n * indices.length + j) * inner);
      }
    }
    return result;
  },
  cost: (a, _, type) => ({ ...NO_COST, reads: sizeOf(type), bytes: a.indices.data.byteLength }),
});
