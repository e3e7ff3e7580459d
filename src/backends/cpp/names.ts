/** Names from checkpoints and people as identifiers of C and C++. Nothing else of them reaches code. */

import * as t from 'io-ts';
import { isReserved } from './reserved.js';

const LONGEST = 40;

/** What manifests may name code by: what is read from a file becomes part of commands. */
export const Identifier = t.refinement(t.string, (s) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(s), 'identifier');

/**
 * An identifier for a name that may hold anything: letters, digits and single underscores, beginning with a letter,
 * at most 40 characters, no reserved word; `fallback` where nothing is left.
 */
export const identifier = (name: string, fallback: string): string => {
  const safe = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, LONGEST)
    .replace(/_+$/, '');
  if (safe === '') return fallback;
  const begun = /^[0-9]/.test(safe) ? `${fallback}_${safe}`.slice(0, LONGEST) : safe;
  return isReserved(begun) ? `${begun}_${fallback}` : begun;
};
