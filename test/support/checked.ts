/** Looking into the results of readers. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, showDiagnostic } from '../../src/diagnostics/index.js';

/** The value, or a failure of the test that shows the diagnostic. */
export const rightOf = <A>(result: Checked<A>): A => {
  if (E.isLeft(result)) throw new Error(showDiagnostic(result.left[0]));
  return result.right;
};

/** The code of the failure, or `ok`. */
export const codeOf = (result: Checked<unknown>): string => (E.isLeft(result) ? result.left[0].code : 'ok');

/** The failure as a person sees it, or `ok`. */
export const messageOf = (result: Checked<unknown>): string =>
  E.isLeft(result) ? showDiagnostic(result.left[0]) : 'ok';
