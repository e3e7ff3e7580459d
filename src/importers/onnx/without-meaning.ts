/** Ops of ONNX that have no meaning here, but results whose types are known, so that what stands behind them is read. */
import type { DType, Shape } from '../../tensor/program.js';
import {
  axisIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  constantOf,
  intOf,
  intsOf,
  meaningless,
  operand,
  shapeOf,
  stringOf,
  typeOf,
} from './call.js';

/** An op whose results have the given types. */
const typed = (
  why: string,
  types: (call: Call) => Building<ReadonlyArray<{ readonly shape: Shape; readonly dtype: DType }>>,
): Conversion =>
  function* (call) {
    const values = [];
    for (const type of yield* types(call)) values.push(yield* meaningless(call, why, type));
    return values;
  };

/** A result like the first operand. */
const alike = (why: string, dtype?: DType): Conversion =>
  typed(why, function* (call) {
    const type = typeOf(call, yield* operand(call, 0));
    return [{ shape: type.shape, dtype: dtype ?? type.dtype }];
  });

const ORDER = 'which element it takes depends on all of them';

const argument = typed(ORDER, function* (call) {
  const shape = shapeOf(call, yield* operand(call, 0));
  const axis = yield* axisIn(yield* intOf(call, 'axis', 0), shape.length);
  const keep = (yield* intOf(call, 'keepdims', 1)) !== 0;
  return [{ shape: shape.flatMap((s, d) => (d === axis ? (keep ? [1] : []) : [s])), dtype: 'int' }];
});

const TopK = typed(ORDER, function* (call) {
  const { shape, dtype } = typeOf(call, yield* operand(call, 0));
  const axis = yield* axisIn(yield* intOf(call, 'axis', -1), shape.length);
  const [k = 0] =
    call.opset < 10
      ? [yield* intOf(call, 'k', 1)]
      : yield* constantOf(call, yield* operand(call, 1), 'the number of elements');
  const to = shape.map((size, d) => (d === axis ? k : size));
  return [
    { shape: to, dtype },
    { shape: to, dtype: 'int' },
  ];
});

const recurrent = typed('it is recurrent: each step needs the one before', function* (call) {
  const [first = 0, second = 0] = shapeOf(call, yield* operand(call, 0));
  const weights = shapeOf(call, yield* operand(call, 2));
  const hidden = yield* intOf(call, 'hidden_size', weights[2] ?? 0);
  const directions = (yield* stringOf(call, 'direction', 'forward')) === 'bidirectional' ? 2 : 1;
  const samplesFirst = (yield* intOf(call, 'layout', 0)) !== 0;
  const all = samplesFirst ? [first, second, directions, hidden] : [first, directions, second, hidden];
  const last = samplesFirst ? [first, directions, hidden] : [directions, second, hidden];
  return [all, last, last].map((shape) => ({ shape, dtype: 'f32' }));
});

const RANDOM = 'its result is random';

const random = typed(RANDOM, function* (call) {
  return [{ shape: (yield* intsOf(call, 'shape')) ?? [], dtype: 'f32' }];
});

export const WITHOUT_MEANING: Conversions = {
  ArgMax: argument,
  ArgMin: argument,
  Bernoulli: alike(RANDOM),
  GRU: recurrent,
  Hardmax: alike(ORDER),
  LRN: alike('it divides by what neighbouring channels hold'),
  LSTM: recurrent,
  QuantizeLinear: alike('it rounds activations to the codes of another quantizer', 'int'),
  RNN: recurrent,
  RandomNormal: random,
  RandomNormalLike: alike(RANDOM),
  RandomUniform: random,
  RandomUniformLike: alike(RANDOM),
  TopK,
};
