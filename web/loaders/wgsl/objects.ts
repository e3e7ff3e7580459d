import type { Program } from '../../../src/backends/wgsl/manifest.js';
import { features, isFloat } from '../shared/input.js';
import { BUFFER, COMPUTE, LABEL, READ } from './device.js';
import { DOT4_MARK, program } from './head.js';

export type Step = Program['steps'][number];

/** What is made on a device once. */
export interface Objects {
  readonly group: GPUBindGroupLayout;
  readonly layout: GPUPipelineLayout;
  readonly module: GPUShaderModule;
  readonly uniform: GPUBuffer;
  readonly pages: ReadonlyArray<GPUBuffer>;
}

// Words of one sample: of the input, and of all values.
export const inputWords = isFloat ? features : features / 4;
const last = program.values[program.values.length - 1]!;
export const allWords = last.start + last.length;

/** The module, with the packed product of the engine where it has one: `packedDot` tells whether it may be taken. */
export const codeFor = (source: string, gpu: GPU | undefined, packedDot: boolean): string => {
  const hasDot = packedDot && gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') === true;
  const [own, fallback] = source.split(DOT4_MARK);
  // The first line of the fallback is, as a comment, what stands for it.
  return hasDot && fallback !== undefined ? own + fallback.trim().split('\n')[0]!.slice(3) : source;
};

/** `size` in words. */
export const bufferOf = (device: GPUDevice, what: string, size: number, usage: number): GPUBuffer =>
  device.createBuffer({ label: `${LABEL}: ${what}`, size: Math.max(16, 4 * Math.ceil(size)), usage });

/** Every buffer is put into `made` as soon as it is there. */
export const objectsOf = (
  device: GPUDevice,
  code: string,
  constants: Uint8Array,
  made: Array<GPUBuffer>,
): Objects => {
  const keep = (buffer: GPUBuffer): GPUBuffer => {
    made.push(buffer);
    return buffer;
  };
  const entry = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
    binding,
    visibility: COMPUTE,
    buffer: { type },
  });
  const group = device.createBindGroupLayout({
    label: LABEL,
    entries: [
      entry(0, 'uniform'),
      entry(1, 'read-only-storage'),
      entry(2, 'read-only-storage'),
      entry(3, 'storage'),
    ],
  });
  const pages = program.pages.length === 0 ? [{ start: 0, length: 0 }] : program.pages;
  return {
    group,
    layout: device.createPipelineLayout({ label: LABEL, bindGroupLayouts: [group] }),
    module: device.createShaderModule({ label: `${LABEL}: model.wgsl`, code }),
    uniform: keep(bufferOf(device, 'run', 4, BUFFER.UNIFORM | BUFFER.COPY_DST)),
    pages: pages.map(({ start, length }, k) => {
      const buffer = keep(bufferOf(device, `constants ${k}`, length, BUFFER.STORAGE | BUFFER.COPY_DST));
      // What is written comes from memory that no other thread has.
      const bytes = constants as Uint8Array<ArrayBuffer>;
      if (length > 0) device.queue.writeBuffer(buffer, 0, bytes, 4 * start, 4 * length);
      return buffer;
    }),
  };
};

export const pipelineOf = (
  device: GPUDevice,
  { layout, module }: Objects,
  entryPoint: string,
): Promise<GPUComputePipeline> =>
  device.createComputePipelineAsync({
    label: `${LABEL}: ${entryPoint}`,
    layout,
    compute: { module, entryPoint },
  });

/** The bindings of each page of constants, with the same input and values. */
export const groupsOf = (
  device: GPUDevice,
  { group, uniform, pages }: Objects,
  input: GPUBuffer,
  values: GPUBuffer,
): ReadonlyArray<GPUBindGroup> =>
  pages.map((page) =>
    device.createBindGroup({
      label: LABEL,
      layout: group,
      entries: [uniform, page, input, values].map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );

/** The steps of some samples, one after another. */
export const encodeSteps = (
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  steps: ReadonlyArray<Step>,
  pipelines: ReadonlyArray<GPUComputePipeline>,
  groups: ReadonlyArray<GPUBindGroup>,
  samples: number,
): void => {
  const axis = device.limits.maxComputeWorkgroupsPerDimension;
  const pass = encoder.beginComputePass();
  steps.forEach((step, k) => {
    const count = Math.ceil((samples * step.items) / step.each);
    const columns = Math.min(count, axis);
    pass.setPipeline(pipelines[k]!);
    pass.setBindGroup(0, groups[step.page]!);
    pass.dispatchWorkgroups(columns, Math.ceil(count / columns));
  });
  pass.end();
};

/** A copy of what the device has written to a buffer that can be mapped. */
export const read = async (buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> => {
  await buffer.mapAsync(READ);
  return buffer.getMappedRange(0, bytes).slice(0);
};
