/** The base activations that KAN libraries put beside the spline, by the names their users know. */
import { erf, exp, log, sigmoid, tanh } from './transcendental.js';

export const ACTIVATIONS = {
  silu: (x: number): number => (x < -745 ? 0 : x * sigmoid(x)),
  gelu: (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  gelu_tanh: (x: number): number => 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
  relu: (x: number): number => Math.max(x, 0),
  leaky_relu: (x: number): number => (x < 0 ? 0.01 * x : x),
  elu: (x: number): number => (x < 0 ? exp(x) - 1 : x),
  selu: (x: number): number => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * (exp(x) - 1) : x),
  softplus: (x: number): number => (x > 40 ? x : log(1 + exp(x))),
  mish: (x: number): number => x * tanh(x > 40 ? x : log(1 + exp(x))),
  tanh,
  sigmoid,
  gaussian: (x: number): number => exp(-x * x),
  identity: (x: number): number => x,
  zero: (x: number): number => (Number.isNaN(x) ? x : 0),
} as const;

export type Activation = keyof typeof ACTIVATIONS;

export const isActivation = (name: string): name is Activation => Object.hasOwn(ACTIVATIONS, name);
