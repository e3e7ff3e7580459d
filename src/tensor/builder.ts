/**
 * Building tensor programs op by op. Whatever follows from constants is computed at once and becomes one, so that
 * arithmetic on shapes, grids and weights is gone when the program is done; opaque ops stay. Ops that change nothing
 * are their operand.
 */
import * as E from 'fp-ts/lib/Either.js';
import { HOLDS, type Rule } from '../diagnostics/index.js';
import { evaluateOp, type Operand } from './evaluate.js';
import { withoutDead } from './live.js';
import {
  type Origin,
  type Shape,
  sizeOfShape,
  type TensorNode,
  type TensorOp,
  type TensorProgram,
  type TensorType,
  type ValueId,
} from './program.js';
import { showShape, typeOfOp, type Wanted } from './shapes.js';

/** What a value is called and where it comes from. */
export interface Label {
  readonly name: string;
  readonly origin: Origin;
}

export interface TensorBuilder {
  readonly nodeOf: (value: ValueId) => TensorNode;
  readonly typeOf: (value: ValueId) => TensorType;
  /** The numbers of a constant; undefined for what varies. Not to be written to. */
  readonly constantOf: (value: ValueId) => Float64Array | undefined;
  readonly input: (type: TensorType, label: Label) => ValueId;
  /** Floats are rounded to f32. */
  readonly constant: (type: TensorType, data: Float64Array, label: Label) => Rule<ValueId>;
  /** The value of an op on earlier values: a new one, a constant, or an operand that it leaves as it is. */
  readonly apply: (
    op: TensorOp,
    operands: ReadonlyArray<ValueId>,
    wanted: Wanted,
    label: Label,
  ) => Rule<ValueId>;
  /** How many values there are; the next gets this number. */
  readonly count: () => number;
  readonly rename: (value: ValueId, name: string) => void;
  /** The program, without what its outputs do not need. Its inputs stay. */
  readonly finish: (inputs: ReadonlyArray<ValueId>, outputs: ReadonlyArray<ValueId>) => TensorProgram;
}

/** Above this a tensor is not made: a file of a few bytes can ask for any size. */
const MOST_ELEMENTS = 2 ** 27;

/** That a tensor of a shape can be made. */
export const sizeHolds = (shape: Shape): Rule<void> =>
  shape.every((d) => Number.isInteger(d) && d >= 0) && sizeOfShape(shape) <= MOST_ELEMENTS
    ? HOLDS
    : E.left(`a tensor of ${showShape(shape)} cannot be made: at most ${MOST_ELEMENTS} elements are`);

const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, d) => size === b[d]);

/** Whether an op gives the operand back as it is. */
const changesNothing = (op: TensorOp, operands: ReadonlyArray<TensorType>, type: TensorType): boolean => {
  const operand = operands[0];
  if (operand === undefined || operands.length !== 1) return false;
  if (operand.dtype !== type.dtype || !sameShape(operand.shape, type.shape)) return false;
  if (op.kind === 'transpose') return op.perm.every((p, d) => p === d);
  if (op.kind === 'slice') return op.start.every((s) => s === 0) && op.step.every((s) => s === 1);
  if (op.kind === 'pad') return op.before.every((b) => b === 0);
  return op.kind === 'reshape' || op.kind === 'expand' || op.kind === 'concat';
};

/** A builder for a program of a number of samples. */
export const tensorBuilder = (name: string, samples: number): TensorBuilder => {
  const nodes: TensorNode[] = [];
  const push = (op: TensorOp, operands: ReadonlyArray<ValueId>, type: TensorType, label: Label): ValueId =>
    nodes.push({ ...label, op, operands, type }) - 1;
  const nodeOf = (value: ValueId): TensorNode => nodes[value]!;
  const constantOf = (value: ValueId): Float64Array | undefined => {
    const { op } = nodeOf(value);
    return op.kind === 'constant' ? op.data : undefined;
  };
  /** The op on constants, or undefined where something varies. */
  const folded = (
    op: TensorOp,
    operands: ReadonlyArray<ValueId>,
    type: TensorType,
  ): Rule<Float64Array | undefined> => {
    const constants = operands.flatMap((o): ReadonlyArray<Operand> => {
      const data = constantOf(o);
      return data === undefined ? [] : [{ type: nodeOf(o).type, data }];
    });
    const folds = op.kind !== 'opaque' && op.kind !== 'input' && constants.length === operands.length;
    return folds ? evaluateOp(op, type, constants) : E.right(undefined);
  };
  const apply: TensorBuilder['apply'] = (op, operands, wanted, label) => {
    const types = operands.map((o) => nodeOf(o).type);
    const type = typeOfOp(op, types, wanted);
    if (E.isLeft(type)) return type;
    const holds = sizeHolds(type.right.shape);
    if (E.isLeft(holds)) return holds;
    if (changesNothing(op, types, type.right)) return E.right(operands[0]!);
    return E.map((data: Float64Array | undefined) =>
      data === undefined
        ? push(op, operands, type.right, label)
        : push({ kind: 'constant', data }, [], type.right, label),
    )(folded(op, operands, type.right));
  };
  return {
    nodeOf,
    typeOf: (value) => nodeOf(value).type,
    constantOf,
    input: (type, label) => push({ kind: 'input' }, [], type, label),
    constant: (type, data, label) =>
      apply({ kind: 'constant', data: type.dtype === 'f32' ? data.map(Math.fround) : data }, [], type, label),
    apply,
    count: () => nodes.length,
    rename: (value, to) => {
      nodes[value] = { ...nodes[value]!, name: to };
    },
    finish: (inputs, outputs) => withoutDead({ name, samples, nodes, inputs, outputs }),
  };
};
