/** What the code of an edge layer is made from: its plan, and the names of its blocks. */
import type { Addresses, Bound } from '../../kernel.js';
import type { CodeSource, SlotList } from '../code-source.js';
import type { WindowGeometry } from '../window.js';
import type { EdgeTiling } from './layout.js';
import type { Rounds } from './rows.js';
import type { EdgeSums } from './sums.js';

export interface EdgeCode {
  readonly tiling: EdgeTiling;
  readonly source: CodeSource;
  readonly list: SlotList;
  readonly window: WindowGeometry | undefined;
  /** Bytes of the framed image in the kernel's own memory; the sums of one tile follow. */
  readonly frame: number;
  readonly result: 'i16' | 'i32';
  readonly sums: EdgeSums;
  /** Several inputs use one slab: the list holds slab offsets. Otherwise slabs stand in the order of the slots. */
  readonly shared: boolean;
  /** Byte offset of the slab of each slot, within a tile. */
  readonly slabOffsets: ReadonlyArray<number>;
  /** Bytes between the rows of a slab at one code and the next. */
  readonly codeStride: number;
  readonly tileBytes: number;
  /** Where the slabs of slots start, when they are not shared. */
  readonly firstSlab: number;
  readonly rounds: ReadonlyArray<Rounds>;
}

/** Blocks of every form: constants, list of slots, row offsets by source code (empty without a map), table, positions. */
export type EdgeBlock = 'constants' | 'list' | 'rowOffsets' | 'table' | 'positions';

export type EdgeBound = Bound<Addresses<EdgeBlock>>;

/** Bytes of own memory: the frame or lists, where accumulators of a tile start, and its sums. */
export const ownBytes = ({ frame, tiling }: Pick<EdgeCode, 'frame' | 'tiling'>): number =>
  frame + tiling.tile * 4 + tiling.units * 16;

export const resultBytes = (code: EdgeCode): 2 | 4 => (code.result === 'i16' ? 2 : 4);
export const constantBytes = (code: Pick<EdgeCode, 'sums'>): 2 | 4 => (code.sums === 'narrow' ? 2 : 4);
