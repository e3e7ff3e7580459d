import { BUFFER, guarded } from './device.js';
import type { Life } from './life.js';
import { bufferOf, groupsOf, inputWords, type Objects } from './objects.js';

/** Buffers of input and values, for `capacity` samples of `words` words: only such as the device really has. */
export interface Buffers {
  readonly capacity: number;
  readonly words: number;
  readonly input: GPUBuffer;
  readonly values: GPUBuffer;
  readonly groups: ReadonlyArray<GPUBindGroup>;
}

export interface Room {
  /** Bytes that the device binds at once. */
  readonly largest: number;
  /** Samples of so many words that one round can take. */
  readonly limitOf: (words: number) => number;
  /** The buffers, where they suffice. */
  readonly of: (samples: number, words: number) => Buffers | undefined;
  /** While one call makes room, others wait: what they lack is looked at again after that. */
  readonly grow: (samples: number, words: number) => Promise<void>;
  readonly leave: () => void;
}

export const roomOf = (device: GPUDevice, objects: Objects, { alive }: Life): Room => {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const largest = Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32 - 4);
  const limitOf = (words: number): number => Math.floor(largest / 4 / Math.max(words, inputWords));

  let room: Buffers | undefined;
  let growing: Promise<void> | undefined;
  const leave = (): void => {
    room?.input.destroy();
    room?.values.destroy();
    room = undefined;
  };
  const enlarge = async (samples: number, words: number): Promise<void> => {
    const more = Math.min(2 * (room?.capacity ?? 0), 4096);
    const capacity = Math.min(Math.max(samples, more), limitOf(words));
    leave();
    const made: Array<GPUBuffer> = [];
    try {
      const next = await guarded(device, () => {
        const input = bufferOf(device, 'input', capacity * inputWords, BUFFER.STORAGE | BUFFER.COPY_DST);
        made.push(input);
        const values = bufferOf(device, 'values', capacity * words, BUFFER.STORAGE | BUFFER.COPY_SRC);
        made.push(values);
        return { capacity, words, input, values, groups: groupsOf(device, objects, input, values) };
      });
      alive();
      room = next;
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  };
  return {
    largest,
    limitOf,
    of: (samples, words) =>
      room !== undefined && samples <= room.capacity && words <= room.words ? room : undefined,
    grow: async (samples, words) => {
      if (growing !== undefined) return growing.catch(() => {});
      growing = enlarge(samples, words).finally(() => {
        growing = undefined;
      });
      return growing;
    },
    leave,
  };
};
