/** The fuzzer of readers: whatever the bytes, they are read or refused with a diagnostic, soon and without much memory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryUsage, resourceUsage } from 'node:process';
import * as vm from 'node:vm';
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { isDiagnosticCode } from '../../src/diagnostics/index.js';
import { runBatches } from './batches.js';
import { folderFor } from './corpus.js';
import { type Edit, edited, edits } from './mutate.js';
import { type Target, targets } from './readers.js';
import { countRefusal, type Extent, emptyTally, isKnown, type Tally } from './tally.js';

export interface ParserFuzz extends Extent {
  readonly corpus: string;
}

/** A reader that has not ended after this long is stopped. */
const LONGEST_MS = 2000;

/** Bytes that a reader may take: this many, and so many for each byte of the file. */
const FREE_BYTES = 96 * 2 ** 20;
const BYTES_PER_BYTE = 100;

export type Reading =
  | { readonly _tag: 'read' }
  | { readonly _tag: 'refused'; readonly codes: ReadonlyArray<string> }
  | { readonly _tag: 'wrong'; readonly message: string };

/** Runs a function that may never end. Only a script of its own can be stopped from outside. */
const SCRIPT = new vm.Script('run()');
const limited = <A>(run: () => A): A => {
  const results: A[] = [];
  const context = vm.createContext({ run: () => void results.push(run()) });
  SCRIPT.runInContext(context, { timeout: LONGEST_MS });
  const [result] = results;
  if (result === undefined) throw new Error('the reader gave nothing');
  return result;
};

const held = (): number => {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
};

const errorCode = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

const thrown = (target: Target, error: unknown): Reading => {
  if (errorCode(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
    return { _tag: 'wrong', message: `${target.name}: more than ${LONGEST_MS} ms` };
  }
  const isError = typeof error === 'object' && error !== null && 'message' in error;
  const stack = isError && 'stack' in error ? (String(error.stack).split('\n')[1] ?? '') : '';
  const at = stack.replace(/^.*\/(src|node_modules|scripts)\//, '$1/').trim();
  return {
    _tag: 'wrong',
    message: `${target.name}: exception: ${isError ? error.message : String(error)} (${at})`,
  };
};

/** One file, read under the limits. */
export const readUnderLimits = (target: Target, bytes: Uint8Array): Reading => {
  const [before, peakBefore] = [held(), resourceUsage().maxRSS];
  const start = performance.now();
  try {
    const result = limited(() => target.read(bytes));
    const took = performance.now() - start;
    const grown = Math.max(held() - before, (resourceUsage().maxRSS - peakBefore) * 1024);
    if (took > LONGEST_MS) return { _tag: 'wrong', message: `${target.name}: ${Math.round(took)} ms` };
    if (grown > FREE_BYTES + BYTES_PER_BYTE * bytes.length) {
      return { _tag: 'wrong', message: `${target.name}: ${grown} bytes of memory for ${bytes.length}` };
    }
    if (E.isRight(result)) return { _tag: 'read' };
    const codes = result.left.map(({ code }) => code);
    const stray = codes.find((code) => !isDiagnosticCode(code));
    return stray === undefined
      ? { _tag: 'refused', codes }
      : { _tag: 'wrong', message: `${target.name}: ${stray} is not in the catalogue` };
  } catch (error) {
    return thrown(target, error);
  }
};

const BATCH = 500;
const SHRINK_MS = 10_000;

const keep = (corpus: string, target: Target, bytes: Uint8Array, message: string): string => {
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
      folder: keep(options.corpus, target, bytes, message),
    }),
    onProgress,
  });
  return tally;
};
