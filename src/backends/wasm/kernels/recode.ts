/** Codes to codes through a map, one element at a time (the map of a layer's input is usually fused into the layer). */
import type { RecodeAttrs } from '../../../ir/ops/recode.js';
import { addressIn, type Expr, scaled } from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { blockOf, loadCode, type Storage, storageBytes } from '../storage.js';
import { elementRounds } from './elementwise.js';

export const recodeMap = (base: KernelBase, attrs: RecodeAttrs, source: Storage, result: Storage): Kernel => {
  const [rows, levels] = [attrs.map.shape[0]!, attrs.map.shape[1]!];
  const bytes = storageBytes(result);
  const map = bytes === 1 ? Uint8Array.from(attrs.map.data) : Uint16Array.from(attrs.map.data);
  return {
    ...base,
    result,
    reach: base.length,
    blocks: [blockOf(map)],
    emit: (asm, bound) =>
      elementRounds(asm, base, 1, (index, at) => {
        const { m } = asm;
        const from = addressIn(asm, bound.source, () => scaled(m, index(), storageBytes(source)));
        const code = loadCode(asm, source, from.offset, from.pointer());
        const row = rows === 1 ? code : m.i32.add(code, m.i32.mul(at(), m.i32.const(levels)));
        const next: Expr = loadCode(asm, result, bound.blocks[0]!, scaled(m, row, bytes));
        const to = scaled(m, index(), bytes);
        return [
          bytes === 1 ? m.i32.store8(bound.target, 1, to, next) : m.i32.store16(bound.target, 1, to, next),
        ];
      }),
    summary: {
      op: 'recode',
      form: rows === 1 ? 'map' : 'map per channel',
      inputs: base.length,
      outputs: base.length,
    },
  };
};
