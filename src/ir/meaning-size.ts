/**
 * How much a type holds: meanings with a row for each channel are made by type rules, where a few bytes of text
 * could otherwise ask for much memory.
 */
import type { PerChannel } from './constant.js';
import type { Quantizer, Scaled } from './quantizer.js';

/** Most numbers in the meaning of a type that a type rule makes. */
export const MEANING_LIMIT = 2 ** 28;

const size = (p: PerChannel): number => (typeof p === 'number' ? 0 : 1);

/** How many numbers a meaning holds for each channel; none where all channels share them. */
export const perChannelSize = (m: Quantizer | Scaled | undefined): number => {
  if (m === undefined) return 0;
  if (m._tag === 'uniform') return size(m.lo) + size(m.step);
  if (m._tag === 'scaled') return size(m.scale);
  // The rows themselves and not the levels: the type may be one that was not checked yet.
  return [m.thresholds, m.values].reduce((n, c) => n + (c.shape[0] === 1 ? 0 : c.shape[1]!), 0);
};

export const tooMuchMeaning = (channels: number): string =>
  `the meaning of ${channels} channels is more than a type can hold`;
