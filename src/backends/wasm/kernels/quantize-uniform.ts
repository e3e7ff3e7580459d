/**
 * f32 to codes by the closed form of numeric/uniform.ts, sixteen features at a time.
 *
 * Exactness: subtraction and multiplication are the same f32 operations as in the definition. The product is
 * then held between 0 and the top code by `pmax(0, v)` = (0 < v ? v : 0), which sends NaN to 0, and `pmin`;
 * for 0 <= v < 2^23, floor(v) + 2^23 is exact and has floor(v) in its mantissa.
 */
import { channel } from '../../../ir/constant.js';
import type { Uniform } from '../../../ir/quantizer.js';
import { uniformForm } from '../../../numeric/uniform.js';
import {
  type Address,
  type Asm,
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  splatF32,
  storeVector,
} from '../asm.js';
import type { Bound, Kernel, KernelBase } from '../kernel.js';
import { blockOf, roundUp, type Storage } from '../storage.js';
import { channelTable, elementRounds } from './elementwise/rounds.js';

const LANES = 16;
const MANTISSA = 2 ** 23 - 1;

export const quantizeUniform = (base: KernelBase, q: Uniform, result: Storage): Kernel => {
  const shared = typeof q.lo === 'number' && typeof q.step === 'number';
  const forms = Array.from({ length: shared ? 1 : base.channels }, (_, f) =>
    uniformForm(channel(q.lo, f), channel(q.step, f), q.levels),
  );
  const floats = (n: number): Float32Array => new Float32Array(n);
  const table = (pick: (form: (typeof forms)[number]) => number): Float32Array =>
    channelTable(base, LANES, floats, (c) => pick(forms[c]!));
  return {
    ...base,
    result,
    reach: roundUp(base.length, LANES),
    blocks: shared ? [] : [blockOf(table((f) => f.edge)), blockOf(table((f) => f.inverse))],
    emit: (asm, bound) => emit(asm, bound, base, { result, top: q.levels - 1, form: forms[0]!, shared }),
    summary: {
      op: 'quantize',
      form: shared ? 'uniform' : 'uniform per channel',
      inputs: base.length,
      outputs: base.length,
    },
  };
};

interface Shape {
  readonly result: Storage;
  readonly top: number;
  readonly form: { readonly edge: number; readonly inverse: number };
  readonly shared: boolean;
}

const emit = (asm: Asm, bound: Bound, base: KernelBase, shape: Shape): ReadonlyArray<Expr> => {
  const { m } = asm;
  const bytes = shape.result === 'u8' ? 1 : 2;
  const wide = asm.i32();
  const entry = asm.i32();
  const store = asm.i32();
  const source = addressIn(asm, bound.source, () => wide.get());
  const constants = (block: number): Address =>
    addressIn(asm, fixed(bound.blocks[block]!), () => entry.get());
  const codes = (lane: number): Expr => {
    const edge = shape.shared
      ? splatF32(asm, shape.form.edge)
      : loadVector(asm, plus(constants(0), lane * 4));
    const inverse = shape.shared
      ? splatF32(asm, shape.form.inverse)
      : loadVector(asm, plus(constants(1), lane * 4));
    const v = m.f32x4.mul(m.f32x4.sub(loadVector(asm, plus(source, lane * 4)), edge), inverse);
    const held = m.f32x4.pmin(m.f32x4.pmax(splatF32(asm, 0), v), splatF32(asm, shape.top));
    return m.v128.and(m.f32x4.add(m.f32x4.floor(held), splatF32(asm, 2 ** 23)), splatMantissa(asm));
  };
  const pair = (lane: number): Expr => m.i16x8.narrow_i32x4_u(codes(lane), codes(lane + 4));
  const target = { pointer: () => store.get(), offset: bound.target };
  const stores =
    shape.result === 'u8'
      ? [storeVector(asm, target, m.i8x16.narrow_i16x8_u(pair(0), pair(8)))]
      : [storeVector(asm, target, pair(0)), storeVector(asm, plus(target, 16), pair(8))];
  return elementRounds(asm, base, LANES, (index, at) => [
    wide.set(m.i32.shl(index(), m.i32.const(2))),
    ...(shape.shared ? [] : [entry.set(m.i32.shl(at(), m.i32.const(2)))]),
    store.set(m.i32.shl(index(), m.i32.const(bytes - 1))),
    ...stores,
  ]);
};

const splatMantissa = (asm: Asm): Expr => asm.m.i32x4.splat(asm.m.i32.const(MANTISSA));
