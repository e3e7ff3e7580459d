/**
 * The part of the loader that runs large batches on several threads. Every worker has an instance of its own, tables included;
 * samples and results go through memory that all threads share where the environment has it (Node, and pages that
 * are cross-origin isolated), and workers then take the next piece of a batch when they are done with one. Elsewhere each
 * worker is sent its part.
 */
import { WORKER_FILE } from './pool-worker.js';

/** Around it are `meta`, `memory`, `features`, `InputArray`, `check`, and the parts that get the module and start workers. */
export const POOL = `
const coreCount = async () => {
  if (typeof navigator !== 'undefined' && navigator.hardwareConcurrency) return navigator.hardwareConcurrency;
  if (!isNode()) return 1;
  const { availableParallelism } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:os');
  return availableParallelism();
};

/** Whether memory can be shared with workers. */
const canShare = () =>
  typeof SharedArrayBuffer !== 'undefined' && (isNode() || globalThis.crossOriginIsolated === true);

// Shared memory that no call uses: touching new memory for the first time takes longer than filling it.
const keeper = () => {
  const free = [];
  return {
    take: (bytes) => {
      const at = free.findIndex((buffer) => buffer.byteLength >= bytes);
      return at < 0 ? new SharedArrayBuffer(bytes) : free.splice(at, 1)[0];
    },
    give: (buffer) => {
      free.push(buffer);
      free.sort((a, b) => a.byteLength - b.byteLength);
      if (free.length > 4) free.shift();
    },
  };
};

// From so many samples on, layers with large tables read them once for all samples of a call.
const LEAST_PIECE = 128;

/**
 * Loads the model on several threads, for large batches. \`wasm\`: as for \`load\`. \`threads\`: default, the number of cores.
 * \`worker\`: where ${WORKER_FILE} is; default: the file beside this one, or the same text where there is none.
 */
export const loadPool = async ({ wasm = ownModule(), threads, worker } = {}) => {
  const count = threads ?? (await coreCount());
  if (!Number.isInteger(count) || count < 1) {
    throw new TypeError('kanc model: loadPool({ threads }) takes a whole number from 1 on, found ' + String(threads));
  }
  if (worker !== undefined && typeof worker !== 'string' && !(worker instanceof URL)) {
    throw new TypeError('kanc model: loadPool({ worker }) takes a URL, found ' + kindOf(worker));
  }
  const module = await moduleOf(wasm);
  const memories = keeper();
  const jobs = new Map();
  let nextId = 0;
  let broken;
  let workers = [];
  const fail = (why) => {
    if (broken !== undefined) return;
    broken = failure(why);
    for (const worker of workers) worker.stop();
    for (const job of jobs.values()) job.reject(broken);
    jobs.clear();
  };
  const finish = (id) => {
    jobs.delete(id);
    if (jobs.size === 0) for (const worker of workers) worker.hold(false);
  };
  const setup = {
    module,
    memory,
    features,
    floatInput: meta.input.dtype === 'f32',
    floatOutput: meta.output.dtype === 'f32',
  };
  const receive = (worker, message) => jobs.get(message.id)?.receive(worker, message);
  workers = await startWorkers(count, worker, setup, receive, (why) => fail('a worker failed: ' + why));
  for (const worker of workers) worker.hold(false);

  const submit = (raw, input, batch) =>
    new Promise((resolve, reject) => {
      const samples = check(input, batch);
      if (broken !== undefined) throw broken;
      const integer = raw || meta.output.dtype !== 'f32';
      const Results = integer ? Int32Array : Float32Array;
      const width = integer ? memory.raws : memory.outputs;
      const id = nextId++;
      const parts = Math.min(workers.length, Math.ceil(samples / LEAST_PIECE));
      let open = parts;
      for (const worker of workers) worker.hold(true);
      if (canShare()) {
        // An input in shared memory is read where it is: it must stay as it is until the results are there.
        const isShared = input.buffer instanceof SharedArrayBuffer;
        const inputMemory = isShared ? undefined : memories.take(input.byteLength);
        const given = isShared ? input : new InputArray(inputMemory, 0, input.length);
        if (!isShared) given.set(input);
        const resultMemory = memories.take(4 * samples * width);
        const results = new Results(resultMemory, 0, samples * width);
        const next = new Int32Array(new SharedArrayBuffer(4));
        // A few pieces for each worker, so that a slow one does not hold up all.
        const piece = Math.max(LEAST_PIECE, Math.min(memory.capacity, Math.ceil(samples / (4 * workers.length))));
        const receive = (_, message) => {
          if (message.failed !== undefined) return fail(message.failed);
          if (--open > 0) return;
          finish(id);
          resolve(new Results(results));
          memories.give(resultMemory);
          if (inputMemory !== undefined) memories.give(inputMemory);
        };
        jobs.set(id, { reject, receive });
        workers.slice(0, parts).forEach((worker) => {
          worker.send({ id, raw, samples, input: given, results, next, piece });
        });
        return;
      }
      const results = new Results(samples * width);
      const starts = Array.from({ length: parts + 1 }, (_, k) => Math.floor((k * samples) / parts));
      const receive = (worker, message) => {
        if (message.failed !== undefined) return fail(message.failed);
        results.set(message.own, starts[workers.indexOf(worker)] * width);
        if (--open > 0) return;
        finish(id);
        resolve(results);
      };
      jobs.set(id, { reject, receive });
      workers.slice(0, parts).forEach((worker, k) => {
        const own = InputArray.from(input.subarray(starts[k] * features, starts[k + 1] * features));
        worker.send({ id, raw, samples: starts[k + 1] - starts[k], input: own }, [own.buffer]);
      });
    });
  return {
    meta,
    threads: count,
    predict: (input, batch) => submit(false, input, batch),
    predictRaw: (input, batch) => submit(true, input, batch),
    close: () => fail('the pool is closed'),
  };
};
`;

export const poolTypes = (input: string, output: string): string => `\
/** The model on several threads: for batches of thousands; a few samples are faster on one. */
export interface Pool {
  readonly meta: Meta;
  readonly threads: number;
  /** As those of \`Model\`. They reject where a worker fails, and after \`close\`. */
  readonly predict: (input: ${input}, batch?: number) => Promise<${output}>;
  readonly predictRaw: (input: ${input}, batch?: number) => Promise<Int32Array>;
  /** Ends the workers. */
  readonly close: () => void;
}

export interface PoolOptions extends LoadOptions {
  /** Each has tables of its own. Default: the number of cores. */
  readonly threads?: number;
  /** Where ${WORKER_FILE} of the artifact is, on the origin of the page. Default: beside index.js. */
  readonly worker?: URL | string;
}
`;
