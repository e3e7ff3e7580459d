/** From codes to codes through a map: u8 pixels to the codes of the first layer without becoming floats. */
import * as E from 'fp-ts/lib/Either.js';
import { byRows, element, elements, entry, tableRows } from '../../code/language.js';
import { HOLDS } from '../../diagnostics/index.js';
import { constantOf, integer, record } from '../codec.js';
import { type Constant, pickRows } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { pickQuantizer, type Quantizer, QuantizerCodec } from '../quantizer.js';
import { emptyTensor } from '../tensor.js';
import { channelIndex, channelsOf, codesOf, levelsOf, sizeOf } from '../types.js';

export interface RecodeAttrs {
  /** uint[R, levels of the operand], R = 1 or the number of channels. */
  readonly map: Constant;
  readonly bits: number;
  /** What the new code means. */
  readonly quantizer: Quantizer;
}

export const recode = defineOp<'recode', RecodeAttrs, 'coder'>({
  kind: 'recode',
  role: { _tag: 'coder' },
  summary: 'new = map[channel, code]',
  doc: {
    does: 'from codes to codes',
    text: [
      '`new[e] = map[r, code[e]]`, r = c or 0, from codes to codes: u to u{bits}<quantizer>. `map`: uint[R, L], R = 1 or C, L the levels of the operand (2^N for raw uN), its entries below the levels of `quantizer`; `bits`; `quantizer`.',
    ],
  },
  levels: ['quantized', 'table'],
  operands: 1,
  attrs: record({ map: constantOf('uint', 2), bits: integer(1, 16), quantizer: QuantizerCodec }, {}),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'uint') return E.left('takes a value of unsigned codes');
    const [rows, count] = a.map.shape;
    const levels = levelsOf(x);
    if ((rows !== 1 && rows !== channelsOf(x)) || count !== levels) {
      return E.left(`map is [${rows}, ${count}], expected [1 or ${channelsOf(x)}, ${levels}]`);
    }
    return codesOf(a, x.shape);
  },
  check: (a) => {
    const wrong = a.map.data.findIndex((c: number) => c >= a.quantizer.levels);
    return wrong < 0 ? HOLDS : E.left(`map gives code ${a.map.data[wrong]} of ${a.quantizer.levels} levels`);
  },
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const channel = channelIndex(type);
    const [rows, levels] = [a.map.shape[0]!, a.map.shape[1]!];
    for (let j = 0; j < result.data.length; j++) {
      const row = rows === 1 ? 0 : channel(j) * levels;
      result.data[j] = a.map.data[row + x!.data[j]!]!;
    }
    return result;
  },
  lower: (a) => {
    const rows = tableRows('map', a.map);
    return elements(byRows('map', rows), entry(rows, element(0)));
  },
  pick: (a, channels) => ({
    ...a,
    map: pickRows(a.map, channels),
    quantizer: pickQuantizer(a.quantizer, channels),
  }),
  cost: (a, [x]) => ({ ...NO_COST, reads: sizeOf(x!), bytes: a.map.data.byteLength }),
});
