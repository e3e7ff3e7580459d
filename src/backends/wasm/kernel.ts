/** What the kernels of all kinds have in common. */
import type { ValueName } from '../../ir/graph.js';
import type { KernelSummary } from '../shared/manifest.js';
import type { Asm, Expr, Place } from './asm.js';
import type { Block, Storage } from './storage.js';

/** Addresses that a kernel is emitted against. */
export interface Bound {
  /** Where the first operand lies. */
  readonly source: Place;
  /** Where all operands lie. */
  readonly sources: ReadonlyArray<Place>;
  /** Where the result goes: a fixed address. */
  readonly target: number;
  /** Addresses of the kernel's blocks, in their order. */
  readonly blocks: ReadonlyArray<number>;
  /** Memory of the kernel's own, zero before the first sample. */
  readonly scratch: number;
}

/** What every kernel is told about its value. */
export type KernelBase = Pick<Kernel, 'name' | 'operands' | 'length' | 'channels'>;

/**
 * One op made ready: its constants in their final layout, and the code that computes one sample. Making a
 * kernel is pure and knows no address; emitting it is the only part that needs binaryen.
 */
export interface Kernel {
  readonly name: ValueName;
  /** The values it reads. */
  readonly operands: ReadonlyArray<ValueName>;
  readonly result: Storage;
  /** Elements of the result. */
  readonly length: number;
  /** Elements that the code may write: the last vector of a row reaches over its end. */
  readonly reach: number;
  readonly blocks: ReadonlyArray<Block>;
  /** Bytes of memory of its own. */
  readonly scratch?: number;
  /** Channels of the result: element (channel c, position p) lies at p * channels + c (see image.ts). */
  readonly channels: number;
  readonly emit: (asm: Asm, bound: Bound) => ReadonlyArray<Expr>;
  /** The same value computed in another way, for calls of many samples. */
  readonly parts?: KernelParts;
  /** One line per layer for the manifest and for reports. */
  readonly summary: KernelSummary;
}

/**
 * A layer whose table is larger than a cache, cut into parts that are not. A part runs for all samples before the next
 * one does; all together they leave in the accumulators what `emit` computes.
 */
export interface KernelParts {
  /** Tiles of outputs, and the bytes of accumulators of each; every tile has all parts. */
  readonly tiles: number;
  readonly tileBytes: number;
  readonly count: number;
  /** Bytes of the table of the layer. */
  readonly tableBytes: number;
  /** Code of a function of three parameters: the address of the codes, that of the tile's accumulators, and the tile. */
  readonly emit: (asm: Asm, bound: Bound, part: number) => ReadonlyArray<Expr>;
}
