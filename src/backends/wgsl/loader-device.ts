/** The first half of the loader: files, devices, errors. Backslashes are those of a template: doubled. */
import { ABOUT_FILES } from '../shared/loader-text.js';

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

/** What developer tools show. */
const LABEL = 'kanc ' + meta.name;

const failure = (code, message) => Object.assign(new Error('kanc model: ' + message), { code });

const isNode = () => typeof process !== 'undefined' && process.versions?.node !== undefined;

${ABOUT_FILES}

/** Bytes, with a name for messages. Fails with the code files where a file cannot be had. */
const contentOf = async (from, what) => {
  const name = 'the content of load({ ' + what + ' })';
  if (from instanceof ArrayBuffer) return { name, bytes: new Uint8Array(from) };
  if (ArrayBuffer.isView(from)) return { name, bytes: new Uint8Array(from.buffer, from.byteOffset, from.byteLength) };
  // No path has line breaks: this is the module itself.
  if (what === 'wgsl' && typeof from === 'string' && from.includes('\\n')) {
    return { name, bytes: new TextEncoder().encode(from) };
  }
  const isPlace = from instanceof URL || typeof from === 'string';
  if (!isPlace && (typeof Response === 'undefined' || !(from instanceof Response))) {
    throw new TypeError('kanc model: load({ ' + what + ' }) takes bytes, a URL or a Response, found ' + kindOf(from));
  }
  const place = isPlace ? String(from) : from.url || name;
  try {
    if (isPlace && isNode() && !/^(https?|data|blob):/.test(place)) {
      const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:fs/promises');
      return { name: place, bytes: await readFile(place.startsWith('file:') ? new URL(place) : place) };
    }
    const response = isPlace ? await fetch(from) : from;
    if (!response.ok) throw new Error('the server answered ' + response.status);
    return { name: place, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch (error) {
    throw failure('files', place + ' cannot be read: ' + (error?.message ?? error));
  }
};

/** Fails where a file is not of the build that this one belongs to. */
const belongs = ({ name, bytes }, file, length, found) => {
  const wrong = (reason) => failure('files', name + ' is ' + reason + '; ' + AGAIN);
  if (found === program.build && bytes.length === length) return;
  if (isPage(bytes)) throw wrong(pageFor(file));
  const size = bytes.length + ' bytes in place of ' + length;
  if (found === program.build) throw wrong('not as it was written: ' + size);
  // The end of model.bin, where its build stands, may be what is missing.
  const cut = file === 'model.bin' && bytes.length < length ? ', or not whole: ' + size : '';
  throw wrong(file + ' of another build than the index.js that loads it' + cut);
};

/** model.wgsl names its build in a comment, model.bin in its last bytes. */
const checkFiles = (wgsl, bin, source) => {
  belongs(wgsl, 'model.wgsl', program.bytes.wgsl, source.match(/^\\/\\/ build ([0-9a-f]+)$/m)?.[1]);
  const id = bin.bytes.subarray(-program.build.length / 2);
  belongs(bin, 'model.bin', program.bytes.bin, Array.from(id, (b) => b.toString(16).padStart(2, '0')).join(''));
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
      'there is no navigator.gpu here. Browsers have it on pages of https or localhost; in Node pass load({ gpu }), what create([]) of the npm package webgpu gives',
    );
  }
  if (typeof gpu.requestAdapter !== 'function') {
    throw new TypeError('kanc model: load({ gpu }) takes what navigator.gpu is, found ' + kindOf(gpu));
  }
  const asked = async (what, promise) => {
    try {
      return await promise();
    } catch (error) {
      throw failure('failed', what + ' failed: ' + (error?.message ?? error));
    }
  };
  const adapter = await asked('requestAdapter', () =>
    gpu.requestAdapter(powerPreference === undefined ? undefined : { powerPreference }),
  );
  if (!adapter) throw failure('no-adapter', 'WebGPU is there, but no graphics adapter that it can use');
  checkLimits('adapter', adapter);
  // As much as the adapter has, so that large batches take fewer rounds.
  const limits = ['maxStorageBufferBindingSize', 'maxBufferSize'];
  const requiredLimits = Object.fromEntries(limits.map((l) => [l, adapter.limits[l]]));
  return asked('requestDevice', () => adapter.requestDevice({ label: LABEL, requiredLimits }));
};

const checkLimits = (what, { limits }) => {
  for (const [limit, least] of Object.entries(neededLimits())) {
    if (limits[limit] < least) {
      throw failure('limits', 'the ' + what + ' has ' + limit + ' ' + limits[limit] + ', the program needs ' + least);
    }
  }
};

/** A device of the caller. An adapter is easily taken for one. */
const givenDevice = (device) => {
  if (typeof device?.createBuffer !== 'function') {
    throw new TypeError(
      'kanc model: load({ device }) takes a GPUDevice, found ' + kindOf(device) +
        (typeof device?.requestDevice === 'function' ? '; its requestDevice() gives one' : ''),
    );
  }
  return device;
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
