/** The edge-table kernel: picks its arithmetic from proven facts, and makes its tables. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../../diagnostics/index.js';
import type { TableEdgeAttrs } from '../../../../ir/ops/table-edge.js';
import type { Kernel, KernelBase } from '../../kernel.js';
import { type Block, blockOf, roundUp, type Storage, storageBytes } from '../../storage.js';
import { type CodeSource, layerCode, slotList } from '../code-source.js';
import { codeMapOf } from '../row-addresses.js';
import { classBytes, tileConstants } from '../tile-loops.js';
import { frameBytes, positionWords, startsByClass, type WindowGeometry } from '../window.js';
import {
  analyseEdges,
  type EdgeAnalysis,
  edgeTableOf,
  groupInputs,
  paddingExcess,
  variedInputs,
} from './analysis.js';
import { backgroundOf, backgroundPairs } from './background.js';
import { type EdgeCode, type EdgeSums, emitEdges, FLUSH_GROUPS, ownBytes } from './emit.js';
import { anyFit, type EdgeForeground, foregroundBlocks, foregroundBytes } from './foreground.js';
import { codeStride, DIRECT16, type EdgeMode, packTable, SPLIT8, SPLIT16, tileOutputs } from './layout.js';
import { partsOf } from './parts.js';
import { ROUND, roundsOf } from './rows.js';
import { edgeSpread, spreadOf } from './spread.js';

const fitsI16 = (a: EdgeAnalysis): boolean => a.lo >= -32768 && a.hi <= 32767;

/** The arithmetic for a table, or undefined when its entries need more than 16 bits. */
const modeOf = (a: EdgeAnalysis): EdgeMode | undefined => {
  const widest = a.widest.reduce((x, y) => Math.max(x, y), 0);
  if (widest <= 0xff) return SPLIT8;
  if (widest > 0xffff) return undefined;
  return fitsI16(a) ? DIRECT16 : SPLIT16;
};

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
  result: Storage,
  window: WindowGeometry | undefined,
): Checked<Kernel> => {
  const table = edgeTableOf(attrs, inputs, levels);
  const analysis = analyseEdges(table);
  const mode = modeOf(analysis);
  if (mode === undefined) {
    return fail('K0602', 'the entries of the table span more than 16 bits', { place: { op: base.name } });
  }
  const narrow = fitsI16(analysis);
  if (!narrow && result === 'i16') {
    return fail(
      'K0402',
      `accumulators reach [${analysis.lo}, ${analysis.hi}], which does not fit i${attrs.acc}`,
      { place: { op: base.name } },
    );
  }
  const capacity =
    mode._tag === 'split8' ? 0xff : mode._tag === 'split16' ? 0xffff : Number.POSITIVE_INFINITY;
  const bits = attrs.table.element.kind === 'f32' ? 32 : attrs.table.element.bits;
  const isUnit = attrs.window?.stride.every((step) => step === 1) ?? false;
  const spread = window === undefined || !narrow ? undefined : spreadOf(window, isUnit, mode, table);
  if (spread !== undefined) {
    return E.right(
      edgeSpread(base, { table, bits }, spread, capacity, source, result === 'i32' ? 'i32' : 'i16'),
    );
  }
  const tiling = tileOutputs(mode, table.width, table.groups);
  const varied = variedInputs(analysis);
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
  const { slots, rounds } = roundsOf(groups);
  const wanted = slots.map(table.slabOf);
  const distinct = [...new Set(wanted)];
  const shared = distinct.length < wanted.length;
  // First the slabs of pairs, -1 for a member that is not there, and a pair of zeros, then those of the slots.
  const paired = pairs.flatMap((p) => p.inputs.map((i) => (i < 0 ? -1 : table.slabOf(i))));
  const beforeSlots = background === undefined ? [] : [...paired, -1, -1];
  const firstSlot = beforeSlots.length;
  const slabs = [...beforeSlots, ...distinct];
  const stride = codeStride(tiling, slabs.length);
  const order = new Map(distinct.map((slab, k) => [slab, firstSlot + k]));
  const slabOffsets = wanted.map((slab) => order.get(slab)! * tiling.rowBytes);
  const list = slotList(source, slots, shared ? slabOffsets : undefined);
  const rowOffsets = Uint32Array.from(
    { length: source.map === undefined ? 0 : source.levels },
    (_, code) => layerCode(source, code) * stride,
  );
  const size = ([4, 2] as const).find((n) => anyFit(analysis, skipped, n, capacity)) ?? 1;
  // Pairs that are left after whole rounds may count as groups of their own.
  const mostSkipped = skipped.length === 0 ? 0 : Math.floor(skipped.length / size) + ROUND;
  const widened = groups.quads.length / 4 + groups.pairs.length / 2 + groups.singles.length + mostSkipped;
  const sums: EdgeSums =
    mode.lane === 4 ? 'wide' : narrow ? 'narrow' : widened <= FLUSH_GROUPS ? 'unsigned' : 'flushed';
  const constantBytes = sums === 'narrow' ? 2 : 4;
  const foreground: EdgeForeground | undefined =
    background === undefined
      ? undefined
      : {
          background,
          size,
          entry: constantBytes,
          range: { from: 0, to: background.count },
          map: codeMapOf(source),
        };
  const starts =
    window === undefined
      ? analysis.offset
      : startsByClass(window, analysis.offset, paddingExcess(table, window.area));
  const codeBytes = storageBytes(source.storage);
  const lists = foreground === undefined ? 0 : foregroundBytes(foreground);
  const frame = window === undefined ? lists : roundUp(frameBytes(window, codeBytes), 64);
  const code: EdgeCode = {
    tiling,
    source,
    list,
    window,
    frame,
    slabOffsets,
    result: result === 'i32' ? 'i32' : 'i16',
    sums,
    shared,
    codeStride: stride,
    tileBytes: stride * levels,
    firstSlab: firstSlot * tiling.rowBytes,
    foreground,
    rounds,
  };
  const parts = partsOf(
    code,
    slots,
    (inputs) => groupInputs(analysis, capacity, inputs),
    (input) => order.get(table.slabOf(input))! * tiling.rowBytes,
  );
  const blocks: ReadonlyArray<Block> = [
    blockOf(
      sums === 'narrow'
        ? tileConstants(tiling, starts, (n) => new Int16Array(n))
        : tileConstants(tiling, starts, (n) => new Int32Array(n)),
    ),
    list.block,
    blockOf(rowOffsets),
    packTable(tiling, analysis, slabs),
    blockOf(
      window === undefined
        ? new Uint32Array(0)
        : positionWords(window, codeBytes, classBytes(tiling, constantBytes)),
    ),
    ...(foreground === undefined ? [] : foregroundBlocks(foreground, analysis, tiling)),
  ];
  return E.right({
    ...base,
    result,
    reach: window === undefined ? tiling.tiles * tiling.tile : base.length,
    // Behind the frame, or the lists of the foreground: where the sums of one tile start, and the sums.
    scratch: ownBytes(code),
    blocks: [...blocks, ...(parts?.blocks ?? [])],
    emit: (asm, bound) => emitEdges(asm, bound, code),
    ...(parts === undefined ? {} : { parts: parts.of(code, blocks.length) }),
    summary: {
      op: 'table.edge',
      form: [
        mode._tag,
        ...(sums === 'flushed' || sums === 'unsigned' ? [sums] : []),
        `groups ${groups.quads.length / 4}x4 ${groups.pairs.length / 2}x2 ${groups.singles.length}x1`,
        ...(skipped.length === 0 ? [] : [`${skipped.length} skip background by ${size}`]),
        ...(source.map === undefined ? [] : ['map fused']),
        ...(parts === undefined ? [] : [`${parts.count} parts`]),
        ...(window === undefined ? [] : [`${window.starts.length} windows`]),
      ].join(', '),
      inputs: inputs * table.groups,
      outputs: table.outputs,
      bits,
    },
  });
};
