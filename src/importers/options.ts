/** What families do with the options of an import. */
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
