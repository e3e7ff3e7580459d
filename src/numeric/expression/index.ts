/**
 * Functions of one variable as text: what has no name among the bases of a layer. A text (parse.ts) becomes a list of steps
 * over numbered registers, so that evaluating it needs neither recursion nor memory.
 */
import { BINARY_SCALARS, isBinaryScalar, isUnaryScalar, TERNARY_SCALARS, UNARY_SCALARS } from '../scalar.js';
import type { Expression } from './parse.js';

export { type Expression, parseExpression } from './parse.js';

/** Evaluates an expression at x, its parameters standing in `parameters` from `at` on. */
export type Evaluate = (x: number, parameters: ArrayLike<number>, at: number) => number;

export const expressionEvaluator = ({ parameters, literals, steps, result }: Expression): Evaluate => {
  const first = 1 + parameters + literals.length;
  const registers = new Float64Array(first + steps.length);
  registers.set(literals, 1 + parameters);
  const run = steps.map(({ fn, args }, i): (() => void) => {
    const [to, a, b, c] = [first + i, args[0]!, args[1]!, args[2]!];
    if (isUnaryScalar(fn)) {
      const f = UNARY_SCALARS[fn];
      return () => {
        registers[to] = f(registers[a]!);
      };
    }
    if (isBinaryScalar(fn)) {
      const f = BINARY_SCALARS[fn];
      return () => {
        registers[to] = f(registers[a]!, registers[b]!);
      };
    }
    const f = TERNARY_SCALARS[fn];
    return () => {
      registers[to] = f(registers[a]!, registers[b]!, registers[c]!);
    };
  });
  return (x, values, at) => {
    registers[0] = x;
    for (let p = 0; p < parameters; p++) registers[1 + p] = values[at + p]!;
    for (let s = 0; s < run.length; s++) run[s]!();
    return registers[result]!;
  };
};
