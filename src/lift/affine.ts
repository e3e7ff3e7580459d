/** Functions that are a * x + b. */
import type { FunctionId, FunctionTable } from './functions.js';

export interface Affine {
  readonly scale: number;
  readonly shift: number;
}

const combine = (a: Affine, fa: number, b: Affine, fb: number): Affine => ({
  scale: fa * a.scale + fb * b.scale,
  shift: fa * a.shift + fb * b.shift,
});

/** Scale and shift of a function that is affine as it is written; undefined for all others. */
export const affineOf = (table: FunctionTable): ((id: FunctionId) => Affine | undefined) => {
  const known = new Map<FunctionId, Affine | undefined>();
  const of = (id: FunctionId): Affine | undefined => {
    if (known.has(id)) return known.get(id);
    const found = find(id);
    known.set(id, found);
    return found;
  };
  const find = (id: FunctionId): Affine | undefined => {
    const node = table.nodeOf(id);
    if (node.kind === 'x') return { scale: 1, shift: 0 };
    if (node.kind === 'constant') return { scale: 0, shift: node.value };
    if (node.kind !== 'call') return undefined;
    const a = node.args[0] === undefined ? undefined : of(node.args[0]);
    if (a === undefined) return undefined;
    if (node.fn === 'neg') return combine(a, -1, a, 0);
    const b = node.args[1] === undefined ? undefined : of(node.args[1]);
    if (b === undefined) return undefined;
    if (node.fn === 'add') return combine(a, 1, b, 1);
    if (node.fn === 'sub') return combine(a, 1, b, -1);
    if (node.fn === 'mul' && b.scale === 0) return combine(a, b.shift, a, 0);
    if (node.fn === 'mul' && a.scale === 0) return combine(b, a.shift, b, 0);
    if (node.fn === 'div' && b.scale === 0) return { scale: a.scale / b.shift, shift: a.shift / b.shift };
    return undefined;
  };
  return of;
};
