/** Activation functions of ONNX that are several scalar functions one after the other. */
import type { ScalarFunction } from '../../numeric/scalar.js';
import type { ValueId } from '../../tensor/program.js';
import {
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  floatOf,
  map,
  operand,
  scalar,
  stringOf,
  wrong,
} from './call.js';

/** A function of two of a value and a number. */
function* by(call: Call, fn: ScalarFunction, x: ValueId, number: number): Building<ValueId> {
  return yield* map(call, fn, x, yield* scalar(call, number));
}

/** A function of one operand, with two parameters at most; a missing one has its value from the table of the op. */
const activation = (
  names: ReadonlyArray<readonly [name: string, otherwise: number]>,
  body: (call: Call, x: ValueId, a: number, b: number) => Building<ValueId>,
): Conversion =>
  function* (call) {
    const x = yield* operand(call, 0);
    const values: number[] = [];
    for (const [name, otherwise] of names) values.push(yield* floatOf(call, name, otherwise));
    return [yield* body(call, x, values[0] ?? 0, values[1] ?? 0)];
  };

/** alpha * (exp(x) - 1). */
function* exponential(call: Call, x: ValueId, alpha: number): Building<ValueId> {
  return yield* by(call, 'mul', yield* by(call, 'sub', yield* map(call, 'exp', x), 1), alpha);
}

/** One value where x is above a number, another elsewhere. */
function* above(
  call: Call,
  x: ValueId,
  number: number,
  then: ValueId,
  otherwise: ValueId,
): Building<ValueId> {
  return yield* map(call, 'where', yield* by(call, 'gt', x, number), then, otherwise);
}

/** max(0, min(1, alpha x + beta)). */
function* ramp(call: Call, x: ValueId, alpha: number, beta: number): Building<ValueId> {
  const line = yield* by(call, 'add', yield* by(call, 'mul', x, alpha), beta);
  return yield* by(call, 'max', yield* by(call, 'min', line, 1), 0);
}

function* gelu(call: Call, x: ValueId, tangent: boolean): Building<ValueId> {
  const half = yield* by(call, 'mul', x, 0.5);
  if (!tangent) {
    const inner = yield* map(call, 'erf', yield* by(call, 'mul', x, Math.SQRT1_2));
    return yield* map(call, 'mul', half, yield* by(call, 'add', inner, 1));
  }
  const cube = yield* by(call, 'mul', yield* by(call, 'pow', x, 3), 0.044715);
  const scaled = yield* by(call, 'mul', yield* map(call, 'add', x, cube), Math.sqrt(2 / Math.PI));
  return yield* map(call, 'mul', half, yield* by(call, 'add', yield* map(call, 'tanh', scaled), 1));
}

const Gelu: Conversion = function* (call) {
  const approximate = yield* stringOf(call, 'approximate', 'none');
  if (approximate !== 'none' && approximate !== 'tanh')
    return yield* wrong(`approximate is "${approximate}"`, '"none" or "tanh"');
  return [yield* gelu(call, yield* operand(call, 0), approximate === 'tanh')];
};

export const ACTIVATIONS: Conversions = {
  Gelu,
  LeakyRelu: activation([['alpha', 0.01]], (call, x, alpha) => by(call, 'prelu', x, alpha)),
  Elu: activation([['alpha', 1]], function* (call, x, alpha) {
    return yield* above(call, x, 0, x, yield* exponential(call, x, alpha));
  }),
  Selu: activation(
    [
      ['alpha', 1.6732631921768188],
      ['gamma', 1.0507010221481323],
    ],
    function* (call, x, alpha, gamma) {
      return yield* by(call, 'mul', yield* above(call, x, 0, x, yield* exponential(call, x, alpha)), gamma);
    },
  ),
  /** max(0, x) + min(0, alpha (exp(x / alpha) - 1)). */
  Celu: activation([['alpha', 1]], function* (call, x, alpha) {
    const low = yield* exponential(call, yield* by(call, 'div', x, alpha), alpha);
    return yield* map(call, 'add', yield* map(call, 'relu', x), yield* by(call, 'min', low, 0));
  }),
  ThresholdedRelu: activation([['alpha', 1]], function* (call, x, alpha) {
    return yield* above(call, x, alpha, x, yield* scalar(call, 0));
  }),
  HardSigmoid: activation(
    [
      ['alpha', 0.2],
      ['beta', 0.5],
    ],
    ramp,
  ),
  HardSwish: activation([], function* (call, x) {
    return yield* map(call, 'mul', x, yield* ramp(call, x, 1 / 6, 0.5));
  }),
  Softsign: activation([], function* (call, x) {
    return yield* map(call, 'div', x, yield* by(call, 'add', yield* map(call, 'abs', x), 1));
  }),
  Mish: activation([], function* (call, x) {
    return yield* map(call, 'mul', x, yield* map(call, 'tanh', yield* map(call, 'softplus', x)));
  }),
  Swish: activation([['alpha', 1]], function* (call, x, alpha) {
    const inner = alpha === 1 ? x : yield* by(call, 'mul', x, alpha);
    return yield* map(call, 'mul', x, yield* map(call, 'sigmoid', inner));
  }),
  /** x + bias below -lambd, x - bias above lambd, 0 between. */
  Shrink: activation(
    [
      ['bias', 0],
      ['lambd', 0.5],
    ],
    function* (call, x, bias, lambda) {
      const low = yield* map(
        call,
        'where',
        yield* by(call, 'lt', x, -lambda),
        yield* by(call, 'add', x, bias),
        yield* scalar(call, 0),
      );
      return yield* above(call, x, lambda, yield* by(call, 'sub', x, bias), low);
    },
  ),
};
