/** The types of values: what an op makes of the types of its operands, and what it asks of them. */
import * as E from 'fp-ts/lib/Either.js';
import { match, P } from 'ts-pattern';
import type { Rule } from '../diagnostics/index.js';
import { arityOf, type ScalarFunction } from '../numeric/scalar.js';
import type { DType, Equation, Movement, Shape, TensorOp, TensorType, Windows } from './program.js';
import { isMovement, sizeOfShape } from './program.js';

/** What the op alone does not say: the shape of a reshape, the type of a conversion. */
export interface Wanted {
  readonly shape?: Shape;
  readonly dtype?: DType;
}

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The shape that all shapes are broadcast to, aligned at their last dimensions. */
export const broadcastShapes = (shapes: ReadonlyArray<Shape>): Rule<Shape> => {
  const rank = shapes.reduce((most, s) => Math.max(most, s.length), 0);
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let d = 0; d < shape.length; d++) {
      const at = rank - shape.length + d;
      if (shape[d] === 1 || shape[d] === result[at]) continue;
      if (result[at] !== 1)
        return E.left(`the shapes ${shapes.map(showShape).join(' and ')} cannot be broadcast to one`);
      result[at] = shape[d]!;
    }
  }
  return E.right(result);
};

/** How many windows stand along a dimension; not positive if none fits. */
export const windowCount = (size: number, windows: Windows, d: number): number =>
  Math.floor(
    (size + windows.before[d]! + windows.after[d]! - windows.dilation[d]! * (windows.kernel[d]! - 1) - 1) /
      windows.stride[d]!,
  ) + 1;

const TRUTHS: ReadonlySet<ScalarFunction> = new Set<ScalarFunction>([
  'not',
  'is-nan',
  'is-inf',
  'bool',
  'eq',
  'lt',
  'le',
  'gt',
  'ge',
  'and',
  'or',
  'xor',
]);

const mapType = (
  fn: ScalarFunction,
  operands: ReadonlyArray<TensorType>,
  wanted: Wanted,
): Rule<TensorType> => {
  if (operands.length !== arityOf(fn))
    return E.left(`${fn} takes ${arityOf(fn)} operands and has ${operands.length}`);
  const own = TRUTHS.has(fn) ? 'bool' : fn === 'where' ? operands[1]?.dtype : operands[0]?.dtype;
  const dtype = wanted.dtype ?? own ?? 'f32';
  return E.map((shape: Shape) => ({ dtype, shape }))(broadcastShapes(operands.map((o) => o.shape)));
};

const isPermutation = (perm: ReadonlyArray<number>, rank: number): boolean =>
  perm.length === rank && new Set(perm).size === rank && perm.every((p) => p >= 0 && p < rank);

const sliceFits = (
  operand: Shape,
  start: ReadonlyArray<number>,
  step: ReadonlyArray<number>,
  shape: Shape,
): boolean =>
  [start, step, shape].every((list) => list.length === operand.length) &&
  (sizeOfShape(shape) === 0 ||
    shape.every((size, d) => {
      const last = start[d]! + (size - 1) * step[d]!;
      return [start[d]!, last].every((i) => i >= 0 && i < operand[d]!);
    }));

const concatShape = (operands: ReadonlyArray<Shape>, axis: number): Rule<Shape> => {
  const first = operands[0];
  if (first === undefined || axis < 0 || axis >= first.length)
    return E.left(
      `nothing can be joined along axis ${axis} of ${first === undefined ? 'nothing' : showShape(first)}`,
    );
  const fits = operands.every(
    (o) => o.length === first.length && o.every((size, d) => d === axis || size === first[d]),
  );
  return fits
    ? E.right(first.map((size, d) => (d === axis ? operands.reduce((n, o) => n + o[axis]!, 0) : size)))
    : E.left(`the shapes ${operands.map(showShape).join(', ')} cannot be joined along axis ${axis}`);
};

const indexFits = (index: Int32Array, count: number): boolean => {
  for (let e = 0; e < index.length; e++) if (index[e]! < 0 || index[e]! >= count) return false;
  return true;
};

/** The shape of what a movement makes. */
const movementShape = (
  op: Movement,
  operands: ReadonlyArray<Shape>,
  wanted: Shape | undefined,
): Rule<Shape> => {
  const operand = operands[0] ?? [];
  const to = wanted ?? operand;
  const refuse = (what: string): Rule<Shape> => E.left(`${showShape(operand)} cannot be ${what}`);
  return match(op)
    .with({ kind: 'reshape' }, () =>
      sizeOfShape(operand) === sizeOfShape(to) ? E.right(to) : refuse(`reshaped to ${showShape(to)}`),
    )
    .with({ kind: 'transpose' }, ({ perm }) =>
      isPermutation(perm, operand.length)
        ? E.right(perm.map((p) => operand[p]!))
        : refuse(`transposed by ${showShape(perm)}`),
    )
    .with({ kind: 'slice' }, ({ start, step }) =>
      sliceFits(operand, start, step, to)
        ? E.right(to)
        : refuse(`cut to ${showShape(to)} from ${showShape(start)} in steps of ${showShape(step)}`),
    )
    .with({ kind: 'expand' }, () => {
      const both = broadcastShapes([operand, to]);
      return E.isRight(both) && both.right.length === to.length && both.right.every((s, d) => s === to[d])
        ? E.right(to)
        : refuse(`broadcast to ${showShape(to)}`);
    })
    .with({ kind: 'concat' }, ({ axis }) => concatShape(operands, axis))
    .with({ kind: 'pad' }, ({ before }) =>
      before.length === operand.length && to.length === operand.length && to.every((s) => s >= 0)
        ? E.right(to)
        : refuse(`padded by ${showShape(before)} to ${showShape(to)}`),
    )
    .with({ kind: 'pick' }, ({ index }) =>
      index.length === sizeOfShape(to) &&
      indexFits(
        index,
        operands.reduce((n, o) => n + sizeOfShape(o), 0),
      )
        ? E.right(to)
        : E.left(
            `an index points outside of ${operands.map(showShape).join(', ')}, or is not of ${showShape(to)}`,
          ),
    )
    .exhaustive();
};

const contractShape = ({ left, right, result }: Equation, a: Shape, b: Shape): Rule<Shape> => {
  const text = `${left},${right}->${result}`;
  if (left.length !== a.length || right.length !== b.length)
    return E.left(`"${text}" does not fit ${showShape(a)} and ${showShape(b)}`);
  const sizes = new Map<string, number>();
  for (const [letters, shape] of [[left, a] as const, [right, b] as const]) {
    if (new Set(letters).size !== letters.length) return E.left(`a letter stands twice in "${letters}"`);
    for (const [d, letter] of [...letters].entries()) {
      const known = sizes.get(letter) ?? shape[d]!;
      if (known !== shape[d])
        return E.left(
          `"${letter}" of "${text}" is ${known} in ${showShape(a)} and ${shape[d]} in ${showShape(b)}`,
        );
      sizes.set(letter, known);
    }
  }
  if (new Set(result).size !== result.length || [...result].some((letter) => !sizes.has(letter)))
    return E.left(`"${text}" has a result that its operands do not give`);
  return E.right([...result].map((letter) => sizes.get(letter)!));
};

const windowsShape = (lead: Shape, operand: Shape, windows: Windows): Rule<Shape> => {
  const spatial = operand.slice(2);
  const { kernel, stride, dilation, before, after } = windows;
  if ([kernel, stride, dilation, before, after].some((list) => list.length !== spatial.length))
    return E.left(`windows of ${showShape(kernel)} do not fit ${showShape(operand)}`);
  if ([...kernel, ...stride, ...dilation].some((n) => n < 1))
    return E.left('windows have a size, a step or a dilation that is not positive');
  const counts = spatial.map((size, d) => windowCount(size, windows, d));
  return counts.every((n) => n >= 1)
    ? E.right([...lead, ...counts])
    : E.left(`windows of ${showShape(kernel)} are larger than ${showShape(operand)} with its padding`);
};

const convShape = (x: Shape, w: Shape, windows: Windows, groups: number): Rule<Shape> => {
  const fits =
    x.length >= 3 &&
    w.length === x.length &&
    x[1] === w[1]! * groups &&
    w[0]! % groups === 0 &&
    windows.kernel.every((k, d) => k === w[d + 2]);
  return fits
    ? windowsShape([x[0]!, w[0]!], x, windows)
    : E.left(`weights ${showShape(w)} in ${groups} groups do not fit ${showShape(x)}`);
};

const axesFit = (axes: ReadonlyArray<number>, rank: number): boolean =>
  new Set(axes).size === axes.length && axes.every((a) => Number.isInteger(a) && a >= 0 && a < rank);

const reduceShape = (operand: Shape, axes: ReadonlyArray<number>, keep: boolean): Rule<Shape> =>
  !axesFit(axes, operand.length)
    ? E.left(`${showShape(operand)} has no axes ${showShape(axes)}`)
    : E.right(
        keep
          ? operand.map((size, d) => (axes.includes(d) ? 1 : size))
          : operand.filter((_, d) => !axes.includes(d)),
      );

const OPERANDS: Readonly<Partial<Record<TensorOp['kind'], number>>> = {
  input: 0,
  constant: 0,
  reshape: 1,
  transpose: 1,
  slice: 1,
  expand: 1,
  pad: 1,
  contract: 2,
  conv: 2,
  reduce: 1,
  pool: 1,
  standardize: 1,
  softmax: 1,
  lookup: 2,
};

const told = ({ shape, dtype }: Wanted): Rule<TensorType> =>
  shape === undefined || dtype === undefined
    ? E.left('neither its shape nor its type follows from anything')
    : E.right({ shape, dtype });

const same = (operand: TensorType, axes: ReadonlyArray<number>): Rule<TensorType> =>
  axesFit(axes, operand.shape.length)
    ? E.right(operand)
    : E.left(`${showShape(operand.shape)} has no axes ${showShape(axes)}`);

/** The type of an op's result, or what is wrong with its operands. `wanted` completes what the op leaves open. */
export const typeOfOp = (
  op: TensorOp,
  operands: ReadonlyArray<TensorType>,
  wanted: Wanted = {},
): Rule<TensorType> => {
  const count = OPERANDS[op.kind] ?? operands.length;
  const [a, b] = operands;
  if (operands.length !== count)
    return E.left(`${op.kind} takes ${count} operands and has ${operands.length}`);
  const withType = E.map((shape: Shape): TensorType => ({ shape, dtype: wanted.dtype ?? a?.dtype ?? 'f32' }));
  if (isMovement(op))
    return withType(
      movementShape(
        op,
        operands.map((o) => o.shape),
        wanted.shape,
      ),
    );
  const x = a ?? { shape: [], dtype: 'f32' };
  const y = b ?? x;
  return match(op)
    .with({ kind: P.union('input', 'opaque') }, () => told(wanted))
    .with({ kind: 'constant' }, ({ data }) =>
      E.flatMap(
        told(wanted),
        (type): Rule<TensorType> =>
          data.length === sizeOfShape(type.shape)
            ? E.right(type)
            : E.left(`${data.length} numbers do not fill ${showShape(type.shape)}`),
      ),
    )
    .with({ kind: 'map' }, ({ fn }) => mapType(fn, operands, wanted))
    .with({ kind: 'contract' }, ({ equation }) => withType(contractShape(equation, x.shape, y.shape)))
    .with({ kind: 'conv' }, ({ windows, groups }) => withType(convShape(x.shape, y.shape, windows, groups)))
    .with({ kind: 'reduce' }, ({ axes, keep }) => withType(reduceShape(x.shape, axes, keep)))
    .with({ kind: 'pool' }, ({ windows }) => withType(windowsShape(x.shape.slice(0, 2), x.shape, windows)))
    .with({ kind: 'standardize' }, ({ axes }) => same(x, axes))
    .with({ kind: 'softmax' }, ({ axis }) => same(x, [axis]))
    .with({ kind: 'lookup' }, ({ axis }) =>
      axesFit([axis], x.shape.length)
        ? E.right({
            dtype: x.dtype,
            shape: [...x.shape.slice(0, axis), ...y.shape, ...x.shape.slice(axis + 1)],
          })
        : E.left(`${showShape(x.shape)} has no axis ${axis}`),
    )
    .exhaustive();
};
