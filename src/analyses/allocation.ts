/**
 * Which bits to take away first: optimal allocation between layers, each of which has a choice among settings of known
 * cost and loss. Minimising loss + weight * cost, for every weight, takes the settings on each layer's lower convex hull,
 * the steepest step down of all layers first (Y. Shoham and A. Gersho, "Efficient bit allocation for an arbitrary set of
 * quantizers", IEEE Trans. ASSP 36(9), 1988).
 */

export interface Choice<A> {
  readonly value: A;
  readonly cost: number;
  readonly loss: number;
}

/** The lower convex hull from the least loss to the least cost: costs fall, losses rise, ever more for the same saving. */
export const lowerHull = <A>(choices: ReadonlyArray<Choice<A>>): ReadonlyArray<Choice<A>> => {
  const order = [...choices].sort((a, b) => a.loss - b.loss || a.cost - b.cost);
  const hull: Choice<A>[] = [];
  for (const next of order) {
    const last = hull.at(-1);
    // A choice that saves nothing beside one of less loss is never taken.
    if (last !== undefined && next.cost >= last.cost) continue;
    while (hull.length > 1 && price(hull.at(-2)!, hull.at(-1)!) >= price(hull.at(-1)!, next)) hull.pop();
    hull.push(next);
  }
  return hull;
};

/** What a unit of cost saved between two choices costs in loss. */
const price = <A>(from: Choice<A>, to: Choice<A>): number => (to.loss - from.loss) / (from.cost - to.cost);

/**
 * Configurations, a value for each layer, from the one of least loss to the one of least cost. Every one has the least
 * loss among all that cost no more, by the sums of the layers. Layers without choices are errors of the caller.
 */
export const allocationPath = <A>(
  layers: ReadonlyArray<ReadonlyArray<Choice<A>>>,
): ReadonlyArray<ReadonlyArray<A>> => {
  const hulls = layers.map(lowerHull);
  const at = hulls.map(() => 0);
  const current = (): ReadonlyArray<A> => hulls.map((hull, k) => hull[at[k]!]!.value);
  const path = [current()];
  for (;;) {
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    for (const [k, hull] of hulls.entries()) {
      const [from, to] = [hull[at[k]!], hull[at[k]! + 1]];
      if (from === undefined || to === undefined) continue;
      if (price(from, to) < least) [best, least] = [k, price(from, to)];
    }
    if (best < 0) return path;
    at[best]!++;
    path.push(current());
  }
};
