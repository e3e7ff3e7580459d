import type { LoadStages } from '../../../src/backends/wgsl/stages.js';
import { BUFFER, guarded, newDevice } from './device.js';
import {
  allWords,
  bufferOf,
  codeFor,
  encodeSteps,
  groupsOf,
  inputWords,
  objectsOf,
  pipelineOf,
  read,
} from './objects.js';

/** Runs the stages of a program one at a time: values of their operands are written where the program would have left them. */
export const loadStages: LoadStages = async ({ gpu: given, code, more, bin, stages }) => {
  const gpu = given as GPU;
  const device = await newDevice(gpu);
  // Values of as many samples as fit 64 MiB.
  const capacity = Math.max(1, Math.min(4096, Math.floor(2 ** 24 / Math.max(allWords, inputWords))));
  const made = await guarded(device, () => {
    const objects = objectsOf(device, codeFor(code, gpu, true) + more, bin, []);
    const input = bufferOf(device, 'input', capacity * inputWords, BUFFER.STORAGE | BUFFER.COPY_DST);
    const usage = BUFFER.STORAGE | BUFFER.COPY_DST | BUFFER.COPY_SRC;
    const values = bufferOf(device, 'values', capacity * allWords, usage);
    return { objects, input, values, groups: groupsOf(device, objects, input, values) };
  });
  const { objects, input, values, groups } = made;
  const pipelines = await Promise.all(
    stages.map(({ steps }) => Promise.all(steps.map(({ entry }) => pipelineOf(device, objects, entry)))),
  );
  return {
    capacity,
    run: async (k, operands, samples) => {
      const { steps, result } = stages[k]!;
      const bytes = 4 * samples * result.length;
      const staging = await guarded(device, () => {
        const results = bufferOf(device, 'results', bytes / 4, BUFFER.MAP_READ | BUFFER.COPY_DST);
        for (const { start, data } of operands) {
          const [to, at] = start === undefined ? [input, 0] : [values, 4 * start * capacity];
          device.queue.writeBuffer(to, at, data as Int32Array<ArrayBuffer>);
        }
        device.queue.writeBuffer(objects.uniform, 0, Uint32Array.of(samples, capacity, 1, 0));
        const encoder = device.createCommandEncoder();
        encodeSteps(device, encoder, steps, pipelines[k]!, groups, samples);
        encoder.copyBufferToBuffer(values, 4 * result.start * capacity, results, 0, bytes);
        device.queue.submit([encoder.finish()]);
        return results;
      });
      const found = new Uint32Array(await read(staging, bytes));
      staging.destroy();
      return found;
    },
    destroy: () => device.destroy(),
  };
};
