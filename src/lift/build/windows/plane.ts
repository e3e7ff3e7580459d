/** Patches that were windows of an image already: where they lie follows from the image. */
import type { FunctionTable } from '../../functions.js';
import { factorAt, NO_SOURCE, type RowsTerm, type Varying } from '../../traced.js';
import type { WindowForm } from './form.js';

/** What is the same at all places of one channel of the operand. */
interface Channel {
  /** Whether its elements depend on nothing. */
  readonly constant: boolean;
  readonly fn: number;
  readonly factor: number;
  /** Where it has sources: rows from top to bottom - 1, columns from left to right - 1. */
  readonly box: readonly [top: number, bottom: number, left: number, right: number];
}

/** A channel whose elements are one function of sources in a rectangle, and 0 around it; undefined for others. */
const channelAt = (
  table: FunctionTable,
  v: Varying,
  start: number,
  [height, width]: readonly [number, number],
): Channel | undefined => {
  let [top, bottom, left, right] = [height, 0, width, 0];
  let fn = -1;
  let factor = 1;
  const isZero = (u: number): boolean => factorAt(v, u) * (table.constantOf(v.fn[u]!) ?? Number.NaN) === 0;
  const plane = v.source.subarray(start, start + height * width);
  const constant = plane.every((s) => s === NO_SOURCE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = start + y * width + x;
      if (v.source[u] === NO_SOURCE && (!constant || isZero(u))) {
        if (!isZero(u)) return undefined;
        continue;
      }
      if (fn < 0) {
        fn = v.fn[u]!;
        factor = factorAt(v, u);
      } else if (fn !== v.fn[u] || factor !== factorAt(v, u)) return undefined;
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
    }
  }
  return fn < 0 ? undefined : { constant, fn, factor, box: [top, bottom, left, right] };
};

/** The form of a term over an image; undefined where its channels are not alike everywhere. */
export const planeForm = (
  table: FunctionTable,
  { operand, offset, tap, plane }: RowsTerm,
  patches: Int32Array,
): WindowForm | undefined => {
  if (plane === undefined) return undefined;
  const [height, width] = plane;
  const area = height * width;
  const starts = [...new Set(Array.from(patches, (p) => Math.floor(offset[p]! / area)))].sort(
    (a, b) => a - b,
  );
  const known = new Map<number, Channel>();
  for (const start of starts) {
    for (const t of tap) {
      const number = start + Math.floor(t / area);
      if (known.has(number)) continue;
      const channel = channelAt(table, operand, number * area, plane);
      if (channel === undefined) return undefined;
      known.set(number, channel);
    }
  }
  const first = [...known.values()].find(({ constant }) => !constant);
  if (first === undefined) return undefined;
  const [top, bottom, left, right] = first.box;
  if ([...known.values()].some(({ box }) => box.some((b, i) => b !== first.box[i]))) return undefined;
  const image = imageOf(operand, known, plane, first.box);
  if (image === undefined) return undefined;
  const groupOf = new Map(starts.map((start, g) => [start, g]));
  const numbers = starts.flatMap((start) => Array.from(tap, (t) => start + Math.floor(t / area)));
  return {
    channels: image.channels,
    height: bottom - top,
    width: right - left,
    sources: image.sources,
    y: Int32Array.from(patches, (p) => Math.floor((offset[p]! % area) / width) - top),
    x: Int32Array.from(patches, (p) => (offset[p]! % width) - left),
    group: Int32Array.from(patches, (p) => groupOf.get(Math.floor(offset[p]! / area))!),
    groups: starts.length,
    taps: tap.length,
    channel: Int32Array.from(numbers, (n) => image.channelOf.get(n)!),
    dy: tap.map((t) => Math.floor((t % area) / width)),
    dx: tap.map((t) => t % width),
    fn: Int32Array.from(numbers, (n) => known.get(n)!.fn),
    factor: Float64Array.from(numbers, (n) => known.get(n)!.factor),
    outside: 'nothing',
  };
};

/** The channels of sources that channels of the operand are functions of, and which is whose. */
const imageOf = (
  v: Varying,
  channels: ReadonlyMap<number, Channel>,
  [height, width]: readonly [number, number],
  [top, bottom, left, right]: Channel['box'],
): { channels: number; sources: Int32Array; channelOf: ReadonlyMap<number, number> } | undefined => {
  const area = height * width;
  const byCorner = new Map<number, number>();
  const channelOf = new Map<number, number>();
  const planes: Int32Array[] = [];
  for (const number of [...channels.keys()].sort((a, b) => a - b)) {
    // A constant is a function of whatever there is.
    if (channels.get(number)!.constant) {
      channelOf.set(number, 0);
      continue;
    }
    const sources = new Int32Array((bottom - top) * (right - left));
    for (let y = top, i = 0; y < bottom; y++) {
      for (let x = left; x < right; x++, i++) sources[i] = v.source[number * area + y * width + x]!;
    }
    // A hole in the image is no image.
    if (sources.includes(NO_SOURCE)) return undefined;
    const corner = sources[0]!;
    const known = byCorner.get(corner);
    if (known !== undefined) {
      const same = planes[known]!;
      if (sources.some((s, i) => s !== same[i])) return undefined;
      channelOf.set(number, known);
      continue;
    }
    byCorner.set(corner, planes.length);
    channelOf.set(number, planes.length);
    planes.push(sources);
  }
  const size = planes[0]?.length ?? 0;
  const all = new Int32Array(planes.length * size);
  for (const [c, plane] of planes.entries()) all.set(plane, c * size);
  return { channels: planes.length, sources: all, channelOf };
};
