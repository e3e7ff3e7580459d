/** Branches of B-splines. */
import type { BSpline } from '../../ir/basis.js';
import { constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import { isUniform } from '../../numeric/bspline.js';
import type { BranchPlan } from './branch-plan.js';
import { slotsIn } from './shares.js';
import type { Slot, SlotId } from './slots.js';
import { chainsOf, type KnotChain, lengthened, offsetIn } from './spline-rows.js';
import type { Layer } from './weights.js';

type Spline = Slot & { readonly kind: 'spline' };

/** Splines that a branch can hold together: of one order and one meaning of repeated knots. */
interface Kind {
  readonly order: number;
  readonly vanishing: boolean;
}

/** The splines of a share that stand on one row. */
interface Row {
  readonly knots: ReadonlyArray<number>;
  readonly columns: ReadonlyMap<SlotId, number>;
}

const kindsOf = (splines: ReadonlyArray<Spline>): ReadonlyArray<Kind> => {
  const orders = [...new Set(splines.map((s) => s.order))].sort((a, b) => b - a);
  return orders.flatMap((order) => {
    const own = splines.filter((s) => s.order === order);
    if (own.every((s) => s.plain)) return [{ order, vanishing: false }];
    if (own.every((s) => s.vanishing)) return [{ order, vanishing: true }];
    return [
      { order, vanishing: false },
      { order, vanishing: true },
    ];
  });
};

/** Splines with both meanings go with the plain ones. */
const isOf = (spline: Spline, kind: Kind, kinds: ReadonlyArray<Kind>): boolean => {
  if (spline.order !== kind.order) return false;
  const mixed = kinds.filter((k) => k.order === kind.order).length > 1;
  return !mixed || spline.plain !== kind.vanishing;
};

const rowOf = (chain: KnotChain, ids: ReadonlyArray<SlotId>): Row => ({
  knots: chain.knots,
  columns: new Map([...chain.starts].map(([j, start]) => [ids[j]!, start])),
});

const showNumber = (t: number): string => String(Number(t.toPrecision(6)));

const describe = (order: number, knots: Float32Array, rows: number): string => {
  const count = knots.length / rows;
  const row = { knots, offset: 0, count };
  const intervals = count - 2 * order - 1;
  const spacing = isUniform(row) ? 'equal' : 'unequal';
  const range = `from ${showNumber(knots[order]!)} to ${showNumber(knots[count - order - 1]!)}`;
  const which = rows === 1 ? range : `${range} for the first input, knots for each input`;
  return `B-splines of order ${order} on ${intervals} interval${intervals === 1 ? '' : 's'} ${which}, ${spacing} knots`;
};

/** One branch from one row for each share (none where a share has no splines there). */
const planOf = (
  layer: Layer,
  { order, vanishing }: Kind,
  rows: ReadonlyArray<Row | undefined>,
): BranchPlan => {
  const longest = rows.reduce<ReadonlyArray<number>>(
    (best, row) => (row !== undefined && row.knots.length > best.length ? row.knots : best),
    [],
  );
  const count = Math.max(longest.length, 2 * order + 2);
  const full = lengthened(longest, count);
  const offsets = rows.map((row) => (row === undefined ? 0 : offsetIn(full, row.knots)));
  const shared = offsets.every((at) => at !== undefined);
  const inputs = layer.terms.functions.length;
  const knots = new Float32Array(shared ? count : inputs * count);
  if (shared) knots.set(full);
  else {
    layer.shares.forEach((share, s) => {
      const row = lengthened(rows[s]?.knots ?? full, count);
      for (const input of share.inputs) knots.set(row, input * count);
    });
  }
  const number = shared ? 1 : inputs;
  const basis: BSpline = {
    _tag: 'bspline',
    order,
    knots: constant(F32, [number, count], knots),
    ...(vanishing ? { repeated: 'vanish' as const } : {}),
  };
  return {
    basis,
    functions: count - order - 1,
    found: describe(order, knots, number),
    columnOf: (share, slot) => {
      const start = rows[share]?.columns.get(slot);
      return start === undefined ? undefined : start + (shared ? offsets[share]! : 0);
    },
  };
};

/** The rows of every share for splines of a kind, longest lists first by their index. */
const rowsOf = (layer: Layer, kind: Kind, kinds: ReadonlyArray<Kind>): ReadonlyArray<ReadonlyArray<Row>> =>
  layer.shares.map((share) => {
    const ids: SlotId[] = [];
    const windows: ReadonlyArray<number>[] = [];
    for (const id of slotsIn(share)) {
      const slot = layer.slots.slotOf(id);
      if (slot.kind !== 'spline' || !isOf(slot, kind, kinds)) continue;
      ids.push(id);
      windows.push(slot.knots);
    }
    return chainsOf(windows).map((chain) => rowOf(chain, ids));
  });

const splineKinds = (layer: Layer): ReadonlyArray<Kind> =>
  kindsOf(
    [...new Set(layer.shares.flatMap(slotsIn))]
      .map(layer.slots.slotOf)
      .filter((slot): slot is Spline => slot.kind === 'spline'),
  );

/** How many rows the splines of each kind need, most of an input. */
export const rowCounts = (
  layer: Layer,
): ReadonlyArray<{ readonly of: (spline: Spline) => boolean; readonly rows: number }> => {
  const kinds = splineKinds(layer);
  return kinds.map((kind) => ({
    of: (spline) => isOf(spline, kind, kinds),
    rows: Math.max(...rowsOf(layer, kind, kinds).map((r) => r.length)),
  }));
};

/** Plans for all splines of a layer: a branch for each order and for each row that an input has of it. */
export const splinePlans = (layer: Layer): ReadonlyArray<BranchPlan> => {
  const kinds = splineKinds(layer);
  return kinds.flatMap((kind) => {
    const rows = rowsOf(layer, kind, kinds);
    const most = Math.max(...rows.map((r) => r.length));
    return Array.from({ length: most }, (_, c) =>
      planOf(
        layer,
        kind,
        rows.map((r) => r[c]),
      ),
    );
  });
};
