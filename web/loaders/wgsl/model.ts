import { check, features, type Input, meta } from '../shared/input.js';
import { checkLimits, failure, givenDevice, guarded, newDevice } from './device.js';
import { filesOf, type Source } from './files.js';
import { ownConstants, ownSource, program } from './head.js';
import { lifeOf } from './life.js';
import { codeFor, objectsOf, pipelineOf } from './objects.js';
import { roomOf } from './room.js';
import { type Ready, round, traces, type Value, wordsOf } from './round.js';

interface LoadOptions {
  device?: GPUDevice;
  gpu?: GPU | undefined;
  powerPreference?: GPUPowerPreference;
  wgsl?: Source;
  bin?: Source;
  packedDot?: boolean;
}

const ARRAYS = { u32: Uint32Array, i32: Int32Array, f32: Float32Array };

type Values = Uint32Array | Int32Array | Float32Array;

/** The wanted values of all samples, as typed arrays. */
const execute = async (
  ready: Ready,
  input: Input,
  batch: number | undefined,
  wanted: ReadonlyArray<Value>,
  trace: boolean,
): Promise<ReadonlyArray<Values>> => {
  const { life, room } = ready;
  life.alive();
  const samples = check(input, batch);
  const words = wordsOf(trace);
  // What comes back must fit a buffer too.
  let limit = Math.min(room.limitOf(words), room.limitOf(wanted.reduce((n, v) => n + v.length, 0)));
  if (limit < 1) {
    throw failure('limits', `one sample has ${4 * words} bytes of values, the device binds ${room.largest}`);
  }
  const results = wanted.map((value): Values => new ARRAYS[value.element](samples * value.length));
  for (let at = 0; at < samples; ) {
    life.alive();
    const count = Math.min(limit, samples - at);
    const given = input.subarray(at * features, (at + count) * features);
    let bytes: ArrayBuffer;
    try {
      bytes = await round(ready, given, count, wanted, trace);
    } catch (error) {
      // Less at a time may fit.
      if ((error as { code?: string }).code !== 'out-of-memory' || count === 1) throw error;
      limit = Math.ceil(count / 2);
      continue;
    }
    let from = 0;
    wanted.forEach((value, k) => {
      const part = new ARRAYS[value.element](bytes, from, count * value.length);
      results[k]!.set(part, at * value.length);
      from += part.byteLength;
    });
    at += count;
  }
  return results;
};

const named = (name: string, element: Value['element']): Value => ({
  ...program.values.find((value) => value.name === name)!,
  element,
});

/**
 * Loads the model onto a GPU. device: a GPUDevice of your own; gpu: what to get one from, default navigator.gpu;
 * wgsl, bin: where model.wgsl and model.bin are, default the files beside this one.
 */
export const load = async ({
  device: given,
  gpu = globalThis.navigator?.gpu,
  powerPreference,
  wgsl = ownSource(),
  bin = ownConstants(),
  packedDot = true,
}: LoadOptions = {}) => {
  if (given !== undefined) checkLimits('device', givenDevice(given));
  const { source, constants } = await filesOf(wgsl, bin);
  const device = given ?? (await newDevice(gpu, powerPreference));
  const life = lifeOf(device);
  const made: Array<GPUBuffer> = [];
  const free = (): void => {
    for (const buffer of made) buffer.destroy();
    if (given === undefined) device.destroy();
  };
  const build = async (): Promise<Ready> => {
    const code = codeFor(source, gpu, packedDot);
    const objects = await guarded(device, () => objectsOf(device, code, constants, made));
    const pipelines = await Promise.all(program.steps.map(({ entry }) => pipelineOf(device, objects, entry)));
    // On a device that is lost already, everything is made without a complaint.
    life.alive();
    return { device, life, objects, pipelines, room: roomOf(device, objects, life) };
  };
  const ready = await build().catch(async (error) => {
    // Told first: a device that was destroyed here would count as lost.
    const reason = await life.told(error);
    free();
    throw reason;
  });
  const output = named(meta.output.name, meta.output.dtype);
  const raw = named(meta.raw.name, 'i32');
  return {
    meta,
    predict: async (input: Input, batch?: number) => (await execute(ready, input, batch, [output], false))[0],
    predictRaw: async (input: Input, batch?: number) => (await execute(ready, input, batch, [raw], false))[0],
    inspect: async (input: Input, batch?: number) => {
      const results = await execute(ready, input, batch, program.values, traces);
      return new Map(program.values.map((value, k) => [value.name, results[k]]));
    },
    lost: life.lost,
    /** Held: Dawn ends, and with it the process, when nothing refers to its instance any more. */
    get gpu() {
      return gpu;
    },
    destroy: () => {
      if (life.isOver()) return;
      life.end();
      ready.room.leave();
      free();
    },
  };
};
