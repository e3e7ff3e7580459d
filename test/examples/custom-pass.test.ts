/** The worked example of a pass of one's own, loaded as a plugin would be and run in pipelines. */
import { describe, expect, it } from 'vitest';
import { type Graph, printGraph, verify } from '../../src/ir/index.js';
import { BUILTIN_PASSES, bindPipelineText, type NamedPass, runPipeline } from '../../src/passes/index.js';
import {
  calibrationOf,
  compiled,
  contextOf,
  dataset,
  floatInput,
  hits,
  inputOf,
  model,
  nodesOf,
  outputOf,
  randomKan,
  readArray,
} from '../passes/support.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

const isPass = (u: unknown): u is NamedPass => typeof u === 'object' && u !== null && 'bind' in u;

// An untyped module, as a user's is: what it exports is looked at before it is used.
const module: unknown = await import(new URL('../../examples/custom-pass/my-pass.mjs', import.meta.url).href);

const pluginPasses = (u: unknown): ReadonlyArray<NamedPass> => {
  if (typeof u !== 'object' || u === null || !('passes' in u) || !Array.isArray(u.passes)) return [];
  return u.passes.filter(isPass);
};

const passes = [...BUILTIN_PASSES, ...pluginPasses(module)];

const run = (graph: Graph, text: string, data = calibrationOf(4)) => {
  const remarks: string[] = [];
  const result = runPipeline(rightOf(bindPipelineText(text, passes, graph.level)), graph, {
    context: contextOf(data),
    verifyEach: true,
    onPass: (e) => {
      remarks.push(...e.remarks.map((r) => `${r.severity} ${r.op ?? ''}: ${r.message}`));
    },
  });
  return { graph: rightOf(result), remarks };
};

const net = randomKan(3, { layers: [4, 5, 2] });

/** How many edges of layer l have no weight left. */
const emptyEdges = (graph: Graph, l: number): number => {
  const { branches } = nodesOf(graph, 'kan')[l]!.op.attrs;
  const [inputs, , outputs] = branches[0]!.weights.shape;
  let empty = 0;
  for (let i = 0; i < inputs!; i++) {
    for (let o = 0; o < outputs!; o++) {
      const alive = branches.some(({ weights: { data, shape } }) =>
        Array.from({ length: shape[1]! }, (_, k) => data[(i * shape[1]! + k) * outputs! + o]).some(
          (w) => w !== 0,
        ),
      );
      if (!alive) empty++;
    }
  }
  return empty;
};

describe('prune-edges', () => {
  it('is one pass with one option', () => {
    expect(pluginPasses(module).map((p) => [p.name, p.help.map((h) => h.name)])).toEqual([
      ['prune-edges', ['keep']],
    ]);
  });

  it('drops the share of edges that it is told to', () => {
    for (const [keep, dropped] of [
      [1, [0, 0]],
      [0.75, [5, 2]],
      [0.5, [10, 5]],
      [0, [20, 10]],
    ] as const) {
      const { graph } = run(net, `calibrate{data=x},prune-edges{keep=${keep}}`);
      expect([emptyEdges(graph, 0), emptyEdges(graph, 1)]).toEqual(dropped);
    }
  });

  it('drops those that matter least first, and keeps the mean of outputs', () => {
    const data = calibrationOf(4);
    const x = floatInput(4, data.array.data);
    const exact = outputOf(net, x).data;
    const errors = [0.95, 0.8, 0.5, 0].map((keep) => {
      const y = outputOf(run(net, `calibrate{data=x},prune-edges{keep=${keep}}`, data).graph, x).data;
      return Math.sqrt(Array.from(y).reduce((s, v, j) => s + (v - exact[j]!) ** 2, 0) / y.length);
    });
    for (let k = 1; k < errors.length; k++) expect(errors[k]).toBeGreaterThan(errors[k - 1]!);
    const single = randomKan(3, { layers: [4, 2] });
    const constantNet = run(single, 'calibrate{data=x,bins=4096},prune-edges{keep=0}', data).graph;
    const means = [0, 1].map((o) => {
      const y = outputOf(single, x);
      let sum = 0;
      for (let n = 0; n < y.batch; n++) sum += y.data[2 * n + o]!;
      return sum / y.batch;
    });
    const [a, b] = outputOf(constantNet, x).data;
    expect(a).toBeCloseTo(means[0]!, 3);
    expect(b).toBeCloseTo(means[1]!, 3);
  });

  it('leaves its input as it was and gives the same graph each time', () => {
    const before = printGraph(net);
    const text = 'calibrate{data=x},prune-edges{keep=0.5}';
    expect(printGraph(run(net, text).graph)).toBe(printGraph(run(net, text).graph));
    expect(printGraph(net)).toBe(before);
  });

  it('says what it did, and warns where it cannot', () => {
    expect(run(net, 'calibrate{data=x},prune-edges{keep=0.75}').remarks).toContain(
      'note layer0: 5 of 20 edges became constants',
    );
    const { graph, remarks } = run(net, 'prune-edges');
    expect(remarks).toEqual([
      'warning layer0: not calibrated, so no edge is removed: put calibrate{data=...} first',
      'warning layer1: not calibrated, so no edge is removed: put calibrate{data=...} first',
    ]);
    expect(printGraph(graph)).toBe(printGraph(net));
  });

  it('has its options and its level checked like a built-in pass', () => {
    const wrong = bindPipelineText('prune-edges{keep=2}', passes, 'float');
    expect(codeOf(wrong)).toBe('K0503');
    expect(messageOf(wrong)).toContain('a number from 0 to 1');
    expect(codeOf(bindPipelineText('quantize,prune-edges', passes, 'float'))).toBe('K0504');
  });

  it('on digits: half of the edges go for at most one point, and the program is sound', () => {
    const digits = model('efficient-kan-digits');
    const data = dataset('digits/calib_inputs.npy');
    const test = inputOf(digits, dataset('digits/test_inputs.npy'));
    const labels = readArray('data/digits/test_labels.npy').data;
    const text = 'calibrate{data=x},prune-edges{keep=0.5},calibrate{data=x},quantize,tabulate,fold,prune,dce';
    const { graph } = run(digits, text, data);
    expect(codeOf(verify(graph))).toBe('ok');
    const lost = hits(outputOf(digits, test), labels) - hits(outputOf(graph, test), labels);
    expect(lost).toBeLessThanOrEqual(0.01 * test.batch);
    // Pixels at the border that keep no edge are gone.
    const whole = compiled(digits, 'calibrate{data=x},quantize,tabulate,fold,prune,dce', data);
    const inputs = (g: Graph) => nodesOf(g, 'table.edge')[0]!.op.attrs.table.shape[0]!;
    expect(inputs(graph)).toBeLessThan(inputs(whole));
  });
});
