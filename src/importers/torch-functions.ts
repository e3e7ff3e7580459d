/** The functions of torch that kanc has, by the names and fields of their modules and by those of plain functions. */
import { printable } from '../diagnostics/index.js';
import { type Activation, isActivation } from '../numeric/activations.js';
import { lastPart } from './containers/modules.js';

/** `activation` is absent where kanc has no such function. */
export interface TorchFunction {
  /** What the file says, for messages. */
  readonly shown: string;
  readonly activation?: Activation;
}

/** Modules of torch, and the fields that change what they compute with the values that ours has. */
const MODULES: Readonly<Record<string, readonly [Activation, Readonly<Record<string, unknown>>]>> = {
  SiLU: ['silu', {}],
  GELU: ['gelu', { approximate: 'none' }],
  ReLU: ['relu', {}],
  LeakyReLU: ['leaky_relu', { negative_slope: 0.01 }],
  ELU: ['elu', { alpha: 1 }],
  SELU: ['selu', {}],
  Softplus: ['softplus', { beta: 1, threshold: 20 }],
  Mish: ['mish', {}],
  Tanh: ['tanh', {}],
  Sigmoid: ['sigmoid', {}],
  Identity: ['identity', {}],
};

export const isTorch = (name: string): boolean => name.startsWith('torch.');

/** A module by its class and its fields, of which those that are missing have the library's values. */
export const functionOfModule = (name: string, field: (key: string) => unknown): TorchFunction => {
  const known = Object.hasOwn(MODULES, lastPart(name)) ? MODULES[lastPart(name)] : undefined;
  if (known === undefined || !isTorch(name)) return { shown: name };
  const [activation, fields] = known;
  for (const [key, usual] of Object.entries(fields)) {
    const value = field(key);
    if (value === undefined || value === usual) continue;
    if (activation === 'gelu' && value === 'tanh') return { shown: name, activation: 'gelu_tanh' };
    return { shown: `${name} with ${key} = ${printable(String(value), 40)}` };
  }
  return { shown: name, activation };
};

/** Python's builtin functions of torch stand in modules of their own: `torch._C._nn.gelu`, `torch.tanh`. */
export const functionOfName = (name: string): TorchFunction => {
  const last = lastPart(name);
  return isTorch(name) && isActivation(last)
    ? { shown: name, activation: last }
    : { shown: `the Python function ${name}` };
};
