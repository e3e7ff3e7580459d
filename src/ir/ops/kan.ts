/** The KAN layer: every input goes through its basis functions, outputs are linear in them. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import {
  accumulateBranch,
  type Branch,
  BranchCodec,
  basisEvaluator,
  functionCount,
  supportSize,
} from '../basis.js';
import { constantOf, integer, record } from '../codec.js';
import { type Constant, f32Data, firstUnfit } from '../constant.js';
import { defineOp, type Rule } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { floatType } from '../types.js';

/** How a layer is to be tabulated; set by `quantize`, read by `tabulate`. Bits are 1 to 16. */
export interface Precision {
  /** Bits of an edge-table entry. */
  readonly table: number;
  /** Bits of a coefficient in the basis form (two's complement). */
  readonly coef: number;
  /** Bits of a B-spline value in the basis form (unsigned). */
  readonly basis: number;
}

export interface KanAttrs {
  readonly branches: ReadonlyArray<Branch>;
  /** f32[O]. */
  readonly bias?: Constant;
  readonly precision?: Precision;
}

const PrecisionCodec: t.Type<Precision, unknown, unknown> = record(
  { table: integer(2, 16), coef: integer(2, 16), basis: integer(1, 16) },
  {},
);

const attrs: t.Type<KanAttrs, unknown, unknown> = record(
  { branches: t.readonlyArray(BranchCodec) },
  { bias: constantOf('f32', 1), precision: PrecisionCodec },
);

const checkBranch = (branch: Branch, index: number, inputs: number, outputs: number): string | undefined => {
  const [i, k, o] = branch.weights.shape;
  const functions = functionCount(branch.basis);
  if (i !== inputs || k !== functions || o !== outputs) {
    return `branch ${index}: weights are [${branch.weights.shape.join(', ')}], but ${inputs} inputs, ${functions} basis functions and ${outputs} outputs need [${inputs}, ${functions}, ${outputs}]`;
  }
  if (branch.basis._tag !== 'bspline') return undefined;
  const [rows, count] = branch.basis.knots.shape;
  if (rows !== 1 && rows !== inputs) return `branch ${index}: ${rows} rows of knots for ${inputs} inputs`;
  if ((count ?? 0) < 2 * branch.basis.order + 2) {
    return `branch ${index}: ${count} knots are too few for order ${branch.basis.order}`;
  }
  return undefined;
};

const descendingKnot = (knots: Constant): number => {
  const count = knots.shape[1]!;
  for (let i = 0; i < knots.data.length; i++) {
    if (i % count !== 0 && knots.data[i]! < knots.data[i - 1]!) return i;
  }
  return -1;
};

const check = (a: KanAttrs): Rule<void> => {
  for (const [index, branch] of a.branches.entries()) {
    if (firstUnfit(branch.weights) >= 0) return E.left(`branch ${index}: a weight is not finite`);
    if (branch.basis._tag !== 'bspline') continue;
    if (firstUnfit(branch.basis.knots) >= 0) return E.left(`branch ${index}: a knot is not finite`);
    if (descendingKnot(branch.basis.knots) >= 0) return E.left(`branch ${index}: knots decrease`);
  }
  if (a.bias !== undefined && firstUnfit(a.bias) >= 0) return E.left('the bias is not finite');
  return E.right(undefined);
};

export const kan = defineOp<'kan', KanAttrs>({
  kind: 'kan',
  summary:
    'y[o] = bias[o] + sum over branches, inputs i and basis functions k of weights[i,k,o] * basis_k(x[i])',
  levels: ['float', 'quantized'],
  operands: 1,
  attrs,
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32' || x.shape.length !== 1) {
      return E.left('takes a value of type f32[n, I]');
    }
    const outputs = a.branches[0]?.weights.shape[2];
    if (outputs === undefined) return E.left('has no branches');
    const inputs = x.shape[0]!;
    for (const [index, branch] of a.branches.entries()) {
      const wrong = checkBranch(branch, index, inputs, outputs);
      if (wrong !== undefined) return E.left(wrong);
    }
    if (a.bias !== undefined && a.bias.shape[0] !== outputs) {
      return E.left(`bias has ${a.bias.shape[0]} elements for ${outputs} outputs`);
    }
    return E.right(floatType([outputs]));
  },
  check,
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const inputs = x!.type.shape[0]!;
    const outputs = type.shape[0]!;
    const acc = new Float64Array(outputs);
    const branches = a.branches.map((b) => ({
      evaluator: basisEvaluator(b.basis, inputs),
      weights: f32Data(b.weights),
      functions: functionCount(b.basis),
    }));
    for (let n = 0; n < x!.batch; n++) {
      acc.fill(0);
      if (a.bias !== undefined) acc.set(a.bias.data);
      for (const { evaluator, weights, functions } of branches) {
        for (let i = 0; i < inputs; i++) {
          accumulateBranch(evaluator, weights, functions, outputs, i, x!.data[n * inputs + i]!, acc);
        }
      }
      result.data.set(acc, n * outputs);
    }
    return result;
  },
  cost: (a, [x], type) => {
    const edges = x!.shape[0]! * type.shape[0]!;
    const perEdge = a.branches.reduce((n, b) => n + supportSize(b.basis), 0);
    const bytes = a.branches.reduce(
      (n, b) =>
        n + b.weights.data.byteLength + (b.basis._tag === 'bspline' ? b.basis.knots.data.byteLength : 0),
      0,
    );
    return { macs: edges * perEdge, macBits: [32, 32], adds: 0, addBits: 32, reads: 0, bytes };
  },
});
