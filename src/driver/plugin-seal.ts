/**
 * What a pass of a plugin is given is shared with other graphs and passes, so it must come out as it went in. Objects are
 * frozen; arrays of numbers cannot be, and are compared by their bytes.
 */
import { isConstant } from '../ir/constant.js';
import type { Graph } from '../ir/graph.js';
import type { PassContext } from '../passes/pass.js';
import { sha256Of } from './node/hash.js';

export interface Seal {
  /** The context, whose data are watched from when they are asked for. */
  readonly context: PassContext;
  /** What was changed since, in words; undefined where nothing was. */
  readonly broken: () => string | undefined;
}

const hashed = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  sha256Of(new Uint8Array(buffer, byteOffset, byteLength));

/** Seals a graph and what its pass may ask for. */
export const seal = (graph: Graph, context: PassContext): Seal => {
  const arrays = new Map<ArrayBufferView, { readonly what: string; readonly hash: string }>();
  const watch = (array: ArrayBufferView, what: string): void => {
    if (!arrays.has(array)) arrays.set(array, { what, hash: hashed(array) });
  };
  const seen = new WeakSet<object>();
  const freeze = (value: unknown, what: string): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
    seen.add(value);
    if (isConstant(value)) watch(value.data, what);
    for (const [key, part] of Object.entries(value)) {
      freeze(part, isConstant(value) || Array.isArray(value) ? what : `${what}, '${key}'`);
    }
    Object.freeze(value);
  };
  for (const { name, type } of graph.inputs) freeze(type, `the type of %${name}`);
  for (const { name, op, type } of graph.nodes) {
    freeze(op.attrs, `op %${name}`);
    freeze(type, `the type of %${name}`);
  }
  freeze(graph, 'the graph');
  return {
    context: {
      dataset: (path) => {
        const data = context.dataset(path);
        if (data !== undefined) watch(data.array.data, `the data '${path}'`);
        return data;
      },
    },
    broken: () => [...arrays].find(([array, { hash }]) => hashed(array) !== hash)?.[1].what,
  };
};
