/**
 * Patches that a program gathers by itself: an unfolded image, or a row of channels for each token. Where they lie is
 * found by comparing them; nothing is assumed of their order.
 */
import type { FunctionTable } from '../../functions.js';
import { factorAt, NO_SOURCE, type RowsTerm } from '../../traced.js';
import type { WindowForm } from './form.js';

/** Where sources lie. */
export interface Image {
  readonly shape: readonly [channels: number, height: number, width: number];
  /** The place of a source, row-major; -1 for sources that are not in it. */
  readonly placeOf: (source: number) => number;
}

const UNSET = -0x40000000;

/** The places of taps relative to the corner of their patch, as far as they are known. */
interface Taps {
  readonly dc: Int32Array;
  readonly dy: Int32Array;
  readonly dx: Int32Array;
}

/**
 * Corners of patches and distances of taps from them, so that each source is where its patch and tap say; undefined
 * where there are none. `corners` is [patches, 3].
 */
const aligned = (
  image: Image,
  { operand, offset, tap }: RowsTerm,
  patches: Int32Array,
): { taps: Taps; corners: Int32Array } | undefined => {
  const [, height, width] = image.shape;
  const unset = (): Int32Array => new Int32Array(tap.length).fill(UNSET);
  const taps: Taps = { dc: unset(), dy: unset(), dx: unset() };
  const corners = new Int32Array(patches.length * 3);
  const varying = Array.from(patches, (p) => {
    let n = 0;
    for (const t of tap) if (operand.source[offset[p]! + t]! >= 0) n++;
    return n;
  });
  // The fullest patch first: it tells the most distances.
  const order = [...patches.keys()].sort((a, b) => varying[b]! - varying[a]!);
  for (const [turn, i] of order.entries()) {
    const from = offset[patches[i]!]!;
    let corner: readonly [number, number, number] | undefined = turn === 0 ? [0, 0, 0] : undefined;
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < tap.length; j++) {
        const s = operand.source[from + tap[j]!]!;
        if (s === NO_SOURCE) continue;
        const place = image.placeOf(s);
        if (place < 0) return undefined;
        const [c, y, x] = [
          Math.floor(place / (height * width)),
          Math.floor(place / width) % height,
          place % width,
        ];
        if (taps.dy[j] === UNSET) {
          if (corner === undefined) continue;
          taps.dc[j] = c - corner[0];
          taps.dy[j] = y - corner[1];
          taps.dx[j] = x - corner[2];
        } else if (corner === undefined) {
          corner = [c - taps.dc[j]!, y - taps.dy[j]!, x - taps.dx[j]!];
        } else if (
          c !== corner[0] + taps.dc[j]! ||
          y !== corner[1] + taps.dy[j]! ||
          x !== corner[2] + taps.dx[j]!
        ) {
          return undefined;
        }
      }
      if (turn === 0) break;
    }
    if (corner === undefined) return undefined;
    corners.set(corner, i * 3);
  }
  return taps.dy.includes(UNSET) ? undefined : { taps, corners };
};

const least = (values: Int32Array): number => values.reduce((n, v) => Math.min(n, v), values[0] ?? 0);

/** Functions of taps by group, the same in all patches of the group; undefined where they differ. */
const functionsOf = (
  { operand, offset, tap }: RowsTerm,
  patches: Int32Array,
  group: Int32Array,
  groups: number,
): { fn: Int32Array; factor: Float64Array } | undefined => {
  const fn = new Int32Array(groups * tap.length).fill(-1);
  const factor = new Float64Array(groups * tap.length).fill(1);
  for (let i = 0; i < patches.length; i++) {
    const from = offset[patches[i]!]!;
    for (let j = 0; j < tap.length; j++) {
      const u = from + tap[j]!;
      if (operand.source[u] === NO_SOURCE) continue;
      const at = group[i]! * tap.length + j;
      if (fn[at]! < 0) {
        fn[at] = operand.fn[u]!;
        factor[at] = factorAt(operand, u);
      } else if (fn[at] !== operand.fn[u] || factor[at] !== factorAt(operand, u)) return undefined;
    }
  }
  return fn.includes(-1) ? undefined : { fn, factor };
};

/**
 * Constants stand exactly where taps lie outside of the image: zeros, which is what a window sees there, or the
 * functions of a zero with which the image itself was padded. Undefined where they are neither.
 */
const outsideOf = (
  table: FunctionTable,
  { operand, offset, tap }: RowsTerm,
  patches: Int32Array,
  form: Omit<WindowForm, 'outside'>,
): WindowForm['outside'] | undefined => {
  const used = [...new Set(form.fn)];
  const atZero = table.evaluator(used);
  atZero.evaluate(0);
  const ofZero = new Map(used.map((f, i) => [f, atZero.values[i]!]));
  let [zeros, ofZeros] = [true, true];
  for (let i = 0; i < patches.length; i++) {
    const from = offset[patches[i]!]!;
    for (let j = 0; j < tap.length; j++) {
      const u = from + tap[j]!;
      const y = form.y[i]! + form.dy[j]!;
      const x = form.x[i]! + form.dx[j]!;
      const inside = y >= 0 && y < form.height && x >= 0 && x < form.width;
      if (inside !== operand.source[u]! >= 0) return undefined;
      if (inside) continue;
      const value = factorAt(operand, u) * (table.constantOf(operand.fn[u]!) ?? Number.NaN);
      const at = form.group[i]! * form.taps + j;
      const expected = form.factor[at]! * ofZero.get(form.fn[at]!)!;
      if (value !== 0) zeros = false;
      if (!(Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected)))) ofZeros = false;
    }
  }
  return zeros ? (ofZeros ? 'either' : 'nothing') : ofZeros ? 'zero' : undefined;
};

/** The form of patches over an image of sources; undefined where they are no windows of it. */
export const patchForm = (
  table: FunctionTable,
  image: Image,
  sources: Int32Array,
  term: RowsTerm,
  patches: Int32Array,
): WindowForm | undefined => {
  const found = aligned(image, term, patches);
  if (found === undefined) return undefined;
  const { taps, corners } = found;
  const [channels, height, width] = image.shape;
  const { length } = term.tap;
  const shifts = [...new Set(Array.from(patches, (_, i) => corners[i * 3]!))].sort((a, b) => a - b);
  const group = Int32Array.from(patches, (_, i) => shifts.indexOf(corners[i * 3]!));
  const functions = functionsOf(term, patches, group, shifts.length);
  if (functions === undefined) return undefined;
  const [lowY, lowX] = [least(taps.dy), least(taps.dx)];
  const form: Omit<WindowForm, 'outside'> = {
    channels,
    height,
    width,
    sources,
    y: Int32Array.from(patches, (_, i) => corners[i * 3 + 1]! + lowY),
    x: Int32Array.from(patches, (_, i) => corners[i * 3 + 2]! + lowX),
    group,
    groups: shifts.length,
    taps: length,
    channel: Int32Array.from(
      { length: shifts.length * length },
      (_, k) => shifts[Math.floor(k / length)]! + taps.dc[k % length]!,
    ),
    dy: taps.dy.map((d) => d - lowY),
    dx: taps.dx.map((d) => d - lowX),
    ...functions,
  };
  const outside = outsideOf(table, term, patches, form);
  return outside === undefined ? undefined : { ...form, outside };
};
