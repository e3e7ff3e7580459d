/**
 * An edge layer in parts, for calls of many samples: each part adds up a range of inputs whose rows, in one tile, stay in
 * the second-level cache while all samples run through them. Parts read the table of the whole layer; what a part adds
 * goes to the accumulators that the parts before it have left.
 */
import type { Asm, Expr } from '../../asm.js';
import { INPUT } from '../../asm.js';
import type { KernelParts } from '../../kernel.js';
import { type Block, roundUp } from '../../storage.js';
import { type CodeSource, type SlotList, slotList } from '../code-source.js';
import type { EdgeGroups } from './analysis.js';
import type { Background } from './background.js';
import type { ElementRange } from './background-emit.js';
import { constantBytes, type EdgeCode, resultBytes } from './code.js';
import { layerCode } from './emit.js';
import type { EdgeForm, PlacedForm } from './forms.js';
import { type Rounds, roundsOf } from './rows.js';

/**
 * Bytes of the rows of a part. They stay in second-level caches of 1 to 2 MiB; half as much or one and a half times as much
 * took the same time within a few per cent.
 */
const PART_BYTES = 1024 * 1024;
/** Layers of smaller tables are not cut. */
const LEAST_BYTES = 1024 * 1024;
/** What is looked at for background together. */
const STEP = 32;

interface Part {
  readonly range: ElementRange;
  readonly rounds: ReadonlyArray<Rounds>;
  readonly list: SlotList;
}

export interface EdgeParts {
  readonly count: number;
  /** The lists of slots of the parts. */
  readonly blocks: ReadonlyArray<Block>;
  /** `form`: of the whole layer, behind whose blocks `blocks` stand. */
  readonly of: (form: EdgeForm) => KernelParts;
}

/**
 * How a layer is cut; undefined where it is small. `inputs`: those that are looked up whatever their codes.
 * `slabOffset`: where the rows of an input are in a tile.
 */
export const partsOf = (
  code: EdgeCode,
  background: Background | undefined,
  inputs: ReadonlyArray<number>,
  group: (inputs: ReadonlyArray<number>) => EdgeGroups,
  slabOffset: (input: number) => number,
): EdgeParts | undefined => {
  const { tiling, source } = code;
  const bytes = code.tileBytes * tiling.tiles;
  if (code.window !== undefined || bytes < LEAST_BYTES || constantBytes(code) !== resultBytes(code))
    return undefined;
  const elements = inputs.map((i) => elementOf(source, i));
  const first = background?.first ?? 0;
  const count = background?.count ?? roundUp(1 + elements.reduce((a, b) => Math.max(a, b), 0), STEP);
  const wanted = Math.ceil(code.tileBytes / PART_BYTES);
  const size = roundUp(Math.ceil(count / wanted), STEP);
  const number = Math.ceil(count / size);
  const partOf = (element: number): number =>
    Math.max(0, Math.min(number - 1, Math.floor((element - first) / size)));
  const parts = Array.from({ length: number }, (_, p): Part => {
    const { slots, rounds } = roundsOf(group(inputs.filter((_, k) => partOf(elements[k]!) === p)));
    return {
      range: { from: p * size, to: Math.min(count, (p + 1) * size) },
      rounds,
      list: slotList(source, slots, slots.map(slabOffset)),
    };
  });
  return {
    count: number,
    blocks: parts.map(({ list }) => list.block),
    of: (form) => ({
      tiles: tiling.tiles,
      tileBytes: tiling.tile * resultBytes(code),
      count: number,
      tableBytes: bytes,
      emit: (asm, bound, p) => {
        const list = bound.blocks[form.blocks.length + p]!;
        return emitPart(asm, form.at(bound), list, code, parts[p]!, p === 0);
      },
    }),
  };
};

const elementOf = (source: CodeSource, input: number): number => source.positions?.[input] ?? input;

/** `listAt`: where the list of the part is. */
const emitPart = (
  asm: Asm,
  { bound, foreground }: PlacedForm,
  listAt: number,
  whole: EdgeCode,
  { range, rounds, list }: Part,
  isFirst: boolean,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { tiling } = whole;
  const blocks = { ...bound.blocks, list: listAt };
  const code: EdgeCode = { ...whole, list, rounds, shared: true };
  const layer = layerCode(asm, { ...bound, blocks, source: INPUT }, code, foreground?.(range));
  const tile = (): Expr => asm.parameter(2);
  const target = { pointer: () => asm.parameter(1), offset: 0 };
  const constants = asm.i32();
  const starts = m.i32.mul(tile(), m.i32.const(tiling.tile * constantBytes(whole)));
  return [
    ...layer.once,
    ...layer.enter(tile),
    constants.set(isFirst ? m.i32.add(starts, m.i32.const(blocks.constants)) : asm.parameter(1)),
    ...layer.at({
      codes: { pointer: asm.input, offset: 0 },
      constants: { pointer: constants.get, offset: 0 },
      target,
      valid: tiling.tile,
    }),
  ];
};
