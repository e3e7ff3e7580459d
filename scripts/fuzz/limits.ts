/** What a reader may cost, whatever the bytes: some time, and memory in proportion to the file. */
import { cpuUsage, resourceUsage } from 'node:process';
import { getHeapStatistics } from 'node:v8';
import * as vm from 'node:vm';
import * as E from 'fp-ts/lib/Either.js';
import { isDiagnosticCode } from '../../src/diagnostics/index.js';
import type { Target } from './readers.js';

/** Time of the processor that a reader may take. */
const MOST_CPU_MS = 2000;

/** A reader that has not ended after this long is stopped: on a busy machine time passes for other reasons, too. */
export const LONGEST_MS = 5 * MOST_CPU_MS;

/** Bytes that a reader may take: this many, and so many for each byte of the file. */
const FREE_BYTES = 96 * 2 ** 20;
const BYTES_PER_BYTE = 100;

export type Reading =
  | { readonly _tag: 'read' }
  | { readonly _tag: 'refused'; readonly codes: ReadonlyArray<string> }
  | { readonly _tag: 'wrong'; readonly message: string };

/** A function that may never end can be stopped from outside if a script calls it. */
const SCRIPT = new vm.Script('run()');
const sandbox: { run: () => void } = { run: () => {} };
const context = vm.createContext(sandbox);

const errorCode = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** Whether `run` has ended in time. To start the watch costs more than a small file: it may stand over many runs. */
export const endsInTime = (run: () => void, ms: number = LONGEST_MS): boolean => {
  sandbox.run = run;
  try {
    SCRIPT.runInContext(context, { timeout: ms });
    return true;
  } catch (error) {
    if (errorCode(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  } finally {
    sandbox.run = () => {};
  }
};

export const neverEnds = (target: Target): Reading => ({
  _tag: 'wrong',
  message: `${target.name}: more than ${LONGEST_MS} ms`,
});

const held = (): number => {
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics();
  return heap + outside;
};

const thrown = (target: Target, error: unknown): Reading => {
  const isError = typeof error === 'object' && error !== null && 'message' in error;
  const stack = isError && 'stack' in error ? (String(error.stack).split('\n')[1] ?? '') : '';
  const at = stack.replace(/^.*\/(src|node_modules|scripts|kanc-guided-\w+)\//, '$1/').trim();
  return {
    _tag: 'wrong',
    message: `${target.name}: exception: ${isError ? error.message : String(error)} (${at})`,
  };
};

/** One file, without a watch: what became of it, and what it took. */
export const readWatched = (target: Target, bytes: Uint8Array): Reading => {
  const [before, peakBefore] = [held(), resourceUsage().maxRSS];
  const start = cpuUsage();
  try {
    const result = target.read(bytes);
    const { user, system } = cpuUsage(start);
    const took = (user + system) / 1000;
    const grown = Math.max(held() - before, (resourceUsage().maxRSS - peakBefore) * 1024);
    if (took > MOST_CPU_MS) return { _tag: 'wrong', message: `${target.name}: ${Math.round(took)} ms` };
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
    if (errorCode(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return thrown(target, error);
  }
};

/** One file, read under the limits. */
export const readUnderLimits = (target: Target, bytes: Uint8Array): Reading => {
  const readings: Reading[] = [];
  endsInTime(() => void readings.push(readWatched(target, bytes)));
  return readings[0] ?? neverEnds(target);
};
