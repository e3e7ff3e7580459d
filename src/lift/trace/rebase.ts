/**
 * A map a[c] * x + b[c] in front of a layer is a value of its own: what a norm learns stands there, and the functions
 * behind it are then the same for all inputs.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import { sizeOfShape, type TensorNode, type ValueId } from '../../tensor/program.js';
import { affineOf } from '../affine.js';
import { asSources, functionAt, isAdditive, NO_SOURCE, type Traced, type Varying } from '../traced.js';
import { ownerOf, type Tracer } from './state.js';
import { addUp } from './sums.js';

const AFFINE: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div', 'neg']);

/** Whether all that follows is another such map of the same elements, or something that is linear in them anyway. */
const goesOn = (t: Tracer, value: ValueId, size: number): boolean => {
  const next = t.consumers.only(value);
  if (next === undefined) return false;
  if (next.op.kind === 'contract' || next.op.kind === 'conv') return true;
  if (next.op.kind === 'reduce') return next.op.fn === 'sum' || next.op.fn === 'mean';
  if (next.op.kind !== 'map' || !AFFINE.has(next.op.fn)) return false;
  const constants = next.operands.filter((o) => t.program.nodes[o]!.op.kind === 'constant');
  return sizeOfShape(next.type.shape) === size && constants.length === next.operands.length - 1;
};

/** Whether the elements are one for each element of one cut, and an affine map of it that is not the identity. */
const isMapOfCut = (t: Tracer, v: Varying): boolean => {
  const first = v.source[0] ?? NO_SOURCE;
  if (first < 0) return false;
  const cut = ownerOf(t.cuts, first);
  // Whoever else takes the value would meet elements of two cuts where there is one.
  if (v.source.length !== cut.size || t.consumers.count(cut.value) > 1) return false;
  const seen = new Uint8Array(cut.size);
  const affine = affineOf(t.table);
  let moves = false;
  for (let e = 0; e < v.source.length; e++) {
    const local = v.source[e]! - cut.base;
    if (local < 0 || local >= cut.size || seen[local] === 1) return false;
    seen[local] = 1;
    const map = affine(functionAt(t.table, v, e));
    if (map === undefined || map.scale === 0) return false;
    if (map.scale !== 1 || map.shift !== 0) moves = true;
  }
  return moves;
};

/** The value as a cut of its own where that makes what follows simpler. */
export const rebased = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  traced: Checked<Varying>,
): Checked<Traced> => {
  if (E.isLeft(traced)) return traced;
  const v = traced.right;
  const { op } = node;
  if (op.kind !== 'map' || !AFFINE.has(op.fn) || v.source.some(isAdditive)) return traced;
  if (goesOn(t, value, v.source.length) || !isMapOfCut(t, v)) return traced;
  // The sum is a value to build on, whoever takes it.
  return E.map(asSources)(addUp(t, node, value, [{ value: v, factor: () => 1 }], v.source.length));
};
