/** Ops of ONNX that make one element of many along axes. */
import * as E from 'fp-ts/lib/Either.js';
import { step } from '../../diagnostics/index.js';
import type { ValueId } from '../../tensor/program.js';
import {
  apply,
  axesIn,
  axisIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  constant,
  constantOf,
  contract,
  intOf,
  makeable,
  map,
  operand,
  type Refusal,
  reduce,
  reshape,
  shapeOf,
  typeOf,
  wrong,
} from './call.js';
import { listOf } from './layout.js';

type Reduction = 'sum' | 'mean' | 'max' | 'min' | 'prod';

interface Reduced {
  readonly x: ValueId;
  readonly axes: ReadonlyArray<number>;
  readonly keep: boolean;
}

/** The axes of a reduction: all where none are named, or none with `noop_with_empty_axes`. */
function* reducedOf(call: Call): Building<Reduced> {
  const x = yield* operand(call, 0);
  const rank = shapeOf(call, x).length;
  const given = (yield* listOf(call, 'axes', 1)) ?? [];
  const none = (yield* intOf(call, 'noop_with_empty_axes', 0)) !== 0;
  const axes =
    given.length === 0 && !none ? Array.from({ length: rank }, (_, d) => d) : yield* axesIn(given, rank);
  return { x, axes, keep: (yield* intOf(call, 'keepdims', 1)) !== 0 };
}

type Stage = (call: Call, x: ValueId) => Building<ValueId>;

const asIs: Stage = (_, x) => step<Refusal, ValueId>(E.right(x));

/** A reduction with something done before and after it. Without axes both are still done. */
const reduction = (fn: Reduction, before: Stage = asIs, after: Stage = asIs): Conversion =>
  function* (call) {
    const { x, axes, keep } = yield* reducedOf(call);
    const terms = yield* before(call, x);
    const joined = axes.length === 0 ? terms : yield* reduce(call, fn, terms, axes, keep);
    return [yield* after(call, joined)];
  };

/** A mean of integers is cut to one. */
function* whole(call: Call, x: ValueId): Building<ValueId> {
  return typeOf(call, x).dtype === 'int' ? yield* map(call, 'trunc', x) : x;
}

const square: Stage = (call, x) => map(call, 'mul', x, x);
const absolute: Stage = (call, x) => map(call, 'abs', x);
const root: Stage = (call, x) => map(call, 'sqrt', x);
const logarithm: Stage = (call, x) => map(call, 'log', x);

/** log(sum(exp(x - m))) + m with m the greatest: as it stands it overflows. */
const ReduceLogSumExp: Conversion = function* (call) {
  const { x, axes, keep } = yield* reducedOf(call);
  if (axes.length === 0) return [x];
  const most = yield* reduce(call, 'max', x, axes, true);
  const terms = yield* map(call, 'exp', yield* map(call, 'sub', x, most));
  const sum = yield* map(call, 'log', yield* reduce(call, 'sum', terms, axes, true));
  const result = yield* map(call, 'add', sum, most);
  const shape = shapeOf(call, x).flatMap((size, d) => (axes.includes(d) ? (keep ? [1] : []) : [size]));
  return [yield* reshape(call, result, shape)];
};

/** Which of the elements up to each one are in its sum, as zeros and ones. */
const triangle = (size: number, exclusive: boolean, reverse: boolean): Float64Array => {
  const ones = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const before = reverse ? i - j : j - i;
      ones[i * size + j] = before > 0 || (before === 0 && !exclusive) ? 1 : 0;
    }
  }
  return ones;
};

const LETTERS = 'abcdefghijklmnopqrstuvwxy';

const CumSum: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const { shape, dtype } = typeOf(call, x);
  const at = (yield* constantOf(call, yield* operand(call, 1), 'the axis'))[0] ?? 0;
  const axis = yield* axisIn(at, shape.length);
  if (shape.length > LETTERS.length) return yield* wrong(`its operand has ${shape.length} dimensions`);
  const size = shape[axis] ?? 1;
  yield* makeable([size, size]);
  const exclusive = (yield* intOf(call, 'exclusive', 0)) !== 0;
  const reverse = (yield* intOf(call, 'reverse', 0)) !== 0;
  const ones = yield* constant(call, triangle(size, exclusive, reverse), [size, size], dtype);
  const left = LETTERS.slice(0, shape.length);
  const summed = left[axis] ?? 'a';
  return [yield* contract(call, `${left},${summed}z->${left.replace(summed, 'z')}`, x, ones)];
};

/** Before opset 13 all dimensions from the axis (by default 1) on are one, then the axis (the last) is alone. */
const softmax = (log: boolean): Conversion =>
  function* (call) {
    const x = yield* operand(call, 0);
    const shape = shapeOf(call, x);
    const old = call.opset < 13;
    const axis = yield* axisIn(yield* intOf(call, 'axis', old ? 1 : -1), shape.length);
    const op = { kind: 'softmax', log } as const;
    if (!old || axis === shape.length - 1) return [yield* apply(call, { ...op, axis }, [x])];
    const flat = [...shape.slice(0, axis), shape.slice(axis).reduce((n, d) => n * d, 1)];
    const result = yield* apply(call, { ...op, axis }, [yield* reshape(call, x, flat)]);
    return [yield* reshape(call, result, shape)];
  };

export const REDUCTIONS: Conversions = {
  CumSum,
  LogSoftmax: softmax(true),
  ReduceL1: reduction('sum', absolute),
  ReduceL2: reduction('sum', square, root),
  ReduceLogSum: reduction('sum', asIs, logarithm),
  ReduceLogSumExp,
  ReduceMax: reduction('max'),
  ReduceMean: reduction('mean', asIs, whole),
  ReduceMin: reduction('min'),
  ReduceProd: reduction('prod'),
  ReduceSum: reduction('sum'),
  ReduceSumSquare: reduction('sum', square),
  Softmax: softmax(false),
};
