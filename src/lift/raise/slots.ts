/** The functions that layers are put together from, each with a number: what a named basis has, or one kept as it is. */
import type { RadialKernel } from '../../ir/basis.js';
import type { Activation } from '../../numeric/activations.js';
import type { FunctionId } from '../functions.js';

/** The function in which a slot was found: it is offset + factor * slot. */
export interface Origin {
  readonly id: FunctionId;
  readonly factor: number;
  readonly offset: number;
}

/** A function that a basis of the IR can have. */
export type Slot =
  | { readonly kind: 'activation'; readonly activation: Activation }
  | {
      readonly kind: 'spline';
      readonly order: number;
      /** f32. */
      readonly knots: ReadonlyArray<number>;
      readonly plain: boolean;
      readonly vanishing: boolean;
      readonly origin: Origin;
    }
  | {
      readonly kind: 'radial';
      readonly kernel: RadialKernel;
      /** f32. */
      readonly center: number;
      readonly width: number;
      readonly origin: Origin;
    }
  /** T_degree of x or of tanh(x), the degree 2 at least. */
  | { readonly kind: 'chebyshev'; readonly squash: 'tanh' | 'none'; readonly degree: number }
  /** An activation of a polynomial of x or of tanh(x), by the coefficients of its powers. */
  | {
      readonly kind: 'outer';
      readonly activation: Activation;
      readonly squash: 'tanh' | 'none';
      readonly coefficients: ReadonlyArray<number>;
      readonly origin: Origin;
    }
  /** Any function, kept. */
  | { readonly kind: 'other'; readonly id: FunctionId };

export type SlotId = number;

export interface Slots {
  readonly intern: (slot: Slot) => SlotId;
  readonly slotOf: (id: SlotId) => Slot;
}

const keyOf = (slot: Slot): string => {
  switch (slot.kind) {
    case 'activation':
      return slot.activation;
    case 'spline':
      return `spline ${slot.order} ${slot.plain} ${slot.vanishing} ${slot.knots.join(' ')}`;
    case 'radial':
      return `${slot.kernel} ${slot.center} ${slot.width}`;
    case 'chebyshev':
      return `chebyshev ${slot.squash} ${slot.degree}`;
    case 'outer':
      return `${slot.activation} of ${slot.squash} ${slot.coefficients.join(' ')}`;
    case 'other':
      return `other ${slot.id}`;
  }
};

export const slotsOf = (): Slots => {
  const slots: Slot[] = [];
  const known = new Map<string, SlotId>();
  return {
    intern: (slot) => {
      const key = keyOf(slot);
      const id = known.get(key) ?? slots.push(slot) - 1;
      known.set(key, id);
      return id;
    },
    slotOf: (id) => slots[id]!,
  };
};

/** constant + sum of factors[j] * slots[j]; every slot once. */
export interface Combination {
  readonly constant: number;
  readonly slots: ReadonlyArray<SlotId>;
  readonly factors: ReadonlyArray<number>;
}

/** A sum that is being made. */
export interface Collector {
  readonly addConstant: (value: number) => void;
  readonly add: (slot: SlotId, factor: number) => void;
  readonly combination: () => Combination;
}

export const collector = (): Collector => {
  let constant = 0;
  const factors = new Map<SlotId, number>();
  return {
    addConstant: (value) => {
      constant += value;
    },
    add: (slot, factor) => {
      if (factor !== 0) factors.set(slot, (factors.get(slot) ?? 0) + factor);
    },
    combination: () => ({ constant, slots: [...factors.keys()], factors: [...factors.values()] }),
  };
};
