/** Timing of contestants side by side: interleaved rounds, medians. */

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

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;

/** How many runs take about `milliseconds`. */
const repetitions = async (c: Contestant, milliseconds: number): Promise<number> => {
  for (let n = 1; ; n *= 4) {
    const started = performance.now();
    for (let k = 0; k < n; k++) await step(c);
    const took = performance.now() - started;
    if (took > milliseconds / 4) return Math.max(1, Math.round((n * milliseconds) / took));
  }
};

/** Awaits only what is a promise: a microtask per run would drown a kernel of a microsecond. */
const step = (c: Contestant): void | Promise<void> => c.run();

const time = async (c: Contestant, n: number): Promise<number> => {
  const started = performance.now();
  for (let k = 0; k < n; k++) {
    const pending = c.run();
    if (pending !== undefined) await pending;
  }
  return ((performance.now() - started) * 1000) / n;
};

/** Every contestant in every round, in turn, so that a slow phase of the machine meets all of them. */
export const race = async (
  contestants: ReadonlyArray<Contestant>,
  rounds = 15,
  milliseconds = 60,
): Promise<ReadonlyArray<Timing>> => {
  const counts: number[] = [];
  for (const c of contestants) counts.push(await repetitions(c, milliseconds));
  const times: number[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, c] of contestants.entries()) times[k]?.push(await time(c, counts[k] ?? 1));
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
