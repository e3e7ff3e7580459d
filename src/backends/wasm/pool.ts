/**
 * The part of the loader that runs large batches on several threads. Every worker has an instance of its own, tables included;
 * samples and results go through memory that all threads share where the environment has it (Node, and pages that
 * are cross-origin isolated), and workers then take the next piece of a batch when they are done with one. Elsewhere each
 * worker is sent its part.
 */

/**
 * What a worker runs, as a function without free names: its text is the worker's program. `listen` calls back for every
 * message.
 *
 * The first message is { module, memory, features, floatInput, floatOutput }, every other one a job:
 * { id, raw, samples, input, results, next, piece } over shared memory, or { id, raw, samples, input } alone.
 */
const WORK = `
const work = (listen, post) => {
  let run, runRaw, inputs, floats, integers, setup;
  const start = (message) => {
    setup = message;
    const { module, memory, features, floatInput } = message;
    const { exports } = new WebAssembly.Instance(module);
    const buffer = exports.memory.buffer;
    ({ run, runRaw } = exports);
    inputs = new (floatInput ? Float32Array : Uint8Array)(buffer, memory.input.address, memory.capacity * features);
    floats = new Float32Array(buffer, memory.output.address, memory.capacity * memory.outputs);
    integers = new Int32Array(buffer, memory.output.address, memory.capacity * memory.raws);
    post({ ready: true });
  };
  // Samples from \`at\` on, into \`results\`.
  const stretch = (raw, input, results, at, samples) => {
    const { memory, features, floatOutput } = setup;
    const [call, found, width] =
      raw || !floatOutput ? [runRaw, integers, memory.raws] : [run, floats, memory.outputs];
    for (let done = 0; done < samples; done += memory.capacity) {
      const count = Math.min(memory.capacity, samples - done);
      const from = at + done;
      inputs.set(input.subarray(from * features, (from + count) * features));
      call(count);
      results.set(found.subarray(0, count * width), from * width);
    }
  };
  const perform = ({ id, raw, samples, input, results, next, piece }) => {
    const { memory, floatOutput } = setup;
    if (next !== undefined) {
      for (let at = Atomics.add(next, 0, piece); at < samples; at = Atomics.add(next, 0, piece)) {
        stretch(raw, input, results, at, Math.min(piece, samples - at));
      }
      post({ id });
      return;
    }
    const integer = raw || !floatOutput;
    const own = new (integer ? Int32Array : Float32Array)(samples * (integer ? memory.raws : memory.outputs));
    stretch(raw, input, own, 0, samples);
    post({ id, own }, [own.buffer]);
  };
  listen((message) => {
    try {
      if (message.module === undefined) perform(message);
      else start(message);
    } catch (error) {
      post({ id: message.id, failed: String(error) });
    }
  });
};`;

/** Text of the loader; around it are \`meta\`, \`memory\`, \`features\`, \`InputArray\`, \`isNode\`, \`moduleOf\`, \`check\`. */
export const POOL = `${WORK}

const workerSource =
  'const port = typeof require === "function" ? require("node:worker_threads").parentPort : undefined;' +
  '(' + work + ')(' +
  'port === undefined ? (f) => { self.onmessage = ({ data }) => f(data); } : (f) => { port.on("message", f); },' +
  'port === undefined ? (m, t) => self.postMessage(m, t) : (m, t) => port.postMessage(m, t));';

/** A worker of either kind: \`send\`, \`stop\`, and whether the process may end while it waits. */
const startWorker = async (onMessage, onError) => {
  if (isNode()) {
    const { Worker } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:worker_threads');
    const worker = new Worker(workerSource, { eval: true });
    worker.on('message', onMessage);
    worker.on('error', (error) => onError(String(error)));
    worker.on('exit', (code) => onError('a worker ended with code ' + code));
    return {
      send: (message, transfer) => worker.postMessage(message, transfer),
      stop: () => worker.terminate(),
      hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onerror = (event) => onError(event.message ?? 'a worker could not be started');
  return {
    send: (message, transfer) => worker.postMessage(message, transfer ?? []),
    stop: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
    hold: () => {},
  };
};

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

/** Loads the model on several threads, for large batches. \`wasm\`: as for \`load\`. \`threads\`: default, the number of cores. */
export const loadPool = async ({ wasm = ownModule(), threads } = {}) => {
  const count = threads ?? (await coreCount());
  if (!Number.isInteger(count) || count < 1) {
    throw new TypeError('kanc model: loadPool({ threads }) takes a whole number from 1 on, found ' + String(threads));
  }
  const module = await moduleOf(wasm);
  const memories = keeper();
  const jobs = new Map();
  let nextId = 0;
  let broken;
  let workers = [];
  const fail = (why) => {
    if (broken !== undefined) return;
    broken = new Error('kanc model: ' + why);
    for (const worker of workers) worker.stop();
    for (const job of jobs.values()) job.reject(broken);
    jobs.clear();
  };
  const finish = (id) => {
    jobs.delete(id);
    if (jobs.size === 0) for (const worker of workers) worker.hold(false);
  };
  const start = () =>
    new Promise((resolve, reject) => {
      let made;
      const onError = (why) => {
        reject(new Error('kanc model: ' + why));
        fail(why);
      };
      const onMessage = (message) => {
        if (message.ready === true) resolve(made);
        else if (message.failed !== undefined && message.id === undefined) onError(message.failed);
        else jobs.get(message.id)?.receive(made, message);
      };
      startWorker(onMessage, onError).then((worker) => {
        made = worker;
        workers.push(worker);
        worker.send({
          module,
          memory,
          features,
          floatInput: meta.input.dtype === 'f32',
          floatOutput: meta.output.dtype === 'f32',
        });
      }, reject);
    });
  await Promise.all(Array.from({ length: count }, start));
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
}
`;
