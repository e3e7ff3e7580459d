/** Edge tables as a stage: one row of a table for every input and its code. */
import type { TableEdgeAttrs } from '../../../ir/ops/table-edge.js';
import { isPadded } from '../../../ir/window.js';
import type { Code } from '../code.js';
import type { Dialect, Stage } from '../stage.js';
import { tableOf } from '../table.js';
import type { StageBase } from './elementwise.js';
import { biasOf, layerStage, type Sums } from './layer.js';

/** One row of the table for every input and code. */
export const edgeStage = (base: StageBase, a: TableEdgeAttrs, shape: ReadonlyArray<number>): Stage => {
  const [slabs, perSlab, width] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const table = tableOf(`${base.id}_table`, a.table.data, width);
  const which = a.slabs === undefined ? undefined : tableOf(`${base.id}_slab`, a.slabs.data);
  const onCode = (d: Dialect, sums: Sums): Code => {
    const slab = which === undefined ? 'i' : d.table(which).read('', 'i');
    return [`const int32_t row = (${slab} * ${perSlab} + code) * ${width};`, ...sums({ table, from: 'row' })];
  };
  const padded = a.window !== undefined && isPadded(a.window);
  return layerStage(base, 'table.edge', shape, a.window, {
    tables: [table, ...(which === undefined ? [] : [which])],
    wide: [table],
    ...biasOf(base, a.bias),
    edge: (i, code, o) => a.table.data[((a.slabs?.data[i] ?? i) * perSlab + code) * width + o]!,
    levels: perSlab,
    width,
    onCode,
    ...(padded ? { padding: perSlab - 1 } : {}),
    rows: 1,
    form: `edge tables, ${slabs} slabs of ${perSlab} rows`,
    bits: table.type.bits,
  });
};
