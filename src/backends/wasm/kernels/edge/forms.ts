/**
 * The forms of an edge layer that is summed tile by tile. Each lists its blocks, and gives what the code of the layer is
 * made from once they have addresses. A layer that is summed pixel by pixel is another kernel: see spread.ts.
 */
import { type BlockAddresses, type Bound, named } from '../../kernel.js';
import type { Block } from '../../storage.js';
import type { EdgeAnalysis } from './analysis.js';
import type { ElementRange } from './background-emit.js';
import type { EdgeBlock, EdgeBound } from './code.js';
import type { MakeForeground } from './emit.js';
import { type EdgeForeground, foregroundBlocks, foregroundCode } from './foreground.js';
import type { EdgeTiling } from './layout.js';

export interface EdgeForm {
  readonly blocks: ReadonlyArray<Block>;
  readonly at: (bound: Bound<BlockAddresses>) => PlacedForm;
}

export interface PlacedForm {
  readonly bound: EdgeBound;
  /** `range`: the elements that are looked at for background. */
  readonly foreground: ((range: ElementRange) => MakeForeground) | undefined;
}

type EdgeBlocks = Readonly<Record<EdgeBlock, Block>>;

/** Every input is looked up. */
export const plainForm = (blocks: EdgeBlocks): EdgeForm => {
  const { list, at } = named(blocks);
  return { blocks: list, at: (bound) => ({ bound: at(bound), foreground: undefined }) };
};

/** Inputs of a frequent code are looked up only where they do not have it. */
export const foregroundForm = (
  blocks: EdgeBlocks,
  f: EdgeForeground,
  analysis: EdgeAnalysis,
  tiling: EdgeTiling,
): EdgeForm => {
  const { list, at } = named({ ...blocks, ...foregroundBlocks(f, analysis, tiling) });
  return {
    blocks: list,
    at: (unnamed) => {
      const bound = at(unnamed);
      return {
        bound,
        foreground: (range) => (asm, rows) => foregroundCode(asm, f, bound, rows, range),
      };
    },
  };
};
