/**
 * Accumulators to codes by integer thresholds.
 *
 * Few levels: every threshold is compared with sixteen values at once, and the comparisons that hold are counted.
 * Many: a branch-free binary search for each value. Its lists are padded to 2^k - 1 entries with 2^31 - 1, which is
 * <= an accumulator of 2^31 - 1 alone: then all thresholds are, and the code is held down to the top one.
 */
import type { BucketizeAttrs } from '../../../ir/ops/bucketize.js';
import { ceilLog2 } from '../../../numeric/fixed-point.js';
import {
  type Asm,
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  scaled,
  splatI32,
  storeVector,
} from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { blockOf, roundUp, type Storage, storageBytes } from '../storage.js';
import { loadAccumulators } from './accumulators.js';
import { channelTable, elementRounds, tableLength } from './elementwise.js';

const LANES = 16;
/** Thresholds up to which all of them are compared: about where a search takes as long. */
const COMPARED = 31;
/** Entries of tables of all comparisons up to which they stay in the cache. */
const COMPARED_ENTRIES = 2 ** 14;

export const bucketizeCodes = (
  base: KernelBase,
  attrs: BucketizeAttrs,
  source: Storage,
  result: Storage,
): Kernel => {
  const [rows, count] = [attrs.thresholds.shape[0]!, attrs.thresholds.shape[1]!];
  const entries = rows === 1 ? 0 : tableLength(base, LANES) * count;
  return count <= COMPARED && entries <= COMPARED_ENTRIES
    ? compared(base, attrs, source, result)
    : searched(base, attrs, source, result);
};

const summaryOf = (base: KernelBase, rows: number, how: string): Kernel['summary'] => ({
  op: 'bucketize',
  form: rows === 1 ? `thresholds, ${how}` : `thresholds per channel, ${how}`,
  inputs: base.length,
  outputs: base.length,
});

const compared = (
  base: KernelBase,
  { thresholds }: BucketizeAttrs,
  source: Storage,
  result: Storage,
): Kernel => {
  const [rows, count] = [thresholds.shape[0]!, thresholds.shape[1]!];
  const [inBytes, outBytes] = [storageBytes(source), storageBytes(result)];
  const integers = (n: number): Int32Array => new Int32Array(n);
  // One table for each threshold, in which channels stand as elements do.
  const tables =
    rows === 1
      ? []
      : Array.from({ length: count }, (_, k) =>
          blockOf(channelTable(base, LANES, integers, (c) => thresholds.data[c * count + k]!)),
        );
  return {
    ...base,
    result,
    reach: roundUp(base.length, LANES),
    blocks: tables,
    emit: (asm, bound) => {
      const { m } = asm;
      const values = Array.from({ length: LANES / 4 }, () => asm.v128());
      const codes = Array.from({ length: LANES / 4 }, () => asm.v128());
      return elementRounds(asm, base, LANES, (index, at) => {
        const from = addressIn(asm, bound.source, () => scaled(m, index(), inBytes));
        const threshold = (k: number, lane: number): Expr =>
          rows === 1
            ? splatI32(asm, thresholds.data[k]!)
            : loadVector(
                asm,
                plus(
                  addressIn(asm, fixed(bound.blocks[k]!), () => scaled(m, at(), 4)),
                  lane * 4,
                ),
              );
        // A comparison that holds is -1.
        const counted = (k: number): ReadonlyArray<Expr> =>
          codes.map((code, v) =>
            code.set(m.i32x4.sub(code.get(), m.i32x4.ge_s(values[v]!.get(), threshold(k, v * 4)))),
          );
        const pair = (v: number): Expr => m.i16x8.narrow_i32x4_u(codes[v]!.get(), codes[v + 1]!.get());
        const target = { pointer: () => scaled(m, index(), outBytes), offset: bound.target };
        return [
          ...values.map((value, v) => value.set(loadAccumulators(asm, source, plus(from, v * 4 * inBytes)))),
          ...codes.map((code) => code.set(splatI32(asm, 0))),
          ...Array.from({ length: count }, (_, k) => counted(k)).flat(),
          ...(result === 'u8'
            ? [storeVector(asm, target, m.i8x16.narrow_i16x8_u(pair(0), pair(2)))]
            : [storeVector(asm, target, pair(0)), storeVector(asm, plus(target, 16), pair(2))]),
        ];
      });
    },
    summary: summaryOf(base, rows, 'compared'),
  };
};

const searched = (
  base: KernelBase,
  { thresholds }: BucketizeAttrs,
  source: Storage,
  result: Storage,
): Kernel => {
  const [rows, count] = [thresholds.shape[0]!, thresholds.shape[1]!];
  const steps = ceilLog2(count + 1);
  const row = 2 ** steps;
  const padded = new Int32Array(rows * row).fill(2 ** 31 - 1);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < count; k++) padded[r * row + k] = thresholds.data[r * count + k]!;
  }
  const [inBytes, outBytes] = [storageBytes(source), storageBytes(result)];
  return {
    ...base,
    result,
    reach: base.length,
    blocks: [blockOf(padded)],
    emit: (asm, bound) => {
      const { m } = asm;
      const acc = asm.i32();
      // 4 * code: the byte offset of the next threshold, relative to the list of the channel.
      const position = asm.i32();
      return elementRounds(asm, base, 1, (index, at) => {
        const from = addressIn(asm, bound.source, () => scaled(m, index(), inBytes));
        const list = (): Expr =>
          rows === 1 ? position.get() : m.i32.add(position.get(), scaled(m, at(), 4 * row));
        const step = (k: number): Expr => {
          const met = m.i32.le_s(m.i32.load(bound.blocks[0]! + 4 * 2 ** k - 4, 1, list()), acc.get());
          return position.set(m.i32.add(position.get(), m.i32.shl(met, m.i32.const(k + 2))));
        };
        const to = scaled(m, index(), outBytes);
        return [
          acc.set(loadAccumulator(asm, source, from.offset, from.pointer())),
          position.set(m.i32.const(0)),
          ...Array.from({ length: steps }, (_, s) => step(steps - 1 - s)),
          outBytes === 1
            ? m.i32.store8(bound.target, 1, to, heldDown(asm, position.get, count, row))
            : m.i32.store16(bound.target, 1, to, heldDown(asm, position.get, count, row)),
        ];
      });
    },
    summary: summaryOf(base, rows, 'searched'),
  };
};

const loadAccumulator = (asm: Asm, s: Storage, offset: number, pointer: Expr): Expr =>
  s === 'i16' ? asm.m.i32.load16_s(offset, 1, pointer) : asm.m.i32.load(offset, 1, pointer);

/** The code at a position: at most `count`, which a list without padding never exceeds. */
const heldDown = (asm: Asm, position: () => Expr, count: number, row: number): Expr => {
  const { m } = asm;
  const code = (): Expr => m.i32.shr_u(position(), m.i32.const(2));
  if (count === row - 1) return code();
  return m.select(m.i32.gt_u(code(), m.i32.const(count)), m.i32.const(count), code());
};
