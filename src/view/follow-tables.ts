/**
 * The tables of a layer as they are in the last graph of a pipeline, by the inputs and outputs that `tabulate` gave them.
 * Passes keep the name of a layer and change its tables, or drop inputs and outputs, as `prune` does: what was dropped is
 * shown as it last was.
 */
import { definitionsOf, type Graph, liveValues, type Node, type ValueName } from '../ir/graph.js';
import { type TableForm, tableFormOf } from './edge-source.js';

/** A layer in one graph, and where the inputs and outputs of the first graph are in it: -1 where they are gone. */
interface Stage {
  readonly node: Node;
  readonly form: TableForm;
  readonly levels: number;
  readonly inputs: Int32Array;
  readonly outputs: Int32Array;
}

export interface FollowedTables {
  /** The form in the last graph that has the layer. */
  readonly form: TableForm;
  /** Whether the last graph has the layer, with tables that can be told apart. */
  readonly isLast: boolean;
  /** Edges that the last graph does not have any more. */
  readonly removed: number;
}

/** The name that `tabulate` gave a layer, without what passes add: numbers of copies, `_live` of what is left. */
const stem = (name: string): string => name.replace(/(_acc)\d*(?:_live\d*)*$/, '$1');

/** A layer that the outputs depend on: `fold` makes copies, and leaves what nothing reads to `dce`. */
const layerIn = (graph: Graph, name: string): Node | undefined => {
  const live = liveValues(graph);
  return graph.nodes.findLast(
    (node) => live.has(node.name) && stem(node.name) === stem(name) && tableFormOf(node) !== undefined,
  );
};

/** Which inputs of a layer have tables that are not the same at every code, for some of its outputs. */
const varying = (form: TableForm, outputs: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [first, t] = [new Float64Array(form.outputs), new Float64Array(form.outputs)];
  return Array.from({ length: form.inputs }, (_, i) => i).filter((i) => {
    form.table(i, 0, first);
    for (let code = 1; code < form.levels; code++) {
      form.table(i, code, t);
      if (outputs.some((o) => t[o] !== first[o])) return true;
    }
    return false;
  });
};

const all = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, k) => k);

/** The one layer that reads the values of a layer, element by element. */
const readerOf = (graph: Graph, name: ValueName): Node | undefined => {
  const definitions = definitionsOf(graph);
  const live = liveValues(graph);
  return graph.nodes.find((node) => {
    if (!live.has(node.name) || tableFormOf(node) === undefined) return false;
    let at: Node | undefined = node;
    do {
      at = at.operands.length === 1 ? definitions.get(at.operands[0]!) : undefined;
      if (at?.name === name) return true;
    } while (at !== undefined && tableFormOf(at) === undefined);
    return false;
  });
};

/** The outputs and inputs of a layer that are left in the next graph, where they are fewer; undefined where that is not known. */
const keptIn = (
  before: Graph,
  after: Graph,
  node: Node,
): { readonly inputs: ReadonlyArray<number>; readonly outputs: ReadonlyArray<number> } | undefined => {
  const form = tableFormOf(node);
  const next = layerIn(after, node.name);
  const left = next === undefined ? undefined : tableFormOf(next);
  if (form === undefined || next === undefined || left === undefined) return undefined;
  if (left.groups !== form.groups || left.levels !== form.levels) return undefined;
  const reader = left.outputs === form.outputs ? undefined : readerOf(before, node.name);
  const outputs =
    left.outputs === form.outputs
      ? all(form.outputs)
      : reader === undefined
        ? undefined
        : keptIn(before, after, reader)?.inputs;
  if (outputs?.length !== left.outputs) return undefined;
  if (left.inputs === form.inputs) return { inputs: all(form.inputs), outputs };
  const moving = varying(form, outputs);
  // A layer keeps one input even when none matters.
  const inputs = moving.length === 0 ? [0] : moving;
  return inputs.length === left.inputs ? { inputs, outputs } : undefined;
};

/** Where what was at `places` is among those that are kept. */
const moved = (places: Int32Array, kept: ReadonlyArray<number>): Int32Array => {
  const now = new Map(kept.map((old, k) => [old, k]));
  return places.map((old) => now.get(old) ?? -1);
};

const stagesOf = (tables: ReadonlyArray<Graph>, first: Node, form: TableForm): ReadonlyArray<Stage> => {
  const stages: Stage[] = [
    {
      node: first,
      form,
      levels: form.levels,
      inputs: Int32Array.from(all(form.inputs)),
      outputs: Int32Array.from(all(form.outputs)),
    },
  ];
  for (let k = 1; k < tables.length; k++) {
    const [before, after, last] = [tables[k - 1]!, tables[k]!, stages.at(-1)!];
    const kept = keptIn(before, after, last.node);
    const node = layerIn(after, last.node.name);
    const now = node === undefined ? undefined : tableFormOf(node);
    if (kept === undefined || node === undefined || now === undefined) break;
    stages.push({
      node,
      form: now,
      levels: now.levels,
      inputs: moved(last.inputs, kept.inputs),
      outputs: moved(last.outputs, kept.outputs),
    });
  }
  return stages;
};

const count = (places: Int32Array): number => places.reduce((n, p) => n + (p < 0 ? 0 : 1), 0);

/** `tables`: the table graphs of a pipeline in order, the one that `tabulate` made first. */
export const followTables = (tables: ReadonlyArray<Graph>, first: Node): FollowedTables | undefined => {
  const form = tableFormOf(first);
  if (form === undefined) return undefined;
  const stages = stagesOf(tables, first, form);
  const last = stages.at(-1)!;
  const edges = (s: Stage): number => count(s.inputs) * count(s.outputs);
  // The last stage, and before it those behind which edges were dropped.
  const shown = stages.filter((s, k) => k === stages.length - 1 || edges(stages[k + 1]!) < edges(s));
  const out = new Float64Array(form.outputs);
  return {
    form: {
      ...form,
      form: last.form.form,
      table: (i, code, result) => {
        for (const { form: of, inputs, outputs } of shown) {
          if (inputs[i]! < 0) continue;
          of.table(inputs[i]!, code, out.length === of.outputs ? out : out.subarray(0, of.outputs));
          for (let o = 0; o < outputs.length; o++) if (outputs[o]! >= 0) result[o] = out[outputs[o]!]!;
        }
      },
    },
    isLast: stages.length === tables.length,
    removed: form.inputs * form.outputs - edges(last),
  };
};
