/**
 * Loops over the windows of an image. Without line buffers a window reads the image where it lies. With them the
 * image passes once, row by row, through a ring of the rows that windows still need, and every output row is computed
 * when its last row is there: what hardware does, where an image does not fit beside the layer.
 */
import { isPadded, type Window, windowOutput } from '../../../ir/window.js';
import { type Code, loop } from '../code.js';
import { type Dialect, load, type Slot } from '../stage.js';

export interface WindowLoops {
  readonly window: Window;
  /** [C, H, W]. */
  readonly shape: ReadonlyArray<number>;
  readonly input: Slot;
}

/** Height and width of the result. */
export const outputSize = ({ window, shape }: WindowLoops): readonly [number, number] =>
  windowOutput(window, shape[1]!, shape[2]!) ?? [0, 0];

/** Rows between the first and the last row of a window, both counted. */
const spanRows = ({ window }: WindowLoops): number => window.dilation[0] * (window.kernel[0] - 1) + 1;

/** Rows of the ring: the next power of two, so that their index is a few bits of the row's. */
export const ringRows = (loops: WindowLoops): number => 2 ** Math.ceil(Math.log2(spanRows(loops)));

/**
 * `at`: statements for every output position, over `oy`, `ox` and `p` = oy * OW + ox. Taps are read by `tapOf`.
 */
export const overWindows = (d: Dialect, loops: WindowLoops, at: Code): Code => {
  const [height, width] = outputSize(loops);
  const position = width === 1 && height === 1 ? 'oy + ox' : `oy * ${width} + ox`;
  const row = loop('ox', width, [`const int32_t p = ${position};`, ...at]);
  return d.lineBuffers ? withLines(d, loops, row) : loop('oy', height, row);
};

const withLines = (d: Dialect, loops: WindowLoops, row: Code): Code => {
  const { window, shape, input } = loops;
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const [outHeight] = outputSize(loops);
  const [stride, padding, span, ring] = [
    window.stride[0],
    window.padding[0],
    spanRows(loops),
    ringRows(loops),
  ];
  // At row y the window that ends there begins at y - span + 1 = oy * stride - padding.
  const first = Math.min(0, span - 1 - padding);
  const end = Math.max(height, (outHeight - 1) * stride - padding + span);
  const length = width * channels;
  return [
    `${d.element(input.type)} lines[${ring * length}];`,
    `for (int32_t y = ${first}; y < ${end}; y++) {`,
    [
      `const int32_t begun = y + ${padding - span + 1};`,
      `if (y >= 0 && y < ${height}) {`,
      loop(
        'k',
        length,
        [`lines[(y & ${ring - 1}) * ${length} + k] = in0[y * ${length} + k];`],
        d.pragma('HLS PIPELINE II=1'),
      ),
      '}',
      `if (begun >= 0 && begun % ${stride} == 0 && begun / ${stride} < ${outHeight}) {`,
      [`const int32_t oy = begun / ${stride};`, ...row],
      '}',
    ],
    '}',
  ];
};

/** The pixel of a tap: `iy` and `ix` from `ky` and `kx`. */
export const tapPixel = ({ window: w }: WindowLoops): Code => [
  `const int32_t iy = ${affine('oy', w.stride[0], 'ky', w.dilation[0], w.padding[0])};`,
  `const int32_t ix = ${affine('ox', w.stride[1], 'kx', w.dilation[1], w.padding[1])};`,
];

const times = (name: string, factor: number): string => (factor === 1 ? name : `${name} * ${factor}`);

const affine = (o: string, stride: number, k: string, dilation: number, padding: number): string =>
  `${times(o, stride)} + ${times(k, dilation)}${padding === 0 ? '' : ` - ${padding}`}`;

/** Whether a tap lies in the image; undefined where all do. */
export const tapInside = ({ window, shape }: WindowLoops): string | undefined =>
  isPadded(window) ? `iy >= 0 && iy < ${shape[1]} && ix >= 0 && ix < ${shape[2]}` : undefined;

/** What a tap reads, as an int32_t; `channel` is code. */
export const tapRead = (d: Dialect, loops: WindowLoops, channel: string): string => {
  const [channels, , width] = [loops.shape[0]!, loops.shape[1]!, loops.shape[2]!];
  const column = channels === 1 ? 'ix' : `ix * ${channels} + ${channel}`;
  return d.lineBuffers
    ? load(`lines[(iy & ${ringRows(loops) - 1}) * ${width * channels} + ${column}]`)
    : load(`in0[iy * ${width * channels} + ${column}]`);
};
