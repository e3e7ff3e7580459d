/**
 * Windows: how a layer is applied to every patch of an image. Convolution is the same layer over patches: input
 * t of a window is tap (c, ky, kx) with t = (c * kh + ky) * kw + kx, c counting the channels of one group.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { WindowShape } from '../code/language.js';
import type { Rule } from '../diagnostics/index.js';
import { integer, record } from './codec.js';
import { MAX_ELEMENTS } from './constant.js';

export interface Window extends WindowShape {
  /** Channels are split into this many groups, inputs and outputs alike, each with its own layer. */
  readonly groups: number;
}

/** Two integers of at least `lo`. */
const pair = (lo: number): t.Type<readonly [number, number], unknown, unknown> => {
  const one = integer(lo, 65535);
  const is = (u: unknown): u is readonly [number, number] =>
    Array.isArray(u) && u.length === 2 && u.every((v) => one.is(v));
  return new t.Type(
    `[${one.name}, ${one.name}]`,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  );
};

export const WindowCodec: t.Type<Window, unknown, unknown> = record(
  {
    kernel: pair(1),
    stride: pair(1),
    padding: pair(0),
    dilation: pair(1),
    groups: integer(1, 65535),
  },
  {},
);

/** A window along one axis. */
export interface WindowAxis {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** How many windows fit along an axis of an image; below 1 where it is smaller than one. */
export const windowCount = (size: number, { kernel, stride, padding, dilation }: WindowAxis): number =>
  Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

const axisOf = (w: WindowShape, axis: 0 | 1): WindowAxis => ({
  kernel: w.kernel[axis],
  stride: w.stride[axis],
  padding: w.padding[axis],
  dilation: w.dilation[axis],
});

/** Height and width of the result; undefined when the window is larger than the padded image. */
export const windowOutput = (
  w: WindowShape,
  height: number,
  width: number,
): readonly [number, number] | undefined => {
  const size = [windowCount(height, axisOf(w, 0)), windowCount(width, axisOf(w, 1))] as const;
  return size[0] >= 1 && size[1] >= 1 ? size : undefined;
};

/** Taps of one group: channels per group times kernel area. */
export const tapsOf = (w: Window, channels: number): number =>
  (channels / w.groups) * w.kernel[0] * w.kernel[1];

export const isPadded = (w: Window): boolean => w.padding[0] > 0 || w.padding[1] > 0;

/**
 * Calls `visit(position, tap, y, x)` for every tap that lies inside the image: `position` counts output places
 * row-major, `tap` kernel places (ky * kw + kx), and (y, x) is the pixel. The same for every channel.
 */
export const forEachTap = (
  w: Window,
  height: number,
  width: number,
  visit: (position: number, tap: number, y: number, x: number) => void,
): void => {
  const size = windowOutput(w, height, width);
  if (size === undefined) return;
  for (let oy = 0; oy < size[0]; oy++) {
    for (let ox = 0; ox < size[1]; ox++) {
      for (let ky = 0; ky < w.kernel[0]; ky++) {
        const y = oy * w.stride[0] - w.padding[0] + ky * w.dilation[0];
        if (y < 0 || y >= height) continue;
        for (let kx = 0; kx < w.kernel[1]; kx++) {
          const x = ox * w.stride[1] - w.padding[1] + kx * w.dilation[1];
          if (x < 0 || x >= width) continue;
          visit(oy * size[1] + ox, ky * w.kernel[1] + kx, y, x);
        }
      }
    }
  }
};

/** The type rule of windowed layers: [C, H, W] to [O, OH, OW]. */
export const windowShape = (
  w: Window,
  shape: ReadonlyArray<number>,
  outputs: number,
): Rule<ReadonlyArray<number>> => {
  const [channels, height, width] = shape;
  if (channels === undefined || height === undefined || width === undefined || shape.length !== 3) {
    return E.left('a window needs a value of shape [n, C, H, W]');
  }
  if (channels % w.groups !== 0 || outputs % w.groups !== 0) {
    return E.left(`${channels} channels and ${outputs} outputs do not split into ${w.groups} groups`);
  }
  const size = windowOutput(w, height, width);
  if (size === undefined)
    return E.left(`a ${w.kernel.join('x')} window does not fit a ${height}x${width} image`);
  return outputs * size[0] * size[1] > MAX_ELEMENTS
    ? E.left(`${size[0]}x${size[1]} windows of ${outputs} outputs are more than ${MAX_ELEMENTS} elements`)
    : E.right([outputs, ...size]);
};

/** Whether every window holds at least one pixel of an image. */
export const everyWindowHoldsPixels = (w: Window, height: number, width: number): boolean => {
  const size = windowOutput(w, height, width);
  return (
    size !== undefined && ([0, 1] as const).every((axis) => axisHoldsPixels(w, axis, [height, width], size))
  );
};

const axisHoldsPixels = (
  w: Window,
  axis: 0 | 1,
  image: readonly [number, number],
  size: readonly [number, number],
): boolean => {
  const first = (o: number): number => o * w.stride[axis] - w.padding[axis];
  // A window that starts in the image holds the pixel there; of those the last starts furthest to the end.
  if (first(size[axis] - 1) >= image[axis]) return false;
  for (let o = 0; o < size[axis] && first(o) < 0; o++) {
    const skipped = Math.ceil(-first(o) / w.dilation[axis]);
    if (skipped >= w.kernel[axis] || first(o) + skipped * w.dilation[axis] >= image[axis]) return false;
  }
  return true;
};

/**
 * Calls `visit(position, group, input, pixel)` for every output place and every input of the layer there, in the
 * order of the inputs: `pixel` is the element of the image [C, H, W], or -1 in the padding.
 */
export const forEachWindowInput = (
  w: Window,
  shape: ReadonlyArray<number>,
  visit: (position: number, group: number, input: number, pixel: number) => void,
): void => {
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const size = windowOutput(w, height, width) ?? [0, 0];
  const area = w.kernel[0] * w.kernel[1];
  const perGroup = channels / w.groups;
  for (let p = 0; p < size[0] * size[1]; p++) {
    const top = Math.floor(p / size[1]) * w.stride[0] - w.padding[0];
    const left = (p % size[1]) * w.stride[1] - w.padding[1];
    for (let c = 0; c < channels; c++) {
      const group = Math.floor(c / perGroup);
      for (let tap = 0; tap < area; tap++) {
        const y = top + Math.floor(tap / w.kernel[1]) * w.dilation[0];
        const x = left + (tap % w.kernel[1]) * w.dilation[1];
        const inside = y >= 0 && y < height && x >= 0 && x < width;
        visit(p, group, c * area + tap, inside ? (c * height + y) * width + x : -1);
      }
    }
  }
};
