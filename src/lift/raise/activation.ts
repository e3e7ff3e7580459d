/** Named activations, known by their values: programs write each of them in several ways. */
import { ACTIVATIONS, type Activation } from '../../numeric/activations.js';
import type { FunctionId, FunctionTable } from '../functions.js';
import { sampler, valuesAt } from './pointwise.js';

/** A multiple of an activation. */
export interface ActivationTerm {
  readonly activation: Activation;
  readonly factor: number;
}

/** In the order in which they are tried; those that are polynomials or Gaussians are found as such. */
const NAMED: ReadonlyArray<Activation> = [
  'silu',
  'relu',
  'tanh',
  'sigmoid',
  'gelu',
  'gelu_tanh',
  'leaky_relu',
  'elu',
  'selu',
  'softplus',
  'mish',
];

/** Every quarter from -30 to 30, off the lattice too, and far out, where clipped arguments show. */
const POINTS: ReadonlyArray<number> = [
  ...Array.from({ length: 241 }, (_, j) => j / 4 - 30),
  ...Array.from({ length: 60 }, (_, j) => (j - 29.5) / 7.3),
  -1000,
  -87.3,
  -51.7,
  51.7,
  87.3,
  1000,
];

/** Few points tell nearly all functions from all activations. */
const FIRST: ReadonlyArray<number> = [1, -1, 2.5, -0.3];

const AT_FIRST = NAMED.map((activation) => FIRST.map(ACTIVATIONS[activation]));

const RELATIVE = 1e-6;
/** Of the value at 1: differences that a sum in f32 does not see. */
const ABSOLUTE = 1e-9;

const agree = (
  values: ArrayLike<number>,
  points: ArrayLike<number>,
  model: (x: number) => number,
  scale: number,
): boolean => {
  for (let j = 0; j < points.length; j++) {
    const expected = model(points[j]!);
    // Where the program itself overflows it has no value to agree with.
    if (!Number.isFinite(expected)) continue;
    const difference = Math.abs(values[j]! - expected);
    if (!(difference <= RELATIVE * Math.abs(expected) + ABSOLUTE * scale)) return false;
  }
  return true;
};

const factorOf = (values: ArrayLike<number>, activation: Activation): number => {
  const ratio = values[0]! / ACTIVATIONS[activation](1);
  return Math.abs(ratio - 1) <= RELATIVE ? 1 : ratio;
};

const sumOf =
  (terms: ReadonlyArray<ActivationTerm>) =>
  (x: number): number => {
    let total = 0;
    for (const { activation, factor } of terms) total += factor * ACTIVATIONS[activation](x);
    return total;
  };

/**
 * The sums that are tried: multiples of one activation; then what is linear on either side of 0 (leaky ReLU of any
 * slope), and an exponential below 0 with a line above it (ELU of any alpha).
 */
const candidates = (first: ArrayLike<number>): ReadonlyArray<ReadonlyArray<ActivationTerm>> => {
  const [right, left] = [first[0]!, first[1]!];
  const alpha = left / ACTIVATIONS.elu(-1);
  return [
    ...NAMED.map((activation) => [{ activation, factor: factorOf(first, activation) }]),
    [
      { activation: 'identity', factor: -left },
      { activation: 'relu', factor: right + left },
    ],
    [
      { activation: 'elu', factor: alpha },
      { activation: 'relu', factor: right - alpha },
    ],
  ];
};

/** Whether the values at the first points can be those of any candidate: few functions come further. */
const mayBeNamed = (first: ArrayLike<number>): boolean => {
  const scale = Math.abs(first[0]!);
  if (!(scale > 0) || !Number.isFinite(scale)) return false;
  // What is a line on the right of 0 is a ReLU or an ELU of some kind.
  if (Math.abs(first[2]! / first[0]! - FIRST[2]! / FIRST[0]!) < 1e-5) return true;
  return AT_FIRST.some(([one, , third]) => {
    const expected = (first[0]! / one!) * third!;
    return Math.abs(first[2]! - expected) <= 1e-5 * Math.abs(expected);
  });
};

/** Finds the activations whose sum a function is, as multiples; undefined where it is none that the IR names. */
export const activationFinder = (
  table: FunctionTable,
): ((id: FunctionId) => ReadonlyArray<ActivationTerm> | undefined) => {
  const firstOf = sampler(table, FIRST);
  return (id) => {
    const first = firstOf(id);
    if (!mayBeNamed(first)) return undefined;
    const scale = Math.abs(first[0]!);
    const near = candidates(first).filter((terms) => agree(first, FIRST, sumOf(terms), scale));
    if (near.length === 0) return undefined;
    const values = valuesAt(table, id, POINTS);
    return near.find((terms) => agree(values, POINTS, sumOf(terms), scale));
  };
};
