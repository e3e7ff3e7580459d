/**
 * The closed union of ops. Everything that depends on the kind goes through `withDefinition`, whose match is
 * exhaustive: a new op does not compile until it stands there.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { showErrors } from '../codec.js';
import type { Cost, OpDefinition, Rule } from '../op-definition.js';
import type { Tensor } from '../tensor.js';
import type { Level, ValueType } from '../types.js';
import { type ActivateAttrs, activate } from './activate.js';
import { type AddAttrs, add } from './add.js';
import { type AffineAttrs, affine } from './affine.js';
import { type BucketizeAttrs, bucketize } from './bucketize.js';
import { type ConcatAttrs, concat } from './concat.js';
import { type DecodeAttrs, decode } from './decode.js';
import { type DequantizeAttrs, dequantize } from './dequantize.js';
import { type GatherAttrs, gather } from './gather.js';
import { type KanAttrs, kan } from './kan.js';
import { type MultiplyAttrs, multiply } from './multiply.js';
import { type NormAttrs, norm } from './norm.js';
import { type ObserveAttrs, observe } from './observe.js';
import { type PoolAttrs, pool } from './pool.js';
import { type QuantizeAttrs, quantize } from './quantize.js';
import { type RecodeAttrs, recode } from './recode.js';
import { type RequantizeAttrs, requantize } from './requantize.js';
import { type ReshapeAttrs, reshape } from './reshape.js';
import { type TableBasisAttrs, tableBasis } from './table-basis.js';
import { type TableEdgeAttrs, tableEdge } from './table-edge.js';
import { type TableNormAttrs, tableNorm } from './table-norm.js';
import { type TableSumAttrs, tableSum } from './table-sum.js';

export type Op =
  | { readonly kind: 'activate'; readonly attrs: ActivateAttrs }
  | { readonly kind: 'add'; readonly attrs: AddAttrs }
  | { readonly kind: 'affine'; readonly attrs: AffineAttrs }
  | { readonly kind: 'bucketize'; readonly attrs: BucketizeAttrs }
  | { readonly kind: 'concat'; readonly attrs: ConcatAttrs }
  | { readonly kind: 'decode'; readonly attrs: DecodeAttrs }
  | { readonly kind: 'dequantize'; readonly attrs: DequantizeAttrs }
  | { readonly kind: 'gather'; readonly attrs: GatherAttrs }
  | { readonly kind: 'kan'; readonly attrs: KanAttrs }
  | { readonly kind: 'multiply'; readonly attrs: MultiplyAttrs }
  | { readonly kind: 'norm'; readonly attrs: NormAttrs }
  | { readonly kind: 'observe'; readonly attrs: ObserveAttrs }
  | { readonly kind: 'pool'; readonly attrs: PoolAttrs }
  | { readonly kind: 'quantize'; readonly attrs: QuantizeAttrs }
  | { readonly kind: 'recode'; readonly attrs: RecodeAttrs }
  | { readonly kind: 'requantize'; readonly attrs: RequantizeAttrs }
  | { readonly kind: 'reshape'; readonly attrs: ReshapeAttrs }
  | { readonly kind: 'table.basis'; readonly attrs: TableBasisAttrs }
  | { readonly kind: 'table.edge'; readonly attrs: TableEdgeAttrs }
  | { readonly kind: 'table.norm'; readonly attrs: TableNormAttrs }
  | { readonly kind: 'table.sum'; readonly attrs: TableSumAttrs };

export type OpKind = Op['kind'];
export type OpOf<K extends OpKind> = Extract<Op, { kind: K }>;

/** All definitions, by kind. */
export const OPS = {
  activate,
  add,
  affine,
  bucketize,
  concat,
  decode,
  dequantize,
  gather,
  kan,
  multiply,
  norm,
  observe,
  pool,
  quantize,
  recode,
  requantize,
  reshape,
  'table.basis': tableBasis,
  'table.edge': tableEdge,
  'table.norm': tableNorm,
  'table.sum': tableSum,
} as const;

export const isOpKind = (kind: string): kind is OpKind => Object.hasOwn(OPS, kind);

/** A use of a definition together with the attributes of one op. */
type Use<R> = <K extends string, A>(definition: OpDefinition<K, A>, attrs: A) => R;

const withDefinition = <R>(op: Op, use: Use<R>): R =>
  match(op)
    .with({ kind: 'activate' }, ({ attrs }) => use(activate, attrs))
    .with({ kind: 'add' }, ({ attrs }) => use(add, attrs))
    .with({ kind: 'affine' }, ({ attrs }) => use(affine, attrs))
    .with({ kind: 'bucketize' }, ({ attrs }) => use(bucketize, attrs))
    .with({ kind: 'concat' }, ({ attrs }) => use(concat, attrs))
    .with({ kind: 'decode' }, ({ attrs }) => use(decode, attrs))
    .with({ kind: 'dequantize' }, ({ attrs }) => use(dequantize, attrs))
    .with({ kind: 'gather' }, ({ attrs }) => use(gather, attrs))
    .with({ kind: 'kan' }, ({ attrs }) => use(kan, attrs))
    .with({ kind: 'multiply' }, ({ attrs }) => use(multiply, attrs))
    .with({ kind: 'norm' }, ({ attrs }) => use(norm, attrs))
    .with({ kind: 'observe' }, ({ attrs }) => use(observe, attrs))
    .with({ kind: 'pool' }, ({ attrs }) => use(pool, attrs))
    .with({ kind: 'quantize' }, ({ attrs }) => use(quantize, attrs))
    .with({ kind: 'recode' }, ({ attrs }) => use(recode, attrs))
    .with({ kind: 'requantize' }, ({ attrs }) => use(requantize, attrs))
    .with({ kind: 'reshape' }, ({ attrs }) => use(reshape, attrs))
    .with({ kind: 'table.basis' }, ({ attrs }) => use(tableBasis, attrs))
    .with({ kind: 'table.edge' }, ({ attrs }) => use(tableEdge, attrs))
    .with({ kind: 'table.norm' }, ({ attrs }) => use(tableNorm, attrs))
    .with({ kind: 'table.sum' }, ({ attrs }) => use(tableSum, attrs))
    .exhaustive();

/** The type of an op's result. */
export const inferType = (op: Op, operands: ReadonlyArray<ValueType>): Rule<ValueType> =>
  withDefinition(op, (definition, attrs) =>
    operands.length === definition.operands || (definition.operands === 'several' && operands.length > 0)
      ? definition.infer(attrs, operands)
      : E.left(
          `takes ${definition.operands === 'several' ? 'one operand or more' : `${definition.operands} operand(s)`}, found ${operands.length}`,
        ),
  );

/** The checks of values beyond types (the type rule must hold). */
export const checkOp = (op: Op, operands: ReadonlyArray<ValueType>): Rule<void> =>
  withDefinition(op, (definition, attrs) => definition.check?.(attrs, operands) ?? E.right(undefined));

/** The proof that integers fit their types (the type rule and checkOp must hold). */
export const proveOp = (op: Op, operands: ReadonlyArray<ValueType>): Rule<void> =>
  withDefinition(op, (definition, attrs) => definition.prove?.(attrs, operands) ?? E.right(undefined));

/** Reference semantics. */
export const evaluateOp = (op: Op, operands: ReadonlyArray<Tensor>, result: ValueType): Tensor =>
  withDefinition(op, (definition, attrs) => definition.evaluate(attrs, operands, result));

export const costOf = (op: Op, operands: ReadonlyArray<ValueType>, result: ValueType): Cost =>
  withDefinition(op, (definition, attrs) => definition.cost(attrs, operands, result));

export const allowedAt = (op: Op, level: Level): boolean => OPS[op.kind].levels.includes(level);

/** Attributes as plain data (numbers, strings, booleans, constants, lists, records), for printing. */
export const encodeAttrs = (op: Op): unknown =>
  withDefinition(op, (definition, attrs) => definition.attrs.encode(attrs));

/** Whether the attributes satisfy their codec: for graphs made by untyped code. */
export const attrsFault = (op: Op): string | undefined =>
  withDefinition(op, (definition, attrs) =>
    pipe(
      definition.attrs.decode(attrs),
      E.match(showErrors, () => undefined),
    ),
  );

/** An op from its kind and untyped attributes: how text and plugins make one. */
export const decodeOp = (kind: OpKind, attrs: unknown): Rule<Op> => {
  const decoded = <K extends OpKind, A>(definition: OpDefinition<K, A>, make: (attrs: A) => Op): Rule<Op> =>
    pipe(definition.attrs.decode(attrs), E.bimap(showErrors, make));
  return match(kind)
    .with('activate', (k) => decoded(activate, (a) => ({ kind: k, attrs: a })))
    .with('add', (k) => decoded(add, (a) => ({ kind: k, attrs: a })))
    .with('affine', (k) => decoded(affine, (a) => ({ kind: k, attrs: a })))
    .with('bucketize', (k) => decoded(bucketize, (a) => ({ kind: k, attrs: a })))
    .with('concat', (k) => decoded(concat, (a) => ({ kind: k, attrs: a })))
    .with('decode', (k) => decoded(decode, (a) => ({ kind: k, attrs: a })))
    .with('dequantize', (k) => decoded(dequantize, (a) => ({ kind: k, attrs: a })))
    .with('gather', (k) => decoded(gather, (a) => ({ kind: k, attrs: a })))
    .with('kan', (k) => decoded(kan, (a) => ({ kind: k, attrs: a })))
    .with('multiply', (k) => decoded(multiply, (a) => ({ kind: k, attrs: a })))
    .with('norm', (k) => decoded(norm, (a) => ({ kind: k, attrs: a })))
    .with('observe', (k) => decoded(observe, (a) => ({ kind: k, attrs: a })))
    .with('pool', (k) => decoded(pool, (a) => ({ kind: k, attrs: a })))
    .with('quantize', (k) => decoded(quantize, (a) => ({ kind: k, attrs: a })))
    .with('recode', (k) => decoded(recode, (a) => ({ kind: k, attrs: a })))
    .with('requantize', (k) => decoded(requantize, (a) => ({ kind: k, attrs: a })))
    .with('reshape', (k) => decoded(reshape, (a) => ({ kind: k, attrs: a })))
    .with('table.basis', (k) => decoded(tableBasis, (a) => ({ kind: k, attrs: a })))
    .with('table.edge', (k) => decoded(tableEdge, (a) => ({ kind: k, attrs: a })))
    .with('table.norm', (k) => decoded(tableNorm, (a) => ({ kind: k, attrs: a })))
    .with('table.sum', (k) => decoded(tableSum, (a) => ({ kind: k, attrs: a })))
    .exhaustive();
};
