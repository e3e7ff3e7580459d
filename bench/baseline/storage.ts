/** Where the values of the float network lie: channels last, so that four outputs of a place are one vector. */
import {
  type Asm,
  addressIn,
  type Expr,
  loadVector,
  type Place,
  plus,
  storeVector,
} from '../../src/backends/wasm/asm.js';
import { roundUp } from '../../src/backends/wasm/storage.js';
import { channelsOf, innerOf, type ValueType } from '../../src/ir/types.js';
import type { Code } from './code.js';

/** Floats of a vector. */
export const LANES = 4;

export interface Layout {
  readonly positions: number;
  readonly channels: number;
  /** Floats from one position to the next: whole vectors, but for images of one channel. */
  readonly stride: number;
  /** Bytes of one sample. Whole vectors may be written at its last position. */
  readonly bytes: number;
}

export const layoutOf = (type: ValueType): Layout => {
  const [positions, channels] = [innerOf(type), channelsOf(type)];
  const stride = channels === 1 ? 1 : roundUp(channels, LANES);
  return { positions, channels, stride, bytes: 4 * roundUp(positions * stride + LANES, LANES) };
};

/** A value of the current sample; the input of the program lies where the caller put it. */
export interface Value {
  readonly layout: Layout;
  readonly place: Place;
}

/** What a kernel is emitted against. The parameter of its function is the address of the input of the program. */
export interface Operands {
  readonly sources: ReadonlyArray<Value>;
  /** Address of the result. */
  readonly target: number;
  readonly blocks: ReadonlyArray<number>;
  /** Memory that all layers share. */
  readonly scratch: number;
}

/** Constants of a layer: their bytes, aligned to 16. */
export type Block = Float32Array | Int32Array;

/** One op made ready. */
export interface Kernel {
  readonly blocks: ReadonlyArray<Block>;
  readonly scratch: number;
  /** The code that computes one sample. */
  readonly emit: (code: Code, operands: Operands) => void;
}

/** A kernel without memory of its own. */
export const kernel = (emit: Kernel['emit'], blocks: ReadonlyArray<Block> = []): Kernel => ({
  blocks,
  scratch: 0,
  emit,
});

/** Four floats of a value: `index` is a runtime offset in bytes, `extra` a constant one. */
export const read = (asm: Asm, { place }: Value, index: () => Expr, extra = 0): Expr =>
  loadVector(asm, plus(addressIn(asm, place, index), extra));

/** One float of a value in all lanes. */
export const splatOf = (asm: Asm, { place }: Value, index: () => Expr, extra: number): Expr => {
  const { pointer, offset } = plus(addressIn(asm, place, index), extra);
  return asm.m.v128.load32_splat(offset, 4, pointer());
};

/** One float of a value. */
export const scalarOf = (asm: Asm, { place }: Value, index: () => Expr, extra = 0): Expr => {
  const { pointer, offset } = plus(addressIn(asm, place, index), extra);
  return asm.m.f32.load(offset, 4, pointer());
};

export const load = (asm: Asm, address: number, pointer: Expr): Expr =>
  loadVector(asm, { pointer: () => pointer, offset: address });

export const store = (asm: Asm, address: number, pointer: Expr, value: Expr): Expr =>
  storeVector(asm, { pointer: () => pointer, offset: address }, value);
