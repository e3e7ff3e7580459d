/** Convolutions and pools. One and two spatial dimensions are three of which the first have one element. */
import { type Shape, sizeOfShape, type Windows } from '../program.js';
import type { Held } from './elements.js';

/** One spatial dimension of a walk over windows. */
interface Dimension {
  readonly size: number;
  readonly count: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

const ONE: Dimension = { size: 1, count: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

const dimensionsOf = (
  operand: Shape,
  windows: Windows,
  result: Shape,
): readonly [Dimension, Dimension, Dimension] => {
  const dims = windows.kernel.map(
    (kernel, d): Dimension => ({
      size: operand[d + 2]!,
      count: result[d + 2]!,
      kernel,
      stride: windows.stride[d]!,
      dilation: windows.dilation[d]!,
      before: windows.before[d]!,
      after: windows.after[d]!,
    }),
  );
  const [z = ONE, y = ONE, x = ONE] = [
    ...new Array<Dimension>(Math.max(0, 3 - dims.length)).fill(ONE),
    ...dims,
  ];
  return [z, y, x];
};

/** The windows from..to (exclusive) in which tap k of the kernel meets an element, not the padding. */
const windowsOfTap = (d: Dimension, k: number): readonly [number, number] => {
  const shift = k * d.dilation - d.before;
  const from = Math.max(0, Math.ceil(-shift / d.stride));
  const to = Math.min(d.count, Math.floor((d.size - 1 - shift) / d.stride) + 1);
  return [from, Math.max(from, to)];
};

/** What is done with a run of windows along x and the elements that one tap of the kernel meets there. */
type Run = (window: number, element: number, length: number, step: number) => void;

/** All runs of one tap of the kernel over one image. */
const runsOfTap = (
  [z, y, x]: readonly [Dimension, Dimension, Dimension],
  taps: readonly [number, number, number],
  run: Run,
): void => {
  const [z0, z1] = windowsOfTap(z, taps[0]);
  const [y0, y1] = windowsOfTap(y, taps[1]);
  const [x0, x1] = windowsOfTap(x, taps[2]);
  if (x1 <= x0) return;
  for (let i = z0; i < z1; i++) {
    const plane = (i * z.stride + taps[0] * z.dilation - z.before) * y.size;
    for (let j = y0; j < y1; j++) {
      const line = (plane + j * y.stride + taps[1] * y.dilation - y.before) * x.size;
      const element = line + x0 * x.stride + taps[2] * x.dilation - x.before;
      run((i * y.count + j) * x.count + x0, element, x1 - x0, x.stride);
    }
  }
};

const everyTap = (
  [z, y, x]: readonly [Dimension, Dimension, Dimension],
  visit: (taps: readonly [number, number, number], number: number) => void,
): void => {
  let number = 0;
  for (let i = 0; i < z.kernel; i++)
    for (let j = 0; j < y.kernel; j++) for (let k = 0; k < x.kernel; k++) visit([i, j, k], number++);
};

export const convolved = (x: Held, w: Held, windows: Windows, groups: number, shape: Shape): Float64Array => {
  const dims = dimensionsOf(x.shape, windows, shape);
  const [samples = 0, channels = 0] = x.shape;
  const outputs = shape[1] ?? 0;
  const perGroup = channels / groups;
  const image = sizeOfShape(x.shape.slice(2));
  const places = sizeOfShape(shape.slice(2));
  const taps = sizeOfShape(windows.kernel);
  const result = new Float64Array(sizeOfShape(shape));
  const { data } = x;
  everyTap(dims, (tap, number) => {
    for (let n = 0; n < samples; n++) {
      for (let o = 0; o < outputs; o++) {
        const group = Math.floor(o / (outputs / groups));
        const to = (n * outputs + o) * places;
        for (let c = 0; c < perGroup; c++) {
          const factor = w.data[(o * perGroup + c) * taps + number]!;
          const from = (n * channels + group * perGroup + c) * image;
          runsOfTap(dims, tap, (window, element, length, step) => {
            for (let i = 0, e = from + element, r = to + window; i < length; i++, e += step, r++)
              result[r]! += factor * data[e]!;
          });
        }
      }
    }
  });
  return result;
};

/** How many elements stand in each window, and with `padded` also those of the padding that is asked for. */
const countsOf = (
  dims: readonly [Dimension, Dimension, Dimension],
  places: number,
  padded: boolean,
): Float64Array => {
  const counts = new Float64Array(places);
  const all = dims.map((d) =>
    padded ? { ...d, size: d.size + d.before + d.after, before: 0, after: 0 } : d,
  );
  const [z = ONE, y = ONE, x = ONE] = all;
  everyTap(dims, (tap) =>
    runsOfTap([z, y, x], tap, (window, _, length) => {
      for (let i = 0; i < length; i++) counts[window + i]!++;
    }),
  );
  return counts;
};

export const pooled = (
  x: Held,
  windows: Windows,
  how: { readonly fn: 'max' | 'mean'; readonly countPadding: boolean },
  shape: Shape,
): Float64Array => {
  const dims = dimensionsOf(x.shape, windows, shape);
  const image = sizeOfShape(x.shape.slice(2));
  const places = sizeOfShape(shape.slice(2));
  const images = sizeOfShape(x.shape.slice(0, 2));
  const most = how.fn === 'max';
  const result = new Float64Array(images * places).fill(most ? Number.NEGATIVE_INFINITY : 0);
  const { data } = x;
  everyTap(dims, (tap) => {
    for (let n = 0; n < images; n++) {
      runsOfTap(dims, tap, (window, element, length, step) => {
        for (let i = 0, e = n * image + element, r = n * places + window; i < length; i++, e += step, r++)
          result[r] = most ? Math.max(result[r]!, data[e]!) : result[r]! + data[e]!;
      });
    }
  });
  if (most) return result;
  const counts = countsOf(dims, places, how.countPadding);
  for (let e = 0; e < result.length; e++) result[e] = result[e]! / counts[e % places]!;
  return result;
};
