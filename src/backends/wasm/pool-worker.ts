/** The worker of `loadPool`: a file of its own, and the same text as a string in index.js for where there is no such file. */
import { buildId } from '../shared/build-id.js';

/** The file of the artifact. A name that no file of a project is likely to have: bundlers put index.js beside other things. */
export const WORKER_FILE = 'model-worker.js';

/**
 * It says { here: VERSION } when it runs. The first message it gets is { module, memory, features, floatInput, floatOutput }, every other one a job:
 * { id, raw, samples, input, results, next, piece } over shared memory, or { id, raw, samples, input } alone. The text runs
 * as a module, as a classic script and in the workers of Node, so that it has no import and no export.
 */
const WORKER = `
let post;
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

const receive = (message) => {
  try {
    if (message.module === undefined) perform(message);
    else start(message);
  } catch (error) {
    post({ id: message.id, failed: String(error) });
  }
};

if (typeof process !== 'undefined' && process.versions?.node !== undefined) {
  import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:worker_threads').then(({ parentPort }) => {
    post = (message, transfer) => parentPort.postMessage(message, transfer);
    parentPort.on('message', receive);
    post({ here: VERSION });
  });
} else {
  post = (message, transfer) => self.postMessage(message, transfer ?? []);
  self.onmessage = ({ data }) => receive(data);
  post({ here: VERSION });
}
`;

/** Tells the text from others: a worker of another build may not understand this one's messages. */
export const WORKER_VERSION = buildId(WORKER);

export const WORKER_TEXT = `\
// Written by kanc. What the threads of loadPool run; index.js beside this file starts it and sends it the model.
const VERSION = '${WORKER_VERSION}';
${WORKER}`;
