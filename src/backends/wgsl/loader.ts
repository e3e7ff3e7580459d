/**
 * The second half of the loader: it loads a program and runs it, and is the same for every program. It is driven by
 * data: `program` tells the dispatches and where values lie. Also what `kanc run`, `eval` and `verify` run.
 */
import { CHECK_INPUT } from '../shared/loader-text.js';

export const LOADER_MODEL = `
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
} = {}) => {
  const [text, constants] = await Promise.all([contentOf(wgsl, 'wgsl'), contentOf(bin, 'bin')]);
  const device = given ?? (await newDevice(gpu, powerPreference));
  for (const [limit, least] of Object.entries(neededLimits())) {
    if (device.limits[limit] < least) {
      throw failure('limits', 'the device has ' + limit + ' ' + device.limits[limit] + ', the program needs ' + least);
    }
  }
  let gone;
  const lost = device.lost.then((info) => {
    gone = info.reason + (info.message ? ': ' + info.message : '');
    return gone;
  });
  const alive = () => {
    if (gone !== undefined) throw failure('device-lost', 'the GPU device was lost (' + gone + '); load the model again');
  };
  /** A failure of the device, told as such. */
  const told = async (error) => {
    if (error?.code !== undefined && String(error.message).startsWith('kanc model')) return error;
    await Promise.race([lost, new Promise((done) => setTimeout(done, 50))]);
    return gone === undefined
      ? failure('failed', 'the GPU failed: ' + (error?.message ?? error))
      : failure('device-lost', 'the GPU device was lost (' + gone + '); load the model again');
  };

  const source = new TextDecoder().decode(text);
  const hasDot = packedDot && gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') === true;
  const [own, fallback] = source.split(DOT4_MARK);
  // The first line of the fallback is, as a comment, what stands for it.
  const code = hasDot && fallback !== undefined ? own + fallback.trim().split('\\n')[0].slice(3) : source;

  const traces = program.schedule === 'fused';
  const entry = (binding, type) => ({ binding, visibility: COMPUTE, buffer: { type } });
  const bindings = {
    entries: [
      entry(0, 'uniform'),
      entry(1, 'read-only-storage'),
      entry(2, 'read-only-storage'),
      entry(3, 'storage'),
    ],
  };
  const { group, layout, module, uniform, pages } = await guarded(device, () => {
    const group = device.createBindGroupLayout(bindings);
    return {
      group,
      layout: device.createPipelineLayout({ bindGroupLayouts: [group] }),
      module: device.createShaderModule({ code }),
      uniform: device.createBuffer({ size: 16, usage: BUFFER.UNIFORM | BUFFER.COPY_DST }),
      pages: (program.pages.length === 0 ? [{ start: 0, length: 0 }] : program.pages).map(({ start, length }) => {
        const size = Math.max(16, 4 * length);
        const buffer = device.createBuffer({ size, usage: BUFFER.STORAGE | BUFFER.COPY_DST });
        if (length > 0) device.queue.writeBuffer(buffer, 0, constants, 4 * start, 4 * length);
        return buffer;
      }),
    };
  }).catch(async (error) => {
    throw await told(error);
  });
  const pipelines = await Promise.all(
    program.steps.map(({ entry }) =>
      device.createComputePipelineAsync({ layout, compute: { module, entryPoint: entry } }),
    ),
  ).catch(async (error) => {
    throw await told(error);
  });

  // Words of one sample: of the input, of all values, and of the results alone.
  const inputWords = isFloat ? features : features / 4;
  const last = program.values[program.values.length - 1];
  const allWords = last.start + last.length;
  const keptWords = program.values.filter((v) => v.kept).reduce((n, v) => Math.max(n, v.start + v.length), 0);
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension: axis } = device.limits;
  const largest = Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32 - 4);
  /** Samples that one round can take. */
  const roomFor = (words) => Math.floor(largest / 4 / Math.max(words, inputWords));

  // Buffers of input and values, for capacity samples of words words.
  let room = { capacity: 0, words: 0 };
  const ensure = (samples, words) => {
    if (samples <= room.capacity && words <= room.words) return;
    const capacity = Math.min(Math.max(samples, Math.min(2 * room.capacity, 4096)), roomFor(words));
    room.input?.destroy();
    room.values?.destroy();
    const buffer = (size, usage) => device.createBuffer({ size: Math.max(16, 4 * Math.ceil(size)), usage });
    const input = buffer(capacity * inputWords, BUFFER.STORAGE | BUFFER.COPY_DST);
    const values = buffer(capacity * words, BUFFER.STORAGE | BUFFER.COPY_SRC);
    const groups = pages.map((page) =>
      device.createBindGroup({
        layout: group,
        entries: [uniform, page, input, values].map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    room = { capacity, words, input, values, groups };
  };

  const writeInput = (data) => {
    if (data.byteLength % 4 === 0) {
      device.queue.writeBuffer(room.input, 0, data.buffer, data.byteOffset, data.byteLength);
    } else {
      const padded = new Uint8Array(4 * Math.ceil(data.byteLength / 4));
      padded.set(data);
      device.queue.writeBuffer(room.input, 0, padded);
    }
  };

  /** One round: the words of the wanted values, each as [sample, element], one after another. */
  const round = async (data, samples, wanted, trace) => {
    alive();
    const wordsOf = (value) => samples * value.length;
    const total = wanted.reduce((n, value) => n + wordsOf(value), 0);
    let staging;
    try {
      // Made and submitted without a pause, so that calls that overlap do not meet in the buffers they share.
      const made = guarded(device, () => {
        ensure(samples, trace || !traces ? allWords : keptWords);
        staging = device.createBuffer({ size: 4 * total, usage: BUFFER.MAP_READ | BUFFER.COPY_DST });
        writeInput(data);
        device.queue.writeBuffer(uniform, 0, Uint32Array.of(samples, room.capacity, trace ? 1 : 0, 0));
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        program.steps.forEach((step, k) => {
          const count = Math.ceil((samples * step.items) / step.each);
          const columns = Math.min(count, axis);
          pass.setPipeline(pipelines[k]);
          pass.setBindGroup(0, room.groups[step.page]);
          pass.dispatchWorkgroups(columns, Math.ceil(count / columns));
        });
        pass.end();
        let to = 0;
        for (const value of wanted) {
          encoder.copyBufferToBuffer(room.values, 4 * value.start * room.capacity, staging, to, 4 * wordsOf(value));
          to += 4 * wordsOf(value);
        }
        device.queue.submit([encoder.finish()]);
      });
      await Promise.all([made, made.then(() => staging.mapAsync(READ))]);
      return staging.getMappedRange().slice(0);
    } catch (error) {
      throw await told(error);
    } finally {
      staging?.destroy();
    }
  };

${CHECK_INPUT}

  /** The wanted values of all samples, as typed arrays. */
  const execute = async (input, batch, wanted, trace) => {
    const samples = check(input, batch);
    const words = trace || !traces ? allWords : keptWords;
    // What comes back must fit a buffer too.
    const limit = Math.min(roomFor(words), roomFor(wanted.reduce((n, v) => n + v.length, 0)));
    if (limit < 1) {
      throw failure('limits', 'one sample has ' + 4 * words + ' bytes of values, the device binds ' + largest);
    }
    const results = wanted.map((value) => new ARRAYS[value.element](samples * value.length));
    for (let at = 0; at < samples; at += limit) {
      const count = Math.min(limit, samples - at);
      const given = input.subarray(at * features, (at + count) * features);
      const bytes = await round(given, count, wanted, trace);
      let from = 0;
      wanted.forEach((value, k) => {
        const part = new ARRAYS[value.element](bytes, from, count * value.length);
        results[k].set(part, at * value.length);
        from += part.byteLength;
      });
    }
    return results;
  };

  const named = (name, element) => {
    const value = program.values.find((v) => v.name === name);
    return element === undefined ? value : { ...value, element };
  };
  const output = named(meta.output.name, meta.output.dtype);
  const raw = named(meta.raw.name, 'i32');
  return {
    meta,
    predict: async (input, batch) => (await execute(input, batch, [output], false))[0],
    predictRaw: async (input, batch) => (await execute(input, batch, [raw], false))[0],
    inspect: async (input, batch) => {
      const results = await execute(input, batch, program.values, traces);
      return new Map(program.values.map((value, k) => [value.name, results[k]]));
    },
    lost,
    destroy: () => {
      room.input?.destroy();
      room.values?.destroy();
      room = { capacity: 0, words: 0 };
      uniform.destroy();
      for (const page of pages) page.destroy();
      if (given === undefined) device.destroy();
    },
  };
};

export default load;
`;
