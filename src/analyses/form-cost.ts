/** What a KAN layer would cost in each table form: the basis of the choice between them. */
import { type Basis, functionCount, isSharedBasis, supportSize } from '../ir/basis.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { basisMicroseconds, edgeMicroseconds, type KernelShape } from './wasm-cost.js';

export type Form = 'edge' | 'basis';

export interface FormCost {
  /** Bytes of the tables. */
  readonly bytes: number;
  /** Estimated microseconds of one inference as a WASM kernel. */
  readonly time: number;
}

/** Bytes of an entry or coefficient of so many bits. */
const entryBytes = (bits: number): number => (bits <= 8 ? 1 : 2);

/**
 * What the time of a layer depends on. `inputs`: of the layer, over windows the taps of all groups; `positions`:
 * windows of a sample, 1 for layers of features.
 */
export const kernelShape = (
  a: KanAttrs,
  inputs: number,
  levels: number,
  positions: number,
  form: Form,
): KernelShape => {
  const groups = a.window?.groups ?? 1;
  const outputs = a.branches[0]!.weights.shape[2]!;
  const entry = entryBytes((form === 'edge' ? a.precision?.table : a.precision?.coef) ?? 8);
  const spline = splineOf(a);
  const functions = a.branches.reduce((n, b) => n + functionCount(b.basis), 0);
  const bytes =
    form === 'edge'
      ? inputs * levels * outputs * entry
      : inputs * functions * outputs * entry +
        levels * ((spline === undefined ? 0 : supportSize(spline)) + 4);
  return {
    inputs: inputs / groups,
    outputs,
    sums: positions * groups,
    entryBytes: entry,
    bytes,
    products: a.branches.reduce((n, b) => n + supportSize(b.basis), 0),
  };
};

/** Edge form: one table row for each input. */
export const edgeCost = (a: KanAttrs, inputs: number, levels: number, positions = 1): FormCost => {
  const shape = kernelShape(a, inputs, levels, positions, 'edge');
  return { bytes: shape.bytes, time: edgeMicroseconds(shape) };
};

/** Basis form: products with the functions that can be non-zero; undefined where a layer has no such form. */
export const basisCost = (
  a: KanAttrs,
  inputs: number,
  levels: number,
  positions = 1,
): FormCost | undefined => {
  if (!hasBasisForm(a)) return undefined;
  const shape = kernelShape(a, inputs, levels, positions, 'basis');
  return { bytes: shape.bytes, time: basisMicroseconds(shape) };
};

export const splineOf = (a: KanAttrs): Basis | undefined =>
  a.branches.find((b) => b.basis._tag === 'bspline')?.basis;

/** The basis form is defined for one B-spline branch with at most one base branch. */
export const hasBasisForm = (a: KanAttrs): boolean =>
  a.outside === undefined &&
  a.branches.every((b) => a.window === undefined || isSharedBasis(b.basis)) &&
  a.branches.filter((b) => b.basis._tag === 'bspline').length === 1 &&
  a.branches.filter((b) => b.basis._tag === 'base').length <= 1 &&
  a.branches.every((b) => (b.from ?? 0) === 0 && (b.basis._tag === 'bspline' || b.basis._tag === 'base'));

/** The faster form among those whose tables fit the budget; the smaller one when none does. */
export const chooseForm = (
  a: KanAttrs,
  inputs: number,
  levels: number,
  budget: number,
  positions = 1,
): Form => {
  const edge = edgeCost(a, inputs, levels, positions);
  const basis = basisCost(a, inputs, levels, positions);
  if (basis === undefined) return 'edge';
  const fits = [edge, basis].map((c) => c.bytes <= budget);
  if (fits[0] && fits[1]) return edge.time <= basis.time ? 'edge' : 'basis';
  if (fits[0] || fits[1]) return fits[0] ? 'edge' : 'basis';
  return edge.bytes <= basis.bytes ? 'edge' : 'basis';
};
