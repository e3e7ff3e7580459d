/**
 * Meanings that type rules make: of values side by side. A meaning can have a row for each channel, so that a few bytes
 * of text could ask for much memory: how much is limited.
 */
import * as E from 'fp-ts/lib/Either.js';
import { eachHolds, type Rule } from '../diagnostics/index.js';
import { type Constant, channel, constant, f32Data, type PerChannel } from './constant.js';
import { F32 } from './element.js';
import {
  decodeValue,
  isShared,
  type Quantizer,
  quantizerFault,
  type Scaled,
  type Thresholds,
  thresholdList,
  type Uniform,
} from './quantizer.js';

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

/** The meaning of one of the values, and for how many channels it stands. */
export interface MeaningPart<M> {
  readonly meaning: M;
  readonly channels: number;
}

type Parts<M> = ReadonlyArray<MeaningPart<M>>;

/** Finding the thresholds of a closed form takes some hundred steps each. */
const SEARCH_LIMIT = 2 ** 22;

const channelsIn = (parts: Parts<unknown>): number => parts.reduce((n, p) => n + p.channels, 0);

const joinChannels = (parts: Parts<Uniform>, of: (u: Uniform) => PerChannel): PerChannel => {
  const values = parts.map((p) => of(p.meaning));
  const first = values[0]!;
  if (typeof first === 'number' && values.every((v) => Object.is(v, first))) return first;
  const data = new Float32Array(channelsIn(parts));
  let at = 0;
  for (const [k, { channels }] of parts.entries()) {
    for (let c = 0; c < channels; c++) data[at++] = channel(values[k]!, c);
  }
  return constant(F32, [data.length], data);
};

/** A row for each channel of all parts; rows that stand for all channels of a part are repeated. */
const joinRows = (parts: Parts<Thresholds>, of: (t: Thresholds) => Constant): Constant => {
  const width = of(parts[0]!.meaning).shape[1]!;
  const rows = channelsIn(parts);
  const data = new Float32Array(rows * width);
  let at = 0;
  for (const { meaning, channels } of parts) {
    const c = of(meaning);
    for (let n = 0; n < channels / c.shape[0]!; n++, at += c.data.length) data.set(f32Data(c), at);
  }
  return constant(F32, [rows, width], data);
};

/** The thresholds form of any quantizer of `channels` channels. */
const asThresholds = (q: Quantizer, channels: number): Thresholds => {
  if (q._tag === 'thresholds') return q;
  const rows = isShared(q) ? 1 : channels;
  const thresholds = new Float32Array(rows * (q.levels - 1));
  const values = new Float32Array(rows * q.levels);
  for (let c = 0; c < rows; c++) {
    thresholds.set(thresholdList(q, c), c * (q.levels - 1));
    for (let code = 0; code < q.levels; code++) values[c * q.levels + code] = decodeValue(q, c, code);
  }
  return {
    _tag: 'thresholds',
    levels: q.levels,
    thresholds: constant(F32, [rows, q.levels - 1], thresholds),
    values: constant(F32, [rows, q.levels], values),
  };
};

const joinUniform = (parts: Parts<Uniform>, levels: number): Uniform => ({
  _tag: 'uniform',
  levels,
  lo: joinChannels(parts, (u) => u.lo),
  step: joinChannels(parts, (u) => u.step),
});

const joinThresholds = (parts: Parts<Quantizer>, levels: number): Rule<Quantizer> => {
  const channels = channelsIn(parts);
  const searched = parts.reduce(
    (n, { meaning, channels: c }) => n + (meaning._tag === 'thresholds' ? 0 : isShared(meaning) ? 1 : c),
    0,
  );
  if (2 * channels * levels > MEANING_LIMIT || searched * levels > SEARCH_LIMIT) {
    return E.left(tooMuchMeaning(channels));
  }
  const lists = parts.map((p) => ({ ...p, meaning: asThresholds(p.meaning, p.channels) }));
  return E.right({
    _tag: 'thresholds',
    levels,
    thresholds: joinRows(lists, (t) => t.thresholds),
    values: joinRows(lists, (t) => t.values),
  });
};

/**
 * The meaning of values of `bits` bits side by side along channels, or why there is none. Closed forms stay closed
 * forms, and otherwise all become lists of thresholds. Floats and raw integers mean nothing beyond themselves.
 */
export const concatMeanings = (
  parts: Parts<Quantizer | Scaled | undefined>,
  bits: number,
): Rule<Quantizer | undefined> => {
  if (parts.every((p) => p.meaning === undefined)) return E.right(undefined);
  const quantizers = parts.flatMap(({ meaning, channels }) =>
    meaning === undefined || meaning._tag === 'scaled' ? [] : [{ meaning, channels }],
  );
  const [first] = quantizers;
  if (first === undefined || quantizers.length < parts.length) {
    return E.left('joins codes that have quantizers, or raw integers, and no accumulators');
  }
  const { levels } = first.meaning;
  if (quantizers.some((p) => p.meaning.levels !== levels)) {
    return E.left(`joins codes of different levels (${quantizers.map((p) => p.meaning.levels).join(', ')})`);
  }
  // The rule may be asked about types that nobody checked yet.
  const fit = eachHolds(quantizers, ({ meaning, channels }) => quantizerFault(meaning, channels, bits));
  if (E.isLeft(fit)) return fit;
  const uniform = quantizers.flatMap(({ meaning, channels }) =>
    meaning._tag === 'uniform' ? [{ meaning, channels }] : [],
  );
  if (uniform.length < quantizers.length) return joinThresholds(quantizers, levels);
  return 2 * channelsIn(parts) > MEANING_LIMIT
    ? E.left(tooMuchMeaning(channelsIn(parts)))
    : E.right(joinUniform(uniform, levels));
};
