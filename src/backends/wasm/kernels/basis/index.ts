/** The basis-table kernel: basis values from a record per code, times integer coefficients, in 32-bit accumulators. */
import type { TableBasisAttrs } from '../../../../ir/ops/table-basis.js';
import { type Kernel, type KernelBase, withBlocks } from '../../kernel.js';
import { type Block, blockOf, roundUp, type Storage, storageBytes } from '../../storage.js';
import { type CodeSource, type SlotList, slotList } from '../code-source.js';
import { classBytes, tileConstants } from '../tile-loops.js';
import { frameBytes, isFramed, positionWords, startsByClass, type WindowGeometry } from '../window.js';
import { type BasisBlock, emitBasis } from './emit.js';
import {
  type BasisShape,
  basisExcess,
  basisShape,
  coefficientBlock,
  liveInputs,
  recordBlock,
} from './layout.js';
import { accumulatorBytes } from './terms.js';

/** `inputs`: of the layer, or of one group of a window; `window`: over what the layer is applied. */
export const basisTable = (
  base: KernelBase,
  attrs: TableBasisAttrs,
  inputs: number,
  source: CodeSource,
  result: Storage,
  window: WindowGeometry | undefined,
): Kernel => {
  const shape = basisShape(attrs);
  const slots = liveInputs(attrs, inputs);
  // The last pair of an odd number reads some code twice and multiplies it by zeros.
  const listed = shape.paired && slots.length % 2 === 1 ? [...slots, slots[0]!] : slots;
  const rows = attrs.rows?.data;
  const severalRows = attrs.span.shape[0] !== 1;
  // Where inputs have different rows of knots, every group has a list of its own.
  const lists = severalRows ? shape.groups : 1;
  const every = Array.from({ length: lists }, (_, g) =>
    listed.map((i) => ({ i, input: g * inputs + i })),
  ).flat();
  const words = severalRows
    ? every.map(({ input }) => (rows?.[input] ?? 0) * source.levels * shape.recordBytes)
    : undefined;
  const list = slotList(
    source,
    every.map(({ i }) => i),
    words,
  );
  const frame = window === undefined ? 0 : roundUp(frameBytes(window, storageBytes(source.storage)), 64);
  const blocks = blocksOf(attrs, shape, source, window, { slots, list, inputs });
  return {
    ...base,
    result,
    reach: window === undefined ? shape.tiles * shape.tile : base.length,
    scratch: frame + accumulatorBytes(shape),
    ...withBlocks(blocks, (asm, bound) =>
      emitBasis(asm, bound, {
        shape,
        source,
        list,
        window,
        severalRows,
        listed: listed.length,
        result: result === 'i32' ? 'i32' : 'i16',
        frame,
      }),
    ),
    summary: {
      op: 'table.basis',
      form: [
        shape.paired ? 'dot products' : 'multiplications',
        `${shape.entry * 8}-bit rows`,
        ...(source.map === undefined ? [] : ['map fused']),
        ...(window === undefined ? [] : [`${window.starts.length} windows`]),
      ].join(', '),
      inputs: attrs.coefficients.shape[0]!,
      outputs: shape.groups * shape.outputs,
      bits: attrs.coefficients.element.kind === 'f32' ? 32 : attrs.coefficients.element.bits,
    },
  };
};

const blocksOf = (
  attrs: TableBasisAttrs,
  shape: BasisShape,
  source: CodeSource,
  window: WindowGeometry | undefined,
  {
    slots,
    list,
    inputs,
  }: { readonly slots: ReadonlyArray<number>; readonly list: SlotList; readonly inputs: number },
): Readonly<Record<BasisBlock, Block>> => {
  const codeBytes = storageBytes(source.storage);
  const inside = new Float64Array(shape.groups * shape.outputs);
  if (attrs.bias !== undefined) inside.set(attrs.bias.data);
  const starts =
    window === undefined
      ? inside
      : startsByClass(
          window,
          inside,
          isFramed(window)
            ? basisExcess(attrs, inputs, window.area)
            : new Float64Array(window.area * inside.length),
        );
  return {
    constants: blockOf(tileConstants(shape, starts, (n) => new Int32Array(n))),
    list: list.block,
    records: recordBlock(attrs, shape, source),
    coefficients: coefficientBlock(attrs, shape, slots, inputs),
    positions: blockOf(
      window === undefined ? new Uint32Array(0) : positionWords(window, codeBytes, classBytes(shape, 4)),
    ),
  };
};
