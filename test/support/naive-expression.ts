/** Expressions by the parser of JavaScript instead of ours: their grammar is a part of its own. */

const truth = (b: boolean): number => (b ? 1 : 0);

/** From definitions; none of these is the compiler's own. */
const FUNCTIONS: Readonly<Record<string, (...args: number[]) => number>> = {
  neg: (x) => -x!,
  abs: (x) => Math.abs(x!),
  sign: (x) => Math.sign(x!),
  reciprocal: (x) => 1 / x!,
  sqrt: (x) => Math.sqrt(x!),
  exp: (x) => Math.exp(x!),
  log: (x) => Math.log(x!),
  sin: (x) => Math.sin(x!),
  cos: (x) => Math.cos(x!),
  tan: (x) => Math.tan(x!),
  asin: (x) => Math.asin(x!),
  acos: (x) => Math.acos(x!),
  atan: (x) => Math.atan(x!),
  sinh: (x) => Math.sinh(x!),
  cosh: (x) => Math.cosh(x!),
  tanh: (x) => Math.tanh(x!),
  sigmoid: (x) => 1 / (1 + Math.exp(-x!)),
  softplus: (x) => Math.log1p(Math.exp(x!)),
  relu: (x) => Math.max(0, x!),
  floor: (x) => Math.floor(x!),
  ceil: (x) => Math.ceil(x!),
  trunc: (x) => Math.trunc(x!),
  bool: (x) => truth(x !== 0),
  not: (x) => truth(x === 0),
  pow: (x, y) => x! ** y!,
  min: (x, y) => Math.min(x!, y!),
  max: (x, y) => Math.max(x!, y!),
  eq: (x, y) => truth(x === y),
  lt: (x, y) => truth(x! < y!),
  le: (x, y) => truth(x! <= y!),
  gt: (x, y) => truth(x! > y!),
  ge: (x, y) => truth(x! >= y!),
  and: (x, y) => truth(x !== 0 && y !== 0),
  or: (x, y) => truth(x !== 0 || y !== 0),
  prelu: (x, y) => (x! < 0 ? y! * x! : x!),
  where: (c, x, y) => (c !== 0 ? x! : y!),
};

/** The value of an expression at x with the given parameters. */
export const naiveExpression = (text: string, x: number, parameters: ReadonlyArray<number>): number => {
  const body = text.split(';').map((part) => part.trim());
  const result = body.pop() ?? '';
  const code = [...body, `return ${result}`]
    .join(';\n')
    .replace(/\blet\b/g, 'const')
    .replace(/([a-z][a-z-]*)\(/g, (_, name: string) => `f['${name}'](`);
  const names = parameters.map((__, p) => `p${p}`);
  return new Function('f', 'x', ...names, code)(FUNCTIONS, x, ...parameters);
};
