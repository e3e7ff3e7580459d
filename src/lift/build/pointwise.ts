/** Functions applied to the channels of a value, one each. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Branch } from '../../ir/basis.js';
import { f32Data, type PerChannel } from '../../ir/constant.js';
import type { ValueName } from '../../ir/graph.js';
import type { UnivariateFunction } from '../../ir/ops/activate.js';
import { type Affine, affineOf } from '../affine.js';
import type { FunctionId } from '../functions.js';
import { branchesOf } from '../raise/index.js';
import { addOp, f32, flattened, type Lifting, reshaped, shapeOf } from './state.js';

/** One number where all are the same. */
const compact = (values: ArrayLike<number>): PerChannel => {
  const rounded = Float32Array.from(values);
  const [first] = rounded;
  return first !== undefined && rounded.every((v) => v === first) ? first : f32([rounded.length], rounded);
};

/** scale[c] * x + shift[c]. What stands directly behind a norm that has neither becomes a part of it. */
export const affine = (
  l: Lifting,
  value: ValueName,
  scale: ArrayLike<number>,
  shift: ArrayLike<number>,
): ValueName => {
  const attrs = { scale: compact(scale), shift: compact(shift) };
  if (attrs.scale === 1 && attrs.shift === 0) return value;
  const made = l.b.nodeOf(value);
  if (made?.op.kind === 'norm' && made.op.attrs.scale === 1 && made.op.attrs.shift === 0) {
    return l.b.add(`${value}_learnt`, { kind: 'norm', attrs: { ...made.op.attrs, ...attrs } }, made.operands);
  }
  return l.b.add(`${value}_map`, { kind: 'affine', attrs }, [value]);
};

/** The function of each channel where all elements of a channel have the same; undefined otherwise. */
const ofChannels = (functions: Int32Array, channels: number): Int32Array | undefined => {
  const inner = functions.length / channels;
  for (let e = 0; e < functions.length; e++) {
    if (functions[e] !== functions[Math.floor(e / inner) * inner]) return undefined;
  }
  return Int32Array.from({ length: channels }, (_, c) => functions[c * inner]!);
};

/** Element e of the result is functions[e] of element e of the value, in the value's shape. */
export const applied = (l: Lifting, value: ValueName, functions: Int32Array): Checked<ValueName> => {
  const { table } = l.trace;
  if (functions.every((f) => f === table.x)) return E.right(value);
  const shape = shapeOf(l, value);
  const perChannel = ofChannels(functions, shape[0]!);
  if (perChannel === undefined) {
    const flat = applied(l, flattened(l, value), functions);
    return E.map((v: ValueName) => reshaped(l, v, shape))(flat);
  }
  const affines = affinesOf(table, perChannel);
  if (affines !== undefined) {
    return E.right(
      affine(
        l,
        value,
        affines.map((a) => a.scale),
        affines.map((a) => a.shift),
      ),
    );
  }
  return nonlinear(l, value, perChannel);
};

const affinesOf = (
  table: Lifting['trace']['table'],
  functions: Int32Array,
): ReadonlyArray<Affine> | undefined => {
  const of = affineOf(table);
  const found: Affine[] = [];
  for (const f of functions) {
    const a = of(f);
    if (a === undefined) return undefined;
    found.push(a);
  }
  return found;
};

/** The slopes of a PReLU for each channel, if that is what all functions are. */
const slopesOf = (table: Lifting['trace']['table'], functions: Int32Array): Float64Array | undefined => {
  const slopes = new Float64Array(functions.length);
  for (const [c, f] of functions.entries()) {
    const node = table.nodeOf(f);
    if (node.kind !== 'call' || node.fn !== 'prelu' || node.args[0] !== table.x) return undefined;
    const slope = table.constantOf(node.args[1]!);
    if (slope === undefined) return undefined;
    slopes[c] = slope;
  }
  return slopes;
};

const nonlinear = (l: Lifting, value: ValueName, functions: Int32Array): Checked<ValueName> => {
  const slopes = slopesOf(l.trace.table, functions);
  if (slopes !== undefined) {
    const prelu = { _tag: 'prelu', slope: compact(slopes) } as const;
    return addOp(l, `${value}_act`, { kind: 'activate', attrs: { function: prelu } }, [value]);
  }
  const shared = functions.every((f) => f === functions[0]);
  const channels = shared ? 1 : functions.length;
  const raised = branchesOf(l.trace.table, {
    outputs: channels,
    functions: Array.from({ length: channels }, (_, c): FunctionId[] => [functions[c]!]),
    weights: Array.from({ length: channels }, (_, c) => [
      Float64Array.from({ length: channels }, (__, o) => (o === c ? 1 : 0)),
    ]),
    bias: new Float64Array(channels),
  });
  if (E.isLeft(raised)) return raised;
  const { bias } = raised.right;
  const branches = raised.right.branches.map(ofInputs);
  const [only] = branches;
  const activated = branches.length === 1 && only !== undefined ? activation(only) : undefined;
  const result =
    activated === undefined
      ? layerOfChannels(l, value, branches, functions.length)
      : addOp(l, `${value}_act`, { kind: 'activate', attrs: { function: activated } }, [value]);
  if (E.isLeft(result)) return result;
  const weight = (c: number): number => (only === undefined ? 1 : diagonal(only, shared ? 0 : c, 0));
  const all = Array.from(functions, (_, c) => c);
  return E.right(
    affine(
      l,
      result.right,
      all.map((c) => (activated === undefined ? 1 : weight(c))),
      all.map((c) => bias[shared ? 0 : c]!),
    ),
  );
};

/** What function k of channel c is multiplied by, of weights [C, K, C] of which those off the diagonal are 0. */
const diagonal = ({ weights }: Branch, c: number, k: number): number => {
  const [, functions, outputs] = weights.shape;
  return weights.data[(c * functions! + k) * outputs! + c]!;
};

/** Functions of edges as those of inputs: off the diagonal there are none. */
const ofInputs = (branch: Branch): Branch => {
  const { basis } = branch;
  if (basis._tag !== 'expression' || basis.edges !== true) return branch;
  const [rows = 1, functions = 1, outputs = 1, size = 0] = basis.parameters.shape;
  const from = f32Data(basis.parameters);
  const data = new Float32Array(outputs * functions * size);
  for (let c = 0; c < outputs; c++) {
    for (let k = 0; k < functions; k++) {
      const at = (((rows === 1 ? 0 : c) * functions + k) * outputs + c) * size;
      data.set(from.subarray(at, at + size), (c * functions + k) * size);
    }
  }
  const parameters = f32([outputs, functions, size], data);
  return { ...branch, basis: { _tag: 'expression', function: basis.function, parameters } };
};

/** The branch as the function of an activation op, if it is one function for each channel. */
const activation = ({ basis, weights }: Branch): UnivariateFunction | undefined => {
  if (weights.shape[1] !== 1) return undefined;
  if (basis._tag === 'base') return { _tag: 'activation', activation: basis.activation };
  if (basis._tag !== 'expression') return undefined;
  const [rows = 1, , size = 0] = basis.parameters.shape;
  const parameters = f32([rows, size], f32Data(basis.parameters));
  return { _tag: 'expression', function: basis.function, parameters };
};

/** A layer over windows of one pixel in which each channel is a group of its own. */
const layerOfChannels = (
  l: Lifting,
  value: ValueName,
  branches: ReadonlyArray<Branch>,
  channels: number,
): Checked<ValueName> => {
  const shape = shapeOf(l, value);
  const image = reshaped(
    l,
    value,
    shape.length === 3 ? shape : [channels, 1, shape.slice(1).reduce((n, d) => n * d, 1)],
  );
  const grouped = branches.map((branch): Branch => {
    const functions = branch.weights.shape[1]!;
    const rows = branch.weights.shape[0]!;
    const weights = new Float32Array(channels * functions);
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < functions; k++)
        weights[c * functions + k] = diagonal(branch, rows === 1 ? 0 : c, k);
    }
    return { ...branch, weights: f32([channels, functions, 1], weights) };
  });
  const window = {
    kernel: [1, 1],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
    groups: channels,
  } as const;
  return pipe(
    addOp(l, `${value}_fn`, { kind: 'kan', attrs: { branches: grouped, window } }, [image]),
    E.map((made) => reshaped(l, made, shape)),
  );
};
