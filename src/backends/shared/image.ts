/**
 * How a value of several dimensions lies in memory: channels last. The codes that a window reads at one pixel, and
 * the accumulators that it gives at one position, then stand side by side. Values of one dimension, of one channel,
 * or with one element a channel are the same either way, so that a reshape between such forms costs nothing.
 */
import { channelsOf, innerOf, sizeOf, type ValueType } from '../../ir/types.js';

type Shaped = Pick<ValueType, 'shape'>;

/** Channels that stand interleaved; 1 where the value is simply row-major. */
export const interleaved = (type: Shaped): number => (innerOf(type) === 1 ? 1 : channelsOf(type));

/** Where the element that is `j`-th in row-major order lies. */
export const placeInMemory = (type: Shaped): ((j: number) => number) => {
  const channels = interleaved(type);
  if (channels === 1) return (j) => j;
  const inner = innerOf(type);
  return (j) => (j % inner) * channels + Math.floor(j / inner);
};

/**
 * For a value that takes element `pick(j)` of another (row-major indices) as its own element j: the elements of the
 * other in memory order, indexed by the memory order of the new value.
 */
export const permutation = (from: Shaped, to: Shaped, pick: (j: number) => number): Uint32Array => {
  const result = new Uint32Array(sizeOf(to));
  const [source, target] = [placeInMemory(from), placeInMemory(to)];
  for (let j = 0; j < result.length; j++) result[target(j)] = source(pick(j));
  return result;
};

/** Whether a reshape keeps every element where it lies. */
export const keepsOrder = (from: Shaped, to: Shaped): boolean => interleaved(from) === interleaved(to);
