/** The instructions of pickles that name and call something: all of them only write down what was said. */
import { printable } from '../../../diagnostics/index.js';
import { callCost, isCommand, recordCall } from './globals.js';
import { charge, type Machine, malformed, pop, popToMark, push, refuse, top } from './machine.js';
import { asText, type PickleNode } from './node.js';

export const global = (m: Machine, module: string, name: string): void => {
  const full = `${module}.${name}`;
  if (m.failure !== undefined) return;
  if (!isCommand(full)) {
    push(m, { tag: 'global', name: full });
    return;
  }
  refuse(
    m,
    'K0107',
    `The pickle names ${printable(full, 200)}, by which pickles run commands; nothing was executed`,
    'Do not load this file in Python unless you know who made it.',
  );
};

export const stackGlobal = (m: Machine): void => {
  const name = asText(pop(m));
  const module = asText(pop(m));
  if (name === undefined || module === undefined) malformed(m, 'a name is not a string');
  else global(m, module, name);
};

const record = (m: Machine, callee: PickleNode, args: PickleNode): void => {
  if (args.tag !== 'tuple') {
    malformed(m, 'it calls what is not a function');
    return;
  }
  charge(m, callCost(callee, args));
  const result = m.failure === undefined ? recordCall(callee, args) : undefined;
  const name = callee.tag === 'global' ? printable(callee.name, 200) : 'what is not a function';
  if (result === undefined) malformed(m, `it calls ${name} in a way that torch does not`);
  else push(m, result);
};

export const call = (m: Machine): void => {
  const args = pop(m);
  record(m, pop(m), args);
};

/** A call with named arguments, which only objects have that are not read. */
export const callWithNames = (m: Machine): void => {
  const names = pop(m);
  const args = pop(m);
  record(m, pop(m), args);
  const made = top(m);
  if (made.tag === 'object') made.parts.push(names);
};

export const emptySet = (m: Machine): void => push(m, { tag: 'object', name: 'builtins.set', parts: [] });

export const frozenSet = (m: Machine): void =>
  push(m, { tag: 'object', name: 'builtins.frozenset', parts: popToMark(m) });

/** State is what torch hangs on an OrderedDict (`_metadata`) or a parameter, or what the attributes of an object are. */
export const build = (m: Machine): void => {
  const state = pop(m);
  const target = top(m);
  if (target.tag === 'object') {
    target.parts.push(state);
    target.state = state;
  } else if (target.tag === 'dict') target.state = state;
  else if (target.tag !== 'call') malformed(m, 'it sets the state of a plain value');
};
