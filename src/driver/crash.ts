/**
 * Exceptions. Most are our own bugs: what was being compiled when one showed itself, as files that reproduce it. Some say that
 * memory does not suffice: they are no bug, and what reproduces them is the machine.
 *
 * Exceptions are bugs by convention (diagnostics.ts). While passes run, a recorder holds the graph before the
 * current one; an exception then leaves as a `Crash` with that graph in it, and the edge writes it down.
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, diagnostic } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import { graphText } from '../ir/graph-text.js';
import { printGraph } from '../ir/print.js';
import type { Sha256 } from './hash.js';

/** The state of a compilation. Changed in place: what is read is always the last state before an exception. */
export interface Recorder {
  graph: Graph | undefined;
  /** The passes that have not finished. */
  pipeline: string;
}

export const newRecorder = (): Recorder => ({ graph: undefined, pipeline: '' });

/** What else a report needs. */
export interface CrashInfo {
  readonly version: string;
  readonly options: unknown;
}

export class Crash extends Error {
  override readonly name = 'Crash';
  /** Relative path to content. */
  readonly files: ReadonlyMap<string, string>;
  constructor(cause: unknown, files: ReadonlyMap<string, string>) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.files = files;
  }
}

const filesOf = (cause: unknown, recorder: Recorder, info: CrashInfo): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  if (recorder.graph !== undefined) {
    try {
      const text = graphText(recorder.graph);
      if (E.isRight(text)) files.set('input.kir', text.right);
      else files.set('input.txt', printGraph(recorder.graph, { resources: false }));
    } catch (error) {
      files.set('input.txt', `The graph could not be printed: ${String(error)}\n`);
    }
  }
  files.set('pipeline.txt', `${recorder.pipeline}\n`);
  files.set('report.json', `${JSON.stringify({ kanc: info.version, options: info.options }, null, 2)}\n`);
  files.set('error.txt', `${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
  return files;
};

/** The same task, with exceptions turned into crashes that carry what the recorder holds. */
export const recorded =
  (recorder: Recorder, info: CrashInfo) =>
  <L, A>(task: TE.TaskEither<L, A>): TE.TaskEither<L, A> =>
  async () => {
    try {
      return await task();
    } catch (cause) {
      if (cause instanceof Crash) throw cause;
      throw new Crash(cause, filesOf(cause, recorder, info));
    }
  };

/** The folder for the files of a crash: the same crash has the same name. */
export const reproducerName = (sha256: Sha256, crash: Crash): string => {
  const content = [...crash.files].filter(([name]) => name !== 'error.txt').map((f) => f.join('\n'));
  return `kanc-reproducer-${sha256([crash.message, ...content].join('\n')).slice(0, 12)}`;
};

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
