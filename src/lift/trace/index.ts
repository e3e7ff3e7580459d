/**
 * Tracing: every op of a program is run once on what is known of elements, constants being folded already. What comes
 * out are the cuts at which the network falls into layers.
 */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import type { Checked } from '../../diagnostics/index.js';
import { lastUses } from '../../tensor/live.js';
import { movementOf } from '../../tensor/movement.js';
import {
  isMovement,
  type Movement,
  sizeOfShape,
  stridesOf,
  type TensorNode,
  type TensorProgram,
  type ValueId,
} from '../../tensor/program.js';
import { consumersOf } from '../consumers.js';
import { type FunctionTable, functionTable } from '../functions.js';
import {
  asSources,
  type Cut,
  elementsAt,
  functionAt,
  type Traced,
  type Varying,
  varyingOf,
} from '../traced.js';
import { traceContract, traceSum } from './linear.js';
import { traceMap } from './maps.js';
import { addCut, elementsOf, entangled, type Tracer } from './state.js';
import { traceExtreme, traceSoftmax, traceStandardize } from './whole.js';
import { traceConv, traceMaxPool, traceMeanPool } from './windows.js';

/** A program as cuts, and its outputs as functions of their elements. */
export interface Trace {
  readonly program: TensorProgram;
  readonly table: FunctionTable;
  readonly cuts: ReadonlyArray<Cut>;
  readonly outputs: ReadonlyArray<Varying>;
}

const moved = (t: Tracer, node: TensorNode, op: Movement, operands: ReadonlyArray<Traced>): Traced => {
  const shapes = node.operands.map((o) => t.program.nodes[o]!.type.shape);
  const [first] = operands;
  // The same elements in the same order.
  if (op.kind === 'reshape') return first!;
  const index = movementOf(op, shapes, node.type.shape);
  const fill = op.kind === 'pad' ? op.value : 0;
  const all = operands.length === 1 ? varyingOf(t.table, first!) : joined(t, operands);
  return elementsAt(t.table, all, index, fill);
};

/** The elements of several values one after the other. */
const joined = (t: Tracer, operands: ReadonlyArray<Traced>): Varying => {
  const vs = operands.map((o) => varyingOf(t.table, o));
  const size = vs.reduce((n, v) => n + v.source.length, 0);
  const source = new Int32Array(size);
  const fn = new Int32Array(size);
  const factor = vs.some((v) => v.factor !== undefined) ? new Float64Array(size).fill(1) : undefined;
  let at = 0;
  for (const v of vs) {
    source.set(v.source, at);
    fn.set(v.fn, at);
    if (v.factor !== undefined) factor!.set(v.factor, at);
    at += v.source.length;
  }
  return { tag: 'varying', source, fn, ...(factor === undefined ? {} : { factor }) };
};

/** A table that is looked up at a value: for every element a function of the index's source. */
const lookedUp = (
  t: Tracer,
  node: TensorNode,
  axis: number,
  [table, at]: readonly [Traced, Traced],
): Checked<Traced> => {
  if (table.tag !== 'constant') {
    return entangled(t, node, 'picks elements of a value by a place that depends on the input');
  }
  const { shape } = t.program.nodes[node.operands[0]!]!.type;
  const length = shape[axis]!;
  const inner = stridesOf(shape)[axis]!;
  const outer = sizeOfShape(shape.slice(0, axis));
  const index = asSources(varyingOf(t.table, at));
  const n = index.source.length;
  const source = new Int32Array(outer * n * inner);
  const fn = new Int32Array(source.length);
  const columns = Array.from({ length: outer * inner }, (_, c) =>
    Float64Array.from(
      { length },
      (__, i) => table.data[(Math.floor(c / inner) * length + i) * inner + (c % inner)]!,
    ),
  );
  for (let a = 0, e = 0; a < outer; a++) {
    for (let i = 0; i < n; i++) {
      const f = functionAt(t.table, index, i);
      for (let b = 0; b < inner; b++, e++) {
        source[e] = index.source[i]!;
        fn[e] = t.table.lookup(columns[a * inner + b]!, f);
      }
    }
  }
  return E.right({ tag: 'varying', source, fn });
};

const input = (t: Tracer, node: TensorNode, value: ValueId): Checked<Traced> => {
  const cut = addCut(t, node, value, { kind: 'input' }, undefined, sizeOfShape(node.type.shape));
  return E.isLeft(cut) ? cut : E.right(elementsOf(t, cut.right, 'sources'));
};

const traceNode = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  operands: ReadonlyArray<Traced>,
): Checked<Traced> => {
  const { op } = node;
  if (isMovement(op)) return E.right(moved(t, node, op, operands));
  const [a, b] = operands;
  return match(op)
    .returnType<Checked<Traced>>()
    .with({ kind: 'input' }, () => input(t, node, value))
    .with({ kind: 'constant' }, ({ data }) => E.right({ tag: 'constant', data }))
    .with({ kind: 'map' }, ({ fn }) => traceMap(t, node, value, fn, operands))
    .with({ kind: 'contract' }, ({ equation }) => traceContract(t, node, value, equation, [a!, b!]))
    .with({ kind: 'conv' }, (conv) => traceConv(t, node, value, conv, [a!, b!]))
    .with({ kind: 'reduce' }, (reduce) => {
      const { fn } = reduce;
      return fn === 'sum' || fn === 'mean'
        ? traceSum(t, node, value, reduce, a!)
        : traceExtreme(t, node, value, { ...reduce, fn }, a!);
    })
    .with({ kind: 'pool' }, (pool) =>
      pool.fn === 'max'
        ? traceMaxPool(t, node, value, pool.windows, a!)
        : traceMeanPool(t, node, value, pool, a!),
    )
    .with({ kind: 'standardize' }, (norm) => traceStandardize(t, node, value, norm, a!))
    .with({ kind: 'softmax' }, (softmax) => traceSoftmax(t, node, value, softmax, a!))
    .with({ kind: 'lookup' }, ({ axis }) => lookedUp(t, node, axis, [a!, b!]))
    .with({ kind: 'opaque' }, ({ why }) => entangled(t, node, why))
    .exhaustive();
};

export const trace = (program: TensorProgram): Checked<Trace> => {
  const table = functionTable();
  const t: Tracer = { program, table, consumers: consumersOf(program), cuts: [] };
  const traced: Array<Traced | undefined> = [];
  const last = lastUses(program);
  for (const [id, node] of program.nodes.entries()) {
    const operands = node.operands.flatMap((o) => traced[o] ?? []);
    const made = traceNode(t, node, id, operands);
    if (E.isLeft(made)) return made;
    traced.push(made.right);
    for (const o of node.operands) if (last[o] === id) traced[o] = undefined;
  }
  const outputs = program.outputs.map((o) => asSources(varyingOf(table, traced[o]!)));
  return E.right({ program, table, cuts: t.cuts, outputs });
};
