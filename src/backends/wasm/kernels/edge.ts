/** The edge-table kernel: picks its arithmetic from proven facts, and makes its tables. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { TableEdgeAttrs } from '../../../ir/ops/table-edge.js';
import type { Kernel } from '../kernel.js';
import { blockOf, type Storage } from '../storage.js';
import { type CodeSource, layerCode, slotList } from './code-source.js';
import { analyseEdges, type EdgeAnalysis, groupInputs } from './edge-analysis.js';
import { emitEdges } from './edge-emit.js';
import {
  DIRECT16,
  type EdgeMode,
  offsets,
  packTable,
  SPLIT8,
  SPLIT16,
  slabBytes,
  tileOutputs,
} from './edge-layout.js';

const fitsI16 = (a: EdgeAnalysis): boolean => a.lo >= -32768 && a.hi <= 32767;

/** The arithmetic for a table, or undefined when its entries need more than 16 bits. */
const modeOf = (a: EdgeAnalysis): EdgeMode | undefined => {
  const widest = a.widest.reduce((x, y) => Math.max(x, y), 0);
  if (widest <= 0xff) return SPLIT8;
  if (widest > 0xffff) return undefined;
  return fitsI16(a) ? DIRECT16 : SPLIT16;
};

/** Fails with K0602 on entries of more than 16 bits and with K0402 on an accumulator type that is too narrow. */
export const edgeTable = (
  base: Pick<Kernel, 'name' | 'operand' | 'length'>,
  attrs: TableEdgeAttrs,
  inputs: number,
  source: CodeSource,
  result: Storage,
): Checked<Kernel> => {
  const analysis = analyseEdges(attrs, inputs);
  const mode = modeOf(analysis);
  if (mode === undefined) {
    return fail('K0602', 'the entries of the table span more than 16 bits', { place: { op: base.name } });
  }
  const narrow = fitsI16(analysis);
  if (!narrow && result === 'i16') {
    return fail(
      'K0402',
      `accumulators reach [${analysis.lo}, ${analysis.hi}], which does not fit i${attrs.acc}`,
      {
        place: { op: base.name },
      },
    );
  }
  const tiling = tileOutputs(mode, analysis.outputs);
  const capacity =
    mode._tag === 'split8' ? 0xff : mode._tag === 'split16' ? 0xffff : Number.POSITIVE_INFINITY;
  const groups = groupInputs(analysis, capacity);
  const slots = [...groups.quads, ...groups.pairs, ...groups.singles];
  const wanted = slots.map(analysis.slabOf);
  const slabs = [...new Set(wanted)];
  const shared = slabs.length < wanted.length;
  const stride = slabBytes(tiling, analysis.codes);
  const order = new Map(slabs.map((slab, k) => [slab, k]));
  const list = slotList(source, slots, shared ? wanted.map((slab) => order.get(slab)! * stride) : undefined);
  const rowOffsets = Uint32Array.from(
    { length: source.map === undefined ? 0 : source.levels },
    (_, code) => layerCode(source, code) * tiling.rowBytes,
  );
  const wide = result === 'i32';
  return E.right({
    ...base,
    result,
    reach: tiling.tiles * tiling.width,
    blocks: [
      blockOf(offsets(tiling, analysis.offset, wide && !(narrow && mode.lane === 2))),
      list.block,
      blockOf(rowOffsets),
      packTable(tiling, analysis, attrs.table.data, slabs),
    ],
    emit: (asm, bound) =>
      emitEdges(asm, bound, {
        tiling,
        source,
        list,
        result: wide ? 'i32' : 'i16',
        flush: mode._tag === 'split8' && !narrow,
        shared,
        slabBytes: stride,
        tileBytes: stride * slabs.length,
        sections: [
          { size: 4 as const, count: groups.quads.length / 4 },
          { size: 2 as const, count: groups.pairs.length / 2 },
          { size: 1 as const, count: groups.singles.length },
        ].filter((s) => s.count > 0),
      }),
    summary: {
      op: 'table.edge',
      form: [
        mode._tag,
        ...(mode._tag === 'split8' && !narrow ? ['flushed'] : []),
        `groups ${groups.quads.length / 4}x4 ${groups.pairs.length / 2}x2 ${groups.singles.length}x1`,
        ...(source.map === undefined ? [] : ['map fused']),
      ].join(', '),
      inputs,
      outputs: analysis.outputs,
      bits: attrs.table.element.kind === 'f32' ? 32 : attrs.table.element.bits,
    },
  });
};
