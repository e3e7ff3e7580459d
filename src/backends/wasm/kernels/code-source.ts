/**
 * Where a layer reads its codes from, once gathers and maps before it are folded in: input i of the layer is
 * element `positions[i]` of the value it reads, and what it finds there is sent through `map`.
 */
import type { Address, Asm, Expr } from '../asm.js';
import { type Block, blockOf, loadCode, type Storage, storageBytes } from '../storage.js';
import type { CodeBase } from './tile-loops.js';

export interface CodeSource {
  readonly storage: Storage;
  /** Different codes that the value can hold. */
  readonly levels: number;
  /** Absent: input i is element i. */
  readonly positions?: ArrayLike<number>;
  /** From a code of the value to a code of the layer. Absent: the same code. */
  readonly map?: ArrayLike<number>;
}

export const layerCode = (source: CodeSource, code: number): number =>
  source.map === undefined ? code : source.map[code]!;

/**
 * A list that a kernel walks beside its tables, one entry a slot: the byte offset of the slot's code and, when
 * the slot does not use the next table in memory, another word (the offset of its table or record).
 */
export interface SlotList {
  readonly block: Block;
  readonly entryBytes: number;
  /** Byte offsets of the codes of all slots. */
  readonly offsets: ReadonlyArray<number>;
  /** Byte offset of the slot's code, for the slot `k` entries after the pointer. */
  readonly codeOffset: (asm: Asm, list: Address, k: number) => Expr;
  /** The other word. */
  readonly word: (asm: Asm, list: Address, k: number) => Expr;
}

export const slotList = (
  source: CodeSource,
  inputs: ArrayLike<number>,
  words: ArrayLike<number> | undefined,
): SlotList => {
  const bytes = storageBytes(source.storage);
  const offsets = Array.from(inputs, (i) => (source.positions?.[i] ?? i) * bytes);
  if (words !== undefined) {
    const data = new Uint32Array(2 * offsets.length);
    offsets.forEach((offset, k) => {
      data[2 * k] = offset;
      data[2 * k + 1] = words[k]!;
    });
    return {
      block: blockOf(data),
      entryBytes: 8,
      offsets,
      codeOffset: (asm, list, k) => asm.m.i32.load(list.offset + 8 * k, 1, list.pointer()),
      word: (asm, list, k) => asm.m.i32.load(list.offset + 8 * k + 4, 1, list.pointer()),
    };
  }
  const narrow = offsets.every((offset) => offset < 65536);
  return {
    block: blockOf(narrow ? Uint16Array.from(offsets) : Uint32Array.from(offsets)),
    entryBytes: narrow ? 2 : 4,
    offsets,
    codeOffset: (asm, list, k) =>
      narrow
        ? asm.m.i32.load16_u(list.offset + 2 * k, 1, list.pointer())
        : asm.m.i32.load(list.offset + 4 * k, 1, list.pointer()),
    word: (asm) => asm.m.i32.const(0),
  };
};

/** The code at a byte offset from a base, before the map. `offset`: known when the code is written, or at run time. */
export const loadSourceCode = (
  asm: Asm,
  source: CodeSource,
  base: CodeBase,
  offset: (() => Expr) | number,
): Expr => {
  const { i32 } = asm.m;
  if (typeof offset === 'number') {
    return loadCode(asm, source.storage, base.offset + offset, base.pointer?.() ?? i32.const(0));
  }
  const pointer = base.pointer === undefined ? offset() : i32.add(base.pointer(), offset());
  return loadCode(asm, source.storage, base.offset, pointer);
};
