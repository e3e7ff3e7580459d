/**
 * The second half of the loader: it loads a program and runs it, and is the same for every program. It is driven by
 * data: `program` tells the dispatches and where values lie. Also what `kanc run`, `eval` and `verify` run.
 */
import { CHECK_INPUT, indented } from '../shared/loader-text.js';

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
  if (given !== undefined) checkLimits('device', givenDevice(given));
  const files = await Promise.all([contentOf(wgsl, 'wgsl'), contentOf(bin, 'bin')]);
  const source = new TextDecoder().decode(files[0].bytes);
  checkFiles(...files, source);
  const constants = files[1].bytes;
  const device = given ?? (await newDevice(gpu, powerPreference));
  let gone;
  let destroyed = false;
  const lost = device.lost.then((info) => {
    gone = info.reason + (info.message ? ': ' + info.message : '');
    return gone;
  });
  const over = () => failure('destroyed', 'the model was destroyed; load it again');
  const lostNow = () => failure('device-lost', 'the GPU device was lost (' + gone + '); load the model again');
  const alive = () => {
    if (destroyed) throw over();
    if (gone !== undefined) throw lostNow();
  };
  /** A failure of the device, told as such. */
  const told = async (error) => {
    if (destroyed) return over();
    if (error?.code !== undefined && String(error.message).startsWith('kanc model')) return error;
    await Promise.race([lost, new Promise((done) => setTimeout(done, 50))]);
    return gone === undefined ? failure('failed', 'the GPU failed: ' + (error?.message ?? error)) : lostNow();
  };
  const bufferOf = (what, size, usage) =>
    device.createBuffer({ label: LABEL + ': ' + what, size: Math.max(16, 4 * Math.ceil(size)), usage });

  const hasDot = packedDot && gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') === true;
  const [own, fallback] = source.split(DOT4_MARK);
  // The first line of the fallback is, as a comment, what stands for it.
  const code = hasDot && fallback !== undefined ? own + fallback.trim().split('\\n')[0].slice(3) : source;

  const traces = program.schedule === 'fused';
  const entry = (binding, type) => ({ binding, visibility: COMPUTE, buffer: { type } });
  const bindings = {
    label: LABEL,
    entries: [
      entry(0, 'uniform'),
      entry(1, 'read-only-storage'),
      entry(2, 'read-only-storage'),
      entry(3, 'storage'),
    ],
  };
  const fixed = [];
  const free = () => {
    for (const buffer of fixed) buffer.destroy();
    if (given === undefined) device.destroy();
  };
  const build = async () => {
    const { group, layout, module, uniform, pages } = await guarded(device, () => {
      const keep = (buffer) => {
        fixed.push(buffer);
        return buffer;
      };
      const group = device.createBindGroupLayout(bindings);
      return {
        group,
        layout: device.createPipelineLayout({ label: LABEL, bindGroupLayouts: [group] }),
        module: device.createShaderModule({ label: LABEL + ': model.wgsl', code }),
        uniform: keep(bufferOf('run', 4, BUFFER.UNIFORM | BUFFER.COPY_DST)),
        pages: (program.pages.length === 0 ? [{ start: 0, length: 0 }] : program.pages).map(
          ({ start, length }, k) => {
            const buffer = keep(bufferOf('constants ' + k, length, BUFFER.STORAGE | BUFFER.COPY_DST));
            if (length > 0) device.queue.writeBuffer(buffer, 0, constants, 4 * start, 4 * length);
            return buffer;
          },
        ),
      };
    });
    const pipelines = await Promise.all(
      program.steps.map(({ entry }) =>
        device.createComputePipelineAsync({
          label: LABEL + ': ' + entry,
          layout,
          compute: { module, entryPoint: entry },
        }),
      ),
    );
    // On a device that is lost already, everything is made without a complaint.
    alive();
    return { group, uniform, pages, pipelines };
  };
  const { group, uniform, pages, pipelines } = await build().catch(async (error) => {
    // Told first: a device that was destroyed here would count as lost.
    const reason = await told(error);
    free();
    throw reason;
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

  // Buffers of input and values, for capacity samples of words words: only such as the device really has.
  const NO_ROOM = { capacity: 0, words: 0, buffers: [], groups: [] };
  let room = NO_ROOM;
  let growing;
  const leave = () => {
    for (const buffer of room.buffers) buffer.destroy();
    room = NO_ROOM;
  };
  const fits = (samples, words) => samples <= room.capacity && words <= room.words;
  const enlarge = async (samples, words) => {
    const capacity = Math.min(Math.max(samples, Math.min(2 * room.capacity, 4096)), roomFor(words));
    leave();
    const buffers = [];
    try {
      const groups = await guarded(device, () => {
        buffers.push(bufferOf('input', capacity * inputWords, BUFFER.STORAGE | BUFFER.COPY_DST));
        buffers.push(bufferOf('values', capacity * words, BUFFER.STORAGE | BUFFER.COPY_SRC));
        return pages.map((page) =>
          device.createBindGroup({
            label: LABEL,
            layout: group,
            entries: [uniform, page, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } })),
          }),
        );
      });
      alive();
      room = { capacity, words, buffers, groups };
    } catch (error) {
      for (const buffer of buffers) buffer.destroy();
      throw error;
    }
  };
  /** Room for a call. While one call makes room, others wait: what they lack is looked at again after that. */
  const grow = async (samples, words) => {
    if (growing !== undefined) return growing.catch(() => {});
    growing = enlarge(samples, words).finally(() => {
      growing = undefined;
    });
    return growing;
  };

  const writeInput = (data) => {
    if (data.byteLength % 4 === 0) {
      device.queue.writeBuffer(room.buffers[0], 0, data.buffer, data.byteOffset, data.byteLength);
    } else {
      const padded = new Uint8Array(4 * Math.ceil(data.byteLength / 4));
      padded.set(data);
      device.queue.writeBuffer(room.buffers[0], 0, padded);
    }
  };

  /** One round: the words of the wanted values, each as [sample, element], one after another. */
  const round = async (data, samples, wanted, trace) => {
    const words = trace || !traces ? allWords : keptWords;
    const wordsOf = (value) => samples * value.length;
    const total = wanted.reduce((n, value) => n + wordsOf(value), 0);
    let staging;
    try {
      // Callers may write to their array as soon as predict has returned.
      let input = data;
      while (!fits(samples, words)) {
        if (input === data) input = data.slice();
        await grow(samples, words);
        alive();
      }
      // Made and submitted without a pause, so that calls that overlap do not meet in the buffers they share.
      const made = guarded(device, () => {
        staging = bufferOf('results', total, BUFFER.MAP_READ | BUFFER.COPY_DST);
        writeInput(input);
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
          encoder.copyBufferToBuffer(room.buffers[1], 4 * value.start * room.capacity, staging, to, 4 * wordsOf(value));
          to += 4 * wordsOf(value);
        }
        device.queue.submit([encoder.finish()]);
      });
      await Promise.all([made, made.then(() => staging.mapAsync(READ))]);
      return staging.getMappedRange(0, 4 * total).slice(0);
    } catch (error) {
      throw await told(error);
    } finally {
      staging?.destroy();
    }
  };

${indented(CHECK_INPUT)}

  /** The wanted values of all samples, as typed arrays. */
  const execute = async (input, batch, wanted, trace) => {
    alive();
    const samples = check(input, batch);
    const words = trace || !traces ? allWords : keptWords;
    // What comes back must fit a buffer too.
    let limit = Math.min(roomFor(words), roomFor(wanted.reduce((n, v) => n + v.length, 0)));
    if (limit < 1) {
      throw failure('limits', 'one sample has ' + 4 * words + ' bytes of values, the device binds ' + largest);
    }
    const results = wanted.map((value) => new ARRAYS[value.element](samples * value.length));
    for (let at = 0; at < samples; ) {
      alive();
      const count = Math.min(limit, samples - at);
      const given = input.subarray(at * features, (at + count) * features);
      let bytes;
      try {
        bytes = await round(given, count, wanted, trace);
      } catch (error) {
        // Less at a time may fit.
        if (error.code !== 'out-of-memory' || count === 1) throw error;
        limit = Math.ceil(count / 2);
        continue;
      }
      let from = 0;
      wanted.forEach((value, k) => {
        const part = new ARRAYS[value.element](bytes, from, count * value.length);
        results[k].set(part, at * value.length);
        from += part.byteLength;
      });
      at += count;
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
    /** Held: Dawn ends, and with it the process, when nothing refers to its instance any more. */
    get gpu() {
      return gpu;
    },
    destroy: () => {
      if (destroyed) return;
      destroyed = true;
      leave();
      free();
    },
  };
};

export default load;
`;
