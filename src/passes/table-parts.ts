/** Surgery on table layers that several passes share: dropping a bias, inputs, or outputs. */
import { type Constant, constant } from '../ir/constant.js';
import { allocate } from '../ir/element.js';
import type { Frequent } from '../ir/ops/frequent.js';
import type { Op, OpOf } from '../ir/ops/index.js';
import type { TableBasisAttrs } from '../ir/ops/table-basis.js';
import { basisTableRange } from '../ir/ops/table-basis-range.js';
import type { TableEdgeAttrs } from '../ir/ops/table-edge.js';
import { pickMeaning } from '../ir/quantizer.js';
import { withAccumulator } from './tabulate/edge.js';

/** The accumulator, proven anew for changed parts; undefined where it would need more than 32 bits. */
export const proveEdge = (a: TableEdgeAttrs, inputs: number): TableEdgeAttrs | undefined => {
  const { acc: _acc, lo: _lo, hi: _hi, ...parts } = a;
  return withAccumulator(parts, inputs);
};

export const proveBasis = (a: TableBasisAttrs, inputs: number): TableBasisAttrs | undefined => {
  const { lo, hi } = basisTableRange(a, inputs);
  return lo >= -(2 ** 31) && hi < 2 ** 31 ? { ...a, lo, hi } : undefined;
};

/** A table layer without its bias, and the bias; undefined when it has none, is no table layer, or needs it to fit. */
export const withoutBias = (
  op: Op,
): { op: OpOf<'table.edge' | 'table.basis'>; bias: Constant } | undefined => {
  if (op.kind === 'table.edge' && op.attrs.bias !== undefined) {
    const { bias, ...rest } = op.attrs;
    const inputs = rest.slabs?.shape[0] ?? rest.table.shape[0]!;
    const attrs = proveEdge(rest, inputs);
    return attrs === undefined ? undefined : { op: { kind: 'table.edge', attrs }, bias };
  }
  if (op.kind === 'table.basis' && op.attrs.bias !== undefined) {
    const { bias, ...rest } = op.attrs;
    const attrs = proveBasis(rest, rest.coefficients.shape[0]!);
    return attrs === undefined ? undefined : { op: { kind: 'table.basis', attrs }, bias };
  }
  return undefined;
};

/** The slices `indices` of a constant along `axis`. */
export const pickAlong = (c: Constant, axis: number, indices: ArrayLike<number>): Constant => {
  const outer = c.shape.slice(0, axis).reduce((n, d) => n * d, 1);
  const count = c.shape[axis]!;
  const inner = c.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const data = allocate(c.element, outer * indices.length * inner);
  for (let a = 0; a < outer; a++) {
    for (let j = 0; j < indices.length; j++) {
      const from = (a * count + indices[j]!) * inner;
      const to = (a * indices.length + j) * inner;
      for (let k = 0; k < inner; k++) data[to + k] = c.data[from + k]!;
    }
  }
  const shape = c.shape.map((d, k) => (k === axis ? indices.length : d));
  return constant(c.element, shape, data);
};

/** The frequent codes of some inputs. */
export const pickFrequent = (a: Frequent, inputs: ArrayLike<number>): Frequent =>
  a.frequent === undefined ? {} : { frequent: pickAlong(a.frequent, 0, inputs) };

const pickChannels = <P extends number | Constant>(p: P, indices: ArrayLike<number>): P | Constant =>
  typeof p === 'number' ? p : pickAlong(p, 0, indices);

/** A table layer that computes only some of its outputs. */
export const pickOutputs = (op: Op, indices: ArrayLike<number>): Op | undefined => {
  if (op.kind === 'table.edge') {
    const { attrs } = op;
    const proven = proveEdge(
      {
        ...attrs,
        table: pickAlong(attrs.table, 2, indices),
        scale: pickChannels(attrs.scale, indices),
        ...(attrs.bias === undefined ? {} : { bias: pickAlong(attrs.bias, 0, indices) }),
      },
      attrs.slabs?.shape[0] ?? attrs.table.shape[0]!,
    );
    return proven === undefined ? undefined : { kind: 'table.edge', attrs: proven };
  }
  if (op.kind === 'table.basis') {
    const { attrs } = op;
    const proven = proveBasis(
      {
        ...attrs,
        coefficients: pickAlong(attrs.coefficients, 2, indices),
        scale: pickChannels(attrs.scale, indices),
        ...(attrs.base === undefined ? {} : { base: pickAlong(attrs.base, 1, indices) }),
        ...(attrs.bias === undefined ? {} : { bias: pickAlong(attrs.bias, 0, indices) }),
      },
      attrs.coefficients.shape[0]!,
    );
    return proven === undefined ? undefined : { kind: 'table.basis', attrs: proven };
  }
  if (op.kind === 'bucketize') {
    const { attrs } = op;
    const meaning = pickMeaning(attrs.quantizer, indices);
    if (meaning === undefined || meaning._tag === 'scaled') return undefined;
    const { thresholds } = attrs;
    const picked = thresholds.shape[0] === 1 ? thresholds : pickAlong(thresholds, 0, indices);
    return { kind: 'bucketize', attrs: { ...attrs, quantizer: meaning, thresholds: picked } };
  }
  if (op.kind === 'requantize') {
    const { attrs } = op;
    const meaning = pickMeaning(attrs.quantizer, indices);
    if (meaning === undefined || meaning._tag === 'scaled') return undefined;
    return {
      kind: 'requantize',
      attrs: {
        ...attrs,
        mul: pickChannels(attrs.mul, indices),
        quantizer: meaning,
        ...(attrs.bias === undefined ? {} : { bias: pickAlong(attrs.bias, 0, indices) }),
      },
    };
  }
  return undefined;
};
