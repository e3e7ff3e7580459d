/** Layer and instance norms with the quantizer behind them, as one integer op. */

import { invariant } from '../../diagnostics/index.js';
import { channel, perChannel } from '../../ir/constant.js';
import { F32, int } from '../../ir/element.js';
import type { NormAttrs } from '../../ir/ops/norm.js';
import { normGroup } from '../../ir/ops/norm.js';
import type { QuantizeAttrs } from '../../ir/ops/quantize.js';
import type { TableNormAttrs } from '../../ir/ops/table-norm.js';
import { channelsOf, type ValueType } from '../../ir/types.js';
import { NORM_GAIN_LIMIT } from '../../numeric/integer-norm.js';

/** A norm that waits for its quantizer, with the type of the accumulators it reads. */
export interface PendingNorm {
  readonly attrs: NormAttrs;
  readonly type: ValueType;
}

const clampGain = (gain: number): number =>
  Math.max(1 - NORM_GAIN_LIMIT, Math.min(NORM_GAIN_LIMIT - 1, gain));

/** code = (x - mean) / sigma * scale / step + (shift - lo) / step, in the terms of `table.norm`. */
export const tabulateNorm = ({ attrs, type }: PendingNorm, quantize: QuantizeAttrs): TableNormAttrs => {
  const { quantizer } = quantize;
  const { meaning } = type;
  invariant(quantizer._tag === 'uniform', 'norms are quantized uniformly');
  invariant(meaning?._tag === 'scaled', 'norms read accumulators');
  const channels = channelsOf(type);
  const group = normGroup(attrs.over, type.shape);
  const gains = Float64Array.from(
    { length: channels },
    (_, c) => channel(attrs.scale, c) / channel(quantizer.step, c),
  );
  const largest = gains.reduce((a, g) => Math.max(a, Math.abs(g)), 0);
  let gainShift = 0;
  while (gainShift < 64 && largest * 2 ** (gainShift + 1) < NORM_GAIN_LIMIT - 1) gainShift++;
  while (gainShift > -64 && largest * 2 ** gainShift >= NORM_GAIN_LIMIT - 1) gainShift--;
  const offset = Int32Array.from({ length: channels }, (_, c) => {
    const codes = Math.round(
      (channel(attrs.shift, c) - channel(quantizer.lo, c)) / channel(quantizer.step, c),
    );
    return Math.max(-(2 ** 29) + 1, Math.min(2 ** 29 - 1, codes));
  });
  // In units of (accumulator / 8)^2, times the group.
  const epsilonAt = (scale: number): number => {
    const units = Math.fround(Math.round(((attrs.epsilon * 64) / (scale * scale)) * group));
    invariant(units <= 2 ** 45, 'scales that a norm reads are not finer than epsilon allows');
    return Math.max(1, units);
  };
  const { scale } = meaning;
  const epsilon =
    typeof scale === 'number'
      ? epsilonAt(scale)
      : perChannel(
          F32,
          Float32Array.from(scale.data, (v: number) => epsilonAt(v)),
        );
  return {
    over: attrs.over,
    epsilon,
    gain: perChannel(
      int(32),
      // What is larger than 2^79 leads to the first or last code from all that differs from the mean, and so does 2^79.
      Int32Array.from(gains, (g) => clampGain(Math.round(g * 2 ** gainShift))),
    ),
    gainShift,
    offset: perChannel(int(32), offset),
    bits: quantize.bits,
    quantizer,
  };
};
