/** The edge-table kernel: picks its arithmetic from proven facts, and makes its tables. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../../diagnostics/index.js';
import type { TableEdgeAttrs } from '../../../../ir/ops/table-edge.js';
import type { Kernel, KernelBase } from '../../kernel.js';
import { type Block, blockOf, roundUp, type Storage, storageBytes } from '../../storage.js';
import { type CodeSource, layerCode, type SlotList, slotList } from '../code-source.js';
import { codeMapOf } from '../row-addresses.js';
import { classBytes, tileConstants } from '../tile-loops.js';
import { frameBytes, positionWords, startsByClass, type WindowGeometry } from '../window.js';
import {
  analyseEdges,
  type EdgeAnalysis,
  type EdgeGroups,
  edgeTableOf,
  groupInputs,
  groupsText,
  paddingExcess,
  variedInputs,
} from './analysis.js';
import { type Background, backgroundOf, backgroundPairs } from './background.js';
import { constantBytes, type EdgeBlock, type EdgeCode, ownBytes } from './code.js';
import { emitEdges } from './emit.js';
import { anyFit, type EdgeForeground, foregroundBytes } from './foreground.js';
import { foregroundForm, plainForm } from './forms.js';
import {
  codeStride,
  DIRECT16,
  type EdgeMode,
  type EdgeTiling,
  packTable,
  SPLIT8,
  SPLIT16,
  tileOutputs,
} from './layout.js';
import { partsOf } from './parts.js';
import { ROUND, roundsOf } from './rows.js';
import { FLUSH_GROUPS } from './slots.js';
import { edgeSpread, spreadOf } from './spread.js';
import type { EdgeSums } from './sums.js';

const fitsI16 = (a: EdgeAnalysis): boolean => a.lo >= -32768 && a.hi <= 32767;

/** The arithmetic for a table, or undefined when its entries need more than 16 bits. */
const modeOf = (a: EdgeAnalysis): EdgeMode | undefined => {
  const widest = a.widest.reduce((x, y) => Math.max(x, y), 0);
  if (widest <= 0xff) return SPLIT8;
  if (widest > 0xffff) return undefined;
  return fitsI16(a) ? DIRECT16 : SPLIT16;
};

/** The most that the entries of a group may sum to. */
const capacityOf = ({ _tag }: EdgeMode): number =>
  _tag === 'split8' ? 0xff : _tag === 'split16' ? 0xffff : Number.POSITIVE_INFINITY;

/** A layer, and what is proven of it. */
interface EdgeLayer {
  readonly base: KernelBase;
  readonly attrs: TableEdgeAttrs;
  /** Of the layer, or of one group of a window. */
  readonly inputs: number;
  readonly levels: number;
  readonly source: CodeSource;
  readonly window: WindowGeometry | undefined;
  readonly analysis: EdgeAnalysis;
  readonly mode: EdgeMode;
  /** Whether accumulators fit 16 bits. */
  readonly narrow: boolean;
  readonly result: 'i16' | 'i32';
}

/**
 * Fails with K0602 on entries of more than 16 bits and with K0402 on an accumulator type that is too narrow.
 * `inputs`: of the layer, or of one group of a window; `window`: over what the layer is applied.
 */
export const edgeTable = (
  base: KernelBase,
  attrs: TableEdgeAttrs,
  inputs: number,
  levels: number,
  source: CodeSource,
  storage: Storage,
  window: WindowGeometry | undefined,
): Checked<Kernel> => {
  const table = edgeTableOf(attrs, inputs, levels);
  const analysis = analyseEdges(table);
  const mode = modeOf(analysis);
  if (mode === undefined) {
    return fail('K0602', 'the entries of the table span more than 16 bits', { place: { op: base.name } });
  }
  const narrow = fitsI16(analysis);
  if (!narrow && storage === 'i16') {
    return fail(
      'K0402',
      `accumulators reach [${analysis.lo}, ${analysis.hi}], which does not fit i${attrs.acc}`,
      { place: { op: base.name } },
    );
  }
  const result = storage === 'i32' ? 'i32' : 'i16';
  const isUnit = attrs.window?.stride.every((step) => step === 1) ?? false;
  const spread = window === undefined || !narrow ? undefined : spreadOf(window, isUnit, mode, table);
  const layer = { base, attrs, inputs, levels, source, window, analysis, mode, narrow, result } as const;
  return E.right(
    spread === undefined
      ? edgeTiles(layer)
      : edgeSpread(base, { table, bits: bitsOf(attrs) }, spread, capacityOf(mode), source, result),
  );
};

const bitsOf = ({ table: { element } }: TableEdgeAttrs): number =>
  element.kind === 'f32' ? 32 : element.bits;

/** A layer that is summed tile by tile. */
const edgeTiles = (layer: EdgeLayer): Kernel => {
  const { base, analysis, source, window, levels, result, mode } = layer;
  const tiling = tileOutputs(mode, analysis.table.width, analysis.table.groups);
  const plan = planOf(layer);
  const { slots, rounds, sums, foreground } = plan;
  const slabs = placeSlabs(layer, tiling, plan);
  const { list, slabOffsets, shared, stride } = slabs;
  const lists = foreground === undefined ? 0 : foregroundBytes(foreground);
  const codeBytes = storageBytes(source.storage);
  const code: EdgeCode = {
    tiling,
    source,
    list,
    window,
    frame: window === undefined ? lists : roundUp(frameBytes(window, codeBytes), 64),
    slabOffsets,
    result,
    sums,
    shared,
    codeStride: stride,
    tileBytes: stride * levels,
    firstSlab: slabs.firstSlab,
    rounds,
  };
  const parts = partsOf(
    code,
    foreground?.background,
    slots,
    (inputs) => groupInputs(analysis, capacityOf(mode), inputs),
    slabs.offsetOf,
  );
  const blocks = blocksOf(layer, code, slabs);
  const form =
    foreground === undefined ? plainForm(blocks) : foregroundForm(blocks, foreground, analysis, tiling);
  return {
    ...base,
    result,
    reach: window === undefined ? tiling.tiles * tiling.tile : base.length,
    // Behind the frame, or the lists of the foreground: where the sums of one tile start, and the sums.
    scratch: ownBytes(code),
    blocks: [...form.blocks, ...(parts?.blocks ?? [])],
    emit: (asm, unnamed) => {
      const { bound, foreground: make } = form.at(unnamed);
      return emitEdges(asm, bound, code, make?.({ from: 0, to: foreground?.background.count ?? 0 }));
    },
    ...(parts === undefined ? {} : { parts: parts.of(form) }),
    summary: summaryOf(layer, plan, parts?.count),
  };
};

/** How the inputs of a layer are looked up, and how they are summed. */
interface EdgePlan {
  readonly background: Background | undefined;
  readonly foreground: EdgeForeground | undefined;
  /** The inputs that are looked up whatever their codes: in groups, and in rounds. */
  readonly groups: EdgeGroups;
  readonly slots: ReadonlyArray<number>;
  readonly rounds: EdgeCode['rounds'];
  readonly sums: EdgeSums;
  /** The inputs that are not, which are added `size` at a time. */
  readonly skipped: ReadonlyArray<number>;
  readonly size: 1 | 2 | 4;
}

const planOf = ({ attrs, analysis, inputs, source, window, mode, narrow }: EdgeLayer): EdgePlan => {
  const varied = variedInputs(analysis);
  const capacity = capacityOf(mode);
  const background =
    window === undefined && attrs.slabs === undefined
      ? backgroundOf(source, attrs.frequent?.data, varied, inputs)
      : undefined;
  const pairs = background === undefined ? [] : backgroundPairs(background);
  const skipped = pairs.flatMap((p) => p.inputs.filter((i) => i >= 0));
  const skips = new Set(skipped);
  const groups = groupInputs(
    analysis,
    capacity,
    varied.filter((i) => !skips.has(i)),
  );
  const size = ([4, 2] as const).find((n) => anyFit(analysis, skipped, n, capacity)) ?? 1;
  // Pairs that are left after whole rounds may count as groups of their own.
  const mostSkipped = skipped.length === 0 ? 0 : Math.floor(skipped.length / size) + ROUND;
  const widened = groups.quads.length / 4 + groups.pairs.length / 2 + groups.singles.length + mostSkipped;
  const sums: EdgeSums =
    mode.lane === 4 ? 'wide' : narrow ? 'narrow' : widened <= FLUSH_GROUPS ? 'unsigned' : 'flushed';
  const foreground: EdgeForeground | undefined = background && {
    background,
    size,
    entry: constantBytes({ sums }),
    map: codeMapOf(source),
  };
  return { background, foreground, groups, ...roundsOf(groups), sums, skipped, size };
};

/** Where the slabs of a layer are in each tile. */
interface Slabs {
  /** In their order in memory; -1 for one of zeros. */
  readonly order: ReadonlyArray<number>;
  readonly stride: number;
  readonly list: SlotList;
  readonly slabOffsets: ReadonlyArray<number>;
  readonly shared: boolean;
  readonly firstSlab: number;
  /** Of an input that has a slot. */
  readonly offsetOf: (input: number) => number;
}

const placeSlabs = (
  { analysis, source }: EdgeLayer,
  tiling: EdgeTiling,
  { background, slots }: EdgePlan,
): Slabs => {
  const { slabOf } = analysis.table;
  const wanted = slots.map(slabOf);
  const distinct = [...new Set(wanted)];
  const shared = distinct.length < wanted.length;
  // First the slabs of pairs, -1 for a member that is not there, and a pair of zeros, then those of the slots.
  const pairs = background === undefined ? [] : backgroundPairs(background);
  const paired = pairs.flatMap((p) => p.inputs.map((i) => (i < 0 ? -1 : slabOf(i))));
  const beforeSlots = background === undefined ? [] : [...paired, -1, -1];
  const order = [...beforeSlots, ...distinct];
  const places = new Map(distinct.map((slab, k) => [slab, beforeSlots.length + k]));
  const offsetOf = (input: number): number => places.get(slabOf(input))! * tiling.rowBytes;
  const slabOffsets = slots.map(offsetOf);
  return {
    order,
    stride: codeStride(tiling, order.length),
    list: slotList(source, slots, shared ? slabOffsets : undefined),
    slabOffsets,
    shared,
    firstSlab: beforeSlots.length * tiling.rowBytes,
    offsetOf,
  };
};

const blocksOf = (
  { analysis, source, window }: EdgeLayer,
  code: EdgeCode,
  { order, list, stride }: Slabs,
): Readonly<Record<EdgeBlock, Block>> => {
  const { tiling, sums } = code;
  const starts =
    window === undefined
      ? analysis.offset
      : startsByClass(window, analysis.offset, paddingExcess(analysis.table, window.area));
  const rowOffsets = Uint32Array.from(
    { length: source.map === undefined ? 0 : source.levels },
    (_, from) => layerCode(source, from) * stride,
  );
  return {
    constants: blockOf(
      sums === 'narrow'
        ? tileConstants(tiling, starts, (n) => new Int16Array(n))
        : tileConstants(tiling, starts, (n) => new Int32Array(n)),
    ),
    list: list.block,
    rowOffsets: blockOf(rowOffsets),
    table: packTable(tiling, analysis, order),
    positions: blockOf(
      window === undefined
        ? new Uint32Array(0)
        : positionWords(window, storageBytes(source.storage), classBytes(tiling, constantBytes(code))),
    ),
  };
};

const summaryOf = (
  { analysis: { table }, attrs, inputs, mode, source, window }: EdgeLayer,
  { sums, groups, skipped, size }: EdgePlan,
  parts: number | undefined,
): Kernel['summary'] => ({
  op: 'table.edge',
  form: [
    mode._tag,
    ...(sums === 'flushed' || sums === 'unsigned' ? [sums] : []),
    groupsText(groups),
    ...(skipped.length === 0 ? [] : [`${skipped.length} skip background by ${size}`]),
    ...(source.map === undefined ? [] : ['map fused']),
    ...(parts === undefined ? [] : [`${parts} parts`]),
    ...(window === undefined ? [] : [`${window.starts.length} windows`]),
  ].join(', '),
  inputs: inputs * table.groups,
  outputs: table.outputs,
  bits: bitsOf(attrs),
});
