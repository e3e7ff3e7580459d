/**
 * The base function in pykan's configuration. A name is written as text, a module of torch as a Python object with its
 * fields, and a function as a tag with its name alone. Nothing of it is constructed: tags are read as text.
 */
import * as t from 'io-ts';
import { isMap, isNode, isScalar } from 'yaml';
import { printable } from '../../../diagnostics/index.js';
import { type Activation, isActivation } from '../../../numeric/activations.js';

/** `activation` is absent where kanc has no such function. */
export interface BaseFunction {
  /** What the configuration says, for messages. */
  readonly shown: string;
  readonly activation?: Activation;
}

const TAG = /^(?:tag:yaml\.org,2002:|!!)python\/(object|name)(?:\/\w+)?:(.+)$/;

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

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

const isTorch = (name: string): boolean => name.startsWith('torch.');

/** A module by its class and its fields, of which those that are missing have the library's values. */
const moduleOf = (name: string, field: (key: string) => unknown): BaseFunction => {
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

/** `Tanh()`, as a module prints itself. */
const PRINTED = /^(\w+)\((.*)\)$/;

const printedFields = (text: string): ReadonlyMap<string, unknown> =>
  new Map(
    text.split(',').flatMap((part) => {
      const [key, value] = part.split('=').map((side) => side.trim());
      if (key === undefined || value === undefined) return [];
      const number = Number(value);
      return [[key, Number.isNaN(number) ? value.replace(/^'(.*)'$/, '$1') : number] as const];
    }),
  );

const textOf = (text: string): BaseFunction => {
  if (isActivation(text)) return { shown: text, activation: text };
  const printed = PRINTED.exec(text);
  const fields = printedFields(printed?.[2] ?? '');
  const module =
    printed?.[1] === undefined ? undefined : moduleOf(`torch.nn.${printed[1]}`, (key) => fields.get(key));
  return { ...module, shown: `'${text}'` };
};

const functionOf = (name: string): BaseFunction => {
  const last = lastPart(name);
  return isTorch(name) && isActivation(last)
    ? { shown: name, activation: last }
    : { shown: `the Python function ${name}` };
};

/** From the node of `base_fun_name`; undefined where there is none. */
export const baseFunctionOf = (node: unknown): BaseFunction | undefined => {
  if (!isNode(node)) return undefined;
  const tag = TAG.exec(node.tag ?? '');
  const [, kind, name] = tag ?? [];
  if (kind !== undefined && name !== undefined) {
    if (kind === 'name') return functionOf(name);
    return moduleOf(name, (key) => (isMap(node) ? node.get(key) : undefined));
  }
  const value = isScalar(node) ? node.value : undefined;
  return t.string.is(value) ? textOf(value) : { shown: 'no name' };
};
