/** The interpreter: what a graph of any level means. Backends are tested against it. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, InternalError } from '../diagnostics/index.js';
import type { Graph, ValueName } from './graph.js';
import { evaluateOp } from './ops/index.js';
import type { Tensor } from './tensor.js';
import { sameType } from './types.js';

/** Called with every value as it is computed. */
export type Tap = (name: ValueName, value: Tensor) => void;

/** Index of the first NaN in f32 data, or -1. */
const firstNaN = (data: Tensor['data']): number =>
  data instanceof Float32Array ? data.findIndex(Number.isNaN) : -1;

/** Whether the graph declares that inputs with NaN are refused. */
export const refusesNaN = (graph: Graph): boolean =>
  graph.nodes.some(({ op }) => op.kind === 'quantize' && op.attrs.nan === 'refuse');

/**
 * Runs a graph on a batch. One tensor per input of the graph, of exactly its type.
 * Fails with K0701 on a wrong input, on batches of different sizes, and on NaN where the graph refuses it.
 */
export const interpret = (
  graph: Graph,
  inputs: ReadonlyArray<Tensor>,
  tap: Tap = () => {},
): Checked<ReadonlyArray<Tensor>> => {
  const values = new Map<ValueName, Tensor>();
  for (const [k, declared] of graph.inputs.entries()) {
    const given = inputs[k];
    if (given === undefined || !sameType(given.type, declared.type)) {
      return fail('K0701', `input %${declared.name} was not given with its type`);
    }
    const { batch } = inputs[0] ?? given;
    if (given.batch !== batch) {
      return fail('K0701', `input %${declared.name} has ${given.batch} samples, the first input ${batch}`);
    }
    const nan = refusesNaN(graph) ? firstNaN(given.data) : -1;
    if (nan >= 0)
      return fail('K0701', `input %${declared.name} has NaN at element ${nan}`, { hint: NAN_HINT });
    values.set(declared.name, given);
    tap(declared.name, given);
  }
  const get = (name: ValueName): Tensor => {
    const value = values.get(name);
    if (value === undefined) throw new InternalError(`%${name} is used before it is defined`);
    return value;
  };
  const last = lastUses(graph);
  for (const [k, node] of graph.nodes.entries()) {
    const value = evaluateOp(node.op, node.operands.map(get), node.type);
    values.set(node.name, value);
    tap(node.name, value);
    for (const name of [...node.operands, node.name]) if ((last.get(name) ?? k) <= k) values.delete(name);
  }
  return E.right(graph.outputs.map(get));
};

/** The index of the last node that uses a value, behind all nodes for results: so long it is kept. */
const lastUses = ({ nodes, outputs }: Graph): ReadonlyMap<ValueName, number> => {
  const last = new Map<ValueName, number>();
  for (const [k, { operands }] of nodes.entries()) for (const name of operands) last.set(name, k);
  for (const name of outputs) last.set(name, nodes.length);
  return last;
};

const NAN_HINT = 'The model was compiled with --nan refuse; clean the data, or compile with --nan zero.';
