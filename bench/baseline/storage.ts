/** Where the values of the float network lie: channels last, so that four outputs of a place are one vector. */
import { type Address, type Asm, type Expr, loadVector, storeVector } from '../../src/backends/wasm/asm.js';
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

/**
 * A value of the current sample: a constant address and an offset. Everything that belongs to a sample lies in its
 * frame, whose offset is the parameter of all functions; the input of the program lies where the caller put it.
 */
export interface Value {
  readonly layout: Layout;
  readonly address: number;
  readonly base: () => Expr;
}

/** What a kernel is emitted against. */
export interface Operands {
  readonly sources: ReadonlyArray<Value>;
  readonly target: Value;
  readonly blocks: ReadonlyArray<number>;
  /** Address in the frame of memory that all layers share. */
  readonly scratch: number;
}

/** Constants of a layer: their bytes, aligned to 16. */
export type Block = Float32Array | Int32Array;

/**
 * One op made ready. Its pieces compute one sample, one after another; a piece that reads many coefficients does so
 * for several samples before the next piece begins.
 */
export interface Kernel {
  readonly blocks: ReadonlyArray<Block>;
  readonly scratch: number;
  readonly pieces: ReadonlyArray<Piece>;
  /** Bytes of coefficients. */
  readonly weights: number;
}

export type Piece = (code: Code, operands: Operands) => void;

/** A kernel of one piece without memory of its own. */
export const kernel = (piece: Piece, blocks: ReadonlyArray<Block> = []): Kernel => ({
  blocks,
  scratch: 0,
  pieces: [piece],
  weights: 0,
});

const addressIn = (asm: Asm, { address, base }: Value, index: () => Expr, extra: number): Address => ({
  pointer: () => asm.m.i32.add(base(), index()),
  offset: address + extra,
});

/** Four floats of a value: `index` is a runtime offset in bytes, `extra` a constant one. */
export const read = (asm: Asm, value: Value, index: () => Expr, extra = 0): Expr =>
  loadVector(asm, addressIn(asm, value, index, extra));

export const write = (asm: Asm, value: Value, index: () => Expr, extra: number, x: Expr): Expr =>
  storeVector(asm, addressIn(asm, value, index, extra), x);

/** One float of a value in all lanes. */
export const splatOf = (asm: Asm, value: Value, index: () => Expr, extra: number): Expr => {
  const { pointer, offset } = addressIn(asm, value, index, extra);
  return asm.m.v128.load32_splat(offset, 4, pointer());
};

/** One float of a value. */
export const scalarOf = (asm: Asm, value: Value, index: () => Expr, extra = 0): Expr => {
  const { pointer, offset } = addressIn(asm, value, index, extra);
  return asm.m.f32.load(offset, 4, pointer());
};

export const writeScalar = (asm: Asm, value: Value, index: () => Expr, extra: number, x: Expr): Expr => {
  const { pointer, offset } = addressIn(asm, value, index, extra);
  return asm.m.f32.store(offset, 4, pointer(), x);
};

/** Four floats at a constant address and a runtime offset. */
export const load = (asm: Asm, address: number, pointer: Expr): Expr =>
  loadVector(asm, { pointer: () => pointer, offset: address });

export const store = (asm: Asm, address: number, pointer: Expr, value: Expr): Expr =>
  storeVector(asm, { pointer: () => pointer, offset: address }, value);
