/** What families do with the options of an import. They ask for one only where it matters; see heeded.ts. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { ACTIVATIONS, type Activation, isActivation } from '../numeric/activations.js';
import type { Assumption, ImportOptions } from './family.js';

/** The base activation that the user gave, or that of the library. K0206 where there is none of the name. */
export const activationOf = (options: ImportOptions, usual: Activation): Checked<Activation> => {
  const activation = options.baseActivation ?? usual;
  return isActivation(activation)
    ? E.right(activation)
    : fail('K0206', `there is no base activation '${activation}'`, {
        place: { option: '--base-activation' },
        expected: `one of ${Object.keys(ACTIVATIONS).join(', ')}`,
      });
};

/** The note that the base activation is not stored; none when the user has said it. */
export const assumedActivation = (
  options: ImportOptions,
  activation: Activation,
): ReadonlyArray<Assumption> =>
  options.baseActivation === undefined
    ? [
        {
          what: 'the activation of the base branch is not stored',
          assumed: activation,
          option: '--base-activation',
        },
      ]
    : [];

/** torch's own, for layer, batch and instance norms alike. */
export const EPSILON = 1e-5;

/** What the user says that norms add to the variance, or what torch adds. K0206 where it is not positive. */
export const epsilonOf = ({ normEpsilon }: ImportOptions): Checked<number> =>
  normEpsilon === undefined || normEpsilon > 0
    ? E.right(normEpsilon ?? EPSILON)
    : fail('K0206', `the epsilon of norms is ${normEpsilon}`, {
        place: { option: '--norm-epsilon' },
        expected: 'a positive number',
      });

/** The note that the epsilon of norms is not stored; none when the user has said it. */
export const assumedEpsilon = ({ normEpsilon }: ImportOptions): ReadonlyArray<Assumption> =>
  normEpsilon === undefined
    ? [
        {
          what: 'the epsilon of the norms is not stored',
          assumed: String(EPSILON),
          option: '--norm-epsilon',
        },
      ]
    : [];

/** Each assumption once: a hundred layers assume the same. Layers of two kinds may assume two things. */
export const distinct = (assumptions: ReadonlyArray<Assumption>): ReadonlyArray<Assumption> => [
  ...new Map(assumptions.map((one) => [`${one.what}: ${one.assumed}`, one])).values(),
];
