/**
 * What table layers may know about their codes: the code that an input most often has, where calibration found one
 * that is frequent (the background of images). It changes no result. A backend may compute what inputs add at these
 * codes beforehand, and look up only those that have another code.
 */
import * as E from 'fp-ts/lib/Either.js';
import { HOLDS, type Rule } from '../../diagnostics/index.js';
import { constantOf } from '../codec.js';
import type { Constant } from '../constant.js';
import type { Window } from '../window.js';

export interface Frequent {
  /** uint[I]: the frequent code of each input; the number of levels where it has none. */
  readonly frequent?: Constant;
}

export const FREQUENT = { frequent: constantOf('uint', 1) };

/** Whether the attribute fits a layer with `inputs` inputs. */
export const frequentFits = (a: Frequent & { readonly window?: Window }, inputs: number): Rule<void> => {
  if (a.frequent === undefined) return HOLDS;
  if (a.window !== undefined) return E.left('frequent codes are for layers without windows');
  return a.frequent.shape[0] === inputs ? HOLDS : E.left(`frequent must be [${inputs}]`);
};

/** Whether frequent codes are some. */
export const frequentWithin = (a: Frequent, levels: number): Rule<void> => {
  const wrong = a.frequent?.data.find((code: number) => code > levels);
  return wrong === undefined ? HOLDS : E.left(`frequent code ${wrong} of ${levels} levels`);
};
