/**
 * Rules: what is right, or a sentence that says what is wrong, without a place. Who knows the place makes a Diagnostic of
 * the sentence.
 */
import * as E from 'fp-ts/lib/Either.js';

/** Either a sentence that says what is wrong, or the result. */
export type Rule<A> = E.Either<string, A>;

/** Nothing is wrong. */
export const HOLDS: Rule<void> = E.right(undefined);

/** That a rule holds for each of several things, in order: the first that is wrong is told, and no other is looked at. */
export const eachHolds = <T>(
  things: ReadonlyArray<T>,
  rule: (thing: T, index: number) => Rule<void>,
): Rule<void> => {
  for (const [index, thing] of things.entries()) {
    const held = rule(thing, index);
    if (E.isLeft(held)) return held;
  }
  return HOLDS;
};
