/**
 * A pass of one's own: replaces the least important edges of every KAN layer by constants.
 *
 * The importance of an edge is the standard deviation of its function over the calibration data: an edge that
 * hardly moves its output adds hardly more than its mean, which goes to the bias of the layer. After
 * tabulation the tables of such edges are constant; inputs that keep no edge are removed by `prune`.
 */
import { accumulateInput, branchEvaluator, constant, F32, rewrite } from 'kanc/ir';
import { declareOptions, definePass, namedPass, note, numberOption, warning, withRemarks } from 'kanc/passes';

const { codec, help } = declareOptions({
  keep: numberOption('share of the edges of every layer that stay', 0, 1, 0.9),
});

/**
 * Mean and standard deviation of every edge's function over a histogram: two arrays [inputs, outputs].
 *
 * @param {import('kanc/ir').KanAttrs} layer
 * @param {import('kanc/ir').ObserveAttrs} observed
 */
export const edgeStatistics = (layer, observed) => {
  const [inputs, , outputs] = layer.branches[0].weights.shape;
  const bins = observed.counts.shape[1];
  const branches = layer.branches.map(branchEvaluator);
  const means = new Float64Array(inputs * outputs);
  const deviations = new Float64Array(inputs * outputs);
  const values = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    const edge = i * outputs;
    let total = 0;
    // Welford's update, weighted: exact where the values differ little from their mean.
    for (let b = i * bins; b < (i + 1) * bins; b++) {
      const count = observed.counts.data[b];
      if (count === 0) continue;
      total += count;
      values.fill(0);
      for (const branch of branches) accumulateInput(branch, i, observed.means.data[b], values);
      for (let o = 0; o < outputs; o++) {
        const before = values[o] - means[edge + o];
        means[edge + o] += (before * count) / total;
        deviations[edge + o] += count * before * (values[o] - means[edge + o]);
      }
    }
    for (let o = 0; o < outputs; o++)
      deviations[edge + o] = Math.sqrt(deviations[edge + o] / Math.max(1, total));
  }
  return { means, deviations };
};

/**
 * The edges to drop: the `count` smallest by importance, the first of equal ones first, so that the same
 * network always loses the same edges.
 *
 * @param {ArrayLike<number>} importance
 * @param {number} count
 */
export const leastImportant = (importance, count) => {
  const order = Array.from({ length: importance.length }, (_, e) => e);
  order.sort((a, b) => importance[a] - importance[b] || a - b);
  return order.slice(0, count);
};

/**
 * The layer with the edges in `dropped` (input * outputs + output) replaced by their means.
 *
 * @param {import('kanc/ir').KanAttrs} layer
 * @param {ReadonlyArray<number>} dropped
 * @param {ArrayLike<number>} means
 */
export const withoutEdges = (layer, dropped, means) => {
  const outputs = layer.branches[0].weights.shape[2];
  const bias = Float32Array.from({ length: outputs }, (_, o) => layer.bias?.data[o] ?? 0);
  for (const edge of dropped) bias[edge % outputs] += means[edge];
  // Constants are shared between graphs and never changed: copies are.
  const branches = layer.branches.map((branch) => {
    const { shape } = branch.weights;
    const functions = shape[1];
    const data = Float32Array.from(branch.weights.data);
    for (const edge of dropped) {
      const [i, o] = [Math.floor(edge / outputs), edge % outputs];
      for (let k = 0; k < functions; k++) data[(i * functions + k) * outputs + o] = 0;
    }
    return { ...branch, weights: constant(F32, shape, data) };
  });
  return { ...layer, branches, bias: constant(F32, [outputs], bias) };
};

export const pruneEdges = definePass({
  name: 'prune-edges',
  summary: 'replaces the least important edges of every calibrated KAN layer by their means',
  options: codec,
  help,
  from: 'float',
  to: 'float',
  run:
    ({ keep }) =>
    (graph) => {
      const remarks = [];
      const result = rewrite(graph, 'float', (node, r) => {
        if (node.op.kind !== 'kan') return r.keep(node);
        const { branches, window } = node.op.attrs;
        if (window !== undefined || branches.some((b) => (b.from ?? 0) > 0)) {
          remarks.push(warning('over windows or parts of its inputs: left as it is', node.name));
          return r.keep(node);
        }
        const before = r.nodeOf(r.of(node.operands[0]));
        if (before?.op.kind !== 'observe' || before.op.attrs.samples === 0) {
          remarks.push(
            warning('not calibrated, so no edge is removed: put calibrate{data=...} first', node.name),
          );
          return r.keep(node);
        }
        const { means, deviations } = edgeStatistics(node.op.attrs, before.op.attrs);
        const dropped = leastImportant(deviations, Math.floor((1 - keep) * deviations.length));
        if (dropped.length === 0) return r.keep(node);
        remarks.push(note(`${dropped.length} of ${deviations.length} edges became constants`, node.name));
        const attrs = withoutEdges(node.op.attrs, dropped, means);
        return r.add(node.name, { kind: 'kan', attrs }, node.operands.map(r.of));
      });
      return withRemarks(result, remarks);
    },
});

/** What `--plugin` looks for. */
export const passes = [namedPass(pruneEdges)];
