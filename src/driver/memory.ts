/** Exceptions that say that memory does not suffice: they are no bug, and what reproduces them is the machine. */
import { type Diagnostics, diagnostic } from '../diagnostics/index.js';

/** As V8 and the runtime of binaryen put it. A length of ten digits is a size, a shorter or negative one is a bug. */
const MESSAGES =
  /array buffer allocation failed|out of memory|could not allocate memory|cannot allocate|invalid typed array length: \d{10,}|invalid string length|cannot create a string longer/i;

const CODES: ReadonlySet<string> = new Set([
  'ENOMEM',
  'ERR_MEMORY_ALLOCATION_FAILED',
  'ERR_STRING_TOO_LONG',
  'ERR_WORKER_OUT_OF_MEMORY',
]);

const isLack = (error: Error): boolean =>
  MESSAGES.test(error.message) ||
  ('code' in error && typeof error.code === 'string' && CODES.has(error.code));

/** K0906 for an exception that tells of too little memory, or was caused by one; undefined for all others. */
export const lackOfMemory = (error: unknown): Diagnostics | undefined => {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (isLack(e)) {
      return [
        diagnostic('K0906', `the memory does not suffice: ${e.message}`, {
          hint: 'Take fewer samples or threads (--samples, --limit, --jobs), or allow the process more memory: ulimit -v tells its limit.',
        }),
      ];
    }
  }
  return undefined;
};
