/** Names from checkpoints and people as identifiers of C and C++. Nothing else of them reaches code. */

import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { isReserved } from './reserved.js';

const LONGEST = 40;

/** What manifests may name code by: what is read from a file becomes part of commands. */
export const Identifier = t.refinement(t.string, (s) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(s), 'identifier');

/** What names a program where nothing else does, and what stands behind names that are taken. */
const FALLBACK = 'model';

export type IsTaken = (name: string) => boolean;

/**
 * An identifier for a name that may hold anything: letters, digits and single underscores, beginning with a letter,
 * at most 40 characters, none that is taken; `model` where nothing is left.
 */
export const identifier = (name: string, isTaken: IsTaken = isReserved): string => {
  const safe = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, LONGEST)
    .replace(/_+$/, '');
  if (safe === '') return FALLBACK;
  const begun = /^[0-9]/.test(safe) ? `${FALLBACK}_${safe}`.slice(0, LONGEST) : safe;
  return isTaken(begun) ? `${begun}_${FALLBACK}` : begun;
};

/**
 * The name of a program: the one that was asked for, as it is, else an identifier for that of the graph. Fails with K0801
 * where the one that was asked for cannot be: no program has another name than it was given.
 */
export const programName = (
  asked: string | undefined,
  graph: string,
  isTaken: IsTaken = isReserved,
): Checked<string> => {
  if (asked === undefined) return E.right(identifier(graph, isTaken));
  const possible = identifier(asked, isTaken);
  if (possible === asked) return E.right(asked);
  return fail(
    'K0801',
    `the program cannot be called '${printable(asked, 60)}'${isTaken(asked) ? ': code, files or libraries beside it have that name' : ''}`,
    {
      place: { option: '--target-options' },
      expected: `a name of letters, digits and single underscores, at most ${LONGEST}, that begins with a letter and nothing else has`,
      hint: `name=${possible} can be.`,
    },
  );
};
