/**
 * The base function in pykan's configuration. A name is written as text, a module of torch as a Python object with its
 * fields, and a function as a tag with its name alone. Nothing of it is constructed: tags are read as text.
 */
import * as t from 'io-ts';
import { isMap, isNode, isScalar } from 'yaml';
import { isActivation } from '../../../numeric/activations.js';
import { functionOfModule, functionOfName, type TorchFunction } from '../../torch-functions.js';

export type BaseFunction = TorchFunction;

const TAG = /^(?:tag:yaml\.org,2002:|!!)python\/(object|name)(?:\/\w+)?:(.+)$/;

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
    printed?.[1] === undefined
      ? undefined
      : functionOfModule(`torch.nn.${printed[1]}`, (key) => fields.get(key));
  return { ...module, shown: `'${text}'` };
};

/** From the node of `base_fun_name`; undefined where there is none. */
export const baseFunctionOf = (node: unknown): BaseFunction | undefined => {
  if (!isNode(node)) return undefined;
  const tag = TAG.exec(node.tag ?? '');
  const [, kind, name] = tag ?? [];
  if (kind !== undefined && name !== undefined) {
    if (kind === 'name') return functionOfName(name);
    return functionOfModule(name, (key) => (isMap(node) ? node.get(key) : undefined));
  }
  const value = isScalar(node) ? node.value : undefined;
  return t.string.is(value) ? textOf(value) : { shown: 'no name' };
};
