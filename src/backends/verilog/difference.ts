/**
 * Systems of difference constraints, x[to] - x[from] <= weight, by Bellman and Ford: shortest paths from a node that is
 * joined to all others are a solution, in integers, and a cycle of negative weight says that there is none.
 */
export interface Constraints {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly weight: Int32Array;
  readonly count: number;
}

/**
 * A solution, or undefined where there is none. `spread`: in every solution no two unknowns are further apart. Shortest
 * paths are then never below -spread, so that one that is says early that there is a negative cycle.
 */
export const solveDifferences = (
  nodes: number,
  { from, to, weight, count }: Constraints,
  spread: number,
): Int32Array | undefined => {
  const x = new Int32Array(nodes);
  for (let round = 0; round <= nodes; round++) {
    let changed = false;
    for (let k = 0; k < count; k++) {
      const bound = x[from[k]!]! + weight[k]!;
      if (bound < x[to[k]!]!) {
        if (bound < -spread) return undefined;
        x[to[k]!] = bound;
        changed = true;
      }
    }
    if (!changed) return x;
  }
  return undefined;
};
