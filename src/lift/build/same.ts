/** Whether a cut computes the same for every sample of the batch. */
import type { TensorNode } from '../../tensor/program.js';
import { type Cut, factorAt, type RowsTerm, sourceAt, type Varying } from '../traced.js';
import type { Lifting } from './state.js';

/** For each element its counterpart in sample 0: the one with its rank. */
const counterparts = ({ sample, rank }: Cut): Int32Array => {
  const first: number[] = [];
  for (let e = 0; e < sample.length; e++) if (sample[e] === 0) first.push(e);
  return Int32Array.from(rank, (r) => first[r] ?? -1);
};

/** Whether two elements of a tensor are the same function of corresponding sources. */
const sameElement = (l: Lifting, v: Varying, a: number, b: number): boolean => {
  if (v.fn[a] !== v.fn[b] || factorAt(v, a) !== factorAt(v, b)) return false;
  const [s, r] = [sourceAt(v, a), sourceAt(v, b)];
  if (s < 0 || r < 0) return s < 0 && r < 0;
  const cut = l.ownerOf(s);
  return cut === l.ownerOf(r) && cut.rank[s - cut.base] === cut.rank[r - cut.base];
};

const sameElements = (l: Lifting, v: Varying, of: Int32Array): boolean =>
  of.every((first, e) => first === e || (first >= 0 && sameElement(l, v, e, first)));

const sameRows = (l: Lifting, term: RowsTerm, of: Int32Array): boolean => {
  const { operand, patch, row, factor, offset, tap } = term;
  const paired = new Map<number, number>();
  for (let e = 0; e < of.length; e++) {
    const first = of[e]!;
    if (first === e) continue;
    if (first < 0 || row[e] !== row[first] || (factor?.[e] ?? 1) !== (factor?.[first] ?? 1)) return false;
    const [p, q] = [patch[e]!, patch[first]!];
    if (p < 0 || q < 0) {
      if (p !== q) return false;
      continue;
    }
    const known = paired.get(p);
    if (known === q) continue;
    if (known !== undefined) return false;
    paired.set(p, q);
    for (const t of tap) if (!sameElement(l, operand, offset[p]! + t, offset[q]! + t)) return false;
  }
  return true;
};

/** Whether two numberings put the elements of each sample into groups alike. */
const sameGroups = (group: Int32Array, of: Int32Array): boolean => {
  const paired = new Map<number, number>();
  return of.every((first, e) => {
    if (first === e) return true;
    const known = paired.get(group[e]!);
    if (known === undefined) paired.set(group[e]!, group[first]!);
    return known === undefined || known === group[first];
  });
};

/** The samples of a batch must not differ: what one of them computes is then what all do. */
export const sameForAllSamples = (l: Lifting, cut: Cut): boolean => {
  const of = counterparts(cut);
  const { definition } = cut;
  switch (definition.kind) {
    case 'input':
      return true;
    case 'sum':
      return (
        of.every(
          (first, e) => definition.bias === undefined || definition.bias[e] === definition.bias[first],
        ) &&
        definition.terms.every((term) =>
          term.kind === 'rows' ? sameRows(l, term, of) : sameElements(l, term.operand, of),
        )
      );
    case 'standardize':
    case 'softmax':
      return sameGroups(definition.group, of) && sameElements(l, definition.operand, of);
    case 'product':
      return sameElements(l, definition.left, of) && sameElements(l, definition.right, of);
    // The operand of a pool has samples of its own, which lie as those of the result do.
    case 'pool':
      return true;
  }
};

export const nodeOf = (l: Lifting, cut: Cut): TensorNode => l.trace.program.nodes[cut.value]!;
