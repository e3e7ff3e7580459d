import type { NodeWorker } from 'node:worker_threads';
import { messageOf } from '../shared/about.js';
import { isNode } from '../shared/node.js';
import { besideWorker, WORKER_FILE, workerText, workerVersion } from './head.js';
import type { Answer, Job, Setup } from './messages.js';
import { failure } from './module.js';

/** A worker of either kind. */
export interface Started {
  readonly send: (message: Setup | Job, transfer?: ReadonlyArray<Transferable>) => void;
  readonly stop: () => void;
  /** Whether the process may end while it waits. */
  readonly hold: (isBusy: boolean) => void;
}

/** A way in which workers can be started. */
interface Way {
  readonly what: string;
  readonly make: () => Worker | NodeWorker;
  readonly done?: () => void;
}

type OnMessage = (worker: Started, message: Answer) => void;
type OnError = (why: string) => void;

/** A worker of either kind: `send`, `stop`, and whether the process may end while it waits. */
const attach = (
  worker: Worker | NodeWorker,
  onMessage: (message: Answer | null | undefined) => void,
  onError: OnError,
): Started => {
  if ('on' in worker) {
    worker.on('message', (message) => onMessage(message as Answer | null | undefined));
    worker.on('error', (error) => onError(messageOf(error)));
    worker.on('exit', (code) => onError(`it ended with code ${code}`));
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
    send: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    stop: () => worker.terminate(),
    hold: () => {},
  };
};

/** The ways in which workers can be started here, the best first. */
const waysToStart = async (given: URL | string | undefined): Promise<ReadonlyArray<Way>> => {
  if (isNode()) {
    const { Worker } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:worker_threads');
    if (given === undefined)
      return [{ what: 'a thread', make: () => new Worker(workerText, { eval: true }) }];
    const file = typeof given === 'string' && given.startsWith('file:') ? new URL(given) : given;
    return [{ what: String(given), make: () => new Worker(file) }];
  }
  if (given !== undefined) {
    return [{ what: String(given), make: () => new Worker(given, { type: 'module' }) }];
  }
  let url: string | undefined;
  const blob: Way = {
    what: besideWorker === undefined ? 'its text as a blob' : 'the same text as a blob',
    make: () => {
      url ??= URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }));
      return new Worker(url);
    },
    done: () => url !== undefined && URL.revokeObjectURL(url),
  };
  return besideWorker === undefined ? [blob] : [{ what: WORKER_FILE, make: besideWorker }, blob];
};

/** Seconds in which a worker says that it runs. A script of somebody else may never say anything. */
const LONGEST_START = 10;

/**
 * Starts one worker and, once it says that it runs, sends it the model. Rejects with what is wrong with this way to start it.
 * How long the model takes is not limited: a worker of ours answers.
 */
const begin = ({ make }: Way, setup: Setup, onMessage: OnMessage, onError: OnError): Promise<Started> =>
  new Promise((resolve, reject) => {
    let worker: Started | undefined;
    let isReady = false;
    const fail = (why: string) => {
      clearTimeout(silence);
      if (isReady) return onError(why);
      worker?.stop();
      reject(new Error(why));
    };
    const silence = setTimeout(
      () =>
        fail(
          `it did not say within ${LONGEST_START} seconds that it runs; it may be another script than ${WORKER_FILE}`,
        ),
      1000 * LONGEST_START,
    );
    const receive = (message: Answer | null | undefined) => {
      if (isReady) return onMessage(worker!, message!);
      if (message?.failed !== undefined) return fail(message.failed);
      if (message?.here === workerVersion) {
        clearTimeout(silence);
        worker!.send(setup);
      } else if (message?.ready === true) {
        isReady = true;
        resolve(worker!);
      } else {
        fail(`it is not the ${WORKER_FILE} of the build of index.js`);
      }
    };
    try {
      worker = attach(make(), receive, fail);
    } catch (error) {
      fail(messageOf(error));
    }
  });

const NONE_ON_A_PAGE =
  `. Serve ${WORKER_FILE} of the artifact beside index.js, or say with loadPool({ worker }) where it is, on the same origin; ` +
  'the Content-Security-Policy of the page must allow it: worker-src, or else script-src';

/** Starts as many workers as asked for, the first one in the first way that works and the others in the same. */
export const startWorkers = async (
  count: number,
  given: URL | string | undefined,
  setup: Setup,
  onMessage: OnMessage,
  onError: OnError,
): Promise<ReadonlyArray<Started>> => {
  const reasons: Array<string> = [];
  for (const way of await waysToStart(given)) {
    const started: Array<Started> = [];
    const one = (): Promise<unknown> =>
      begin(way, setup, onMessage, onError).then((worker) => started.push(worker));
    try {
      await one();
      // All of them, so that none that starts later than another fails is left running.
      const others = await Promise.allSettled(Array.from({ length: count - 1 }, one));
      const failed = others.find((other) => other.status === 'rejected');
      if (failed === undefined) return started;
      throw failed.reason;
    } catch (error) {
      for (const worker of started) worker.stop();
      reasons.push(`${way.what}: ${messageOf(error)}`);
    } finally {
      way.done?.();
    }
  }
  throw failure(`no worker could be started (${reasons.join('; ')})${isNode() ? '' : NONE_ON_A_PAGE}`);
};
