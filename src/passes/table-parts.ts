/** Surgery on table layers: less of one, with its range proven anew. */
import { match } from 'ts-pattern';
import { type Constant, pickAlong, pickChannels } from '../ir/constant.js';
import { basisTableRange } from '../ir/ops/basis-range.js';
import type { Op } from '../ir/ops/index.js';
import { withAccumulator } from '../ir/ops/table-edge.js';
import { isTableLayer, type TableLayerOp, tableLayer } from '../ir/table-layer.js';

/** The range and the accumulator of a layer, proven anew; undefined where it would need more than 32 bits. */
export const proveLayer = (op: TableLayerOp, inputs: number): TableLayerOp | undefined =>
  match(op)
    .with({ kind: 'table.edge' }, ({ kind, attrs: { acc: _acc, lo: _lo, hi: _hi, ...parts } }) => {
      const attrs = withAccumulator(parts, inputs);
      return attrs === undefined ? undefined : { kind, attrs };
    })
    .with({ kind: 'table.basis' }, ({ kind, attrs }) => {
      const { lo, hi } = basisTableRange(attrs, inputs);
      return lo >= -(2 ** 31) && hi < 2 ** 31 ? { kind, attrs: { ...attrs, lo, hi } } : undefined;
    })
    .exhaustive();

/** A table layer without its bias, and the bias; undefined when it has none, is no table layer, or needs it to fit. */
export const withoutBias = (op: Op): { op: TableLayerOp; bias: Constant } | undefined => {
  if (!isTableLayer(op) || op.attrs.bias === undefined) return undefined;
  const { bias } = op.attrs;
  const rest = match(op)
    .with({ kind: 'table.edge' }, ({ kind, attrs: { bias: _bias, ...attrs } }) => ({ kind, attrs }))
    .with({ kind: 'table.basis' }, ({ kind, attrs: { bias: _bias, ...attrs } }) => ({ kind, attrs }))
    .exhaustive();
  const proven = proveLayer(rest, tableLayer(op).inputs);
  return proven === undefined ? undefined : { op: proven, bias };
};

/** A table layer that computes only some of its outputs. */
export const pickOutputs = (op: TableLayerOp, outputs: ArrayLike<number>): TableLayerOp | undefined => {
  const { scale, bias } = op.attrs;
  const some = {
    scale: pickChannels(scale, outputs),
    ...(bias === undefined ? {} : { bias: pickAlong(bias, 0, outputs) }),
  };
  const picked = match(op)
    .with({ kind: 'table.edge' }, ({ kind, attrs }) => ({
      kind,
      attrs: { ...attrs, ...some, table: pickAlong(attrs.table, 2, outputs) },
    }))
    .with({ kind: 'table.basis' }, ({ kind, attrs }) => ({
      kind,
      attrs: {
        ...attrs,
        ...some,
        coefficients: pickAlong(attrs.coefficients, 2, outputs),
        ...(attrs.base === undefined ? {} : { base: pickAlong(attrs.base, 1, outputs) }),
      },
    }))
    .exhaustive();
  return proveLayer(picked, tableLayer(op).inputs);
};
