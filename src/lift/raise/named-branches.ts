/** Branches of activations, radial basis functions and polynomials. */
import type { RadialKernel } from '../../ir/basis.js';
import { constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import { ACTIVATIONS, type Activation, isActivation } from '../../numeric/activations.js';
import type { BranchPlan } from './branch-plan.js';
import { type Outer, outerBasis } from './outer-polynomials.js';
import { slotsIn } from './shares.js';
import type { Slot, SlotId } from './slots.js';
import type { Layer } from './weights.js';

/** All slots of a layer. */
export const allSlots = (layer: Layer): ReadonlyMap<SlotId, Slot> =>
  new Map([...new Set(layer.shares.flatMap(slotsIn))].map((id) => [id, layer.slots.slotOf(id)]));

/** The slots of the polynomials of x and of tanh(x), and their highest degrees. */
const degrees = (slots: ReadonlyMap<SlotId, Slot>): ReadonlyMap<'tanh' | 'none', number> => {
  const most = new Map<'tanh' | 'none', number>();
  for (const slot of slots.values()) {
    if (slot.kind === 'chebyshev') most.set(slot.squash, Math.max(most.get(slot.squash) ?? 0, slot.degree));
  }
  return most;
};

/** What the polynomial of degree 1 is called when it stands alone. */
const FIRST = { none: 'identity', tanh: 'tanh' } as const;

export const polynomialPlans = (layer: Layer): ReadonlyArray<BranchPlan> => {
  const slots = allSlots(layer);
  return [...degrees(slots)].map(([squash, degree]) => ({
    basis: { _tag: 'polynomial', family: 'chebyshev', degree, squash, outer: 'identity' },
    functions: degree + 1,
    found: `polynomials of degree ${degree} of ${squash === 'tanh' ? 'tanh(x)' : 'x'}, as Chebyshev polynomials`,
    columnOf: (_, id) => {
      const slot = slots.get(id);
      if (slot?.kind === 'activation' && slot.activation === FIRST[squash]) return 1;
      return slot?.kind === 'chebyshev' && slot.squash === squash ? slot.degree : undefined;
    },
  }));
};

export const activationPlans = (layer: Layer): ReadonlyArray<BranchPlan> => {
  const slots = allSlots(layer);
  const taken = new Set<Activation>([...degrees(slots).keys()].map((squash) => FIRST[squash]));
  const used = new Map<Activation, SlotId>();
  for (const [id, slot] of slots) {
    if (slot.kind === 'activation' && !taken.has(slot.activation)) used.set(slot.activation, id);
  }
  return Object.keys(ACTIVATIONS)
    .filter(isActivation)
    .flatMap((activation) => {
      const own = used.get(activation);
      if (own === undefined) return [];
      return [
        {
          basis: { _tag: 'base' as const, activation },
          functions: 1,
          found: activation === 'identity' ? 'a linear part' : activation,
          columnOf: (_: number, id: SlotId) => (id === own ? 0 : undefined),
        },
      ];
    });
};

/** The activations of polynomials by what they have in common. */
export const outerGroups = (layer: Layer): ReadonlyArray<ReadonlyMap<SlotId, Outer>> => {
  const groups = new Map<string, Map<SlotId, Outer>>();
  for (const [id, slot] of allSlots(layer)) {
    if (slot.kind !== 'outer') continue;
    const key = `${slot.activation} ${slot.squash}`;
    const group = groups.get(key) ?? new Map<SlotId, Outer>();
    group.set(id, slot);
    groups.set(key, group);
  }
  return [...groups.values()];
};

const FAMILIES = { chebyshev: 'Chebyshev', legendre: 'Legendre', gram: 'Gram' } as const;

/** One branch for each group that is a basis. */
export const outerPlans = (layer: Layer): ReadonlyArray<BranchPlan> =>
  outerGroups(layer).flatMap((group) => {
    const basis = outerBasis([...group.values()]);
    if (basis === undefined) return [];
    const { degree, family, squash, outer } = basis;
    const found = `${outer} of ${FAMILIES[family]} polynomials of degree ${degree} of ${squash === 'tanh' ? 'tanh(x)' : 'x'}`;
    const columns = new Map([...group].map(([id, slot]) => [id, slot.coefficients.length - 1]));
    return [{ basis, functions: degree + 1, found, columnOf: (_: number, id: SlotId) => columns.get(id) }];
  });

const RADIAL_NAMES: Readonly<Record<RadialKernel, string>> = {
  gaussian: 'Gaussians',
  'reflectional-switch': 'reflectional switch functions',
};

/** One branch for each kernel and width; its centers are those of all inputs. */
export const radialPlans = (layer: Layer): ReadonlyArray<BranchPlan> => {
  const groups = new Map<string, { kernel: RadialKernel; width: number; centers: Map<number, SlotId> }>();
  for (const [id, slot] of allSlots(layer)) {
    if (slot.kind !== 'radial') continue;
    const { kernel, width, center } = slot;
    const key = `${kernel} ${width}`;
    const group = groups.get(key) ?? { kernel, width, centers: new Map<number, SlotId>() };
    group.centers.set(center, id);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ kernel, width, centers }) => {
    const ordered = [...centers].sort(([a], [b]) => a - b);
    const columns = new Map(ordered.map(([, id], k) => [id, k]));
    const count = ordered.length;
    return {
      basis: {
        _tag: 'rbf',
        centers: constant(
          F32,
          [count],
          Float32Array.from(ordered, ([c]) => c),
        ),
        width,
        ...(kernel === 'gaussian' ? {} : { kernel }),
      },
      functions: count,
      found: `${RADIAL_NAMES[kernel]}, ${count} center${count === 1 ? '' : 's'}`,
      columnOf: (_, id) => columns.get(id),
    };
  });
};
