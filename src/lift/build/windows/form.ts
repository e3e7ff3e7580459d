/** How the patches of a term read an image. */
import { type WindowAxis, windowCount } from '../../../ir/window.js';

/**
 * An image of sources, and patches of it. Channel c of the image at (y, x) is source `sources[(c * height + y) * width +
 * x]`. Patch p has its corner at (y[p], x[p]), which may lie outside of the
 * image, and belongs to group[p]. Tap j of a patch of group g reads channel[g * taps + j] at dy[j], dx[j] from the corner,
 * through function fn[g * taps + j] times factor[g * taps + j].
 */
export interface WindowForm {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly sources: Int32Array;
  readonly y: Int32Array;
  readonly x: Int32Array;
  readonly group: Int32Array;
  readonly groups: number;
  readonly taps: number;
  readonly channel: Int32Array;
  readonly dy: Int32Array;
  readonly dx: Int32Array;
  readonly fn: Int32Array;
  readonly factor: Float64Array;
  /**
   * What taps outside of the image see: nothing, or the zeros with which the image was padded before its functions were
   * taken; `either` where all functions of a zero are 0.
   */
  readonly outside: 'nothing' | 'zero' | 'either';
}

/** One axis of windows, as the IR has them: symmetric padding, and taps that may have no weight. */
export interface Axis extends WindowAxis {
  /** How many windows there are. */
  readonly count: number;
  /** The kernel place of a tap at this distance from the corner of its patch. */
  readonly placeOf: (distance: number) => number;
  /** The number of the window whose corner is here. */
  readonly indexOf: (corner: number) => number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

const distinct = (values: Int32Array): ReadonlyArray<number> => [...new Set(values)].sort((a, b) => a - b);

/**
 * The axis on which corners and distances lie; undefined where corners are not equally far from each other. Padding
 * is the same on both sides in the IR, so that a kernel may be longer than the taps it has: the others are 0.
 */
export const axisOf = (corners: Int32Array, distances: Int32Array, size: number): Axis | undefined => {
  const at = distinct(corners);
  const first = at[0] ?? 0;
  const stride = at.length > 1 ? at[1]! - first : 1;
  if (at.some((corner, i) => corner !== first + i * stride)) return undefined;
  const far = distinct(distances);
  const dilation = Math.max(
    1,
    far.reduce((n, d) => gcd(n, d), 0),
  );
  const reach = far.at(-1) ?? 0;
  const count = (kernel: number, padding: number): number =>
    windowCount(size, { kernel, stride, padding, dilation });
  for (let padding = Math.max(0, -first); padding <= Math.max(0, -first) + stride + dilation; padding++) {
    const lead = padding + first;
    if (lead % dilation !== 0) continue;
    const least = (reach + lead) / dilation + 1;
    for (let kernel = least; count(kernel, padding) >= at.length; kernel++) {
      if (count(kernel, padding) > at.length) continue;
      return {
        kernel,
        stride,
        padding,
        dilation,
        count: at.length,
        placeOf: (distance) => (distance + lead) / dilation,
        indexOf: (corner) => (corner - first) / stride,
      };
    }
  }
  return undefined;
};
