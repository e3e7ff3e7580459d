/**
 * f32 to codes by binary search over the thresholds that define the quantizer. Branch-free: lists are padded
 * with NaN to 2^k - 1 entries (nothing is >= NaN), and each of the k steps adds half of what is left when the
 * threshold is <= x. NaN inputs fail every comparison and keep code 0.
 */
import { f32Data } from '../../../ir/constant.js';
import type { Thresholds } from '../../../ir/quantizer.js';
import { ceilLog2 } from '../../../numeric/fixed-point.js';
import { type Asm, addressIn, type Expr } from '../asm.js';
import { type Addresses, type Bound, type Kernel, type KernelBase, withBlocks } from '../kernel.js';
import { blockOf, type Storage, storageBytes } from '../storage.js';
import { elementRounds } from './elementwise.js';

export const quantizeThresholds = (base: KernelBase, q: Thresholds, result: Storage): Kernel => {
  const count = q.levels - 1;
  const steps = ceilLog2(count + 1);
  const row = 2 ** steps;
  const rows = q.thresholds.shape[0]!;
  const padded = new Float32Array(rows * row).fill(Number.NaN);
  for (let r = 0; r < rows; r++) {
    padded.set(f32Data(q.thresholds).subarray(r * count, (r + 1) * count), r * row);
  }
  const perChannel = rows > 1;
  return {
    ...base,
    result,
    reach: base.length,
    ...withBlocks({ thresholds: blockOf(padded) }, (asm, bound) =>
      emit(asm, bound, base, { result, steps, perChannel }),
    ),
    summary: {
      op: 'quantize',
      form: perChannel ? 'thresholds per channel' : 'thresholds',
      inputs: base.length,
      outputs: base.length,
    },
  };
};

interface Shape {
  readonly result: Storage;
  readonly steps: number;
  readonly perChannel: boolean;
}

const emit = (
  asm: Asm,
  bound: Bound<Addresses<'thresholds'>>,
  base: KernelBase,
  shape: Shape,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const x = asm.f32();
  // `position` is 4 * code: the byte offset of the next threshold, relative to the list of the channel.
  const position = asm.i32();
  const bytes = storageBytes(shape.result);
  const rowBytes = 4 * 2 ** shape.steps;
  return elementRounds(asm, base, 1, (index, at) => {
    const source = addressIn(asm, bound.source, () => m.i32.shl(index(), m.i32.const(2)));
    const list = shape.perChannel
      ? (): Expr => m.i32.add(position.get(), m.i32.mul(at(), m.i32.const(rowBytes)))
      : position.get;
    const step = (k: number): Expr => {
      const half = 4 * 2 ** k;
      const met = m.f32.le(m.f32.load(bound.blocks.thresholds + half - 4, 1, list()), x.get());
      return position.set(m.i32.add(position.get(), m.i32.shl(met, m.i32.const(k + 2))));
    };
    const target = { pointer: () => m.i32.mul(index(), m.i32.const(bytes)), offset: bound.target };
    const code = m.i32.shr_u(position.get(), m.i32.const(2));
    return [
      x.set(m.f32.load(source.offset, 1, source.pointer())),
      position.set(m.i32.const(0)),
      ...Array.from({ length: shape.steps }, (_, s) => step(shape.steps - 1 - s)),
      bytes === 1
        ? m.i32.store8(target.offset, 1, target.pointer(), code)
        : m.i32.store16(target.offset, 1, target.pointer(), code),
    ];
  });
};
