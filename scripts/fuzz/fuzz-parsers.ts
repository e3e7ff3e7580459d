/** The fuzzer of readers: whatever the bytes, they are read or refused with a diagnostic, soon and without much memory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { runBatches } from './batches.js';
import { folderFor } from './corpus.js';
import { readUnderLimits } from './limits.js';
import { type Edit, edited, edits } from './mutate.js';
import { type Target, targets } from './readers.js';
import { countRefusal, type Extent, emptyTally, isKnown, type Tally } from './tally.js';

export interface ParserFuzz extends Extent {
  readonly corpus: string;
}

const BATCH = 500;
const SHRINK_MS = 10_000;

/** A folder in the corpus with the bytes, and what reads them. */
export const keepBytes = (corpus: string, target: Target, bytes: Uint8Array, message: string): string => {
  const folder = folderFor(corpus, 'parser', message);
  writeFileSync(join(folder, 'input.bin'), bytes);
  writeFileSync(join(folder, 'case.json'), `${JSON.stringify({ target: target.name, message }, null, 2)}\n`);
  return folder;
};

export const fuzzParsers = async (
  options: ParserFuzz,
  onProgress: (tally: Tally) => void,
): Promise<Tally> => {
  const tally = emptyTally();
  const all = targets();
  const failures: Array<{ readonly target: Target; readonly bytes: Uint8Array; readonly message: string }> =
    [];
  const damage = fc.record({
    target: fc.nat(all.length - 1),
    donor: fc.nat(all.length - 1),
    edits: fc.array<Edit>(edits, { minLength: 1, maxLength: 5 }),
  });
  const property = fc.property(damage, ({ target: t, donor: d, edits: list }) => {
    tally.executions++;
    const [target, donor] = [all[t]!, all[d]!.bytes];
    const bytes = list.reduce((now, edit) => edited(now, edit, donor), target.bytes);
    const reading = readUnderLimits(target, bytes);
    if (reading._tag === 'refused') countRefusal(tally, reading.codes);
    if (reading._tag !== 'wrong' || isKnown(tally, reading.message)) return true;
    failures.push({ target, bytes, message: reading.message });
    return false;
  });
  await runBatches(property, tally, options, {
    size: BATCH,
    shrink: SHRINK_MS,
    failures,
    keep: ({ target, bytes, message }) => ({
      message,
      folder: keepBytes(options.corpus, target, bytes, message),
    }),
    onProgress,
  });
  return tally;
};
