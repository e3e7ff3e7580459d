/**
 * Long roads of steps each of which may fail, written one below the other: a generator that yields what is wrong and is
 * then never gone on with. `const x = yield* step(result)` is the right of a result, or the end of the road.
 */
import * as E from 'fp-ts/lib/Either.js';
import { InternalError } from './diagnostic.js';

/** A road to an A on which something of type L may be wrong. */
export type Steps<L, A> = Generator<L, A, unknown>;

/** The right of a result, or the end of the road. */
export function* step<L, A>(result: E.Either<L, A>): Steps<L, A> {
  if (E.isRight(result)) return result.right;
  yield result.left;
  throw new InternalError('a road was gone on with after it had ended');
}

/** Goes a road: its end, or the first thing that was wrong. */
export const along = <L, A>(road: Steps<L, A>): E.Either<L, A> => {
  const reached = road.next();
  return reached.done === true ? E.right(reached.value) : E.left(reached.value);
};
