import { isNode } from '../shared/node.js';
import type { Answer, Job, Setup } from './messages.js';
import { type Exports, runnerOf } from './runner.js';

/** Written in front. */
declare const VERSION: string;

type Post = (message: Answer, transfer?: ReadonlyArray<Transferable>) => void;

let post: Post;
let runner: ReturnType<typeof runnerOf>;

const start = ({ module, ...shape }: Setup): void => {
  const { exports } = new WebAssembly.Instance(module);
  runner = runnerOf(exports as unknown as Exports, shape);
  post({ ready: true });
};

const perform = ({ id, raw, samples, input, shared }: Job): void => {
  if (shared === undefined) {
    const own = runner.all(raw, input, samples);
    post({ id, own }, [own.buffer as ArrayBuffer]);
    return;
  }
  const { results, next, piece } = shared;
  for (let at = Atomics.add(next, 0, piece); at < samples; at = Atomics.add(next, 0, piece)) {
    runner.stretch(raw, input, results, at, Math.min(piece, samples - at));
  }
  post({ id });
};

const receive = (message: Setup | Job): void => {
  try {
    if ('module' in message) start(message);
    else perform(message);
  } catch (error) {
    post({ ...('id' in message ? { id: message.id } : {}), failed: String(error) });
  }
};

if (isNode()) {
  import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:worker_threads').then(({ parentPort }) => {
    post = (message, transfer) => parentPort.postMessage(message, transfer);
    parentPort.on('message', (message) => receive(message as Setup | Job));
    post({ here: VERSION });
  });
} else {
  post = (message, transfer) => self.postMessage(message, { transfer: [...(transfer ?? [])] });
  self.onmessage = ({ data }) => receive(data);
  post({ here: VERSION });
}
