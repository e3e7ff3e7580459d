import { kindOf } from '../shared/about.js';
import { check, type Input, meta } from '../shared/input.js';
import { isNode } from '../shared/node.js';
import { ownModule } from './head.js';
import { canShare, keeper, LEAST_PIECE, sendOut, shareOut, type Work } from './jobs.js';
import { shape } from './load.js';
import { failure, moduleOf, type Source } from './module.js';
import type { Results } from './runner.js';
import { type Started, startWorkers } from './workers.js';

interface PoolOptions {
  wasm?: Source;
  threads?: number | undefined;
  worker?: URL | string | undefined;
}

const coreCount = async (): Promise<number> => {
  if (typeof navigator !== 'undefined' && navigator.hardwareConcurrency) return navigator.hardwareConcurrency;
  if (!isNode()) return 1;
  const { availableParallelism } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:os');
  return availableParallelism();
};

/** How many threads: an error where the options are not what they should be. */
const threadsOf = async ({ threads, worker }: PoolOptions): Promise<number> => {
  const count = threads ?? (await coreCount());
  if (!Number.isInteger(count) || count < 1) {
    throw new TypeError(
      `kanc model: loadPool({ threads }) takes a whole number from 1 on, found ${String(threads)}`,
    );
  }
  if (worker !== undefined && typeof worker !== 'string' && !(worker instanceof URL)) {
    throw new TypeError(`kanc model: loadPool({ worker }) takes a URL, found ${kindOf(worker)}`);
  }
  return count;
};

/** A call under way. */
interface Job extends Work {
  readonly resolve: (results: Results) => void;
  readonly reject: (why: Error) => void;
  /** Workers that have not answered yet. */
  open: number;
}

/**
 * Loads the model on several threads, for large batches. `wasm`: as for `load`. `threads`: default, the number of cores.
 * `worker`: where model-worker.js is; default: the file beside this one, or the same text where there is none.
 */
export const loadPool = async ({ wasm = ownModule(), threads, worker: place }: PoolOptions = {}) => {
  const count = await threadsOf({ threads, worker: place });
  const module = await moduleOf(wasm);
  const memories = keeper();
  const jobs = new Map<number, Job>();
  let nextId = 0;
  let broken: Error | undefined;
  let workers: ReadonlyArray<Started> = [];
  const fail = (why: string): void => {
    if (broken !== undefined) return;
    broken = failure(why);
    for (const worker of workers) worker.stop();
    for (const job of jobs.values()) job.reject(broken);
    jobs.clear();
  };
  const holdAll = (isBusy: boolean): void => {
    for (const worker of workers) worker.hold(isBusy);
  };
  workers = await startWorkers(
    count,
    place,
    { module, ...shape },
    (worker, answer) => {
      const job = jobs.get(answer.id!);
      if (job === undefined) return;
      if (answer.failed !== undefined) return fail(answer.failed);
      job.receive(worker, answer);
      if (--job.open > 0) return;
      jobs.delete(answer.id!);
      if (jobs.size === 0) holdAll(false);
      job.resolve(job.results());
    },
    (why) => fail(`a worker failed: ${why}`),
  );
  holdAll(false);

  const submit = (raw: boolean, input: Input, batch: number | undefined): Promise<Results> =>
    new Promise((resolve, reject) => {
      const samples = check(input, batch);
      if (broken !== undefined) throw broken;
      const call = { id: nextId++, raw, input, samples };
      const busy = workers.slice(0, Math.ceil(samples / LEAST_PIECE));
      holdAll(true);
      const work = canShare() ? shareOut(busy, call, memories) : sendOut(busy, call);
      jobs.set(call.id, { ...work, resolve, reject, open: busy.length });
    });
  return {
    meta,
    threads: count,
    predict: (input: Input, batch?: number) => submit(false, input, batch),
    predictRaw: (input: Input, batch?: number) => submit(true, input, batch),
    close: () => fail('the pool is closed'),
  };
};
