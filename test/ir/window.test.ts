/** Windows against their definition, place by place. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import {
  everyWindowHoldsPixels,
  forEachTap,
  forEachWindowInput,
  isPadded,
  tapsOf,
  type Window,
  WindowCodec,
  windowOutput,
  windowShape,
} from '../../src/ir/index.js';
import { type Random, randomOf } from '../support/random.js';

const anyWindow = (r: Random): Window => {
  const pair = (lo: number, hi: number): [number, number] => [r.whole(lo, hi), r.whole(lo, hi)];
  const groups = r.whole(1, 3);
  return { kernel: pair(1, 4), stride: pair(1, 4), padding: pair(0, 4), dilation: pair(1, 3), groups };
};

/** Where the window at place o of an axis has its taps; undefined when it reaches over the padded image. */
const tapsAt = (w: Window, axis: 0 | 1, size: number, o: number): ReadonlyArray<number> | undefined => {
  const first = o * w.stride[axis] - w.padding[axis];
  const taps = Array.from({ length: w.kernel[axis] }, (_, k) => first + k * w.dilation[axis]);
  return taps.every((t) => t < size + w.padding[axis]) ? taps : undefined;
};

/** The places of an axis, found one by one. */
const placesOf = (w: Window, axis: 0 | 1, size: number): ReadonlyArray<ReadonlyArray<number>> => {
  const places: Array<ReadonlyArray<number>> = [];
  for (;;) {
    const taps = tapsAt(w, axis, size, places.length);
    if (taps === undefined) return places;
    places.push(taps);
  }
};

const UNIT: Window = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };

describe('windows', () => {
  it('stand where their taps fit, and reach the pixels under them', () => {
    let empty = 0;
    for (let seed = 0; seed < 2000; seed++) {
      const r = randomOf(seed);
      const w = anyWindow(r);
      const [channels, height, width] = [w.groups * r.whole(1, 2), r.whole(1, 7), r.whole(1, 7)];
      const [rows, columns] = [placesOf(w, 0, height), placesOf(w, 1, width)];
      const fits = rows.length > 0 && columns.length > 0;
      expect(windowOutput(w, height, width)).toStrictEqual(fits ? [rows.length, columns.length] : undefined);

      const inside = (taps: ReadonlyArray<number>, size: number): boolean =>
        taps.some((t) => t >= 0 && t < size);
      const holds = fits && rows.every((t) => inside(t, height)) && columns.every((t) => inside(t, width));
      if (fits && !holds) empty++;
      expect(everyWindowHoldsPixels(w, height, width), `seed ${seed}`).toBe(holds);

      const taps: number[][] = [];
      const inputs: number[][] = [];
      for (const [oy, ys] of rows.entries()) {
        for (const [ox, xs] of columns.entries()) {
          const position = oy * columns.length + ox;
          const under = ys.flatMap((y, ky) => xs.map((x, kx) => [ky * w.kernel[1] + kx, y, x] as const));
          const seen = ([, y, x]: readonly [number, number, number]): boolean =>
            y >= 0 && y < height && x >= 0 && x < width;
          for (const tap of under) if (seen(tap)) taps.push([position, ...tap]);
          for (let c = 0; c < channels; c++) {
            for (const tap of under) {
              const pixel = seen(tap) ? (c * height + tap[1]) * width + tap[2] : -1;
              const group = Math.floor((c * w.groups) / channels);
              inputs.push([position, group, c * under.length + tap[0], pixel]);
            }
          }
        }
      }
      const foundTaps: number[][] = [];
      forEachTap(w, height, width, (...tap) => foundTaps.push(tap));
      expect(foundTaps).toStrictEqual(taps);
      const foundInputs: number[][] = [];
      forEachWindowInput(w, [channels, height, width], (...input) => foundInputs.push(input));
      expect(foundInputs).toStrictEqual(inputs);
      expect(tapsOf(w, channels)).toBe((channels / w.groups) * w.kernel[0] * w.kernel[1]);
      expect(inputs.every((i) => i[3]! >= 0) || isPadded(w)).toBe(true);
    }
    expect(empty).toBeGreaterThan(50);
  });

  it('give images of outputs, or say why not', () => {
    expect(windowShape({ ...UNIT, kernel: [3, 2], stride: [2, 1] }, [4, 7, 5], 6)).toStrictEqual(
      E.right([6, 3, 4]),
    );
    expect(windowShape(UNIT, [4, 7], 6)).toMatchObject({
      left: expect.stringMatching(/needs a value of shape/),
    });
    expect(windowShape({ ...UNIT, groups: 3 }, [4, 7, 5], 6)).toMatchObject({
      left: expect.stringMatching(/4 channels .* do not split into 3 groups/),
    });
    expect(windowShape({ ...UNIT, kernel: [8, 1] }, [4, 7, 5], 6)).toMatchObject({
      left: expect.stringMatching(/8x1 window does not fit a 7x5 image/),
    });
    expect(windowShape({ ...UNIT, padding: [65535, 65535] }, [1, 1, 1], 1)).toMatchObject({
      left: expect.stringMatching(/131071x131071 windows of 1 outputs are more than/),
    });
    expect(windowShape({ ...UNIT, padding: [20000, 20000] }, [1, 1, 1], 1)).toStrictEqual(
      E.right([1, 40001, 40001]),
    );
  });

  it('that could hold no pixel are found without a look at every place', () => {
    const start = performance.now();
    expect(everyWindowHoldsPixels(UNIT, 2 ** 31 - 1, 1)).toBe(true);
    expect(everyWindowHoldsPixels({ ...UNIT, padding: [65535, 0] }, 2 ** 30, 1)).toBe(false);
    expect(performance.now() - start).toBeLessThan(100);
  });

  it('have pairs of integers', () => {
    expect(WindowCodec.is(UNIT)).toBe(true);
    for (const wrong of [
      { kernel: [0, 1] },
      { kernel: [1] },
      { kernel: [1, 1, 1] },
      { stride: [0, 1] },
      { padding: [-1, 0] },
      { dilation: [1, 0.5] },
      { padding: [65536, 0] },
      { groups: 0 },
      { extra: 1 },
    ]) {
      expect(WindowCodec.is({ ...UNIT, ...wrong }), JSON.stringify(wrong)).toBe(false);
    }
  });
});
