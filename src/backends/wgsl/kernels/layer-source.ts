/**
 * Which codes a layer reads. A plain layer reads element `tap` of its operand. Over windows an item belongs to a
 * position and a group of channels; input `tap` of a group is a pixel at a distance from the first of the window,
 * which a list has, and may lie in the padding.
 */

import type { ValueType } from '../../../ir/types.js';
import { isPadded, tapsOf, type Window } from '../../../ir/window.js';
import { type Access, constantAt, i, type Text, u } from '../kernel.js';
import { integers, type Section } from '../words.js';

export interface LayerSource {
  readonly groups: number;
  /** Inputs of a group. */
  readonly taps: number;
  readonly positions: number;
  /** Words that the layer's constants must have. */
  readonly section: Section | undefined;
  /** Declares what `read` needs of `position` and `group`: once for an item. */
  readonly prepare: ReadonlyArray<Text>;
  /**
   * Statements that declare `code`. `section`: where the words above stand. `outside`: the code in the padding, or
   * undefined to declare `inside` too and leave the code at 0 there.
   */
  readonly read: (access: Access, section: number, outside: number | undefined) => ReadonlyArray<Text>;
  /** Whether `read` declares `inside`. */
  readonly padded: boolean;
}

/** `type`: of the result. */
export const layerSource = (window: Window | undefined, operand: ValueType, type: ValueType): LayerSource => {
  if (window === undefined) {
    return {
      groups: 1,
      taps: operand.shape[0]!,
      positions: 1,
      section: undefined,
      prepare: [],
      read: (access) => [`let code = ${access.word(0, 'tap')};`],
      padded: false,
    };
  }
  const [channels, height, width] = [operand.shape[0]!, operand.shape[1]!, operand.shape[2]!];
  const columns = type.shape[2]!;
  const area = window.kernel[0] * window.kernel[1];
  const taps = tapsOf(window, channels);
  const padded = isPadded(window);
  // The distance of the pixel in rows, in columns, and the first element of the channel in the group.
  const list = new Uint32Array(3 * taps);
  for (let t = 0; t < taps; t++) {
    list[3 * t] = Math.floor((t % area) / window.kernel[1]) * window.dilation[0];
    list[3 * t + 1] = ((t % area) % window.kernel[1]) * window.dilation[1];
    list[3 * t + 2] = Math.floor(t / area) * height * width;
  }
  const first = window.groups === 1 ? '' : ` + group * ${u((channels / window.groups) * height * width)}`;
  return {
    groups: window.groups,
    taps,
    positions: type.shape[1]! * columns,
    section: integers(list),
    prepare: [
      `let top = i32(position / ${u(columns)}) * ${i(window.stride[0])} - ${i(window.padding[0])};`,
      `let left = i32(position % ${u(columns)}) * ${i(window.stride[1])} - ${i(window.padding[1])};`,
    ],
    read: (access, section, outside) => {
      const entry = (k: number): Text =>
        constantAt(`${access.section(section)} + 3u * tap${k === 0 ? '' : ` + ${k}u`}`);
      const pixel = access.word(0, `${entry(2)} + y * ${u(width)} + x${first}`);
      return [
        // Above and left of the image these are beyond its size, as u32.
        `let y = u32(top) + ${entry(0)};`,
        `let x = u32(left) + ${entry(1)};`,
        ...(padded
          ? [
              `let inside = y < ${u(height)} && x < ${u(width)};`,
              `var code = ${u(outside ?? 0)};`,
              `if (inside) { code = ${pixel}; }`,
            ]
          : [`let code = ${pixel};`]),
      ];
    },
    padded,
  };
};

/** Splits the inputs of a group so that no part has more than `limit` words; undefined where one input has more. */
export const splitTaps = (
  taps: number,
  wordsPerTap: number,
  limit: number,
): ReadonlyArray<readonly [from: number, to: number]> | undefined => {
  const each = Math.floor(limit / wordsPerTap);
  if (each < 1) return undefined;
  const parts = Math.ceil(taps / each);
  // Parts of about the same size.
  const size = Math.ceil(taps / parts);
  return Array.from({ length: Math.ceil(taps / size) }, (_, k) => [k * size, Math.min(taps, (k + 1) * size)]);
};
