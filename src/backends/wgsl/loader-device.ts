/** The first half of the loader: files, devices, errors. */
export const LOADER_DEVICE = `
const features = meta.input.shape.reduce((n, d) => n * d, 1);
const isFloat = meta.input.dtype === 'f32';
// The pixels of a canvas (ImageData) are clamped bytes.
const takes = isFloat ? [Float32Array] : [Uint8Array, Uint8ClampedArray];
const ARRAYS = { u32: Uint32Array, i32: Int32Array, f32: Float32Array };

// Flags of WebGPU, by the values that the specification gives them: in Node there are no globals for them.
const BUFFER = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 };
const READ = 1;
const COMPUTE = 4;

const failure = (code, message) => Object.assign(new Error('kanc model: ' + message), { code });

const isNode = () => typeof process !== 'undefined' && process.versions?.node !== undefined;

/** The content of bytes, a URL, a path (Node) or a Response. */
const contentOf = async (from, what) => {
  if (from instanceof ArrayBuffer) return new Uint8Array(from);
  if (ArrayBuffer.isView(from)) return new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
  let response = from;
  if (from instanceof URL || typeof from === 'string') {
    const isFile = from instanceof URL ? from.protocol === 'file:' : !/^(https?|data|blob):/.test(from);
    if (isNode() && isFile) {
      const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:fs/promises');
      return readFile(typeof from === 'string' && from.startsWith('file:') ? new URL(from) : from);
    }
    response = await fetch(from);
  }
  if (typeof Response === 'undefined' || !(response instanceof Response)) {
    throw new TypeError('kanc model: load({ ' + what + ' }) takes bytes, a URL or a Response, found ' + typeof from);
  }
  if (!response.ok) throw new Error('kanc model: ' + response.url + ' answered ' + response.status);
  return new Uint8Array(await response.arrayBuffer());
};

/** What the program needs beyond the limits that every device has. */
const neededLimits = () => {
  const largest = 4 * Math.max(1, ...program.pages.map((page) => page.length));
  return largest > 2 ** 27
    ? { maxStorageBufferBindingSize: largest, maxBufferSize: Math.max(largest, 2 ** 28) }
    : {};
};

const newDevice = async (gpu, powerPreference) => {
  if (gpu === undefined || gpu === null) {
    throw failure(
      'no-webgpu',
      'there is no navigator.gpu here. Browsers have it on pages of https or localhost; in Node pass load({ gpu }) or load({ device }) of the npm package webgpu',
    );
  }
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? undefined : { powerPreference });
  if (!adapter) throw failure('no-adapter', 'WebGPU is there, but no graphics adapter that it can use');
  const needed = neededLimits();
  for (const [limit, least] of Object.entries(needed)) {
    if (adapter.limits[limit] < least) {
      throw failure('limits', 'the adapter has ' + limit + ' ' + adapter.limits[limit] + ', the program needs ' + least);
    }
  }
  // As much as the adapter has, so that large batches take fewer rounds.
  const limits = ['maxStorageBufferBindingSize', 'maxBufferSize'];
  return adapter.requestDevice({ requiredLimits: Object.fromEntries(limits.map((l) => [l, adapter.limits[l]])) });
};

/** Runs what creates objects, and rejects when the device says that they are wrong or do not fit. */
const guarded = async (device, make) => {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let made;
  let scopes;
  try {
    made = make();
  } finally {
    // Before anything is awaited: scopes of calls that overlap would be popped in a wrong order.
    scopes = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    scopes.catch(() => {});
  }
  const [memory, invalid] = await scopes;
  if (memory) throw failure('out-of-memory', 'the memory of the GPU does not suffice: ' + memory.message);
  if (invalid) throw failure('failed', invalid.message);
  return made;
};
`;
