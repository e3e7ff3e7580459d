import { kindOf, messageOf } from '../shared/about.js';
import { meta } from '../shared/input.js';
import { program } from './head.js';

// Flags of WebGPU, by the values that the specification gives them: in Node there are no globals for them.
export const BUFFER = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 };
export const READ = 1;
export const COMPUTE = 4;

/** What developer tools show. */
export const LABEL = `kanc ${meta.name}`;

/** The codes are those of `ModelError`. */
export const failure = (code: string, message: string): Error & { readonly code: string } =>
  Object.assign(new Error(`kanc model: ${message}`), { code });

/** What the program needs beyond the limits that every device has. */
const neededLimits = (): Readonly<Record<string, number>> => {
  const largest = 4 * Math.max(1, ...program.pages.map((page) => page.length));
  return largest > 2 ** 27
    ? { maxStorageBufferBindingSize: largest, maxBufferSize: Math.max(largest, 2 ** 28) }
    : {};
};

export const checkLimits = (what: string, { limits }: Pick<GPUAdapter | GPUDevice, 'limits'>): void => {
  for (const [limit, least] of Object.entries(neededLimits())) {
    const found = limits[limit as 'maxBufferSize'];
    if (found < least) {
      throw failure('limits', `the ${what} has ${limit} ${found}, the program needs ${least}`);
    }
  }
};

const asked = async <A>(what: string, promise: () => Promise<A>): Promise<A> => {
  try {
    return await promise();
  } catch (error) {
    throw failure('failed', `${what} failed: ${messageOf(error)}`);
  }
};

export const newDevice = async (
  gpu: GPU | undefined,
  powerPreference?: GPUPowerPreference,
): Promise<GPUDevice> => {
  if (gpu === undefined || gpu === null) {
    throw failure(
      'no-webgpu',
      'there is no navigator.gpu here. Browsers have it on pages of https or localhost; in Node pass load({ gpu }), what create([]) of the npm package webgpu gives',
    );
  }
  if (typeof gpu.requestAdapter !== 'function') {
    throw new TypeError(`kanc model: load({ gpu }) takes what navigator.gpu is, found ${kindOf(gpu)}`);
  }
  const adapter = await asked('requestAdapter', () =>
    gpu.requestAdapter(powerPreference === undefined ? undefined : { powerPreference }),
  );
  if (!adapter) throw failure('no-adapter', 'WebGPU is there, but no graphics adapter that it can use');
  checkLimits('adapter', adapter);
  // As much as the adapter has, so that large batches take fewer rounds.
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
  return asked('requestDevice', () => adapter.requestDevice({ label: LABEL, requiredLimits }));
};

/** A device of the caller. An adapter is easily taken for one. */
export const givenDevice = (device: GPUDevice): GPUDevice => {
  if (typeof device?.createBuffer === 'function') return device;
  const isAdapter = 'requestDevice' in Object(device);
  throw new TypeError(
    `kanc model: load({ device }) takes a GPUDevice, found ${kindOf(device)}${isAdapter ? '; its requestDevice() gives one' : ''}`,
  );
};

/** Runs what creates objects, and rejects when the device says that they are wrong or do not fit. */
export const guarded = async <A>(device: GPUDevice, make: () => A): Promise<A> => {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let made: A;
  let scopes: Promise<[GPUError | null, GPUError | null]>;
  try {
    made = make();
  } finally {
    // Before anything is awaited: scopes of calls that overlap would be popped in a wrong order.
    scopes = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    scopes.catch(() => {});
  }
  const [memory, invalid] = await scopes;
  if (memory) throw failure('out-of-memory', `the memory of the GPU does not suffice: ${memory.message}`);
  if (invalid) throw failure('failed', invalid.message);
  return made;
};
