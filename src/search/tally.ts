/**
 * How much worse tables are than the float network, from sums over samples: the sums of parts of the data add up,
 * whatever the parts. docs/sweep.md tells the formulas.
 */
import * as t from 'io-ts';
import { classOf } from '../analyses/metrics.js';
import type { Targets } from './targets.js';

export const TallyCodec = t.readonly(
  t.type({
    samples: t.number,
    /** Samples whose largest output is another one. */
    changed: t.number,
    /** Samples that the float network gets right and the tables wrong, and the reverse. */
    lost: t.number,
    won: t.number,
    /** Samples that the float network gets right. */
    hits: t.number,
    /** Squared outputs of the float network. */
    reference: t.number,
    /** Squared differences from it, and the squares of what they sum up to in a sample. */
    difference: t.number,
    differenceSquares: t.number,
    /** Squared targets, and squared errors of the float network and of the tables. */
    target: t.number,
    floatError: t.number,
    tableError: t.number,
    /** Squares of what the squared error of a sample grows by. */
    growthSquares: t.number,
  }),
);

export type Tally = t.TypeOf<typeof TallyCodec>;

export const EMPTY: Tally = {
  samples: 0,
  changed: 0,
  lost: 0,
  won: 0,
  hits: 0,
  reference: 0,
  difference: 0,
  differenceSquares: 0,
  target: 0,
  floatError: 0,
  tableError: 0,
  growthSquares: 0,
};

export const addTallies = (a: Tally, b: Tally): Tally => ({
  samples: a.samples + b.samples,
  changed: a.changed + b.changed,
  lost: a.lost + b.lost,
  won: a.won + b.won,
  hits: a.hits + b.hits,
  reference: a.reference + b.reference,
  difference: a.difference + b.difference,
  differenceSquares: a.differenceSquares + b.differenceSquares,
  target: a.target + b.target,
  floatError: a.floatError + b.floatError,
  tableError: a.tableError + b.tableError,
  growthSquares: a.growthSquares + b.growthSquares,
});

/** Compares outputs, both [samples, outputs]. */
export const tallyOf = (
  reference: ArrayLike<number>,
  actual: ArrayLike<number>,
  outputs: number,
  targets: Targets,
): Tally => {
  const sums = { ...EMPTY, samples: reference.length / outputs };
  for (let n = 0; n < sums.samples; n++) {
    const from = n * outputs;
    let [difference, growth] = [0, 0];
    for (let j = from; j < from + outputs; j++) {
      sums.reference += reference[j]! ** 2;
      difference += (actual[j]! - reference[j]!) ** 2;
      if (targets._tag !== 'values') continue;
      const wanted = targets.values[j]!;
      const [before, after] = [(reference[j]! - wanted) ** 2, (actual[j]! - wanted) ** 2];
      sums.target += wanted ** 2;
      sums.floatError += before;
      sums.tableError += after;
      growth += after - before;
    }
    sums.difference += difference;
    sums.differenceSquares += difference ** 2;
    sums.growthSquares += growth ** 2;
    const [was, is] = [classOf(reference, from, outputs), classOf(actual, from, outputs)];
    if (was !== is) sums.changed++;
    if (targets._tag !== 'classes') continue;
    const label = targets.classes[n]!;
    if (was === label) sums.hits++;
    if (was === label && is !== label) sums.lost++;
    if (was !== label && is === label) sums.won++;
  }
  return sums;
};

/** What a drop is of; `accuracy` and `error` need labels. */
const METRICS = ['accuracy', 'changed', 'error', 'rms'] as const;
export type Metric = (typeof METRICS)[number];

export const METRIC_TITLES: Readonly<Record<Metric, string>> = {
  accuracy: 'accuracy lost, in points',
  changed: 'samples whose largest output is another one, in percent',
  error: 'growth of the root mean square error, in percent of the root mean square of the targets',
  rms: 'difference from the float network, in percent of its outputs (root mean square)',
};

export const metricOf = (targets: Targets, outputs: number): Metric => {
  if (targets._tag === 'classes') return 'accuracy';
  if (targets._tag === 'values') return 'error';
  return outputs > 1 ? 'changed' : 'rms';
};

export interface Drop {
  /** In percent, smaller is better; below 0 where tables are better than the float network. */
  readonly drop: number;
  /** Its standard error, in percent, for samples drawn anew. */
  readonly error: number;
}

const percent = (drop: number, error: number): Drop => ({ drop: 100 * drop, error: 100 * error });

/** The drop that a tally tells. */
export const dropOf = (metric: Metric, s: Tally, outputs: number): Drop => {
  const n = s.samples;
  switch (metric) {
    case 'accuracy': {
      // Paired: samples on which both are right, or both wrong, add no noise (McNemar 1947).
      const drop = (s.lost - s.won) / n;
      const moved = oneMore(s.lost + s.won, n);
      return percent(drop, Math.sqrt(Math.max(0, moved - drop ** 2) / (n + 2)));
    }
    case 'changed': {
      const share = oneMore(s.changed, n);
      return percent(s.changed / n, Math.sqrt((share * (1 - share)) / (n + 2)));
    }
    case 'error': {
      const [was, is, size] = [s.floatError, s.tableError, s.target].map((sum) =>
        Math.sqrt(sum / (n * outputs)),
      );
      const mean = (s.tableError - s.floatError) / n;
      const deviation = Math.sqrt(Math.max(0, s.growthSquares / n - mean ** 2) / n) / outputs;
      // is - was = (is^2 - was^2) / (is + was), whose denominator varies little.
      return percent(ratio(is! - was!, size!), ratio(ratio(deviation, was! + is!), size!));
    }
    case 'rms': {
      const [rms, size] = [s.difference, s.reference].map((sum) => Math.sqrt(sum / (n * outputs)));
      const mean = s.difference / n;
      const deviation = Math.sqrt(Math.max(0, s.differenceSquares / n - mean ** 2) / n) / outputs;
      return percent(ratio(rms!, size!), ratio(ratio(deviation, 2 * rms!), size!));
    }
  }
};

/**
 * A share of n samples, from one more of them that is in it and one more that is not (Laplace; Agresti and Coull 1998): of
 * few samples in which nothing happened, something may still happen in the next ones.
 */
const oneMore = (count: number, n: number): number => (count + 1) / (n + 2);

/** 0 / 0 is 0: no difference at all. */
const ratio = (a: number, b: number): number => (a === 0 ? 0 : a / b);

/** Squared difference from the float network relative to its outputs: what errors of layers add up to. */
export const lossOf = (s: Tally): number => ratio(s.difference, s.reference);
