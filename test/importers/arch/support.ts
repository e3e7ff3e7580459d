/** Random checkpoints of convolutional layers, and convolution written straight from its definition. */
import { expect } from 'vitest';
import { decodeArchitecture } from '../../../src/importers/arch/architecture.js';
import { buildArchitecture } from '../../../src/importers/arch/build.js';
import type { FileTensor, TensorFile } from '../../../src/importers/containers/tensor.js';
import type { ImportOptions } from '../../../src/importers/family.js';
import { type Graph, interpret, sizeOf, verify } from '../../../src/ir/index.js';
import { rightOf } from '../../support/checked.js';
import type { Random } from '../../support/random.js';

export const f32 = (shape: ReadonlyArray<number>, data: ArrayLike<number>): FileTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(data),
});

export const fileOf = (tensors: Readonly<Record<string, FileTensor>>): TensorFile => ({
  container: 'safetensors',
  tensors: new Map(Object.entries(tensors)),
  metadata: new Map(),
});

/** Uniform in [lo, hi). */
export const uniform = (r: Random, shape: ReadonlyArray<number>, lo = -1, hi = 1): FileTensor =>
  f32(
    shape,
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => lo + (hi - lo) * r.unit()),
  );

/** The graph of layers, as an architecture file gives it, or what is wrong. */
export const build = (
  tensors: Readonly<Record<string, FileTensor>>,
  input: ReadonlyArray<number>,
  layers: ReadonlyArray<unknown>,
  options: ImportOptions = {},
) => {
  const arch = decodeArchitecture({ input, layers });
  return arch._tag === 'Left' ? arch : buildArchitecture(arch.right, fileOf(tensors), options);
};

/** Every value of a graph by name, and `outputs`. */
export const run = (graph: Graph, data: ArrayLike<number>): ReadonlyMap<string, ArrayLike<number>> => {
  rightOf(verify(graph));
  const { type } = graph.inputs[0]!;
  const values = new Map<string, ArrayLike<number>>();
  const batch = data.length / sizeOf(type);
  const input = { type, batch, data: Float32Array.from(data) };
  const [output] = rightOf(interpret(graph, [input], (n, v) => values.set(n, v.data)));
  return values.set('outputs', output!.data);
};

/** The largest difference, absolute or relative to the larger value where that is above 1. */
export const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let j = 0; j < a.length; j++) {
    worst = Math.max(worst, Math.abs(a[j]! - b[j]!) / Math.max(1, Math.abs(b[j]!)));
  }
  return worst;
};

export interface Image {
  readonly shape: readonly [number, number, number];
  readonly data: ReadonlyArray<number>;
}

export interface Where {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

/**
 * out[o] = sum of term(o, i, ky, kx, x) over the channels i of the group of o (counted in it) and the taps that lie
 * in the image.
 */
export const convolve = (
  { shape: [C, H, W], data }: Image,
  outputs: number,
  w: Where,
  term: (o: number, i: number, ky: number, kx: number, x: number) => number,
): Image => {
  const [inside, outside] = [C / w.groups, outputs / w.groups];
  const span = (k: number, axis: 0 | 1): number =>
    Math.floor((k + 2 * w.padding[axis] - w.dilation[axis] * (w.kernel[axis] - 1) - 1) / w.stride[axis]) + 1;
  const [OH, OW] = [span(H, 0), span(W, 1)];
  const out: number[] = [];
  for (let o = 0; o < outputs; o++)
    for (let oy = 0; oy < OH; oy++)
      for (let ox = 0; ox < OW; ox++) {
        let sum = 0;
        for (let i = 0; i < inside; i++)
          for (let ky = 0; ky < w.kernel[0]; ky++)
            for (let kx = 0; kx < w.kernel[1]; kx++) {
              const y = oy * w.stride[0] + ky * w.dilation[0] - w.padding[0];
              const x = ox * w.stride[1] + kx * w.dilation[1] - w.padding[1];
              if (y < 0 || y >= H || x < 0 || x >= W) continue;
              const c = Math.floor(o / outside) * inside + i;
              sum += term(o, i, ky, kx, data[(c * H + y) * W + x]!);
            }
        out.push(sum);
      }
  return { shape: [outputs, OH, OW], data: out };
};

/** Element of a tensor by its indices. */
export const at = (t: FileTensor, ...indices: ReadonlyArray<number>): number => {
  const flat = indices.reduce((n, index, axis) => n * t.shape[axis]! + index, 0);
  const value = t.data[flat];
  if (value === undefined || indices.length !== t.shape.length) throw new Error('no such element');
  return value;
};

export const map = (image: Image, f: (x: number, channel: number) => number): Image => {
  const area = image.shape[1] * image.shape[2];
  return { ...image, data: image.data.map((x, j) => f(x, Math.floor(j / area))) };
};

export const sum = (a: Image, b: Image): Image => ({ ...a, data: a.data.map((x, j) => x + b.data[j]!) });

/** InstanceNorm2d without parameters. */
export const instanceNorm = (image: Image): Image => {
  const area = image.shape[1] * image.shape[2];
  const statistics = Array.from({ length: image.shape[0] }, (_, c) => {
    const xs = image.data.slice(c * area, (c + 1) * area);
    const mean = xs.reduce((a, b) => a + b, 0) / area;
    return { mean, variance: xs.reduce((a, b) => a + (b - mean) ** 2, 0) / area };
  });
  return map(image, (x, c) => (x - statistics[c]!.mean) / Math.sqrt(statistics[c]!.variance + 1e-5));
};

/** B_0 .. B_{K-1} of order p on uniform knots that divide [lo, hi], by the recursion. */
export const splines = (x: number, K: number, p: number, lo = -1, hi = 1): ReadonlyArray<number> => {
  const h = (hi - lo) / (K - p);
  const t = Array.from({ length: K + p + 1 }, (_, j) => Math.fround(lo + (j - p) * h));
  let b: ReadonlyArray<number> = t.slice(1).map((next, j) => (x >= t[j]! && x < next ? 1 : 0));
  for (let q = 1; q <= p; q++) {
    b = b
      .slice(1)
      .map(
        (right, j) =>
          ((x - t[j]!) / (t[j + q]! - t[j]!)) * b[j]! +
          ((t[j + q + 1]! - x) / (t[j + q + 1]! - t[j + 1]!)) * right,
      );
  }
  return b;
};

export const silu = (x: number): number => x / (1 + Math.exp(-x));

/** x * Phi(x), Phi by its series around 0: exact enough for the small x of these tests. */
export const gelu = (x: number): number => {
  let [term, phi] = [x / Math.sqrt(2 * Math.PI), 0.5];
  for (let n = 1; n < 60; n++) {
    phi += term / (2 * n - 1);
    term *= -(x * x) / (2 * n);
  }
  return x * phi;
};
