/** Compiles graphs in memory, runs them with Dawn, and compares every word with the interpreter. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { Artifact } from '../../../src/backends/backend.js';
import type { Input } from '../../../src/backends/shared/check-input.js';
import { type WgslManifest, type WgslOptions, wgsl } from '../../../src/backends/wgsl/index.js';
import { parseWgslManifest } from '../../../src/backends/wgsl/manifest.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import type { Graph } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { sizeOf } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { type Gpu, type GpuOptions, openGpu, skipsGpu } from '../../support/gpu/dawn.js';

export { skipsGpu } from '../../support/gpu/dawn.js';

/** A GPU for the tests of a file. */
export const gpuOfFile = (): (() => Gpu) => {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    if (!skipsGpu) gpu = await openGpu();
  });
  afterAll(() => gpu?.close());
  return () => {
    if (gpu === undefined) throw new Error('the GPU is opened before tests run');
    return gpu;
  };
};

export const emit = (graph: Graph<'table'>, options: WgslOptions = {}): Promise<Checked<Artifact>> =>
  wgsl.emit(options, { version: 'test' })(graph)();

export const textOf = (artifact: Artifact, name: string): string => {
  const content = artifact.files.get(name);
  if (typeof content !== 'string') throw new Error(`${name} is not text`);
  return content;
};

export const manifestIn = (artifact: Artifact): WgslManifest =>
  rightOf(parseWgslManifest(textOf(artifact, 'manifest.json')));

const tensorOf = (graph: Graph, data: Input): Tensor => {
  const { type } = graph.inputs[0]!;
  return { type, batch: data.length / sizeOf(type), data };
};

/** Bits of floats, so that -0 counts (all NaN are alike); integers as they are. */
const firstDifference = (found: ArrayLike<number>, expected: ArrayLike<number>): string | undefined => {
  if (found.length !== expected.length) return `${found.length} elements, expected ${expected.length}`;
  for (let k = 0; k < found.length; k++) {
    if (!Object.is(found[k], expected[k])) return `element ${k} is ${found[k]}, expected ${expected[k]}`;
  }
  return undefined;
};

/** All samples at once: results, last integers and every value equal those of the interpreter. */
export const expectSame = async (
  gpu: Gpu,
  graph: Graph<'table'>,
  data: Input,
  options: WgslOptions & GpuOptions = {},
): Promise<WgslManifest> => {
  const { packedDot, ...target } = options;
  const artifact = rightOf(await emit(graph, target));
  const manifest = manifestIn(artifact);
  const expected = new Map<string, Tensor>();
  rightOf(
    interpret(graph, [tensorOf(graph, data)], (name, value) => {
      expected.set(name, value);
    }),
  );
  const results = await gpu.run(
    artifact,
    data,
    ['predict', 'predictRaw', 'inspect'],
    packedDot === undefined ? {} : { packedDot },
  );
  const want = (name: string): ArrayLike<number> => expected.get(name)!.data;
  const compare = (what: string, found: ArrayLike<number> | undefined, name: string): void =>
    expect(`${what}: ${firstDifference(found ?? [], want(name)) ?? 'same'}`).toBe(`${what}: same`);
  compare('predict', results.predict, manifest.output.name);
  compare('predictRaw', results.predictRaw, manifest.raw.name);
  for (const [name, found] of results.inspect ?? []) compare(`%${name}`, found, name);
  expect(results.inspect?.size).toBe(manifest.program.values.length);
  return manifest;
};
