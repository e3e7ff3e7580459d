/** Graphs of ONNX, node by node, in a builder. */
import * as E from 'fp-ts/lib/Either.js';
import { along, type Rule, type Steps, step } from '../../diagnostics/index.js';
import type { TensorBuilder } from '../../tensor/builder.js';
import type { ValueId } from '../../tensor/program.js';
import type { OnnxGraph, OnnxNode } from '../containers/onnx/model.js';
import { type Building, type Call, dtypeOf, type Refusal } from './call.js';
import { conversionOf } from './ops.js';

/** Values by their names; those of a graph inside a node stand before those around it. */
export interface Scope {
  readonly names: Map<string, ValueId>;
  readonly graph: OnnxGraph;
  readonly around?: Scope;
}

export interface Conversions {
  readonly builder: TensorBuilder;
  readonly opset: number;
  /** Opaque values whose shape is not known. What takes one of them is it. */
  readonly shapeless: Set<ValueId>;
}

type Wrong = Extract<Refusal, { readonly _tag: 'wrong' }>;

/** The value of a name; a constant of the file becomes one when it is asked for first. */
const valueNamed = (state: Conversions, scope: Scope, name: string): Rule<ValueId> => {
  const known = scope.names.get(name);
  if (known !== undefined) return E.right(known);
  const tensor = scope.graph.initializers.get(name);
  if (tensor === undefined)
    return scope.around === undefined
      ? E.left(`the value "${name}" is computed by no node before this one`)
      : valueNamed(state, scope.around, name);
  const type = { shape: tensor.shape, dtype: dtypeOf(tensor.element) };
  return E.map((value: ValueId) => {
    scope.names.set(name, value);
    return value;
  })(state.builder.constant(type, tensor.data, { name, origin: { node: name, op: 'initializer' } }));
};

const showNode = (node: OnnxNode): string => `node "${node.name}" (${node.op})`;

/** A value for what has none: opaque, and of no known shape. */
const shapelessValue = (
  state: Conversions,
  node: OnnxNode,
  operands: ReadonlyArray<ValueId>,
  why: string,
): Rule<ValueId> => {
  const origin = { node: node.name, op: node.op };
  const wanted = { shape: [], dtype: 'f32' } as const;
  const name = node.outputs.find((o) => o !== '') ?? node.name;
  return E.map((value: ValueId) => {
    state.shapeless.add(value);
    return value;
  })(state.builder.apply({ kind: 'opaque', why }, operands, wanted, { name, origin }));
};

const reasonOf = (node: OnnxNode): string =>
  node.domain === '' || node.domain === 'ai.onnx'
    ? `the op ${node.op} has no meaning here`
    : `the op ${node.op} of the domain ${node.domain} has no meaning here`;

/** The values of a node's outputs. */
function* convertNode(state: Conversions, scope: Scope, node: OnnxNode): Building<ReadonlyArray<ValueId>> {
  const { builder, opset, shapeless } = state;
  const operands: Array<ValueId | undefined> = [];
  for (const name of node.inputs)
    operands.push(name === '' ? undefined : yield* checked(valueNamed(state, scope, name)));
  const given = operands.flatMap((o) => o ?? []);
  const unknown = given.find((o) => shapeless.has(o));
  if (unknown !== undefined) return node.outputs.map(() => unknown);
  const conversion = conversionOf(node.domain, node.op);
  const call: Call = {
    node,
    opset,
    builder,
    operands,
    stem: node.outputs.find((o) => o !== '') ?? node.name,
    convert: (graph, inputs) => convertGraph(state, { names: new Map(inputs), graph, around: scope }),
  };
  const results = conversion === undefined ? opaqueOp(node) : along(conversion(call));
  if (E.isLeft(results) && results.left._tag !== 'opaque') return yield* step(results);
  const known = E.isRight(results) ? results.right : [];
  const why = E.isLeft(results) ? reasonTold(results.left) : `this result of ${node.op} has no meaning here`;
  const values: ValueId[] = [];
  for (const [k, name] of node.outputs.entries()) {
    const value = known[k];
    if (value !== undefined || name === '') values.push(value ?? -1);
    else values.push(yield* checked(shapelessValue(state, node, given, why)));
  }
  return values;
}

const reasonTold = (refusal: Refusal): string => (refusal._tag === 'opaque' ? refusal.why : refusal.message);

const opaqueOp = (node: OnnxNode): E.Either<Refusal, ReadonlyArray<ValueId>> =>
  E.left({ _tag: 'opaque', why: reasonOf(node) });

function* checked<A>(rule: Rule<A>): Building<A> {
  return yield* step(E.mapLeft((message: string): Refusal => ({ _tag: 'wrong', message }))(rule));
}

/** What is wrong with a node, with its name and op where the sentence does not have those of one inside it yet. */
const withNode = (refusal: Wrong, node: OnnxNode): Wrong =>
  refusal.node === undefined ? { ...refusal, node: showNode(node) } : refusal;

/** Above this a program is not made: loops in a file of a few bytes can ask for any number of values. */
const MOST_VALUES = 2 ** 16;

/** Converts nodes in order and names their values. */
export function* convertNodes(
  state: Conversions,
  scope: Scope,
  nodes: ReadonlyArray<OnnxNode>,
): Building<void> {
  for (const node of nodes) {
    const before = state.builder.count();
    if (before > MOST_VALUES)
      return yield* step<Refusal, never>(
        E.left({
          _tag: 'limit',
          message: `The graph has more than ${MOST_VALUES} values, those of its loops counted`,
        }),
      );
    const results = along(convertNode(state, scope, node));
    if (E.isLeft(results))
      return yield* step<Refusal, never>(
        E.left(results.left._tag === 'wrong' ? withNode(results.left, node) : results.left),
      );
    for (const [k, name] of node.outputs.entries()) {
      const value = results.right[k];
      if (value === undefined || name === '' || scope.names.has(name)) continue;
      scope.names.set(name, value);
      if (value >= before && !state.shapeless.has(value)) state.builder.rename(value, name);
    }
  }
}

function* convertGraph(state: Conversions, scope: Scope): Building<ReadonlyArray<ValueId>> {
  yield* convertNodes(state, scope, scope.graph.nodes);
  const values: ValueId[] = [];
  for (const output of scope.graph.outputs)
    values.push(yield* checked(valueNamed(state, scope, output.name)));
  return values;
}

/** The value of a name of the graph, after its nodes are converted. */
export function* valueOfName(state: Conversions, scope: Scope, name: string): Steps<Refusal, ValueId> {
  return yield* checked(valueNamed(state, scope, name));
}
