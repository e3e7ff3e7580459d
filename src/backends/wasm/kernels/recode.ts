/**
 * Codes to codes through a map: sixteen at a time where it is linear, else one element at a time. (The map of a layer's input
 * is usually fused into the layer.)
 */
import type { RecodeAttrs } from '../../../ir/ops/recode.js';
import { type Asm, addressIn, type Expr, loadVector, scaled, storeVector } from '../asm.js';
import type { Bound, Kernel, KernelBase } from '../kernel.js';
import { blockOf, loadCode, roundUp, type Storage, storageBytes } from '../storage.js';
import { elementRounds } from './elementwise.js';
import { applyLinear, type LinearMap, linearMap } from './linear-map.js';

export const recodeMap = (base: KernelBase, attrs: RecodeAttrs, source: Storage, result: Storage): Kernel => {
  const [rows, levels] = [attrs.map.shape[0]!, attrs.map.shape[1]!];
  const bytes = storageBytes(result);
  const linear =
    rows === 1 && bytes === 1 && storageBytes(source) === 1 ? linearMap(attrs.map.data) : undefined;
  if (linear !== undefined) return recodeLinear(base, linear, result);
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

const LANES = 16;

const recodeLinear = (base: KernelBase, map: LinearMap, result: Storage): Kernel => ({
  ...base,
  result,
  reach: roundUp(base.length, LANES),
  blocks: [],
  emit: (asm, bound) => emitLinear(asm, bound, base, map),
  summary: { op: 'recode', form: 'linear map', inputs: base.length, outputs: base.length },
});

const emitLinear = (asm: Asm, bound: Bound, base: KernelBase, map: LinearMap): ReadonlyArray<Expr> => {
  const { m } = asm;
  const codes = asm.v128();
  return elementRounds(asm, { ...base, channels: 1 }, LANES, (index) => [
    codes.set(loadVector(asm, addressIn(asm, bound.source, index))),
    storeVector(
      asm,
      { pointer: index, offset: bound.target },
      m.i8x16.narrow_i16x8_u(
        applyLinear(asm, map, m.i16x8.extend_low_i8x16_u(codes.get())),
        applyLinear(asm, map, m.i16x8.extend_high_i8x16_u(codes.get())),
      ),
    ),
  ]);
};
