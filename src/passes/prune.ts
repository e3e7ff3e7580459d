/**
 * Removes inputs that do not matter: an input whose tables are the same at every code adds a constant, which
 * goes to the bias. The values that fed it are then not computed: pixels are not looked up, and outputs of an
 * earlier table layer are dropped from it. Exact.
 */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import type { Checked } from '../diagnostics/index.js';
import { type Rewriter, rewrite } from '../ir/builder.js';
import { constant, pickAlong } from '../ir/constant.js';
import { int, uint } from '../ir/element.js';
import { type Graph, type Node, usesOf, type ValueName } from '../ir/graph.js';
import { type Op, pickOp } from '../ir/ops/index.js';
import type { Frequent } from '../ir/ops/layers.js';
import type { TableBasisAttrs } from '../ir/ops/table-basis.js';
import { slabOf, type TableEdgeAttrs } from '../ir/ops/table-edge.js';
import { isTableLayer } from '../ir/table-layer.js';
import { removeDead } from './dce.js';
import { declareOptions } from './options.js';
import { definePass, note, type Remark, unremarked, withRemarks } from './pass.js';
import { pickOutputs, proveLayer } from './table-parts.js';

const { codec, help } = declareOptions({});

export const prune = definePass<'table', 'table', Record<never, never>>({
  name: 'prune',
  summary: 'removes inputs whose tables are constant, and what computed them',
  options: codec,
  help,
  from: 'table',
  to: 'table',
  run: () => (graph) => {
    if (lastPrunable(graph) === undefined) return unremarked(E.right(graph));
    const remarks: Remark[] = [];
    // What is not used, or was replaced, must go first: it would count as a use of the values that it reads.
    let current = removeDead(graph);
    // From the last layer to the first: dropping the inputs of one drops outputs of the one before it, which
    // can make inputs of that one constant. Ends, because every step leaves fewer inputs.
    while (E.isRight(current)) {
      const found = lastPrunable(current.right);
      if (found === undefined) break;
      remarks.push(note(`${found.live.dead} inputs do not matter and were removed`, found.layer.name));
      const pruned = pruneLayer(current.right, found.layer, found.live);
      current = E.isLeft(pruned) ? pruned : removeDead(pruned.right);
    }
    return withRemarks(current, remarks);
  },
});

const lastPrunable = (graph: Graph<'table'>): { layer: Node; live: Live } | undefined => {
  for (const layer of [...graph.nodes].reverse()) {
    const live = liveInputs(layer.op);
    if (live !== undefined) return { layer, live };
  }
  return undefined;
};

interface Live {
  /** Inputs that stay, ascending; at least one. */
  readonly kept: Uint32Array;
  readonly dead: number;
  /** The layer on the kept inputs alone. */
  readonly op: Op;
}

const liveInputs = (op: Op): Live | undefined =>
  // Inputs of a window are taps of channels: a channel goes only when all its taps do, which is not looked for.
  !isTableLayer(op) || op.attrs.window !== undefined
    ? undefined
    : match(op)
        .with({ kind: 'table.edge' }, ({ attrs }) => liveEdge(attrs))
        .with({ kind: 'table.basis' }, ({ attrs }) => liveBasis(attrs))
        .exhaustive();

const split = (inputs: number, matters: (i: number) => boolean): { kept: Uint32Array; dead: number } => {
  const kept = Array.from({ length: inputs }, (_, i) => i).filter(matters);
  // A layer keeps one input even when none matters: there are no layers of width 0.
  if (kept.length === 0) kept.push(0);
  return { kept: Uint32Array.from(kept), dead: inputs - kept.length };
};

const liveEdge = (a: TableEdgeAttrs): Live | undefined => {
  const [, levels, outputs] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  const inputs = a.slabs?.shape[0] ?? a.table.shape[0]!;
  const { data } = a.table;
  const varies = (slab: number): boolean => {
    const first = slab * levels * outputs;
    for (let e = outputs; e < levels * outputs; e++) {
      if (data[first + e] !== data[first + (e % outputs)]) return true;
    }
    return false;
  };
  const { kept, dead } = split(inputs, (i) => varies(slabOf(a, i)));
  if (dead === 0) return undefined;
  const bias = Float64Array.from({ length: outputs }, (_, o) => a.bias?.data[o] ?? 0);
  const keptSet = new Set(kept);
  for (let i = 0; i < inputs; i++) {
    if (keptSet.has(i)) continue;
    const row = slabOf(a, i) * levels * outputs;
    for (let o = 0; o < outputs; o++) bias[o]! += data[row + o]!;
  }
  if (bias.some((b) => b < -(2 ** 31) || b >= 2 ** 31)) return undefined;
  const { slabs, ...rest } = a;
  const attrs: TableEdgeAttrs = {
    ...rest,
    ...pickFrequent(a, kept),
    bias: constant(int(32), [outputs], Int32Array.from(bias)),
    ...(slabs === undefined ? { table: pickAlong(a.table, 0, kept) } : { slabs: pickAlong(slabs, 0, kept) }),
  };
  const op = proveLayer({ kind: 'table.edge', attrs }, kept.length);
  return op === undefined ? undefined : { kept, dead, op };
};

const liveBasis = (a: TableBasisAttrs): Live | undefined => {
  const [inputs, functions, outputs] = [
    a.coefficients.shape[0]!,
    a.coefficients.shape[1]!,
    a.coefficients.shape[2]!,
  ];
  const anyIn = (data: ArrayLike<number>, from: number, to: number): boolean => {
    for (let e = from; e < to; e++) if (data[e] !== 0) return true;
    return false;
  };
  const { kept, dead } = split(
    inputs,
    (i) =>
      anyIn(a.coefficients.data, i * functions * outputs, (i + 1) * functions * outputs) ||
      (a.base !== undefined && anyIn(a.base.data, i * outputs, (i + 1) * outputs)),
  );
  if (dead === 0) return undefined;
  const attrs: TableBasisAttrs = {
    ...a,
    coefficients: pickAlong(a.coefficients, 0, kept),
    ...(a.base === undefined ? {} : { base: pickAlong(a.base, 0, kept) }),
    ...(a.rows === undefined ? {} : { rows: pickAlong(a.rows, 0, kept) }),
    ...pickFrequent(a, kept),
  };
  const op = proveLayer({ kind: 'table.basis', attrs }, kept.length);
  return op === undefined ? undefined : { kept, dead, op };
};

/** Puts the narrower layer in place and lets its operand compute the kept features only. */
const pruneLayer = (graph: Graph<'table'>, layer: Node, live: Live): Checked<Graph<'table'>> => {
  const uses = usesOf(graph);
  return rewrite<'table'>(graph, 'table', (node, r) => {
    if (node.name !== layer.name) return r.keep(node);
    const operand = keepFeatures(
      r.of(node.operands[0]!),
      live.kept,
      r,
      (name) => (uses.get(name) ?? 0) === 1,
    );
    return r.add(node.name, live.op, [operand]);
  });
};

/**
 * A value with only the features `kept` of another: by narrowing the op that computes it where nothing else
 * reads it, by a gather otherwise.
 */
const keepFeatures = (
  value: ValueName,
  kept: Uint32Array,
  r: Rewriter<'table'>,
  usedOnce: (name: ValueName) => boolean,
): ValueName => {
  const gather = (of: ValueName): ValueName =>
    r.add(`${of}_live`, { kind: 'gather', attrs: { indices: constant(uint(32), [kept.length], kept) } }, [
      of,
    ]);
  const node = r.nodeOf(value);
  if (node === undefined || !usedOnce(value)) return gather(value);
  const narrower = narrow(node.op, kept);
  if (narrower === undefined) return gather(value);
  const operand = node.operands[0]!;
  return r.add(`${node.name}_live`, narrower.op, [
    narrower.reads === 'same' ? operand : keepFeatures(operand, kept, r, usedOnce),
  ]);
};

/** An op on fewer features; `reads` says whether it now reads fewer features too. */
const narrow = (op: Op, kept: Uint32Array): { op: Op; reads: 'same' | 'fewer' } | undefined => {
  if (isTableLayer(op)) {
    const picked = op.attrs.window === undefined ? pickOutputs(op, kept) : undefined;
    return picked === undefined ? undefined : { op: picked, reads: 'same' };
  }
  const picked = pickOp(op, kept);
  return picked === undefined ? undefined : { op: picked, reads: 'fewer' };
};

/** The frequent codes of some inputs. */
const pickFrequent = (a: Frequent, inputs: ArrayLike<number>): Frequent =>
  a.frequent === undefined ? {} : { frequent: pickAlong(a.frequent, 0, inputs) };
