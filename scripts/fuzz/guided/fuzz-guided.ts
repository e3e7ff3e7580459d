/**
 * The fuzzer of readers that is guided by coverage: a damaged file that reaches a block for the first time, or more often
 * than before, is damaged further. Which files it makes depends on the seed and on the files kept in the corpus alone.
 */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { keepBytes } from '../fuzz-parsers.js';
import { endsInTime, LONGEST_MS, neverEnds, type Reading, readUnderLimits, readWatched } from '../limits.js';
import { type Edit, edited, editsWith } from '../mutate.js';
import { type Target, targets } from '../readers.js';
import { addFinding, countRefusal, type Extent, emptyTally, goesOn, isKnown, type Tally } from '../tally.js';
import { guidedReaders } from './bundle.js';
import { covering, emptyPopulation, meet, type Population, pick } from './population.js';
import { keptSeeds, writeSeeds } from './seeds.js';
import { shrunk } from './shrink.js';

export interface GuidedFuzz extends Extent {
  readonly corpus: string;
  /** Kinds of files; all by default. */
  readonly kinds?: ReadonlyArray<string>;
  /** Cases of one kind before the next kind has its turn; 1000 when absent. */
  readonly round?: number;
  /** Writes to the corpus what reaches most. */
  readonly keep: boolean;
}

export interface KindTally {
  readonly kind: string;
  readonly executions: number;
  readonly blocks: number;
  readonly files: number;
}

export interface GuidedTally {
  readonly tally: Tally;
  readonly kinds: ReadonlyArray<KindTally>;
  readonly blocks: number;
}

interface Damage {
  readonly base: number;
  readonly donor: number;
  readonly edits: ReadonlyArray<Edit>;
}

const ROUND = 1000;
/** Cases under one watch. */
const WATCHED = 64;
const WATCH_MS = 2 * LONGEST_MS;
const SHRINK_MS = 10_000;

interface Kind {
  readonly target: Target;
  /** The same reader as it is. */
  readonly plain: Target;
  readonly population: Population;
  executions: number;
}

/** Runs until the extent is used up. */
export const fuzzGuided = async (
  options: GuidedFuzz,
  onProgress: (tally: Tally) => void,
): Promise<GuidedTally> => {
  const { targets: counted, counters, words } = await guidedReaders();
  const tally = emptyTally();
  const start = performance.now();
  const damages = fc.record<Damage>({
    base: fc.nat(2 ** 30),
    donor: fc.nat(2 ** 30),
    edits: fc.array(editsWith(words), { minLength: 1, maxLength: 5 }),
  });

  /** What counts is what the reader does that has no counters in it. */
  const judge = ({ plain }: Kind, bytes: Uint8Array, reading: Reading): void => {
    if (reading._tag !== 'wrong' || isKnown(tally, reading.message)) return;
    const again = readUnderLimits(plain, bytes);
    if (again._tag !== 'wrong' || isKnown(tally, again.message)) return;
    const isSame = (candidate: Uint8Array): boolean => readUnderLimits(plain, candidate)._tag === 'wrong';
    const small = shrunk(bytes, isSame, SHRINK_MS);
    const last = readUnderLimits(plain, small);
    const message = last._tag === 'wrong' ? last.message : again.message;
    addFinding(tally, message, keepBytes(options.corpus, plain, small, message));
    // The small file may be wrong in another way than the one that was met.
    if (!isKnown(tally, again.message)) addFinding(tally, again.message, 'the finding before this one');
  };

  /** Reads the files under one watch; a file that does not end in time is the last. */
  const readAll = (kind: Kind, files: ReadonlyArray<Uint8Array>, from: number): number => {
    const suspects: Array<readonly [Uint8Array, Reading]> = [];
    let at = from;
    const ended = endsInTime(() => {
      for (; at < files.length; at++) {
        const bytes = files[at]!;
        const reading = readWatched(kind.target, bytes);
        if (reading._tag === 'wrong') suspects.push([bytes, reading]);
        if (reading._tag === 'refused') countRefusal(tally, reading.codes);
        meet(kind.population, bytes, counters);
      }
    }, WATCH_MS);
    counters.fill(0);
    if (!ended) suspects.push([files[at]!, neverEnds(kind.target)]);
    for (const [bytes, reading] of suspects) judge(kind, bytes, reading);
    return ended ? at : at + 1;
  };

  const read = (kind: Kind, files: ReadonlyArray<Uint8Array>): void => {
    for (let at = 0; at < files.length; ) at = readAll(kind, files, at);
    tally.executions += files.length;
    kind.executions += files.length;
  };

  const kept = keptSeeds(options.corpus);
  const plain = targets();
  const kinds = [...new Set(counted.map(({ kind }) => kind))]
    .filter((kind) => options.kinds?.includes(kind) ?? true)
    .map((name): Kind => {
      const own = counted.filter((t) => t.kind === name);
      const kind: Kind = {
        target: own[0]!,
        plain: plain.find((t) => t.kind === name)!,
        population: emptyPopulation(counters.length),
        executions: 0,
      };
      const seeds = kept.filter((s) => s.kind === name).flatMap(({ files }) => files);
      counters.fill(0);
      read(kind, [...own.map(({ bytes }) => bytes), ...seeds]);
      return kind;
    });

  for (let round = 0; goesOn(options, tally, start); round++) {
    for (const kind of kinds) {
      const { population } = kind;
      const list = fc.sample(damages, {
        seed: options.seed * 1_000_003 + round,
        numRuns: options.round ?? ROUND,
      });
      for (let at = 0; at < list.length && goesOn(options, tally, start); at += WATCHED) {
        read(
          kind,
          list
            .slice(at, at + WATCHED)
            .map(({ base, donor, edits }) =>
              edits.reduce((now, edit) => edited(now, edit, pick(population, donor)), pick(population, base)),
            ),
        );
      }
      onProgress(tally);
      // Readers are functions without a pause: signals are heard here.
      await setImmediate();
    }
  }
  if (options.keep) {
    for (const { target, population } of kinds) {
      const run = (file: Uint8Array): void => void readWatched(target, file);
      writeSeeds(options.corpus, {
        kind: target.kind,
        files: covering(population.files, counters, run),
      });
    }
  }
  return {
    tally,
    kinds: kinds.map(({ target, population, executions }) => ({
      kind: target.kind,
      executions,
      blocks: population.reached.blocks,
      files: population.files.length,
    })),
    blocks: counters.length,
  };
};
