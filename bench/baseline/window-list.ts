/** The taps of every window as a list, so that padding costs nothing: no tap outside of the image is visited. */
import { forEachTap, type Window, windowOutput } from '../../src/ir/window.js';

export interface WindowList {
  /** Where the taps of each position begin, in bytes, and where the last end. */
  readonly starts: Int32Array;
  /** For each tap four times its pixel, and its number in the kernel. */
  readonly entries: Int32Array;
  readonly someEmpty: boolean;
}

/** Bytes of an entry. */
export const ENTRY = 8;

const made = new Map<string, WindowList>();

/** Layers of the same geometry share their list. */
export const windowList = (w: Window, shape: ReadonlyArray<number>): WindowList => {
  const [height, width] = [shape[1]!, shape[2]!];
  const { kernel, stride, padding, dilation } = w;
  const key = JSON.stringify([kernel, stride, padding, dilation, height, width]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const size = windowOutput(w, height, width) ?? [0, 0];
  const starts = new Int32Array(size[0] * size[1] + 1);
  const entries: number[] = [];
  forEachTap(w, height, width, (position, tap, y, x) => {
    entries.push(4 * (y * width + x), tap);
    starts[position + 1] = 4 * entries.length;
  });
  for (let p = 1; p < starts.length; p++) starts[p] = Math.max(starts[p]!, starts[p - 1]!);
  const someEmpty = starts.some((s, p) => p > 0 && s === starts[p - 1]);
  const list = { starts, entries: Int32Array.from(entries), someEmpty };
  made.set(key, list);
  return list;
};
