/**
 * Slots that no branch would hold well become others: a basis has one width and one row of knots, so that functions
 * which all have their own are kept as expressions, and a square of tanh(x) belongs to its polynomials.
 */
import { allSlots, outerGroups } from './named-branches.js';
import { outerBasis } from './outer-polynomials.js';
import { type Share, slotsIn } from './shares.js';
import { type Combination, collector, type Slot, type SlotId } from './slots.js';
import { rowCounts } from './spline-branches.js';
import type { Layer } from './weights.js';

/** Branches of one kind that are more useful than one expression for all of them. */
const MOST_WIDTHS = 2;
const MOST_ROWS = 3;

/** What a slot is replaced by. */
type Replacement = (slot: SlotId) => Combination | undefined;

const replaced = (share: Share, replacement: Replacement): Share => ({
  inputs: share.inputs,
  combinations: share.combinations.map((c) => {
    if (c.slots.every((slot) => replacement(slot) === undefined)) return c;
    const to = collector();
    to.addConstant(c.constant);
    c.slots.forEach((slot, j) => {
      const factor = c.factors[j]!;
      const other = replacement(slot);
      if (other === undefined) {
        to.add(slot, factor);
        return;
      }
      to.addConstant(factor * other.constant);
      other.slots.forEach((s, k) => {
        to.add(s, factor * other.factors[k]!);
      });
    });
    return to.combination();
  }),
});

/** The function in which a slot was found, in its place. */
const asFound = (layer: Layer, slot: Slot & { kind: 'spline' | 'radial' | 'outer' }): Combination => {
  const { id, factor, offset } = slot.origin;
  return {
    constant: -offset / factor,
    slots: [layer.slots.intern({ kind: 'other', id })],
    factors: [1 / factor],
  };
};

type Radial = Slot & { readonly kind: 'radial' };

/** Whether radial functions of a kernel share their centers and widths well enough to be branches. */
const isShared = (layer: Layer, radials: ReadonlyMap<SlotId, Radial>, kernel: Radial['kernel']): boolean => {
  const own = [...radials].filter(([, slot]) => slot.kernel === kernel);
  const widths = new Set(own.map(([, slot]) => slot.width));
  const most = Math.max(
    ...layer.shares.map((share) => slotsIn(share).filter((id) => radials.get(id)?.kernel === kernel).length),
  );
  return widths.size <= MOST_WIDTHS && own.length <= 1.5 * most + 2;
};

/** The square of tanh(x) as a polynomial, where it stands beside others: 1 - s^2 is (1 - T_2(s)) / 2. */
const squareOf = (layer: Layer, slots: ReadonlyMap<SlotId, Slot>): ReadonlyMap<SlotId, Combination> => {
  const switches = [...slots].filter(
    ([, slot]) => slot.kind === 'radial' && slot.kernel === 'reflectional-switch',
  );
  const [id, only] = switches[0] ?? [];
  const beside = [...slots.values()].some(
    (slot) =>
      (slot.kind === 'chebyshev' && slot.squash === 'tanh') ||
      (slot.kind === 'activation' && slot.activation === 'tanh'),
  );
  if (switches.length !== 1 || only?.kind !== 'radial' || only.center !== 0 || only.width !== 1 || !beside) {
    return new Map();
  }
  const square = layer.slots.intern({ kind: 'chebyshev', squash: 'tanh', degree: 2 });
  return new Map([[id!, { constant: 0.5, slots: [square], factors: [-0.5] }]]);
};

/** The layer with the slots that its branches will have. */
export const settled = (layer: Layer): Layer => {
  const slots = allSlots(layer);
  const radials = new Map([...slots].filter((e): e is [SlotId, Radial] => e[1].kind === 'radial'));
  const replacements = new Map(squareOf(layer, slots));
  for (const kernel of new Set([...radials.values()].map((slot) => slot.kernel))) {
    if (isShared(layer, radials, kernel)) continue;
    for (const [id, slot] of radials) if (slot.kernel === kernel) replacements.set(id, asFound(layer, slot));
  }
  for (const { of, rows } of rowCounts(layer)) {
    if (rows <= MOST_ROWS) continue;
    for (const [id, slot] of slots) {
      if (slot.kind === 'spline' && of(slot)) replacements.set(id, asFound(layer, slot));
    }
  }
  for (const group of outerGroups(layer)) {
    if (outerBasis([...group.values()]) !== undefined) continue;
    for (const [id, slot] of group) replacements.set(id, asFound(layer, slot));
  }
  if (replacements.size === 0) return layer;
  const shares = layer.shares.map((share) => replaced(share, (slot) => replacements.get(slot)));
  return { ...layer, shares };
};
