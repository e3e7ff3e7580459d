/**
 * Layers over windows, without building patches: at every position a layer reads its codes at fixed distances from
 * the first pixel of the window, so the kernels of plain layers only need another place to read from and another
 * place to write to.
 *
 * Padding: the image is copied into a frame of code 0, so that every tap of every window has a code. What taps in
 * the frame add too much, or what they should add instead, depends only on which taps they are: positions fall into
 * a few *classes* (nine for a 3x3 kernel with a frame of one pixel), and accumulators start at constants of their
 * class.
 */
import { tapsOf, type Window, windowOutput } from '../../../ir/window.js';
import { type Asm, type Expr, fixed, type Place, rounds, scaled } from '../asm.js';

export interface WindowGeometry {
  readonly groups: number;
  /** Inputs of one group: taps times channels. */
  readonly taps: number;
  /** Kernel places. */
  readonly area: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Rows and columns of the frame on each side. */
  readonly frame: readonly [number, number];
  /** By input of a group: distance from the first channel of the group at the first pixel, in elements. */
  readonly offsets: Uint32Array;
  /** By position: distance of its first pixel from the first of the framed image, in elements. */
  readonly starts: Uint32Array;
  /** By position: its class. */
  readonly classOf: Uint32Array;
  /** By class: the kernel places that lie in the frame. */
  readonly outside: ReadonlyArray<ReadonlyArray<number>>;
}

/** `shape`: [C, H, W], which the window fits. */
export const windowGeometry = (w: Window, shape: ReadonlyArray<number>): WindowGeometry => {
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const [outHeight, outWidth] = windowOutput(w, height, width) ?? [0, 0];
  const [kh, kw] = w.kernel;
  const area = kh * kw;
  const taps = tapsOf(w, channels);
  const rowPixels = width + 2 * w.padding[1];
  const offsets = Uint32Array.from({ length: taps }, (_, t) => {
    const [c, place] = [Math.floor(t / area), t % area];
    const pixel = Math.floor(place / kw) * w.dilation[0] * rowPixels + (place % kw) * w.dilation[1];
    return pixel * channels + c;
  });
  const rows = axisClasses(w, 0, outHeight, height);
  const columns = axisClasses(w, 1, outWidth, width);
  const starts = new Uint32Array(outHeight * outWidth);
  const classOf = new Uint32Array(outHeight * outWidth);
  for (let oy = 0; oy < outHeight; oy++) {
    for (let ox = 0; ox < outWidth; ox++) {
      const p = oy * outWidth + ox;
      starts[p] = (oy * w.stride[0] * rowPixels + ox * w.stride[1]) * channels;
      classOf[p] = rows.classOf[oy]! * columns.outside.length + columns.classOf[ox]!;
    }
  }
  const outside = rows.outside.flatMap((ys) =>
    columns.outside.map((xs) =>
      Array.from({ length: area }, (_, place) => place).filter(
        (place) => ys.has(Math.floor(place / kw)) || xs.has(place % kw),
      ),
    ),
  );
  const { groups, padding: frame } = w;
  return { groups, taps, area, channels, height, width, frame, offsets, starts, classOf, outside };
};

/** Positions along one axis by which kernel rows (or columns) lie outside of the image. */
const axisClasses = (w: Window, axis: 0 | 1, positions: number, size: number) => {
  const known = new Map<string, number>();
  const outside: Set<number>[] = [];
  const classOf = Array.from({ length: positions }, (_, o) => {
    const beyond = Array.from({ length: w.kernel[axis] }, (_, k) => k).filter((k) => {
      const at = o * w.stride[axis] - w.padding[axis] + k * w.dilation[axis];
      return at < 0 || at >= size;
    });
    const key = beyond.join();
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, outside.length);
    return outside.push(new Set(beyond)) - 1;
  });
  return { classOf, outside };
};

export const isFramed = (g: WindowGeometry): boolean => g.frame[0] > 0 || g.frame[1] > 0;

const framedPixels = (g: WindowGeometry): number => (g.height + 2 * g.frame[0]) * (g.width + 2 * g.frame[1]);

/** Bytes of the framed copy; 0 when the image is read where it lies. */
export const frameBytes = (g: WindowGeometry, codeBytes: number): number =>
  isFramed(g) ? framedPixels(g) * g.channels * codeBytes : 0;

/** Copies the image of a window that has one into its frame at `scratch`; gives the place to read from. */
export const emitFrame = (
  asm: Asm,
  g: WindowGeometry | undefined,
  codeBytes: number,
  source: Place,
  scratch: number,
): { readonly place: Place; readonly code: ReadonlyArray<Expr> } => {
  if (g === undefined || !isFramed(g)) return { place: source, code: [] };
  const { m } = asm;
  const pixel = g.channels * codeBytes;
  const stride = (g.width + 2 * g.frame[1]) * pixel;
  const first = scratch + g.frame[0] * stride + g.frame[1] * pixel;
  const from = (offset: Expr): Expr =>
    source._tag === 'fixed' ? m.i32.add(offset, m.i32.const(source.address)) : m.i32.add(offset, asm.input());
  const code = rounds(asm, g.height, 1, (y) => [
    m.memory.copy(
      m.i32.add(scaled(m, y(), stride), m.i32.const(first)),
      from(scaled(m, y(), g.width * pixel)),
      m.i32.const(g.width * pixel),
    ),
  ]);
  return { place: fixed(scratch), code };
};

/**
 * Where accumulators start: [class, output], from what they start at inside and from what each kernel place adds in
 * the frame beyond what the kernel would compute there. `beyond`: [place, output].
 */
export const startsByClass = (
  g: WindowGeometry,
  inside: ArrayLike<number>,
  beyond: Float64Array,
): Float64Array => {
  const outputs = inside.length;
  const result = new Float64Array(g.outside.length * outputs);
  g.outside.forEach((places, k) => {
    for (let o = 0; o < outputs; o++) {
      let sum = inside[o]!;
      for (const place of places) sum += beyond[place * outputs + o]!;
      result[k * outputs + o] = sum;
    }
  });
  return result;
};

/** By position, two words: the byte offset of its first code and that of the constants of its class. */
export const positionWords = (g: WindowGeometry, codeBytes: number, classBytes: number): Uint32Array => {
  const words = new Uint32Array(2 * g.starts.length);
  for (let p = 0; p < g.starts.length; p++) {
    words[2 * p] = g.starts[p]! * codeBytes;
    words[2 * p + 1] = g.classOf[p]! * classBytes;
  }
  return words;
};
