/**
 * One node of an ONNX graph while it is written in the ops of tensor programs: its operands, its attributes, and the
 * steps in which conversions build values.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Rule, type Steps, step } from '../../diagnostics/index.js';
import type { ScalarFunction } from '../../numeric/scalar.js';
import { sizeHolds, type TensorBuilder } from '../../tensor/builder.js';
import type { DType, Shape, TensorOp, TensorType, ValueId } from '../../tensor/program.js';
import { showShape, type Wanted } from '../../tensor/shapes.js';
import type {
  OnnxAttribute,
  OnnxElement,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
} from '../containers/onnx/model.js';

/** Why a node has no conversion: it breaks the rules of its op, or there is no meaning for it here. */
export type Refusal =
  | {
      readonly _tag: 'wrong';
      readonly message: string;
      readonly expected?: string;
      /** The node, for people; told by who converts it. */
      readonly node?: string;
    }
  | { readonly _tag: 'opaque'; readonly why: string }
  /** More than can be made, whatever is right. */
  | { readonly _tag: 'limit'; readonly message: string };

export type Building<A> = Steps<Refusal, A>;

/** Converts the nodes of a graph inside a node; gives the values of its outputs. */
export type ConvertGraph = (
  graph: OnnxGraph,
  inputs: ReadonlyMap<string, ValueId>,
) => Building<ReadonlyArray<ValueId>>;

export interface Call {
  readonly node: OnnxNode;
  readonly opset: number;
  readonly builder: TensorBuilder;
  /** Undefined where an input is left out. */
  readonly operands: ReadonlyArray<ValueId | undefined>;
  /** How the values that the conversion makes begin: the name of the first output. */
  readonly stem: string;
  readonly convert: ConvertGraph;
}

/** The values of the outputs of a node, in order; those that are missing have no meaning here. */
export type Conversion = (call: Call) => Building<ReadonlyArray<ValueId>>;

export type Conversions = Readonly<Record<string, Conversion>>;

export function* wrong(message: string, expected?: string): Building<never> {
  return yield* step<Refusal, never>(
    E.left({ _tag: 'wrong', message, ...(expected === undefined ? {} : { expected }) }),
  );
}

export function* opaque(why: string): Building<never> {
  return yield* step<Refusal, never>(E.left({ _tag: 'opaque', why }));
}

/** The right of a rule; its left is what is wrong with the node. */
export function* held<A>(rule: Rule<A>): Building<A> {
  return yield* step(E.mapLeft((message: string): Refusal => ({ _tag: 'wrong', message }))(rule));
}

/** That a tensor of a shape can be made, asked before its elements are listed. */
export function* makeable(shape: Shape): Building<void> {
  yield* held(sizeHolds(shape));
}

// Attributes.

function* attribute<T extends OnnxAttribute['_tag']>(
  call: Call,
  name: string,
  tag: T,
): Building<Extract<OnnxAttribute, { readonly _tag: T }> | undefined> {
  const found = call.node.attributes.get(name);
  if (found === undefined) return undefined;
  const isIt = (a: OnnxAttribute): a is Extract<OnnxAttribute, { readonly _tag: T }> => a._tag === tag;
  return isIt(found) ? found : yield* wrong(`the attribute "${name}" is of the type ${found._tag}`, tag);
}

export function* intOf(call: Call, name: string, otherwise: number): Building<number> {
  return (yield* attribute(call, name, 'int'))?.value ?? otherwise;
}

export function* floatOf(call: Call, name: string, otherwise: number): Building<number> {
  return (yield* attribute(call, name, 'float'))?.value ?? otherwise;
}

export function* stringOf(call: Call, name: string, otherwise: string): Building<string> {
  return (yield* attribute(call, name, 'string'))?.value ?? otherwise;
}

export function* intsOf(call: Call, name: string): Building<ReadonlyArray<number> | undefined> {
  return (yield* attribute(call, name, 'ints'))?.value;
}

export function* floatsOf(call: Call, name: string): Building<ReadonlyArray<number> | undefined> {
  return (yield* attribute(call, name, 'floats'))?.value;
}

export function* tensorOf(call: Call, name: string): Building<OnnxTensor | undefined> {
  return (yield* attribute(call, name, 'tensor'))?.value;
}

export function* graphOf(call: Call, name: string): Building<OnnxGraph> {
  const found = yield* attribute(call, name, 'graph');
  return found?.value ?? (yield* wrong(`the attribute "${name}" is missing`, 'a graph'));
}

// Operands.

export const typeOf = (call: Call, value: ValueId): TensorType => call.builder.typeOf(value);
export const shapeOf = (call: Call, value: ValueId): Shape => call.builder.typeOf(value).shape;

/** An operand that must be there. */
export function* operand(call: Call, k: number): Building<ValueId> {
  return call.operands[k] ?? (yield* wrong(`its input ${k + 1} is missing`));
}

/** The numbers of a value that has to be constant. `what` names it in the reason why there is no meaning otherwise. */
export function* constantOf(call: Call, value: ValueId, what: string): Building<Float64Array> {
  const data = call.builder.constantOf(value);
  return data ?? (yield* opaque(`${what} of ${call.node.op} is computed from what the network is given`));
}

/** The numbers of an operand that may be left out. */
export function* numbersOf(call: Call, k: number, what: string): Building<ReadonlyArray<number> | undefined> {
  const value = call.operands[k];
  return value === undefined ? undefined : [...(yield* constantOf(call, value, what))];
}

/** An axis of a shape, counted from its end where it is negative. `extra` allows axes behind the last. */
export function* axisIn(axis: number, rank: number, extra = 0): Building<number> {
  const count = rank + extra;
  const at = axis < 0 ? axis + count : axis;
  return at >= 0 && at < Math.max(count, 1)
    ? at
    : yield* wrong(`there is no axis ${axis}`, `an axis from ${-count} to ${count - 1}`);
}

export function* axesIn(
  axes: ReadonlyArray<number>,
  rank: number,
  extra = 0,
): Building<ReadonlyArray<number>> {
  const found: number[] = [];
  for (const axis of axes) found.push(yield* axisIn(axis, rank, extra));
  return found;
}

// Values.

const labelOf = ({ node, builder, stem }: Call) => ({
  name: `${stem}/${builder.count()}`,
  origin: { node: node.name, op: node.op },
});

export function* apply(
  call: Call,
  op: TensorOp,
  operands: ReadonlyArray<ValueId>,
  wanted: Wanted = {},
): Building<ValueId> {
  return yield* held(call.builder.apply(op, operands, wanted, labelOf(call)));
}

export function* map(call: Call, fn: ScalarFunction, ...operands: ReadonlyArray<ValueId>): Building<ValueId> {
  return yield* apply(call, { kind: 'map', fn }, operands);
}

export function* constant(
  call: Call,
  data: ArrayLike<number>,
  shape: Shape,
  dtype: DType = 'f32',
): Building<ValueId> {
  return yield* held(call.builder.constant({ shape, dtype }, Float64Array.from(data), labelOf(call)));
}

/** A number alone, of the type of another value. */
export function* scalar(call: Call, value: number, like?: ValueId): Building<ValueId> {
  return yield* constant(call, [value], [], like === undefined ? 'f32' : typeOf(call, like).dtype);
}

export function* reshape(call: Call, value: ValueId, shape: Shape): Building<ValueId> {
  return yield* apply(call, { kind: 'reshape' }, [value], { shape });
}

export function* transpose(call: Call, value: ValueId, perm: ReadonlyArray<number>): Building<ValueId> {
  return yield* apply(call, { kind: 'transpose', perm }, [value]);
}

export function* expand(call: Call, value: ValueId, shape: Shape): Building<ValueId> {
  return yield* apply(call, { kind: 'expand' }, [value], { shape });
}

export function* concat(call: Call, values: ReadonlyArray<ValueId>, axis: number): Building<ValueId> {
  return yield* apply(call, { kind: 'concat', axis }, values);
}

/** The part of a value from `start` (the first of each dimension) on, of a shape. */
export function* cut(
  call: Call,
  value: ValueId,
  start: ReadonlyArray<number>,
  shape: Shape,
): Building<ValueId> {
  return yield* apply(call, { kind: 'slice', start, step: start.map(() => 1) }, [value], { shape });
}

/** `before` elements in front of each dimension, the rest of the shape behind it. */
export function* pad(
  call: Call,
  value: ValueId,
  before: ReadonlyArray<number>,
  shape: Shape,
  filler: number,
): Building<ValueId> {
  return yield* apply(call, { kind: 'pad', before, value: filler }, [value], { shape });
}

export function* pick(
  call: Call,
  values: ReadonlyArray<ValueId>,
  index: Int32Array,
  shape: Shape,
): Building<ValueId> {
  return yield* apply(call, { kind: 'pick', index }, values, { shape });
}

/** A sum of products: "ab,bc->ac". */
export function* contract(
  call: Call,
  equation: `${string},${string}->${string}`,
  a: ValueId,
  b: ValueId,
): Building<ValueId> {
  const [left = '', right = '', result = ''] = equation.split(/,|->/);
  return yield* apply(call, { kind: 'contract', equation: { left, right, result } }, [a, b]);
}

export function* reduce(
  call: Call,
  fn: 'sum' | 'mean' | 'max' | 'min' | 'prod',
  value: ValueId,
  axes: ReadonlyArray<number>,
  keep: boolean,
): Building<ValueId> {
  return yield* apply(call, { kind: 'reduce', fn, axes, keep }, [value]);
}

/** A value of a known type that has no meaning here; what needs it is refused with the reason. */
export function* meaningless(call: Call, why: string, type: TensorType): Building<ValueId> {
  const operands = call.operands.flatMap((o) => (o === undefined ? [] : [o]));
  return yield* apply(call, { kind: 'opaque', why }, operands, type);
}

// Types.

const FLOATS: ReadonlySet<OnnxElement> = new Set<OnnxElement>(['float', 'double', 'float16', 'bfloat16']);

/** How tensor programs hold numbers of an ONNX type. */
export const dtypeOf = (element: OnnxElement): DType =>
  FLOATS.has(element) ? 'f32' : element === 'bool' ? 'bool' : 'int';

/** The same numbers as another type; floats are cut to integers towards zero. */
export function* cast(call: Call, value: ValueId, dtype: DType): Building<ValueId> {
  const from = typeOf(call, value);
  if (from.dtype === dtype) return value;
  if (dtype === 'bool') return yield* map(call, 'bool', value);
  if (dtype === 'int' && from.dtype === 'f32')
    return yield* apply(call, { kind: 'map', fn: 'trunc' }, [value], { dtype });
  return yield* apply(call, { kind: 'reshape' }, [value], { shape: from.shape, dtype });
}

export const show = (shape: Shape): string => showShape(shape);
