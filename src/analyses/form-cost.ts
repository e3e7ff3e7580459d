/** What a KAN layer would cost in each table form: the basis of the choice between them. */
import { type Basis, functionCount, supportSize } from '../ir/basis.js';
import type { KanAttrs } from '../ir/ops/kan.js';

export type Form = 'edge' | 'basis';

export interface FormCost {
  readonly bytes: number;
  /** Estimated time of one inference on a 128-bit SIMD machine, in vector operations. */
  readonly work: number;
}

/**
 * Edge form: one table row per input, 8 outputs an addition (4 for entries of more than 8 bits). A row is one
 * random access; beyond a cache of about 1 MB it costs as much as several additions.
 */
export const edgeCost = (a: KanAttrs, inputs: number, levels: number): FormCost => {
  const outputs = a.branches[0]!.weights.shape[2]!;
  const entryBytes = (a.precision?.table ?? 8) <= 8 ? 1 : 2;
  const bytes = inputs * levels * outputs * entryBytes;
  const lanes = entryBytes === 1 ? 8 : 4;
  const rowAccess = bytes > 2 ** 20 ? 4 : 1;
  return { bytes, work: inputs * (2 * Math.ceil(outputs / lanes) + rowAccess) };
};

/** Basis form: one dot product of two functions for 4 outputs, for half the support and for the base branch. */
export const basisCost = (a: KanAttrs, inputs: number, levels: number): FormCost | undefined => {
  if (!hasBasisForm(a)) return undefined;
  const outputs = a.branches[0]!.weights.shape[2]!;
  const products = a.branches.reduce((n, b) => n + supportSize(b.basis), 0);
  const functions = a.branches.reduce((n, b) => n + functionCount(b.basis), 0);
  const entryBytes = (a.precision?.coef ?? 8) <= 8 ? 1 : 2;
  const bytes = inputs * functions * outputs * entryBytes + levels * (supportSize(splineOf(a)!) + 4);
  return { bytes, work: inputs * (3 * Math.ceil(outputs / 4) * Math.ceil(products / 2) + 8) };
};

export const splineOf = (a: KanAttrs): Basis | undefined =>
  a.branches.find((b) => b.basis._tag === 'bspline')?.basis;

/** The basis form is defined for one B-spline branch with at most one base branch. */
export const hasBasisForm = (a: KanAttrs): boolean =>
  a.branches.filter((b) => b.basis._tag === 'bspline').length === 1 &&
  a.branches.filter((b) => b.basis._tag === 'base').length <= 1 &&
  a.branches.every((b) => (b.from ?? 0) === 0 && (b.basis._tag === 'bspline' || b.basis._tag === 'base'));

/** The cheaper form among those whose tables fit the budget; the smaller one when none does. */
export const chooseForm = (a: KanAttrs, inputs: number, levels: number, budget: number): Form => {
  const edge = edgeCost(a, inputs, levels);
  const basis = basisCost(a, inputs, levels);
  if (basis === undefined) return 'edge';
  const fits = [edge, basis].map((c) => c.bytes <= budget);
  if (fits[0] && fits[1]) return edge.work <= basis.work ? 'edge' : 'basis';
  if (fits[0] || fits[1]) return fits[0] ? 'edge' : 'basis';
  return edge.bytes <= basis.bytes ? 'edge' : 'basis';
};
