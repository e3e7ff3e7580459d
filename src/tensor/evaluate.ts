/**
 * What a tensor program computes: the meaning of its ops. Values of f32 are rounded to it after every op, sums within
 * an op are doubles; scalar functions are the compiler's own, so that results are the same on every machine.
 */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import type { Rule } from '../diagnostics/index.js';
import { lookedUp, reduced, softmax, standardized } from './kernels/axes.js';
import { contracted } from './kernels/contract.js';
import { type Held, mapped, moved } from './kernels/elements.js';
import { convolved, pooled } from './kernels/windows.js';
import { lastUses } from './live.js';
import {
  isMovement,
  sizeOfShape,
  type TensorOp,
  type TensorProgram,
  type TensorType,
  type ValueId,
} from './program.js';

/** Numbers as their type holds them: floats rounded to f32, integers without a negative zero. */
const rounded = (data: Float64Array, type: TensorType): Float64Array => {
  if (type.dtype === 'f32') for (let e = 0; e < data.length; e++) data[e] = Math.fround(data[e]!);
  if (type.dtype === 'int') for (let e = 0; e < data.length; e++) data[e] = data[e]! + 0;
  return data;
};

export interface Operand {
  readonly type: TensorType;
  readonly data: Float64Array;
}

/**
 * The result of one op, or why there is none: an input and an opaque op have no result of their own. What is returned
 * may be an operand's data.
 */
export const evaluateOp = (
  op: TensorOp,
  type: TensorType,
  operands: ReadonlyArray<Operand>,
): Rule<Float64Array> => {
  const held = operands.map(({ type: { shape }, data }): Held => ({ shape, data }));
  if (isMovement(op)) {
    const result = moved(op, held, type.shape);
    // The same numbers: only a change of their type can round them.
    const changes = type.dtype === 'f32' && operands.some((o) => o.type.dtype === 'int');
    return E.right(changes ? rounded(Float64Array.from(result), type) : result);
  }
  const none: Held = { shape: [0], data: new Float64Array(0) };
  const [x = none, y = none] = held;
  const fresh = (data: Float64Array): Rule<Float64Array> => E.right(rounded(data, type));
  return match(op)
    .with({ kind: 'input' }, () => E.left('an input has no value of its own'))
    .with({ kind: 'opaque' }, ({ why }) => E.left(why))
    .with({ kind: 'constant' }, ({ data }) => E.right(data))
    .with({ kind: 'map' }, ({ fn }) => fresh(mapped(fn, held, type.shape)))
    .with({ kind: 'contract' }, ({ equation }) => fresh(contracted(equation, x, y)))
    .with({ kind: 'conv' }, ({ windows, groups }) => fresh(convolved(x, y, windows, groups, type.shape)))
    .with({ kind: 'reduce' }, ({ fn, axes }) => fresh(reduced(x, fn, axes)))
    .with({ kind: 'pool' }, ({ fn, windows, countPadding }) =>
      fresh(pooled(x, windows, { fn, countPadding }, type.shape)),
    )
    .with({ kind: 'standardize' }, ({ axes, epsilon }) => fresh(standardized(x, axes, epsilon)))
    .with({ kind: 'softmax' }, (o) => fresh(softmax(x, o.axis, o.log)))
    .with({ kind: 'lookup' }, ({ axis }) => fresh(lookedUp(x, y, axis)))
    .exhaustive();
};

/** What is told of every value while a program runs. The data is not to be written to. */
export type Observe = (value: ValueId, data: Float64Array) => void;

/**
 * The outputs of a program for inputs in row-major order, each of the size of its input's shape. Wrong where an input
 * is missing or has another size, and where an opaque op is met. `observe` sees every value once.
 */
export const evaluateProgram = (
  program: TensorProgram,
  inputs: ReadonlyArray<Float64Array>,
  observe: Observe = () => undefined,
): Rule<ReadonlyArray<Float64Array>> => {
  const last = lastUses(program);
  const values: Array<Float64Array | undefined> = [];
  const dataOf = (id: ValueId): Float64Array => values[id] ?? new Float64Array(0);
  for (const [id, node] of program.nodes.entries()) {
    const operands = node.operands.map((o): Operand => ({ type: program.nodes[o]!.type, data: dataOf(o) }));
    const given = inputs[program.inputs.indexOf(id)];
    const result =
      node.op.kind !== 'input'
        ? evaluateOp(node.op, node.type, operands)
        : given?.length === sizeOfShape(node.type.shape)
          ? E.right(rounded(Float64Array.from(given), node.type))
          : E.left(
              `the input has ${given?.length ?? 'no'} numbers instead of ${sizeOfShape(node.type.shape)}`,
            );
    if (E.isLeft(result)) return E.left(`"${node.origin.node}" (${node.origin.op}): ${result.left}`);
    values[id] = result.right;
    observe(id, result.right);
    for (const o of [...node.operands, id]) if (last[o]! <= id) values[o] = undefined;
  }
  return E.right(program.outputs.map(dataOf));
};
