/** Forms of random float networks: plain data that fast-check makes and shrinks. */
import * as fc from 'fast-check';
import { ACTIVATIONS, type Activation, isActivation } from '../../src/numeric/activations.js';
import { isSymbolicFunction, SYMBOLIC_FUNCTIONS, type SymbolicFunction } from '../../src/numeric/symbolic.js';

const activations = Object.keys(ACTIVATIONS).filter(isActivation);
const symbolics = Object.keys(SYMBOLIC_FUNCTIONS).filter(isSymbolicFunction);

export type KnotStyle = 'uniform' | 'uneven' | 'repeated' | 'own' | 'equal';

export type BasisSpec =
  | {
      readonly kind: 'spline';
      readonly order: number;
      readonly grid: number;
      readonly knots: KnotStyle;
      /** The power of two that the grid reaches to. */
      readonly reach: number;
      readonly base: Activation | 'none';
    }
  | {
      readonly kind: 'rbf';
      readonly centers: number;
      readonly width: number;
      readonly base: Activation | 'none';
    }
  | {
      readonly kind: 'polynomial';
      readonly family: 'chebyshev' | 'legendre' | 'gram';
      readonly degree: number;
      readonly squash: 'tanh' | 'none';
      readonly outer: Activation;
    }
  | { readonly kind: 'symbolic'; readonly functions: ReadonlyArray<SymbolicFunction> }
  | { readonly kind: 'base'; readonly activation: Activation };

export type WeightStyle = 'plain' | 'zero' | 'sparse' | 'large' | 'tiny' | 'any';

export interface LayerSpec {
  readonly kind: 'layer';
  readonly basis: BasisSpec;
  readonly outputs: number;
  readonly weights: WeightStyle;
  readonly bias: boolean;
  readonly seed: number;
}

export type StepSpec =
  | LayerSpec
  | { readonly kind: 'affine'; readonly perChannel: boolean; readonly seed: number }
  | { readonly kind: 'activate'; readonly activation: Activation }
  | { readonly kind: 'prelu'; readonly seed: number }
  | { readonly kind: 'norm'; readonly over: 'sample' | 'channel'; readonly seed: number }
  | { readonly kind: 'pool'; readonly reduce: 'max' | 'mean'; readonly seed: number }
  | { readonly kind: 'multiply'; readonly seed: number }
  | { readonly kind: 'gather'; readonly seed: number }
  /** The sum with the latest value of the same shape. */
  | { readonly kind: 'residual' }
  | { readonly kind: 'flatten' };

export interface NetworkSpec {
  /** [features], or [channels, height, width]. */
  readonly shape: ReadonlyArray<number>;
  readonly steps: ReadonlyArray<StepSpec>;
}

const seed = fc.nat(2 ** 31 - 1);
const activation = fc.constantFrom(...activations);
const base = fc.constantFrom<Activation | 'none'>('none', 'silu', ...activations);

const basis: fc.Arbitrary<BasisSpec> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('spline' as const),
      order: fc.nat(6),
      grid: fc.integer({ min: 1, max: 8 }),
      knots: fc.constantFrom<KnotStyle>('uniform', 'uniform', 'uneven', 'repeated', 'own', 'equal'),
      reach: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: -2, max: 3 }) },
        fc.integer({ min: -120, max: 120 }),
      ),
      base,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rbf' as const),
      centers: fc.integer({ min: 1, max: 8 }),
      width: fc.constantFrom(0.25, 1, 0.001, 1000, 1e-30),
      base,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('polynomial' as const),
      family: fc.constantFrom('chebyshev' as const, 'legendre' as const, 'gram' as const),
      degree: fc.nat(6),
      squash: fc.constantFrom('tanh' as const, 'tanh' as const, 'none' as const),
      outer: fc.constantFrom<Activation>('identity', ...activations),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('symbolic' as const),
      functions: fc.array(fc.constantFrom(...symbolics), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('base' as const), activation }) },
);

/** Widths around those of vectors of 4, 8 and 16 lanes. */
const width = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 2, arbitrary: fc.constantFrom(15, 16, 17) },
  { weight: 1, arbitrary: fc.constantFrom(31, 33) },
);

const layer = fc.record({
  kind: fc.constant('layer' as const),
  basis,
  outputs: width,
  weights: fc.constantFrom<WeightStyle>('plain', 'plain', 'plain', 'zero', 'sparse', 'large', 'tiny', 'any'),
  bias: fc.boolean(),
  seed,
});

const step: fc.Arbitrary<StepSpec> = fc.oneof(
  { weight: 8, arbitrary: layer },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('affine' as const), perChannel: fc.boolean(), seed }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('activate' as const), activation }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prelu' as const), seed }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('norm' as const),
      over: fc.constantFrom('sample' as const, 'channel' as const),
      seed,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pool' as const),
      reduce: fc.constantFrom('max' as const, 'mean' as const),
      seed,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('multiply' as const), seed }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gather' as const), seed }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'residual' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'flatten' as const }) },
);

const shape: fc.Arbitrary<ReadonlyArray<number>> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(width) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
    ),
  },
);

/** At least one layer: the first step that reads the input is one, or stands before one. */
export const networks: fc.Arbitrary<NetworkSpec> = fc.record({
  shape,
  steps: fc
    .tuple(fc.array(step, { maxLength: 2 }), layer, fc.array(step, { maxLength: 3 }))
    .map(([before, first, after]) => [...before, first, ...after]),
});
