/** The exported networks that tests read are those that their README tells of, and compute what is stored beside them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { type NpyArray, readNpy } from '../../src/importers/containers/npy/index.js';
import { rightOf } from '../support/checked.js';

const FOLDER = fileURLToPath(new URL('onnx/', import.meta.url));

const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

const goldens = (name: string, what: 'inputs' | 'outputs'): NpyArray =>
  rightOf(readNpy(readFileSync(join(FOLDER, name, `golden_${what}.npy`))));

const BIAS = 112 << 23;

/** The bits of a half, for a number that is one, normal or zero. */
const halfBits = (value: number): number => {
  const [bits = 0] = new Uint32Array(new Float32Array([value]).buffer);
  const sign = (bits >>> 16) & 0x8000;
  return value === 0 ? sign : sign | (((bits & 0x7fffffff) - BIAS) >>> 13);
};

/** The other way round. */
const ofHalfBits = (bits: number): number => {
  const magnitude = ((bits & 0x7fff) << 13) + BIAS;
  const [value = 0] = new Float32Array(new Uint32Array([magnitude]).buffer);
  return (bits & 0x8000) === 0 ? value : -value;
};

const tensorOf = (type: string, { data, shape }: NpyArray): ort.Tensor => {
  const numbers = Array.from(data, Number);
  if (type === 'int64') return new ort.Tensor('int64', BigInt64Array.from(numbers, BigInt), shape);
  if (type === 'float64') return new ort.Tensor('float64', Float64Array.from(numbers), shape);
  if (type === 'float16') return new ort.Tensor('float16', Uint16Array.from(numbers, halfBits), shape);
  return new ort.Tensor('float32', Float32Array.from(numbers), shape);
};

ort.env.wasm.numThreads = 1;

const outputsOf = async (name: string): Promise<ReadonlyArray<number>> => {
  const beside = join(FOLDER, name, 'model.onnx.data');
  const session = await ort.InferenceSession.create(readFileSync(join(FOLDER, name, 'model.onnx')), {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
    // With its optimizations, sums with int8 weights (odd-quantized-weights) are off by 3e-3.
    graphOptimizationLevel: 'disabled',
    ...(existsSync(beside)
      ? { externalData: [{ path: 'model.onnx.data', data: readFileSync(beside) }] }
      : {}),
  });
  const input = session.inputMetadata[0];
  if (input === undefined || !input.isTensor) throw new Error(`${name} takes no tensor`);
  const given = tensorOf(input.type, goldens(name, 'inputs'));
  const found = (await session.run({ [input.name]: given }))[session.outputNames[0] ?? ''];
  await session.release();
  const values: Iterable<string | number | bigint> = found?.data ?? [];
  return Array.from(values, (b) => (found?.type === 'float16' ? ofHalfBits(Number(b)) : Number(b)));
};

/** Sums in halves differ with the order of their terms. */
const limitOf = (name: string): number => (name === 'torch-gaussians-f16' ? 5e-3 : 1e-5);

describe('exported networks', () => {
  it('are told in their README, each in one line', () => {
    const rows = [...readFileSync(join(FOLDER, 'README.md'), 'utf8').matchAll(/^\| ([a-z]+-[\w-]+) +\|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(names);
  });

  it.each(names)('%s gives its golden outputs', async (name) => {
    const expected = Array.from(goldens(name, 'outputs').data, Number);
    const found = await outputsOf(name);
    const largest = Math.max(...expected.map(Math.abs));
    const off = Math.max(...expected.map((value, k) => Math.abs(value - (found[k] ?? Number.NaN))));
    expect(found.length).toBe(expected.length);
    expect(off / largest).toBeLessThan(limitOf(name));
  });
});
