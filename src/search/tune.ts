/**
 * The forms of layers chosen by measurement: from the forms that the cost model chose, one layer after the other gets its
 * other form, and keeps it where the program is then faster by more than the noise.
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Form } from '../analyses/form-cost.js';
import type { Diagnostics } from '../diagnostics/index.js';

// Two programs timed side by side, and whether one is faster by more than chance.

/** Something that is timed: one call. */
export type Run = () => void;

interface RaceWorld {
  /** Milliseconds from any origin. */
  readonly now: () => number;
}

export interface Race {
  /** Microseconds of one call of each: medians over rounds. */
  readonly times: readonly [number, number];
  /** How much less the second takes, as a share of the first: the median over rounds. */
  readonly gain: number;
  /** How far gains of rounds lie apart: their interquartile range. */
  readonly noise: number;
}

const ROUNDS = 21;
/** Tries of a round, of which the least counts: what disturbs a run only ever makes it longer. */
const TRIES = 3;
/** How long a call is repeated in a try, and before anything counts: engines compile again what they have seen run. */
const ROUND_MS = 3;
const WARMUP_MS = 250;
const MOST_CALLS = 1_000_000;

const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};

/** Milliseconds of one of n calls. */
const time = ({ now }: RaceWorld, run: Run, n: number): number => {
  const started = now();
  for (let k = 0; k < n; k++) run();
  return (now() - started) / n;
};

/** Runs for a while, and returns how many calls fill a try. */
const warmUp = (world: RaceWorld, run: Run): number => {
  const until = world.now() + WARMUP_MS;
  let n = 1;
  for (;;) {
    const each = time(world, run, n);
    // A clock may not have moved in a call or two.
    const enough = each > 0 ? Math.ceil(ROUND_MS / each) : MOST_CALLS;
    if (world.now() >= until || n === MOST_CALLS) return Math.min(enough, MOST_CALLS);
    n = Math.min(2 * n, enough, MOST_CALLS);
  }
};

/** Both in every round, so that a slow phase of the machine meets both; who begins changes with each round. */
export const race = (world: RaceWorld, first: Run, second: Run): Race => {
  const runs = [first, second] as const;
  const counts = runs.map((run) => warmUp(world, run));
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let k = 0; k < 2 * TRIES; k++) {
      const which = (round + k) % 2 === 0 ? 0 : 1;
      least[which] = Math.min(least[which]!, time(world, runs[which], counts[which]!));
    }
    for (const which of [0, 1] as const) times[which].push(1000 * least[which]!);
  }
  const gains = times[0].map((t, k) => 1 - times[1][k]! / t);
  return {
    times: [quantile(times[0], 0.5), quantile(times[1], 0.5)],
    gain: quantile(gains, 0.5),
    noise: quantile(gains, 0.75) - quantile(gains, 0.25),
  };
};

/** Less is not worth another program, however exactly it was measured. */
const LEAST_GAIN = 0.02;

/** Whether the second is faster by more than the noise. */
export const isFaster = ({ gain, noise }: Race): boolean => gain > Math.max(LEAST_GAIN, noise);

export type Forms = ReadonlyMap<string, Form>;

export interface TuneWorld<Program> {
  /** The program with these forms, the others as they are chosen without. */
  readonly make: (forms: Forms) => TE.TaskEither<Diagnostics, Program>;
  /** The form of each layer that has both. */
  readonly formsOf: (program: Program) => Forms;
  readonly race: (first: Program, second: Program) => Race;
  readonly onProgress: (done: number, of: number) => void;
}

export interface Trial {
  readonly layer: string;
  readonly from: Form;
  readonly to: Form;
  /** Why it could not be measured, such as tables over a limit. */
  readonly result: { readonly _tag: 'raced'; readonly race: Race; readonly kept: boolean } | Impossible;
}

interface Impossible {
  readonly _tag: 'impossible';
  readonly why: string;
}

export interface Tuned {
  readonly trials: ReadonlyArray<Trial>;
  /** The forms that were kept; the other layers stay as the cost model chose. */
  readonly forms: Forms;
}

export const other = (form: Form): Form => (form === 'edge' ? 'basis' : 'edge');

/** Fails where the program that it starts from cannot be made. */
export const tune =
  <Program>(world: TuneWorld<Program>): TE.TaskEither<Diagnostics, Tuned> =>
  async () => {
    const start = await world.make(new Map())();
    if (E.isLeft(start)) return start;
    let best = start.right;
    let forms: Forms = new Map();
    const trials: Trial[] = [];
    const layers = [...world.formsOf(best)];
    for (const [k, [layer, from]] of layers.entries()) {
      world.onProgress(k, layers.length);
      const to = other(from);
      const changed: Forms = new Map([...forms, [layer, to]]);
      const made = await world.make(changed)();
      if (E.isLeft(made)) {
        const why = made.left[0].message;
        trials.push({ layer, from, to, result: { _tag: 'impossible', why } });
        continue;
      }
      const race = world.race(best, made.right);
      const kept = isFaster(race);
      trials.push({ layer, from, to, result: { _tag: 'raced', race, kept } });
      if (!kept) continue;
      [best, forms] = [made.right, changed];
    }
    return E.right({ trials, forms });
  };
