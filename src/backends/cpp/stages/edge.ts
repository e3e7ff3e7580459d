/** Edge tables as a stage: one row of a table for every input and its code. */
import type { OpOf } from '../../../ir/ops/index.js';
import { tableLayer } from '../../../ir/table-layer.js';
import { isPadded } from '../../../ir/window.js';
import type { Code } from '../code.js';
import type { Dialect, Stage } from '../stage.js';
import { tableOf } from '../table.js';
import type { StageBase } from './elementwise.js';
import { layerStage, type Sums } from './layer.js';

/** One row of the table for every input and code. */
export const edgeStage = (base: StageBase, op: OpOf<'table.edge'>, shape: ReadonlyArray<number>): Stage => {
  const { attrs: a } = op;
  const [slabs, perSlab, width] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const table = tableOf(`${base.id}_table`, a.table.data, width);
  const which = a.slabs === undefined ? undefined : tableOf(`${base.id}_slab`, a.slabs.data);
  const onCode = (d: Dialect, sums: Sums): Code => {
    const slab = which === undefined ? 'i' : d.table(which).read('', 'i');
    return [`const int32_t row = (${slab} * ${perSlab} + code) * ${width};`, ...sums({ table, from: 'row' })];
  };
  const padded = a.window !== undefined && isPadded(a.window);
  return layerStage(base, tableLayer(op), shape, {
    tables: [table, ...(which === undefined ? [] : [which])],
    wide: [table],
    onCode,
    ...(padded ? { padding: perSlab - 1 } : {}),
    rows: 1,
    form: `edge tables, ${slabs} slabs of ${perSlab} rows`,
    bits: table.type.bits,
  });
};
