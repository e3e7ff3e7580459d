/** Values side by side along channels: at every position the channels of each, a vector at a time. */
import { type Asm, addressIn, type Expr, type Place, rounds, scaled } from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { type Storage, storageBytes } from '../storage.js';

/** `channels`: of each operand. */
export const concatChannels = (
  base: KernelBase,
  channels: ReadonlyArray<number>,
  storage: Storage,
): Kernel => {
  const bytes = storageBytes(storage);
  const positions = base.length / base.channels;
  return {
    ...base,
    result: storage,
    reach: base.length + 16 / bytes,
    blocks: [],
    emit: (asm, bound) =>
      rounds(asm, positions, 1, (p) => {
        let before = 0;
        return channels.flatMap((count, k) => {
          const to = bound.target + before * bytes;
          before += count;
          return copyRow(asm, bound.sources[k]!, to, p, count * bytes, base.channels * bytes);
        });
      }),
    summary: { op: 'concat', form: 'copy', inputs: base.length, outputs: base.length },
  };
};

/**
 * The row of one operand at a position. A last vector reaches over its end: into the next operand's row or the next
 * position, which are written after it.
 */
const copyRow = (
  asm: Asm,
  source: Place,
  target: number,
  position: () => Expr,
  rowBytes: number,
  resultBytes: number,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  return rounds(asm, Math.ceil(rowBytes / 16), 16, (within) => {
    const from = addressIn(asm, source, () => m.i32.add(scaled(m, position(), rowBytes), within()));
    return [
      m.v128.store(
        target,
        1,
        m.i32.add(scaled(m, position(), resultBytes), within()),
        m.v128.load(from.offset, 1, from.pointer()),
      ),
    ];
  });
};
