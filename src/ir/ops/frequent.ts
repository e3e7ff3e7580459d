/**
 * What table layers may know about their codes: the code that an input most often has, where calibration found one
 * that is frequent (the background of images). It changes no result. A backend may compute what inputs add at these
 * codes beforehand, and look up only those that have another code.
 */
import { constantOf } from '../codec.js';
import type { Constant } from '../constant.js';
import type { Window } from '../window.js';

export interface Frequent {
  /** uint[I]: the frequent code of each input; the number of levels where it has none. */
  readonly frequent?: Constant;
}

export const FREQUENT = { frequent: constantOf('uint', 1) };

/** What is wrong with the attribute of a layer with `inputs` inputs. */
export const frequentFault = (
  a: Frequent & { readonly window?: Window },
  inputs: number,
): string | undefined => {
  if (a.frequent === undefined) return undefined;
  if (a.window !== undefined) return 'frequent codes are for layers without windows';
  return a.frequent.shape[0] === inputs ? undefined : `frequent must be [${inputs}]`;
};

/** Says which frequent code is none. */
export const frequentBeyond = (a: Frequent, levels: number): string | undefined => {
  const wrong = a.frequent?.data.find((code: number) => code > levels);
  return wrong === undefined ? undefined : `frequent code ${wrong} of ${levels} levels`;
};
