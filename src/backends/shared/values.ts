/** The values of a graph as backends ask for them, and its ends: one input, one result, the last integers. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, InternalError } from '../../diagnostics/index.js';
import type { PerChannel } from '../../ir/constant.js';
import { definitionsOf, type Graph, type Node, typesOf, type Value, type ValueName } from '../../ir/graph.js';
import type { ValueType } from '../../ir/types.js';

export interface GraphValues {
  readonly definitions: ReadonlyMap<ValueName, Node>;
  readonly value: (name: ValueName) => Value;
  /** The value in whose memory a value lies: behind nodes that move nothing. */
  readonly root: (name: ValueName) => ValueName;
}

/** `isFree`: whether the result of a node is its operand as it lies in memory. */
export const valuesOf = (
  graph: Graph,
  isFree: (node: Node, operand: ValueType) => boolean,
): GraphValues & { readonly isFree: (node: Node) => boolean } => {
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  const value = (name: ValueName): Value => {
    const type = types.get(name);
    if (type === undefined) throw new InternalError(`%${name} has no type`);
    return { name, type };
  };
  const free = (node: Node): boolean => isFree(node, value(node.operands[0]!).type);
  const root = (name: ValueName): ValueName => {
    const node = definitions.get(name);
    return node !== undefined && free(node) ? root(node.operands[0]!) : name;
  };
  return { definitions, value, root, isFree: free };
};

/** The one input and the name of the one result; K0602 on others, and on inputs that no program takes. */
export const inputOf = (
  graph: Graph<'table'>,
): Checked<{ readonly input: Value; readonly result: ValueName }> => {
  const [input, ...otherInputs] = graph.inputs;
  const [result, ...otherOutputs] = graph.outputs;
  if (input === undefined || result === undefined || otherInputs.length > 0 || otherOutputs.length > 0) {
    return fail(
      'K0602',
      `the graph has ${graph.inputs.length} input(s) and ${graph.outputs.length} output(s)`,
      { expected: 'one of each' },
    );
  }
  const { element } = input.type;
  return element.kind === 'int' || (element.kind === 'uint' && element.bits > 8)
    ? fail('K0602', 'the input is neither f32 nor unsigned codes of at most 8 bits', {
        place: { op: input.name },
      })
    : E.right({ input, result });
};

export interface Results {
  /** The value that `predict` returns, and its type. */
  readonly output: Value;
  /** The last integers: the operand of a final dequantize, or the output itself. */
  readonly raw: Value;
}

/** Results have the shape of the graph's output, in the memory of the value behind it. */
export const resultsOf = ({ definitions, value, root }: GraphValues, result: ValueName): Checked<Results> => {
  const output = { ...value(result), name: root(result) };
  const defined = definitions.get(output.name);
  if (defined === undefined) {
    return fail('K0602', 'the output is the input itself', { place: { op: output.name } });
  }
  const source = defined.op.kind === 'dequantize' ? defined.operands[0]! : undefined;
  const raw = source === undefined ? output : { ...value(source), name: root(source) };
  return raw.type.element.kind === 'f32'
    ? fail('K0602', `${defined.op.kind} gives floats as the output`, {
        place: { op: output.name },
        expected: 'dequantize, accumulators or codes',
      })
    : E.right({ output, raw });
};

export const scaleOf = (type: ValueType): PerChannel =>
  type.meaning?._tag === 'scaled' ? type.meaning.scale : 1;

/** A scale of more precision would be multiplied in another precision than the definition says. */
export const isF32 = (scale: PerChannel | { readonly data: ArrayLike<number> }): boolean =>
  typeof scale !== 'number' || Object.is(Math.fround(scale), scale);
