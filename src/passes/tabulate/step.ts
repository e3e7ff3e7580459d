/** The table form of one node of a quantized graph. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { at, type Checked, fail } from '../../diagnostics/index.js';
import type { Replacement, Rewriter } from '../../ir/builder.js';
import { constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { Graph, Node, ValueName } from '../../ir/graph.js';
import { hasRole, OPS, type Op, type OpOf, type OpOfRole } from '../../ir/ops/index.js';
import { productScales } from '../../ir/ops/multiply.js';
import { normGroup } from '../../ir/ops/norm.js';
import type { ObserveAttrs } from '../../ir/ops/observe.js';
import { innerOf } from '../../ir/types.js';
import { integersFit } from '../integer-limits.js';
import { siteOf } from '../layer-site.js';
import { type Remark, warning } from '../pass.js';
import type { Refit } from '../refit/index.js';
import { type Coded, resolveCoded } from './coded.js';
import { finite, tabulateLayer } from './layer.js';
import { type PendingNorm, tabulateNorm } from './norm.js';
import type { TabulateOptions } from './options.js';
import { FACTORS, normed, POOLED, type SumChoice, tabulateSum, WIDE } from './sum.js';

/** What the steps over one graph share. */
export interface Tabulation {
  readonly graph: Graph;
  readonly options: TabulateOptions;
  readonly refit: Refit | undefined;
  readonly r: Rewriter<'table'>;
  /** Statistics of what was quantized, by the name of the codes. */
  readonly statistics: Map<ValueName, ObserveAttrs>;
  /** Norms that wait for their quantizer, by the accumulators that stand in their place. */
  readonly norms: Map<ValueName, PendingNorm>;
  readonly said: Remark[];
}

type OpNode<O extends Op> = Node & { readonly op: O };

/** What stands for a node in the graph of tables. */
export const tabulateNode = (t: Tabulation, node: Node): Checked<Replacement> => {
  const { op } = node;
  if (hasRole(op, 'value')) return tabulateValue(t, { ...node, op });
  if (op.kind === 'quantize') return quantized(t, { ...node, op });
  if (hasRole(op, 'final')) return leftOut(t, node, OPS[op.kind].role.without);
  // A norm is made where its quantizer is known; what was observed of it is not asked any more.
  const operand = hasRole(op, 'observer') ? t.r.of(node.operands[0]!) : undefined;
  if (operand !== undefined && t.norms.has(operand)) return E.right(operand);
  const kept = t.r.keep(node);
  // A result that is codes with something univariate behind them.
  const value = t.graph.outputs.includes(node.name) ? resolveCoded(kept, t.r, t.statistics) : undefined;
  return value === undefined ? E.right(kept) : summedUp(t, node, [value]);
};

/** What stands at the end alone has no table form: its operand is the result. */
const leftOut = (t: Tabulation, node: Node, without: string): Checked<ValueName> => {
  if (!t.graph.outputs.includes(node.name)) {
    return fail('K0505', `${node.op.kind} is not the last op`, {
      place: { pass: 'tabulate', op: node.name },
      expected: 'an op that gives a result of the graph',
    });
  }
  t.said.push(warning(`${node.op.kind} is left out: ${without}`, node.name));
  const operand = t.r.of(node.operands[0]!);
  const value = resolveCoded(operand, t.r, t.statistics);
  return value === undefined ? E.right(operand) : summedUp(t, node, [value]);
};

const tabulateValue = (t: Tabulation, node: OpNode<OpOfRole<'value'>>): Checked<ValueName> =>
  match(node.op)
    .with({ kind: 'kan' }, (op) => layer(t, { ...node, op }))
    .with({ kind: 'add' }, () =>
      pipe(
        E.sequenceArray(node.operands.map((_, k) => coded(t, node, k))),
        E.flatMap((parts) => summedUp(t, node, parts)),
      ),
    )
    .with({ kind: 'pool' }, (op) =>
      pipe(
        accumulators(t, node, POOLED),
        E.flatMap((sum) => dequantized(t, node, op, [sum])),
      ),
    )
    .with({ kind: 'multiply' }, (op) => products(t, { ...node, op }))
    .with({ kind: 'norm' }, (op) => pendingNorm(t, { ...node, op }))
    .exhaustive();

/** The operand as codes with what they stand for. */
const coded = ({ r, statistics }: Tabulation, node: Node, k: number): Checked<Coded> => {
  const value = resolveCoded(r.of(node.operands[k]!), r, statistics);
  return value !== undefined
    ? E.right(value)
    : fail('K0505', `${node.op.kind} does not read decoded codes`, {
        place: { pass: 'tabulate', op: node.name },
        hint: 'Run quantize before tabulate, and calibrate before quantize.',
      });
};

const placed = (node: Node) => at({ pass: 'tabulate', op: node.name });

/** Adds an op that reads integers, whose range can be too large for it. */
const added = (
  { r }: Tabulation,
  node: Node,
  hint: string,
  op: Op,
  operands: ReadonlyArray<ValueName>,
): Checked<ValueName> => {
  const types = operands.flatMap((name) => r.nodeOf(name)?.type ?? []);
  // An operand that its type rule refused has none: the rewrite ends with what that said.
  const fits = types.length === operands.length ? placed(node)(integersFit(op, types)) : E.right(undefined);
  return pipe(
    fits,
    E.map(() => r.add(hint, op, operands)),
  );
};

/** An op that gives accumulators, and the floats that they stand for. */
const dequantized = (
  t: Tabulation,
  node: Node,
  op: Op,
  operands: ReadonlyArray<ValueName>,
): Checked<ValueName> =>
  pipe(
    added(t, node, `${node.name}_acc`, op, operands),
    E.map((acc) => t.r.add(node.name, { kind: 'dequantize', attrs: {} }, [acc])),
  );

/** The sum of a table for every channel of each part. */
const sumOf = (node: Node, parts: ReadonlyArray<Coded>, choice: SumChoice): Checked<OpOf<'table.sum'>> => {
  const attrs = tabulateSum(parts, choice);
  return placed(node)(finite(attrs.scale, { kind: 'table.sum', attrs }));
};

const summedUp = (t: Tabulation, node: Node, parts: ReadonlyArray<Coded>): Checked<ValueName> =>
  pipe(
    sumOf(node, parts, WIDE),
    E.flatMap((sum) =>
      dequantized(
        t,
        node,
        sum,
        parts.map((p) => p.codes),
      ),
    ),
  );

/** The operand as accumulators: a table for every channel. */
const accumulators = (t: Tabulation, node: Node, choice: SumChoice): Checked<ValueName> =>
  pipe(
    coded(t, node, 0),
    E.flatMap((value) =>
      pipe(
        sumOf(node, [value], choice),
        E.map((sum) => t.r.add(`${node.name}_sum`, sum, [value.codes])),
      ),
    ),
  );

const layer = (t: Tabulation, node: OpNode<OpOf<'kan'>>): Checked<ValueName> => {
  const value = coded(t, node, 0);
  if (E.isLeft(value)) return value;
  const { refit, r, options } = t;
  const { codes } = value.right;
  const { attrs } = node.op;
  const evidence =
    refit === undefined ? undefined : () => refit.evidenceFor(node.name, attrs.window, codes, r);
  const made = placed(node)(
    tabulateLayer(siteOf(attrs, value.right), node.name, innerOf(node.type), options, evidence),
  );
  if (E.isLeft(made)) return made;
  for (const remark of made.right.said) t.said.push({ ...remark, op: node.name });
  return dequantized(t, node, made.right.op, [codes]);
};

const products = (t: Tabulation, node: OpNode<OpOf<'multiply'>>): Checked<ValueName> => {
  const value = coded(t, node, 0);
  if (E.isLeft(value)) return value;
  const sum = sumOf(node, [value.right], FACTORS);
  if (E.isLeft(sum)) return sum;
  const scales = productScales(node.op.attrs, sum.right.attrs.scale, value.right.channels.length);
  return pipe(
    finite(constant(F32, [scales.length], scales), node.op),
    placed(node),
    E.flatMap((op) =>
      dequantized(t, node, op, [t.r.add(`${node.name}_sum`, sum.right, [value.right.codes])]),
    ),
  );
};

/** Made where its quantizer is known: its place is taken by the accumulators that it reads. */
const pendingNorm = (t: Tabulation, node: OpNode<OpOf<'norm'>>): Checked<ValueName> => {
  const { over, epsilon } = node.op.attrs;
  return pipe(
    accumulators(t, node, normed(over, epsilon, normGroup(over, node.type.shape))),
    E.map((acc) => {
      const sum = t.r.nodeOf(acc);
      // A sum whose type rule refused it is in no graph: the rewrite ends with it.
      if (sum !== undefined) t.norms.set(acc, { attrs: node.op.attrs, type: sum.type });
      return acc;
    }),
  );
};

/** A quantizer: part of the norm before it, or kept; with what was observed of the values that it codes. */
const quantized = (t: Tabulation, node: OpNode<OpOf<'quantize'>>): Checked<ValueName> => {
  const operand = t.r.of(node.operands[0]!);
  const norm = t.norms.get(operand);
  const codes =
    norm === undefined
      ? E.right(t.r.keep(node))
      : added(t, node, node.name, { kind: 'table.norm', attrs: tabulateNorm(norm, node.op.attrs) }, [
          operand,
        ]);
  const observed = t.graph.nodes.find(({ name }) => name === node.operands[0]);
  if (E.isRight(codes) && observed?.op.kind === 'observe') {
    t.statistics.set(codes.right, observed.op.attrs);
  }
  return codes;
};
