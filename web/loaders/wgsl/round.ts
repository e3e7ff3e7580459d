import type { Program } from '../../../src/backends/wgsl/manifest.js';
import type { Input } from '../shared/input.js';
import { BUFFER, guarded } from './device.js';
import { program } from './head.js';
import type { Life } from './life.js';
import { allWords, bufferOf, encodeSteps, type Objects, read } from './objects.js';
import type { Buffers, Room } from './room.js';

export type Value = Program['values'][number];

/** A program that is ready on a device. */
export interface Ready {
  readonly device: GPUDevice;
  readonly life: Life;
  readonly objects: Objects;
  readonly pipelines: ReadonlyArray<GPUComputePipeline>;
  readonly room: Room;
}

/** Fused programs write values that are no results where they are traced only. */
export const traces = program.schedule === 'fused';
const keptWords = program.values.filter((v) => v.kept).reduce((n, v) => Math.max(n, v.start + v.length), 0);
export const wordsOf = (trace: boolean): number => (trace || !traces ? allWords : keptWords);

const writeInput = (device: GPUDevice, buffer: GPUBuffer, data: Input): void => {
  if (data.byteLength % 4 === 0) {
    device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  } else {
    const padded = new Uint8Array(4 * Math.ceil(data.byteLength / 4));
    padded.set(data);
    device.queue.writeBuffer(buffer, 0, padded);
  }
};

/** All that is queued of a round; the results go to `staging`. */
const submit = (
  { device, objects, pipelines }: Ready,
  { capacity, input, values, groups }: Buffers,
  data: Input,
  samples: number,
  wanted: ReadonlyArray<Value>,
  trace: boolean,
  staging: GPUBuffer,
): void => {
  writeInput(device, input, data);
  device.queue.writeBuffer(objects.uniform, 0, Uint32Array.of(samples, capacity, trace ? 1 : 0, 0));
  const encoder = device.createCommandEncoder();
  encodeSteps(device, encoder, program.steps, pipelines, groups, samples);
  let to = 0;
  for (const { start, length } of wanted) {
    const bytes = 4 * samples * length;
    encoder.copyBufferToBuffer(values, 4 * start * capacity, staging, to, bytes);
    to += bytes;
  }
  device.queue.submit([encoder.finish()]);
};

/** One round: the words of the wanted values, each as [sample, element], one after another. */
export const round = async (
  ready: Ready,
  data: Input,
  samples: number,
  wanted: ReadonlyArray<Value>,
  trace: boolean,
): Promise<ArrayBuffer> => {
  const { device, life, room } = ready;
  const words = wordsOf(trace);
  const total = wanted.reduce((n, value) => n + samples * value.length, 0);
  let staging: GPUBuffer | undefined;
  try {
    // Callers may write to their array as soon as predict has returned.
    let input = data;
    let buffers = room.of(samples, words);
    while (buffers === undefined) {
      if (input === data) input = data.slice();
      await room.grow(samples, words);
      life.alive();
      buffers = room.of(samples, words);
    }
    const fitting = buffers;
    // Made and submitted without a pause, so that calls that overlap do not meet in the buffers they share.
    await guarded(device, () => {
      staging = bufferOf(device, 'results', total, BUFFER.MAP_READ | BUFFER.COPY_DST);
      submit(ready, fitting, input, samples, wanted, trace, staging);
    });
    return await read(staging!, 4 * total);
  } catch (error) {
    throw await life.told(error);
  } finally {
    staging?.destroy();
  }
};
