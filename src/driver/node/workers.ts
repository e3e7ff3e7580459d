/** Threads of a Node process that work off a list of jobs. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Diagnostics, diagnostic, InternalError } from '../../diagnostics/index.js';
import { type TrialResult, TrialResultCodec, tryOn } from '../../search/trial.js';
import type { Trials } from '../capabilities.js';

/** What a thread sends back for a job. */
const ReplyCodec = t.union([
  t.type({ _tag: t.literal('done'), result: t.unknown }),
  /** An exception: a bug of ours. */
  t.type({ _tag: t.literal('threw'), message: t.string, stack: t.string }),
]);

export interface Pool {
  /** A left (K0903) when a thread ended that had a job, or none is left; rejects when a job threw. */
  readonly run: (job: unknown) => TE.TaskEither<Diagnostics, unknown>;
  readonly close: () => Promise<void>;
}

interface Job {
  readonly content: unknown;
  readonly settle: (result: E.Either<Diagnostics, unknown>) => void;
  readonly reject: (error: Error) => void;
}

const ended = (why: string): Diagnostics => [
  diagnostic('K0903', `a thread ended before its work was done: ${why}`, {
    hint: 'Run the command again; with fewer threads (--jobs) it needs less memory.',
  }),
];

/** Starts `count` threads of a module, each with `shared` as its workerData. Jobs are given out in their order. */
export const workerPool = (script: URL, shared: unknown, count: number): Pool => {
  const waiting: Job[] = [];
  const busy = new Map<Worker, Job>();
  const idle: Worker[] = [];
  let broken: Diagnostics | undefined;

  const next = (): void => {
    while (waiting.length > 0 && (broken !== undefined || idle.length > 0)) {
      const job = waiting.shift()!;
      const worker = broken === undefined ? idle.shift() : undefined;
      if (worker === undefined) {
        job.settle(E.left(broken ?? ended('there is none')));
        continue;
      }
      busy.set(worker, job);
      worker.postMessage(job.content);
    }
  };
  const finish = (worker: Worker): Job | undefined => {
    const job = busy.get(worker);
    busy.delete(worker);
    return job;
  };
  /** One that ends by itself would end again: nothing new is begun, and what runs is waited for. */
  const lose = (worker: Worker, why: string): void => {
    broken ??= ended(why);
    finish(worker)?.settle(E.left(broken));
    next();
  };
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(script, { workerData: shared });
    worker.on('message', (reply: unknown) => {
      const job = finish(worker);
      idle.push(worker);
      if (!ReplyCodec.is(reply)) job?.reject(new InternalError('a thread sent something else than a reply'));
      else if (reply._tag === 'threw') job?.reject(new InternalError(`${reply.message}\n${reply.stack}`));
      else job?.settle(E.right(reply.result));
      next();
    });
    worker.on('error', (error) => lose(worker, error.message));
    worker.on('exit', (code) => lose(worker, `exit code ${code}`));
    idle.push(worker);
    return worker;
  });
  return {
    run: (content) => () =>
      new Promise((settle, reject) => {
        waiting.push({ content, settle, reject });
        next();
      }),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};

const SCRIPT = new URL('./worker.js', import.meta.url);

const checked = (result: unknown): TrialResult => {
  if (!TrialResultCodec.is(result)) throw new InternalError('a thread sent something else than a result');
  return result;
};

/** Begins a trial when the one before has ended, so that the tables of one trial are in memory, not those of all. */
const oneAtATime = (attempt: Trials['attempt']): Trials['attempt'] => {
  let last: Promise<unknown> = Promise.resolve();
  return (trial) => () => {
    const mine = last.then(attempt(trial));
    // What fails fails for its own trial: the next one begins all the same.
    last = mine.catch(() => {});
    return mine;
  };
};

/**
 * Trials on threads, which each get a copy of the study. With one thread, or where kanc runs from its sources and there
 * is no script to run, in this one.
 */
export const nodeTrials: (study: Parameters<typeof tryOn>[0], threads: number) => Trials = (
  study,
  threads,
) => {
  if (threads < 2 || !existsSync(fileURLToPath(SCRIPT))) {
    return { attempt: oneAtATime(tryOn(study)), close: async () => {} };
  }
  const pool = workerPool(SCRIPT, study, threads);
  return { attempt: (trial) => pipe(pool.run(trial), TE.map(checked)), close: pool.close };
};
