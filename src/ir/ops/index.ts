/**
 * The closed union of ops. DEFINITIONS is the one list: an op is its file and a line there; its type, its text form and
 * its place in the verifier and the interpreter follow.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as t from 'io-ts';
import { type Program, program, type Source } from '../../code/language.js';
import { HOLDS, type Rule } from '../../diagnostics/index.js';
import { showErrors } from '../codec.js';
import type { Cost, OpDefinition, RoleTag } from '../op-definition.js';
import type { Tensor } from '../tensor.js';
import { channelsOf, type Level, type ValueType } from '../types.js';
import { activate } from './activate.js';
import { add } from './add.js';
import { affine } from './affine.js';
import { bucketize } from './bucketize.js';
import { concat } from './concat.js';
import { decode } from './decode.js';
import { dequantize } from './dequantize.js';
import { gather } from './gather.js';
import { kan } from './kan.js';
import { multiply } from './multiply.js';
import { norm } from './norm.js';
import { observe } from './observe.js';
import { pool } from './pool.js';
import { quantize } from './quantize.js';
import { recode } from './recode.js';
import { requantize } from './requantize.js';
import { reshape } from './reshape.js';
import { softmax } from './softmax.js';
import { tableBasis } from './table-basis.js';
import { tableEdge } from './table-edge.js';
import { tableNorm } from './table-norm.js';
import { tableSum } from './table-sum.js';

const DEFINITIONS = [
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
  softmax,
  tableBasis,
  tableEdge,
  tableNorm,
  tableSum,
] as const;

type Definition = (typeof DEFINITIONS)[number];
type DefinitionOf<K extends OpKind> = Extract<Definition, { readonly kind: K }>;

export type OpKind = Definition['kind'];
export type Op = {
  readonly [K in OpKind]: { readonly kind: K; readonly attrs: t.TypeOf<DefinitionOf<K>['attrs']> };
}[OpKind];
export type OpOf<K extends OpKind> = Extract<Op, { kind: K }>;

/** The ops of a role: a match over them is told by the type checker of a new one. */
export type OpOfRole<R extends RoleTag> = OpOf<
  Extract<Definition, { readonly role: { readonly _tag: R } }>['kind']
>;

/** All definitions, by kind: made of the list, whose kinds `fromEntries` does not tell. */
export const OPS = Object.fromEntries(
  DEFINITIONS.map((definition) => [definition.kind, definition]),
) as unknown as { readonly [K in OpKind]: DefinitionOf<K> };

export const isOpKind = (kind: string): kind is OpKind => Object.hasOwn(OPS, kind);

/** A definition whose attributes are those of some op. */
type AnyDefinition = OpDefinition<OpKind, Op['attrs']>;

/**
 * The definition of a kind. That `op.attrs` are the attributes of `definitionOf(op.kind)` is how Op is made from the
 * list; the type checker does not carry it through the lookup, hence the casts here and in `opOf`.
 */
const definitionOf = (kind: OpKind): AnyDefinition => OPS[kind] as unknown as AnyDefinition;

export const hasRole = <R extends RoleTag>(op: Op, ...roles: ReadonlyArray<R>): op is OpOfRole<R> =>
  roles.some((role) => role === definitionOf(op.kind).role._tag);

/** The function of the elements of a channel, for ops that are one. */
export const univariateOf = ({
  kind,
  attrs,
}: Op): ((channel: number) => (x: number) => number) | undefined => {
  const { role } = definitionOf(kind);
  return role._tag === 'univariate' ? (c) => role.of(attrs, c) : undefined;
};

/** Where the channels of the result come from, for ops that only move elements; `counts`: channels of the operands. */
export const channelSources = (
  { kind, attrs }: Op,
  counts: ReadonlyArray<number>,
): ReadonlyArray<Source> | undefined => {
  const { role } = definitionOf(kind);
  return role._tag === 'layout' ? role.channels(attrs, counts) : undefined;
};

/** Whether an op puts elements of several channels into one. */
export const mixesChannels = ({ kind, attrs }: Op, counts: ReadonlyArray<number>): boolean => {
  const { role } = definitionOf(kind);
  return role._tag === 'layout' && role.mixes !== undefined && role.mixes(attrs, counts);
};

/** What the table form of an op gives that makes values: codes, or the accumulators behind which any quantizer may stand. */
export const isCodedInTables = ({ kind }: Op): boolean => {
  const { role } = definitionOf(kind);
  return role._tag === 'value' && role.gives === 'codes';
};

/** An op from its kind and the attributes that its definition made. */
const opOf = (kind: OpKind, attrs: Op['attrs']): Op => ({ kind, attrs }) as Op;

/** The type of an op's result. */
export const inferType = ({ kind, attrs }: Op, operands: ReadonlyArray<ValueType>): Rule<ValueType> => {
  const definition = definitionOf(kind);
  const isSeveral = definition.operands === 'several';
  return operands.length === definition.operands || (isSeveral && operands.length > 0)
    ? definition.infer(attrs, operands)
    : E.left(
        `takes ${isSeveral ? 'one operand or more' : `${definition.operands} operand(s)`}, found ${operands.length}`,
      );
};

/** The checks of values beyond types (the type rule must hold). */
export const checkOp = ({ kind, attrs }: Op, operands: ReadonlyArray<ValueType>): Rule<void> =>
  definitionOf(kind).check?.(attrs, operands) ?? HOLDS;

/** The proof that integers fit their types (the type rule and checkOp must hold). */
export const proveOp = ({ kind, attrs }: Op, operands: ReadonlyArray<ValueType>): Rule<void> =>
  definitionOf(kind).prove?.(attrs, operands) ?? HOLDS;

/** Reference semantics. */
export const evaluateOp = ({ kind, attrs }: Op, operands: ReadonlyArray<Tensor>, result: ValueType): Tensor =>
  definitionOf(kind).evaluate(attrs, operands, result);

/** What an op computes in table graphs, for targets to write; or, in a few words, what no target has. */
export const lowerOp = (
  { kind, attrs }: Op,
  operands: ReadonlyArray<ValueType>,
  result: ValueType,
): Rule<Program> => {
  const { lower, role } = definitionOf(kind);
  if (lower !== undefined) return E.fromNullable(`${kind} of floats`)(lower(attrs, operands, result));
  if (role._tag !== 'layout') return E.left(kind);
  return E.right(
    program('copy', { _tag: 'channels', sources: role.channels(attrs, operands.map(channelsOf)) }),
  );
};

export const costOf = ({ kind, attrs }: Op, operands: ReadonlyArray<ValueType>, result: ValueType): Cost =>
  definitionOf(kind).cost(attrs, operands, result);

/** An elementwise op on some channels of its operand; undefined for ops that are not. */
export const pickOp = ({ kind, attrs }: Op, channels: ArrayLike<number>): Op | undefined => {
  const picked = definitionOf(kind).pick?.(attrs, channels);
  return picked === undefined ? undefined : opOf(kind, picked);
};

export const allowedAt = (op: Op, level: Level): boolean => definitionOf(op.kind).levels.includes(level);

/** Attributes as plain data (numbers, strings, booleans, constants, lists, records), for printing. */
export const encodeAttrs = ({ kind, attrs }: Op): unknown => definitionOf(kind).attrs.encode(attrs);

/** Whether the attributes satisfy their codec: for graphs made by untyped code. */
export const attrsFault = ({ kind, attrs }: Op): Rule<void> =>
  pipe(
    definitionOf(kind).attrs.decode(attrs),
    E.bimap(showErrors, () => undefined),
  );

/** An op from its kind and untyped attributes: how text and plugins make one. */
export const decodeOp = (kind: OpKind, attrs: unknown): Rule<Op> =>
  pipe(
    definitionOf(kind).attrs.decode(attrs),
    E.bimap(showErrors, (decoded) => opOf(kind, decoded)),
  );
