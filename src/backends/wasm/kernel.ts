/** What the kernels of all kinds have in common. */
import type { ValueName } from '../../ir/graph.js';
import type { KernelSummary } from '../shared/manifest.js';
import type { Asm, Expr, Place } from './asm.js';
import type { Block, Storage } from './storage.js';

/** Addresses that a kernel is emitted against. `Blocks`: how it is told those of its blocks (see `named`). */
export interface Bound<Blocks = unknown> {
  /** Where the first operand lies. */
  readonly source: Place;
  /** Where all operands lie. */
  readonly sources: ReadonlyArray<Place>;
  /** Where the result goes: a fixed address. */
  readonly target: number;
  readonly blocks: Blocks;
  /** Memory of the kernel's own, zero before the first sample. */
  readonly scratch: number;
}

/** Addresses of the blocks of a kernel, in their order. */
export type BlockAddresses = ReadonlyArray<number>;

/** The same by names that the kernel has given to its blocks. */
export type Addresses<Name extends string> = Readonly<Record<Name, number>>;

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
  readonly emit: (asm: Asm, bound: Bound<BlockAddresses>) => ReadonlyArray<Expr>;
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
  readonly emit: (asm: Asm, bound: Bound<BlockAddresses>, part: number) => ReadonlyArray<Expr>;
}

/** Blocks that are named: as a kernel lists them, and addresses as its code asks for them. */
export interface NamedBlocks<Name extends string> {
  readonly list: ReadonlyArray<Block>;
  readonly at: (bound: Bound<BlockAddresses>) => Bound<Addresses<Name>>;
}

/** Blocks stand in memory in the order of their names; a kernel may list others behind them. */
export const named = <Name extends string>(blocks: Readonly<Record<Name, Block>>): NamedBlocks<Name> => {
  const names = Object.keys(blocks);
  return {
    list: Object.values(blocks),
    at: (bound) => {
      const addresses = Object.fromEntries(names.map((name, k) => [name, bound.blocks[k]!]));
      // An address for every name of `blocks`, whose keys are these: the library types them as strings.
      return { ...bound, blocks: addresses as Addresses<Name> };
    },
  };
};

/** The blocks of a kernel, and code that is told their addresses by the same names. */
export const withBlocks = <Name extends string>(
  blocks: Readonly<Record<Name, Block>>,
  emit: (asm: Asm, bound: Bound<Addresses<Name>>) => ReadonlyArray<Expr>,
): Pick<Kernel, 'blocks' | 'emit'> => {
  const { list, at } = named(blocks);
  return { blocks: list, emit: (asm, bound) => emit(asm, at(bound)) };
};
