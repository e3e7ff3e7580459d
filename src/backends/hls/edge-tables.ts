/**
 * The truth tables of a layer for unrolled designs. Every table is stored minus its minimum, which goes to the bias of
 * the output: entries have no sign and few bits. Edges that are constant vanish, and tables of one input that are
 * equal after that are read once for several outputs.
 */

import { rangeOf } from '../cpp/code.js';
import type { LayerEdges } from '../cpp/stage.js';
import { type Table, tableOf } from '../cpp/table.js';

export interface TruthTable {
  readonly table: Table;
  readonly input: number;
  /** The largest entry. */
  readonly most: number;
}

/** A value of the adder tree: from 0 to `most`. */
export interface Term {
  readonly name: string;
  readonly most: number;
}

export interface AdderNode extends Term {
  readonly of: ReadonlyArray<string>;
}

export interface OutputSum {
  readonly bias: number;
  /** In an order in which every node comes after what it adds. */
  readonly nodes: ReadonlyArray<AdderNode>;
  /** What is added to the bias; undefined where all edges are constant. */
  readonly last: Term | undefined;
}

export interface EdgeTables {
  readonly tables: ReadonlyArray<TruthTable>;
  readonly outputs: ReadonlyArray<OutputSum>;
  /** Adders between a table and an output. */
  readonly depth: number;
  /** Six-input LUTs, as an estimate. */
  readonly luts: number;
}

export const bitsFor = (most: number): number => {
  let bits = 1;
  while (most >= 2 ** bits) bits++;
  return bits;
};

/** How many terms an adder takes: three, as carry chains of six-input LUTs do. */
const ARITY = 3;

/** Adds terms three at a time, the narrowest first, level after level. */
const addUp = (
  terms: ReadonlyArray<Term>,
  prefix: string,
): { nodes: AdderNode[]; last: Term | undefined; depth: number } => {
  const nodes: AdderNode[] = [];
  let level = [...terms];
  let depth = 0;
  while (level.length > 1) {
    level.sort((a, b) => a.most - b.most);
    const next: Term[] = [];
    for (let k = 0; k < level.length; k += ARITY) {
      const group = level.slice(k, k + ARITY);
      if (group.length === 1) {
        next.push(group[0]!);
        continue;
      }
      const node = {
        name: `${prefix}_${nodes.length}`,
        most: group.reduce((n, t) => n + t.most, 0),
        of: group.map((t) => t.name),
      };
      nodes.push(node);
      next.push(node);
    }
    level = next;
    depth++;
  }
  return { nodes, last: level[0], depth };
};

export const edgeTablesOf = (e: LayerEdges, prefix: string): EdgeTables => {
  const tables: TruthTable[] = [];
  const terms: Term[][] = Array.from({ length: e.outputs }, () => []);
  const bias = Array.from({ length: e.outputs }, (_, o) => e.bias?.[o] ?? 0);
  for (let i = 0; i < e.inputs; i++) {
    const known = new Map<string, Term>();
    for (let o = 0; o < e.outputs; o++) {
      const values = Array.from({ length: e.levels }, (_, code) => e.edge(i, code, o));
      const [least, largest] = rangeOf(values);
      const most = largest - least;
      bias[o]! += least;
      if (most === 0) continue;
      const entries = Uint32Array.from(values, (v) => v - least);
      const key = entries.join();
      const same = known.get(key);
      const term = same ?? { name: `e${tables.length}`, most };
      if (same === undefined) {
        known.set(key, term);
        tables.push({ table: tableOf(`${prefix}_e${tables.length}`, entries), input: i, most });
      }
      terms[o]!.push(term);
    }
  }
  const sums = terms.map((list, o) => addUp(list, `n${o}`));
  const rom = tables.reduce((n, t) => n + bitsFor(t.most) * Math.ceil(e.levels / 64), 0);
  const adders = sums.reduce((n, s) => n + s.nodes.reduce((m, node) => m + bitsFor(node.most), 0), 0);
  return {
    tables,
    outputs: sums.map(({ nodes, last }, o) => ({ bias: bias[o]!, nodes, last })),
    depth: Math.max(0, ...sums.map((s) => s.depth)),
    luts: rom + adders,
  };
};
