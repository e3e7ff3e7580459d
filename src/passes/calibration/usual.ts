/** What the values of data usually are, against which single ones are judged. */
import { orderStatistics } from '../../numeric/float-order.js';

/** Where values of all channels together usually lie. */
export interface Usual {
  readonly lo: number;
  readonly hi: number;
}

/** At most this share of the values, at each end, does not count as usual. */
const UNUSUAL = 0.01;

/** The value that more than half of a channel has, by Boyer and Moore's vote; undefined where there is none. */
const commonest = (
  data: Float32Array,
  channels: number,
  inner: number,
  channel: number,
): number | undefined => {
  let [candidate, votes] = [Number.NaN, 0];
  for (let at = channel * inner; at < data.length; at += channels * inner) {
    for (let j = at; j < at + inner; j++) {
      const x = data[j]!;
      if (votes === 0) candidate = x;
      votes += x === candidate ? 1 : -1;
    }
  }
  let count = 0;
  for (let at = channel * inner; at < data.length; at += channels * inner) {
    for (let j = at; j < at + inner; j++) if (data[j] === candidate) count++;
  }
  return 2 * count * channels > data.length ? candidate : undefined;
};

/**
 * The range of all but the outermost hundredths of [samples, channels, inner]. What more than half of a channel has counts
 * once: in sparse data, where nearly all values are 0, the few others are usual none the less.
 */
export const usualOf = (data: Float32Array, channels: number, inner: number): Usual => {
  const others = data.slice();
  const often: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const value = commonest(data, channels, inner, channel);
    if (value === undefined) continue;
    often.push(value);
    for (let at = channel * inner; at < data.length; at += channels * inner) {
      for (let j = at; j < at + inner; j++) if (data[j] === value) others[j] = Number.NaN;
    }
  }
  const count = others.reduce((n, x) => (x - x === 0 ? n + 1 : n), 0);
  // At least one at each end: of few values, one may be a fault.
  const ends = Math.min(Math.ceil(count * UNUSUAL), Math.max(0, Math.ceil(count / 2) - 1));
  const ranks = [ends, count - 1 - ends];
  const found = [...often, ...(count === 0 ? [] : orderStatistics(others, ranks))];
  return {
    lo: found.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    hi: found.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
};
