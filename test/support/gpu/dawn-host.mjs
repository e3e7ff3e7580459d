/**
 * Runs WebGPU programs with Dawn, in a process of its own: the Vulkan driver is chosen by the environment that a
 * process starts with. Takes requests over IPC, see dawn.ts.
 */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const gpu = create([]);
const adapter = await gpu.requestAdapter();
const device = await adapter?.requestDevice({
  requiredLimits: {
    maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    maxBufferSize: adapter.limits.maxBufferSize,
  },
});
process.send({
  ready: adapter === null ? null : `${adapter.info.vendor} ${adapter.info.description}`,
  dot: gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product'),
});

/** The loader, as the artifact has it, with the files that it would read handed over. exact: options as they are. */
const modelOf = async ({ loader, wgsl, bin, packedDot, own, exact, ...others }) => {
  const { load } = await import(`data:text/javascript;base64,${Buffer.from(loader).toString('base64')}`);
  const from = { gpu, ...(own ? {} : { device }), ...others };
  return load({ ...from, wgsl: new Response(wgsl), bin, packedDot, ...exact });
};

const answers = {
  run: async ({ program, input, calls }) => {
    const model = await modelOf(program);
    const results = {};
    for (const call of calls) results[call] = await model[call](input);
    model.destroy();
    return results;
  },
  /** Any script of a test: the body of an async function of these names. */
  script: async ({ program, body, argument }) => {
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    return new AsyncFunction('gpu', 'device', 'open', 'argument', body)(
      gpu,
      device,
      (changes) => modelOf({ ...program, ...changes }),
      argument,
    );
  },
};

process.on('message', async ({ id, kind, request }) => {
  try {
    process.send({ id, result: await answers[kind](request) });
  } catch (error) {
    process.send({ id, error: { message: String(error?.message ?? error), code: error?.code } });
  }
});
process.on('disconnect', () => process.exit(0));
