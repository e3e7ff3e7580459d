/** Kernels that make codes, element by element: quantize, recode, requantize. All compare and multiply integers. */
import { channel } from '../../../ir/constant.js';
import type { BucketizeAttrs } from '../../../ir/ops/bucketize.js';
import type { QuantizeAttrs } from '../../../ir/ops/quantize.js';
import type { RecodeAttrs } from '../../../ir/ops/recode.js';
import type { RequantizeAttrs } from '../../../ir/ops/requantize.js';
import { isShared, thresholdList } from '../../../ir/quantizer.js';
import { channelsOf, sizeOf, type ValueType } from '../../../ir/types.js';
import { clampBounds, productForm, SPLIT_BITS } from '../../../numeric/fixed-point.js';
import type { KernelSummary } from '../../shared/manifest.js';
import { type Access, channelOf, each, type Part, perChannel, signed, type Text, u } from '../kernel.js';
import { integers, packed, type Section, wordsOf } from '../words.js';

export interface Emitted {
  readonly parts: ReadonlyArray<Part>;
  readonly form: KernelSummary['form'];
  readonly bits?: number;
}

/**
 * The code of a key: how many keys of a list are at most it. Section 0 holds `rows` lists of `count` ascending u32,
 * one for all channels or one for each.
 */
const countedCode = (access: Access, key: Text, rows: number, count: number, channelText: Text): Text => {
  const first = rows === 1 ? access.section(0) : `${access.section(0)} + ${u(count)} * (${channelText})`;
  return `count_at_most(${first}, ${u(count)}, ${key})`;
};

/** As float_key of the library has it: the order of f32 as u32, with -0 at 0. */
const keysOf = (thresholds: Float32Array): Uint32Array => {
  const bits = new Uint32Array(Float32Array.from(thresholds).buffer);
  return bits.map((b) => {
    const value = b === 0x80000000 ? 0 : b;
    return (value ^ (value >>> 31 === 1 ? 0xffffffff : 0x80000000)) >>> 0;
  });
};

/** f32 to codes by the thresholds that define the quantizer, whatever its closed form. */
export const quantizeFloats = ({ quantizer }: QuantizeAttrs, type: ValueType): Emitted => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  const rows = isShared(quantizer) ? 1 : channels;
  const count = quantizer.levels - 1;
  const keys: Section = {
    length: rows * count,
    make: () => {
      const words = new Uint32Array(rows * count);
      for (let r = 0; r < rows; r++) words.set(keysOf(thresholdList(quantizer, r)), r * count);
      return words;
    },
  };
  return {
    form: rows === 1 ? 'thresholds' : 'thresholds per channel',
    parts: each(
      length,
      wordsOf([keys]),
      (access) => {
        const code = countedCode(access, 'float_key(bits)', rows, count, channelOf('item', channels, length));
        return [
          `let bits = ${access.word(0, 'item')};`,
          'var code = 0u;',
          `if (!is_nan(bits)) { code = ${code}; }`,
          access.store('item', 'code'),
        ];
      },
      ['countAtMost', 'floatKey'],
    ),
  };
};

/** Accumulators to codes by integer thresholds: signed integers turned into u32 that ascend alike. */
export const bucketizeSums = ({ thresholds }: BucketizeAttrs, type: ValueType): Emitted => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  const [rows, count] = [thresholds.shape[0]!, thresholds.shape[1]!];
  const keys: Section = {
    length: rows * count,
    make: () => Uint32Array.from(thresholds.data, (t: number) => t ^ 0x80000000),
  };
  return {
    form: rows === 1 ? 'thresholds' : 'thresholds per channel',
    parts: each(
      length,
      wordsOf([keys]),
      (access) => {
        const key = `${access.word(0, 'item')} ^ 0x80000000u`;
        return [
          access.store('item', countedCode(access, key, rows, count, channelOf('item', channels, length))),
        ];
      },
      ['countAtMost'],
    ),
  };
};

/** Codes to codes through a map. */
export const recodeMap = ({ map }: RecodeAttrs, type: ValueType): Emitted => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  const [rows, levels] = [map.shape[0]!, map.shape[1]!];
  const wide = map.data.some((code: number) => code > 255);
  return {
    form: rows === 1 ? 'map' : 'map per channel',
    parts: each(
      length,
      wordsOf([packed(map.data, wide ? 16 : 8)]),
      (access) => {
        const code = access.word(0, 'item');
        const entry = rows === 1 ? code : `${u(levels)} * (${channelOf('item', channels, length)}) + ${code}`;
        return [access.store('item', `${wide ? 'entry16' : 'entry8'}(${access.section(0)}, ${entry})`)];
      },
      [wide ? 'entry16' : 'entry8'],
    ),
  };
};

/** Accumulators to codes by one multiplication and one shift, in the form that numeric/fixed-point.ts proves. */
export const requantizeSums = (a: RequantizeAttrs, type: ValueType): Emitted => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  const { levels } = a.quantizer;
  const { mul, shift, bias } = a;
  const muls = typeof mul === 'number' ? [mul] : mul.data;
  const wide = productForm(muls, shift, levels) === 'wide';
  // Bounds above every accumulator do not matter, but must be written as 32 bits.
  const hiOf = (c: number): number => Math.min(clampBounds(channel(mul, c), shift, levels).hi, 2 ** 31 - 1);
  const sections: Section[] = [];
  const biasAt = bias === undefined ? undefined : sections.push(integers(bias.data)) - 1;
  const mulAt = typeof mul === 'number' ? undefined : sections.push(integers(mul.data)) - 1;
  const hiAt =
    typeof mul === 'number'
      ? undefined
      : sections.push(integers(Array.from({ length: channels }, (_, c) => hiOf(c)))) - 1;
  return {
    form: wide ? 'fixed point, split products' : 'fixed point',
    parts: each(length, wordsOf(sections), (access) => {
      const acc = signed(access.word(0, 'item'));
      return [
        ...(sections.length === 0 ? [] : [`let channel = ${channelOf('item', channels, length)};`]),
        `let sum = ${bias === undefined ? acc : `${acc} + ${perChannel(access, biasAt, 0, 'channel')}`};`,
        `let mul = u32(${perChannel(access, mulAt, channel(mul, 0), 'channel')});`,
        // Clamped first: outside of these bounds the code no longer changes, and inside all is below 2^31.
        `let value = u32(clamp(sum, 0i, ${perChannel(access, hiAt, hiOf(0), 'channel')}));`,
        ...(wide
          ? [
              `let high = (value >> ${u(SPLIT_BITS)}) * mul;`,
              `let low = ((value & ${u(2 ** SPLIT_BITS - 1)}) * mul) >> ${u(SPLIT_BITS)};`,
              `let code = (high + low + ${u(2 ** (shift - 1 - SPLIT_BITS))}) >> ${u(shift - SPLIT_BITS)};`,
            ]
          : [`let code = (value * mul + ${u(2 ** (shift - 1))}) >> ${u(shift)};`]),
        access.store('item', `min(code, ${u(levels - 1)})`),
      ];
    }),
  };
};
