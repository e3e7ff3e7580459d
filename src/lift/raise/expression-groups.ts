/** Functions without a name by their shape: how many functions an expression basis has, and for whom. */
import type { LayerTerms } from '../terms.js';
import { eachWeight, type Share } from './shares.js';
import type { SlotId } from './slots.js';

/** Functions of one shape. */
export interface Members {
  /** Of every share, in order of first use. */
  readonly lists: ReadonlyArray<ReadonlyArray<SlotId>>;
}

/** Weights of some slots of one input: of each slot a row over outputs. */
export const slotRows = (
  terms: LayerTerms,
  share: Share,
  input: number,
  list: ReadonlyArray<SlotId>,
): ReadonlyArray<Float64Array> => {
  const places = new Map(list.map((slot, k) => [slot, k]));
  const rows = list.map(() => new Float64Array(terms.outputs));
  eachWeight(terms, share, input, (slot, row, factor) => {
    const k = places.get(slot);
    if (k === undefined) return;
    const to = rows[k]!;
    for (let o = 0; o < to.length; o++) to[o]! += factor * row[o]!;
  });
  return rows;
};

/** The most functions that one edge has. */
const mostOfAnEdge = (rows: ReadonlyArray<Float64Array>, outputs: number): number => {
  const counts = new Int32Array(outputs);
  for (const row of rows) for (let o = 0; o < outputs; o++) if (row[o] !== 0) counts[o]!++;
  return counts.reduce((most, c) => Math.max(most, c), 0);
};

/** How the functions of a shape are laid out in a basis. */
export type Layout =
  /** The same functions for all inputs. */
  | { readonly kind: 'shared'; readonly columns: ReadonlyArray<SlotId> }
  /** As many functions for each input, of its own. */
  | { readonly kind: 'inputs'; readonly count: number }
  /** As many functions for each edge. */
  | { readonly kind: 'edges'; readonly count: number };

/**
 * Edges have functions of their own where functions of inputs would be mostly unused: half as many for an edge at
 * most as for its input, and not many more in all than there are functions.
 */
export const layoutOf = (terms: LayerTerms, shares: ReadonlyArray<Share>, { lists }: Members): Layout => {
  const most = Math.max(...lists.map((list) => list.length));
  if (terms.outputs > 1 && most > 1) {
    let ofEdges = 0;
    shares.forEach((share, s) => {
      if (2 * ofEdges > most) return;
      for (const input of share.inputs) {
        const rows = slotRows(terms, share, input, lists[s]!);
        ofEdges = Math.max(ofEdges, mostOfAnEdge(rows, terms.outputs));
      }
    });
    if (2 * ofEdges <= most && ofEdges * terms.outputs <= 2 * most) {
      return { kind: 'edges', count: Math.max(1, ofEdges) };
    }
  }
  const all = new Set(lists.flat());
  return all.size <= 1.25 * most + 1
    ? { kind: 'shared', columns: [...all] }
    : { kind: 'inputs', count: most };
};
