/** Tables of values: what residual sums, poolings, products, norms and results read instead of floats. */
import { constant, perChannel } from '../../ir/constant.js';
import { accumulatorFor, allocate, F32, int } from '../../ir/element.js';
import type { NormAttrs } from '../../ir/ops/norm.js';
import { sumRange, type TableSumAttrs } from '../../ir/ops/table-sum.js';
import type { Coded } from './coded.js';

/** How finely values are tabulated, and what the reader allows. */
export interface SumChoice {
  /** Largest magnitude of a sum of entries. */
  readonly top: number;
  /** One scale for all channels. */
  readonly shared: boolean;
  /**
   * Where the middle of a channel's values goes: to the bias, away (norms do not see it), or nowhere (products
   * need values that are integer times scale).
   */
  readonly middle: 'bias' | 'dropped' | 'kept';
  /** No scale is finer than this. */
  readonly finest?: number;
}

/** Results and residual sums: 15 bits, offset in the bias. */
export const WIDE: SumChoice = { top: 2 ** 14 - 1, shared: false, middle: 'bias' };
/** Poolings sum many of them. */
export const POOLED: SumChoice = { top: 2 ** 12 - 1, shared: false, middle: 'bias' };
/** Factors: their products fit 31 bits. */
export const FACTORS: SumChoice = { top: 2 ** 15 - 1, shared: false, middle: 'kept' };
/**
 * What the integer norm takes. Statistics of the whole sample need one scale; those of a channel do not, and its
 * values then use all bits however small they are. A scale so fine that epsilon would outgrow `table.norm` is
 * pointless: such values are nothing beside epsilon.
 */
export const normed = (over: NormAttrs['over'], epsilon: number, group: number): SumChoice => ({
  top: 2047,
  shared: over === 'sample',
  middle: 'dropped',
  finest: Math.sqrt(64 * epsilon * group) * 2 ** -22,
});

/** The sum of tables of coded values of one shape; with one value, the value itself as accumulators. */
export const tabulateSum = (parts: ReadonlyArray<Coded>, choice: SumChoice): TableSumAttrs => {
  const channels = parts[0]?.channels.length ?? 0;
  const values = parts.map((part) => sampled(part));
  const middles = values.map((v, k) => channelMiddles(v, parts[k]!.levels, channels, choice));
  const widest = new Float64Array(channels);
  values.forEach((v, k) => {
    const levels = parts[k]!.levels;
    for (let c = 0; c < channels; c++) {
      let largest = 0;
      for (let e = c * levels; e < (c + 1) * levels; e++) {
        largest = Math.max(largest, Math.abs(v[e]! - middles[k]![c]!));
      }
      widest[c]! += largest;
    }
  });
  const common = widest.reduce((a, b) => Math.max(a, b), 0);
  const offsets = Float64Array.from({ length: channels }, (_, c) => middles.reduce((n, m) => n + m[c]!, 0));
  const scales = Float32Array.from(widest, (w, c) => {
    const used = choice.shared ? common : w;
    const offset = Math.abs(offsets[c]!);
    // A channel that never changes is its bias alone, kept to 20 bits.
    const wanted = used > 0 ? Math.max(used / choice.top, offset * 2 ** -24) : offset * 2 ** -20;
    return Math.max(wanted, choice.finest ?? 0, 2 ** -100);
  });
  const element = int(16);
  const tables = values.map((v, k) => {
    const levels = parts[k]!.levels;
    const data = allocate(element, channels * levels);
    for (let e = 0; e < data.length; e++) {
      const c = Math.floor(e / levels);
      const entry = Math.round((v[e]! - middles[k]![c]!) / scales[c]!);
      data[e] = Math.max(-choice.top, Math.min(choice.top, entry));
    }
    return constant(element, [channels, levels], data);
  });
  const bias = Int32Array.from(offsets, (v, c) => Math.round(v / scales[c]!));
  const attrs = {
    tables,
    scale: perChannel(F32, scales),
    ...(choice.middle === 'bias' ? { bias: constant(int(32), [channels], bias) } : {}),
  };
  const { lo, hi } = sumRange(attrs, channels);
  const acc = accumulatorFor(lo, hi);
  return { ...attrs, acc: acc?.kind === 'int' ? Math.max(16, acc.bits) : 32, lo, hi };
};

/** [channels, levels]: the value of every code: the mean over its cell where calibration saw some. */
const sampled = (coded: Coded): Float64Array => {
  const { levels, channels } = coded;
  const values = new Float64Array(channels.length * levels);
  const sums = new Float64Array(levels);
  const counts = new Float64Array(levels);
  channels.forEach((channel, c) => {
    sums.fill(0);
    counts.fill(0);
    channel.eachBin((code, value, count) => {
      sums[code]! += value * count;
      counts[code]! += count;
    });
    for (let code = 0; code < levels; code++) {
      values[c * levels + code] = counts[code]! > 0 ? sums[code]! / counts[code]! : channel.value(code);
    }
  });
  return values;
};

const channelMiddles = (
  values: Float64Array,
  levels: number,
  channels: number,
  { middle, shared }: SumChoice,
): Float64Array => {
  const middles = new Float64Array(channels);
  if (middle === 'kept') return middles;
  let [allLo, allHi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let c = 0; c < channels; c++) {
    let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let e = c * levels; e < (c + 1) * levels; e++) {
      lo = Math.min(lo, values[e]!);
      hi = Math.max(hi, values[e]!);
    }
    middles[c] = (lo + hi) / 2;
    [allLo, allHi] = [Math.min(allLo, lo), Math.max(allHi, hi)];
  }
  // Channels whose statistics are taken together move together.
  return shared ? middles.fill((allLo + allHi) / 2) : middles;
};
