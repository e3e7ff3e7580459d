/** The files of one kind that a run has collected, and what they have reached. */
import { addCounters, nothingReached, type Reached } from './reached.js';

/** Files larger than this are read and forgotten: what they reach, smaller ones do too. */
const LARGEST = 2 ** 14;

/** How many of the latest files are damaged as often as all others together. */
const RECENT = 32;

export interface Population {
  readonly files: Uint8Array[];
  readonly reached: Reached;
}

export const emptyPopulation = (blocks: number): Population => ({
  files: [],
  reached: nothingReached(blocks),
});

/** Notes what the file has reached, and keeps it where that is news. */
export const meet = ({ files, reached }: Population, file: Uint8Array, counters: Uint8Array): void => {
  if (addCounters(reached, counters) !== 'none' && file.length <= LARGEST) files.push(file);
};

/** A file by a random number, whose lowest bit says whether it is among the latest. */
export const pick = ({ files }: Population, number: number): Uint8Array => {
  const from = (number & 1) === 0 ? 0 : Math.max(0, files.length - RECENT);
  return files[from + ((number >> 1) % (files.length - from))] ?? new Uint8Array(0);
};

/** Few files that reach every block that all of them reach; small ones first. */
export const covering = (
  files: ReadonlyArray<Uint8Array>,
  counters: Uint8Array,
  run: (file: Uint8Array) => void,
): ReadonlyArray<Uint8Array> => {
  const reached = nothingReached(counters.length);
  return [...files]
    .sort((a, b) => a.length - b.length)
    .filter((file) => {
      counters.fill(0);
      run(file);
      return addCounters(reached, counters) === 'blocks';
    });
};
