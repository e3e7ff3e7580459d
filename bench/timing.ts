/**
 * Timing of contestants side by side. All of them run in every round, so that a slow phase of the machine meets all;
 * a round keeps the least of a few tries, since what disturbs a run only ever makes it longer; the result is the
 * median over rounds.
 */

export interface Contestant {
  readonly name: string;
  /** Runs one batch. */
  readonly run: () => void | Promise<void>;
}

export interface Timing {
  readonly name: string;
  /** Microseconds of one run: the median over rounds. */
  readonly median: number;
  /** Interquartile range of the rounds, microseconds. */
  readonly spread: number;
}

export interface Effort {
  readonly rounds: number;
  /** Tries in a round, of which the least counts. */
  readonly tries: number;
  /** How long a try takes, milliseconds; a single run where that is longer. */
  readonly milliseconds: number;
  /** How long each contestant runs before anything counts: engines compile code again after they have seen it run. */
  readonly warmup: number;
}

export const USUAL: Effort = { rounds: 15, tries: 3, milliseconds: 20, warmup: 400 };
export const QUICK: Effort = { rounds: 5, tries: 3, milliseconds: 5, warmup: 150 };

export const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;

export const median = (values: ReadonlyArray<number>): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** Microseconds of one of n runs. */
const time = async (c: Contestant, n: number): Promise<number> => {
  const started = performance.now();
  for (let k = 0; k < n; k++) {
    const pending = c.run();
    // Awaits only what is a promise: a microtask for each run would drown a kernel of a microsecond.
    if (pending !== undefined) await pending;
  }
  return ((performance.now() - started) * 1000) / n;
};

/** Most periods of warming up. */
const PERIODS = 8;

/**
 * Runs until it gets no faster, and returns how many runs take about `milliseconds`. Engines compile what they have
 * seen run once more, on other threads: the pause between periods leaves them the processor, and code that was not yet
 * compiled well would be measured as that of a slow contestant.
 */
const warmedUp = async (c: Contestant, { milliseconds, warmup }: Effort): Promise<number> => {
  let least = await time(c, 1);
  for (let period = 0, settled = 0; period < PERIODS && settled < 2; period++) {
    await new Promise((resolve) => setTimeout(resolve, warmup / 10));
    const until = performance.now() + warmup / 2;
    let now = Number.POSITIVE_INFINITY;
    do {
      const runs = Math.max(1, Math.round(Math.min(5000, warmup * 100) / Math.min(least, now)));
      now = Math.min(now, await time(c, runs));
    } while (performance.now() < until);
    settled = now > 0.9 * least ? settled + 1 : 0;
    least = Math.min(least, now);
  }
  return Math.max(1, Math.round((milliseconds * 1000) / least));
};

export const race = async (
  contestants: ReadonlyArray<Contestant>,
  effort: Effort = USUAL,
): Promise<ReadonlyArray<Timing>> => {
  const counts: number[] = [];
  for (const c of contestants) counts.push(await warmedUp(c, effort));
  const times: number[][] = contestants.map(() => []);
  for (let round = 0; round < effort.rounds; round++) {
    const least = contestants.map(() => Number.POSITIVE_INFINITY);
    for (let k = 0; k < effort.tries; k++) {
      for (const [i, c] of contestants.entries())
        least[i] = Math.min(least[i]!, await time(c, counts[i] ?? 1));
    }
    for (const [i, t] of least.entries()) times[i]?.push(t);
  }
  return contestants.map((c, k) => {
    const sorted = [...(times[k] ?? [])].sort((a, b) => a - b);
    return {
      name: c.name,
      median: quantile(sorted, 0.5),
      spread: quantile(sorted, 0.75) - quantile(sorted, 0.25),
    };
  });
};
