/**
 * Pooling of accumulators: sums or maxima over windows, four channels at a time. The taps of a window that lie in
 * the image are a run along each axis, so positions only need where a run starts and how long it is.
 */
import type { Body } from '../../../code/language.js';
import { windowOutput } from '../../../ir/window.js';
import { type Asm, addressIn, type Expr, type Local, repeat, rounds, scaled } from '../asm.js';
import { type Addresses, type Bound, type Kernel, type KernelBase, withBlocks } from '../kernel.js';
import { blockOf, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';

const LANES = 4;

type Windows = Extract<Body, { readonly _tag: 'windows' }>;

export const poolWindows = (
  base: KernelBase,
  form: string,
  { window: w, reduce }: Windows,
  shape: ReadonlyArray<number>,
  source: Storage,
  result: Storage,
): Kernel => {
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const size = windowOutput(w, height, width) ?? [0, 0];
  const pixel = channels * storageBytes(source);
  const blocks = {
    rows: blockOf(runs(w, 0, size[0], height, width * pixel)),
    columns: blockOf(runs(w, 1, size[1], width, pixel)),
  };
  return {
    ...base,
    result,
    // Positions are written in order, whole vectors each.
    reach: base.length + 8,
    ...withBlocks(blocks, (asm, bound) =>
      emit(asm, bound, {
        reduce,
        source,
        result,
        channels,
        rows: size[0],
        columns: size[1],
        rowStep: w.dilation[0] * width * pixel,
        columnStep: w.dilation[1] * pixel,
      }),
    ),
    summary: {
      op: 'pool',
      form: `${form}, ${w.kernel.join('x')}`,
      inputs: channels,
      outputs: channels,
    },
  };
};

/** By position along an axis, two words: byte offset of the first tap in the image, and how many there are. */
const runs = (
  w: Windows['window'],
  axis: 0 | 1,
  positions: number,
  size: number,
  bytes: number,
): Uint32Array => {
  const words = new Uint32Array(2 * positions);
  for (let o = 0; o < positions; o++) {
    const inside = Array.from(
      { length: w.kernel[axis] },
      (_, k) => o * w.stride[axis] - w.padding[axis] + k * w.dilation[axis],
    ).filter((at) => at >= 0 && at < size);
    words[2 * o] = (inside[0] ?? 0) * bytes;
    words[2 * o + 1] = inside.length;
  }
  return words;
};

interface Shape {
  readonly reduce: Windows['reduce'];
  readonly source: Storage;
  readonly result: Storage;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

const emit = (asm: Asm, bound: Bound<Addresses<'rows' | 'columns'>>, s: Shape): ReadonlyArray<Expr> => {
  const { m } = asm;
  const [target, first, count] = [asm.i32(), asm.i32(), asm.i32()];
  const [rowsLeft, columnsLeft, row, at] = [asm.i32(), asm.i32(), asm.i32(), asm.i32()];
  const sum = asm.v128();
  const resultBytes = storageBytes(s.result);
  const rowWord = (y: () => Expr, word: 0 | 1): Expr =>
    m.i32.load(bound.blocks.rows + 4 * word, 4, scaled(m, y(), 8));
  const columnWord = (x: () => Expr, word: 0 | 1): Expr =>
    m.i32.load(bound.blocks.columns + 4 * word, 4, scaled(m, x(), 8));
  const source = addressIn(asm, bound.source, () => at.get());
  const take = (): Expr => {
    const value = loadAccumulators(asm, s.source, source);
    return sum.set(s.reduce === 'max' ? m.i32x4.max_s(sum.get(), value) : m.i32x4.add(sum.get(), value));
  };
  const countdown = (local: Local, body: ReadonlyArray<Expr>): Expr =>
    repeat(asm, local, -1, () => m.i32.const(0), body);
  const window = (x: () => Expr, y: () => Expr): Expr =>
    m.if(
      count.get(),
      m.block(null, [
        sum.set(m.i32x4.splat(m.i32.const(s.reduce === 'max' ? -(2 ** 31) : 0))),
        rowsLeft.set(rowWord(y, 1)),
        row.set(first.get()),
        countdown(rowsLeft, [
          columnsLeft.set(columnWord(x, 1)),
          at.set(row.get()),
          countdown(columnsLeft, [take(), at.set(m.i32.add(at.get(), m.i32.const(s.columnStep)))]),
          row.set(m.i32.add(row.get(), m.i32.const(s.rowStep))),
        ]),
      ]),
      // A window that lies in the padding altogether.
      sum.set(m.i32x4.splat(m.i32.const(0))),
    );
  const store = (c: () => Expr): Expr => {
    const pointer = (): Expr => m.i32.add(target.get(), scaled(m, c(), resultBytes));
    return s.result === 'i32'
      ? m.v128.store(0, 1, pointer(), sum.get())
      : m.v128.store(0, 1, pointer(), m.i16x8.narrow_i32x4_s(sum.get(), sum.get()));
  };
  return [
    target.set(m.i32.const(bound.target)),
    ...rounds(asm, s.rows, 1, (y) =>
      rounds(asm, s.columns, 1, (x) => [
        count.set(m.i32.mul(rowWord(y, 1), columnWord(x, 1))),
        ...rounds(asm, Math.ceil(s.channels / LANES), LANES, (c) => [
          first.set(
            m.i32.add(m.i32.add(rowWord(y, 0), columnWord(x, 0)), scaled(m, c(), storageBytes(s.source))),
          ),
          window(x, y),
          store(c),
        ]),
        target.set(m.i32.add(target.get(), m.i32.const(s.channels * resultBytes))),
      ]),
    ),
  ];
};
