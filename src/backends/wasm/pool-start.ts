/**
 * The part of the loader that starts workers, in one of several ways: in Node from a string; on a page from the file beside
 * index.js, which strict pages allow, or else from the same text as a blob. The text is a constant: what tools that
 * rewrite code do to functions does not reach it.
 */
import { WORKER_FILE } from './pool-worker.js';

/**
 * Around it are `workerText`, `workerVersion` and, in an artifact of several files, `besideWorker`, which makes a worker
 * of the file.
 */
export const POOL_START = `
/** A worker of either kind: \`send\`, \`stop\`, and whether the process may end while it waits. */
const attach = (worker, onMessage, onError) => {
  if (isNode()) {
    worker.on('message', onMessage);
    worker.on('error', (error) => onError(told(error)));
    worker.on('exit', (code) => onError('it ended with code ' + code));
    return {
      send: (message, transfer) => worker.postMessage(message, transfer),
      stop: () => worker.terminate(),
      hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    };
  }
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onmessageerror = () => onError('a message could not be read');
  worker.onerror = (event) => {
    event.preventDefault?.();
    // What could not be loaded or is not allowed comes without a message.
    onError(event.message || 'the browser did not load it');
  };
  return {
    send: (message, transfer) => worker.postMessage(message, transfer ?? []),
    stop: () => worker.terminate(),
    hold: () => {},
  };
};

/** The ways in which workers can be started here, the best first. */
const waysToStart = async (given) => {
  if (isNode()) {
    const { Worker } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:worker_threads');
    if (given === undefined) return [{ what: 'a thread', make: () => new Worker(workerText, { eval: true }) }];
    const file = typeof given === 'string' && given.startsWith('file:') ? new URL(given) : given;
    return [{ what: String(given), make: () => new Worker(file) }];
  }
  if (given !== undefined) return [{ what: String(given), make: () => new Worker(given, { type: 'module' }) }];
  let url;
  const blob = {
    what: 'the same text as a blob',
    make: () => {
      url ??= URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }));
      return new Worker(url);
    },
    done: () => url !== undefined && URL.revokeObjectURL(url),
  };
  return besideWorker === undefined ? [{ ...blob, what: 'its text as a blob' }] : [{ what: '${WORKER_FILE}', make: besideWorker }, blob];
};

/** Starts one worker and sends it the model. Rejects with what is wrong with this way to start it. */
const begin = ({ make }, setup, onMessage, onError) =>
  new Promise((resolve, reject) => {
    let worker;
    let isReady = false;
    const fail = (why) => {
      if (isReady) return onError(why);
      worker?.stop();
      reject(new Error(why));
    };
    const receive = (message) => {
      if (isReady) return onMessage(worker, message);
      if (message?.failed !== undefined) return fail(message.failed);
      if (message?.ready !== workerVersion) return fail('it is not the ${WORKER_FILE} of the build of index.js');
      isReady = true;
      resolve(worker);
    };
    try {
      worker = attach(make(), receive, fail);
      worker.send(setup);
    } catch (error) {
      fail(told(error));
    }
  });

/** Starts as many workers as asked for, the first one in the first way that works and the others in the same. */
const startWorkers = async (count, given, setup, onMessage, onError) => {
  const ways = await waysToStart(given);
  const reasons = [];
  for (const way of ways) {
    const started = [];
    const one = () => begin(way, setup, onMessage, onError).then((worker) => started.push(worker));
    try {
      await one();
      await Promise.all(Array.from({ length: count - 1 }, one));
      return started;
    } catch (error) {
      for (const worker of started) worker.stop();
      reasons.push(way.what + ': ' + told(error));
    } finally {
      way.done?.();
    }
  }
  throw failure(
    'no worker could be started (' + reasons.join('; ') + ')' +
      (isNode()
        ? ''
        : '. Serve ${WORKER_FILE} of the artifact beside index.js, or say with loadPool({ worker }) where it is, on the same origin; ' +
          'the Content-Security-Policy of the page must allow it: worker-src, or else script-src'),
  );
};
`;
