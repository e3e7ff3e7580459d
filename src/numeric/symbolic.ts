/** The univariate functions that pykan fixes edges to, by pykan's names. NaN or infinite outside their domains. */
import { acos, asin, atan, cos, exp, log, sin, tan, tanh } from './transcendental.js';

export const SYMBOLIC_FUNCTIONS = {
  '0': (): number => 0,
  x: (x: number): number => x,
  'x^2': (x: number): number => x * x,
  'x^3': (x: number): number => x * x * x,
  'x^4': (x: number): number => x * x * (x * x),
  'x^5': (x: number): number => x * (x * x) * (x * x),
  '1/x': (x: number): number => 1 / x,
  '1/x^2': (x: number): number => 1 / (x * x),
  '1/x^3': (x: number): number => 1 / (x * x * x),
  '1/x^4': (x: number): number => 1 / (x * x * (x * x)),
  '1/x^5': (x: number): number => 1 / (x * (x * x) * (x * x)),
  sqrt: (x: number): number => Math.sqrt(x),
  'x^0.5': (x: number): number => Math.sqrt(x),
  'x^1.5': (x: number): number => Math.sqrt(x) * Math.sqrt(x) * Math.sqrt(x),
  '1/sqrt(x)': (x: number): number => 1 / Math.sqrt(x),
  '1/x^0.5': (x: number): number => 1 / Math.sqrt(x),
  exp,
  log,
  abs: (x: number): number => Math.abs(x),
  sin,
  cos,
  tan,
  tanh,
  sgn: (x: number): number => Math.sign(x),
  arcsin: asin,
  arccos: acos,
  arctan: atan,
  arctanh: (x: number): number => (Math.abs(x) <= 1 ? log((1 + x) / (1 - x)) / 2 : Number.NaN),
  gaussian: (x: number): number => exp(-x * x),
} as const;

export type SymbolicFunction = keyof typeof SYMBOLIC_FUNCTIONS;

export const isSymbolicFunction = (name: string): name is SymbolicFunction =>
  Object.hasOwn(SYMBOLIC_FUNCTIONS, name);
