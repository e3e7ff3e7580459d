/** `tabulate{form=edge}`: entries, centring, scales, and how far outputs can be from the quantized network. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accumulateInput,
  branchEvaluator,
  channel,
  coderOf,
  constant,
  decodeValue,
  F32,
  type Graph,
  maxOf,
  type TableEdgeAttrs,
  type Tensor,
} from '../../src/ir/index.js';
import { randomOf } from '../support/random.js';
import {
  asDataset,
  calibrationOf,
  compiled,
  floatInput,
  onlyOf,
  outputOf,
  randomKan,
  runText,
  uniformValues,
} from './support.js';

const SIZE = { inputs: 5, outputs: 4 };
const data = calibrationOf(SIZE.inputs, 21);

/** A one-layer network, quantized and then tabulated. */
const both = (quantize: string, tabulate: string, net: Graph<'float'>, given = data) => {
  const quantized = compiled(net, `calibrate{data=x,bins=4096},quantize{${quantize}}`, given);
  return { quantized, table: compiled(quantized, `tabulate{form=edge,${tabulate}}`) };
};

const one = (seed: number, bias = true) =>
  randomKan(seed, { layers: [SIZE.inputs, SIZE.outputs], bias, grid: 5 });

const edgeOf = (graph: Graph): TableEdgeAttrs => onlyOf(graph, 'table.edge').op.attrs;

const entry = (a: TableEdgeAttrs, i: number, c: number, o: number): number =>
  a.table.data[(i * a.table.shape[1]! + c) * a.table.shape[2]! + o]!;

const each = (a: TableEdgeAttrs, f: (i: number, o: number, values: ReadonlyArray<number>) => void): void => {
  const [inputs, levels, outputs] = [a.table.shape[0]!, a.table.shape[1]!, a.table.shape[2]!];
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++)
      f(
        i,
        o,
        Array.from({ length: levels }, (_, c) => entry(a, i, c, o)),
      );
  }
};

/** phi(x) of the edge from input i to output o of a one-layer network. */
const edgeFunction = (graph: Graph): ((i: number, x: number, o: number) => number) => {
  const { branches } = onlyOf(graph, 'kan').op.attrs;
  const evaluators = branches.map(branchEvaluator);
  return (i, x, o) => {
    const acc = new Float64Array(SIZE.outputs);
    for (const b of evaluators) accumulateInput(b, i, x, acc);
    return acc[o]!;
  };
};

/** What code c of input i decodes to. */
const decoded = (graph: Graph): ((i: number, c: number) => number) => {
  const { quantizer } = onlyOf(graph, 'quantize').op.attrs;
  const { values } = onlyOf(graph, 'decode').op.attrs;
  return (i, c) => values?.data[i * quantizer.levels + c] ?? decodeValue(quantizer, i, c);
};

describe('entries', () => {
  it('are within half a unit of the function at the decoded code, up to one offset for each edge', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(3, 5, 8, 12, 16), (seed, bits) => {
        const { quantized, table } = both(`act=5,table=${bits}`, 'cells=value', one(seed));
        const a = edgeOf(table);
        const [phi, valueAt] = [edgeFunction(quantized), decoded(quantized)];
        each(a, (i, o, values) => {
          const scale = channel(a.scale, o);
          const rest = values.map((v, c) => phi(i, valueAt(i, c), o) - v * scale);
          const spread = Math.max(...rest) - Math.min(...rest);
          // The function is kept in f32 on the way.
          expect(spread).toBeLessThanOrEqual(scale + 1e-6);
        });
      }),
      { numRuns: 15 },
    );
  });

  it('with cells=mean are the mean of the function over the data of the cell', () => {
    // Few distinct values, so that bins hold one value each and nothing is lost in the histogram.
    const r = randomOf(9);
    const distinct = Float32Array.from({ length: 40 }, () => r.unit() * 2 - 1);
    const values = Float32Array.from({ length: 200 * SIZE.inputs }, () => r.pick([...distinct]));
    const net = one(4);
    const given = asDataset(SIZE.inputs, values);
    const { quantized, table } = both('act=3,table=16', 'cells=mean', net, given);
    const a = edgeOf(table);
    const { quantizer } = onlyOf(quantized, 'quantize').op.attrs;
    const [phi, valueAt] = [edgeFunction(quantized), decoded(quantized)];
    each(a, (i, o, entries) => {
      const [scale, coder] = [channel(a.scale, o), coderOf(quantizer, i)];
      const ofInput = values.filter((_, j) => j % SIZE.inputs === i);
      const rest = entries.map((v, c) => {
        const inCell = ofInput.filter((x) => coder(x) === c);
        const mean = inCell.reduce((s, x) => s + phi(i, x, o), 0) / inCell.length;
        return (inCell.length === 0 ? phi(i, valueAt(i, c), o) : mean) - v * scale;
      });
      expect(Math.max(...rest) - Math.min(...rest)).toBeLessThanOrEqual(scale + 1e-5);
    });
  });

  it('of every edge are centred: the largest and the smallest are opposite', () => {
    each(edgeOf(both('act=6,table=8', 'cells=mean', one(2)).table), (_, __, values) => {
      expect(Math.abs(Math.max(...values) + Math.min(...values))).toBeLessThanOrEqual(1);
    });
  });
});

describe('scales', () => {
  const largest = (a: TableEdgeAttrs, o: number): number => {
    let most = 0;
    each(a, (_, output, values) => {
      if (output === o) most = Math.max(most, ...values.map(Math.abs));
    });
    return most;
  };

  it('let the widest edge of every output use all bits', () => {
    for (const bits of [2, 4, 8, 16]) {
      const a = edgeOf(both(`act=6,table=${bits}`, 'cells=mean', one(2)).table);
      expect(a.table.element).toEqual({ kind: 'int', bits });
      for (let o = 0; o < SIZE.outputs; o++) expect(largest(a, o)).toBe(maxOf(a.table.element));
    }
  });

  it('are one number with scale=tensor', () => {
    const a = edgeOf(both('act=6,table=8', 'scale=tensor', one(2)).table);
    expect(typeof a.scale).toBe('number');
    const all = [0, 1, 2, 3].map((o) => largest(a, o));
    expect(Math.max(...all)).toBe(127);
    expect(Math.min(...all)).toBeLessThan(127);
  });
});

/** Largest difference of outputs beyond what `bound` allows for output o; below 0 when all are within. */
const excess = (a: Tensor, b: Tensor, bound: (o: number) => number): number => {
  const outputs = a.data.length / a.batch;
  let worst = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < a.data.length; j++) {
    worst = Math.max(worst, Math.abs(a.data[j]! - b.data[j]!) - bound(j % outputs));
  }
  return worst;
};

describe('outputs', () => {
  it('are within half a unit for each input, and half for the bias, of the quantized network', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(2, 4, 8, 12), fc.boolean(), (seed, bits, tensor) => {
        const scale = tensor ? 'tensor' : 'output';
        const { quantized, table } = both(`act=6,table=${bits}`, `cells=value,scale=${scale}`, one(seed));
        const x = floatInput(SIZE.inputs, uniformValues(randomOf(seed), 100, SIZE.inputs, -1.5, 1.5));
        const a = edgeOf(table);
        const bound = (o: number): number => ((SIZE.inputs + 1) / 2) * channel(a.scale, o) + 1e-5;
        expect(excess(outputOf(table, x), outputOf(quantized, x), bound)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 25 },
    );
  });

  it('of two layers come closer with more bits', () => {
    const net = randomKan(6, { layers: [SIZE.inputs, 6, 3] });
    const x = floatInput(SIZE.inputs, uniformValues(randomOf(1), 200, SIZE.inputs));
    const errors = [4, 8, 12].map((bits) => {
      const { quantized, table } = both(`act=8,table=${bits}`, 'cells=value', net);
      return excess(outputOf(table, x), outputOf(quantized, x), () => 0);
    });
    expect(errors[1]).toBeLessThan(errors[0]! / 4);
    expect(errors[2]).toBeLessThan(errors[1]! / 2);
  });
});

describe('accumulators', () => {
  it('hold the proven range in 16 or 32 bits', () => {
    const small = edgeOf(both('act=6,table=8', 'cells=mean', one(2, false)).table);
    expect(small.acc).toBe(16);
    expect(small.hi).toBeLessThanOrEqual(SIZE.inputs * 127 + Math.max(0, ...small.bias!.data));
    expect(edgeOf(both('act=6,table=16', 'cells=mean', one(2, false)).table).acc).toBe(32);
  });
});

/** A network with other weights: every branch's weights are replaced. */
const reweighted = (net: Graph<'float'>, weight: (branch: number, w: number) => number): Graph<'float'> => ({
  ...net,
  nodes: net.nodes.map((node) => {
    if (node.op.kind !== 'kan') return node;
    const branches = node.op.attrs.branches.map((b, k) => ({
      ...b,
      weights: constant(
        F32,
        b.weights.shape,
        Float32Array.from(b.weights.data, (w) => weight(k, w)),
      ),
    }));
    return { ...node, op: { kind: 'kan', attrs: { ...node.op.attrs, branches } } };
  }),
});

describe('degenerate functions', () => {
  const x = floatInput(SIZE.inputs, uniformValues(randomOf(5), 60, SIZE.inputs, -0.99, 0.99));

  it.each([
    ['zero', 0],
    ['constant up to rounding: equal coefficients sum to a constant', 1 / 3],
    ['constant and large', 1e6],
    ['constant and tiny', 1e-25],
  ])('%s', (_, coefficient) => {
    for (const table of [8, 16]) {
      for (const scale of ['output', 'tensor']) {
        const net = reweighted(one(3, false), (k) => (k === 0 ? coefficient : 0));
        const result = both(`act=8,table=${table}`, `scale=${scale}`, net);
        const exact = outputOf(net, x);
        const slack = 1e-5 * SIZE.inputs * coefficient;
        expect(excess(outputOf(result.table, x), exact, () => slack)).toBeLessThanOrEqual(0);
      }
    }
  });

  it('constant but for the last bit of its coefficients', () => {
    // The unit of such an edge would be 1e-9 of the bias or less: the bias must not outgrow 32 bits.
    const net = reweighted(one(3, false), (k, w) => (k === 0 ? 1000 + w * 1e-4 : 0));
    const exact = outputOf(net, x);
    for (const table of [8, 16]) {
      for (const scale of ['output', 'tensor']) {
        const result = both(`act=8,table=${table}`, `scale=${scale}`, net);
        expect(excess(outputOf(result.table, x), exact, () => 0.01)).toBeLessThanOrEqual(0);
      }
    }
  });

  it('tiny functions keep their shape as far as f32 reaches', () => {
    const net = reweighted(one(3, false), (_, w) => w * 1e-20);
    const result = both('act=8,table=8', 'cells=mean', net);
    const relative = excess(outputOf(result.table, x), outputOf(net, x), () => 0) / 1e-20;
    expect(relative).toBeLessThan(0.5);
    expect(outputOf(result.table, x).data.some((v: number) => v !== 0)).toBe(true);
    const tiny = reweighted(one(3, false), (_, w) => w * 2 ** -140);
    expect(outputOf(both('act=8,table=8', 'cells=mean', tiny).table, x).data.every(Number.isFinite)).toBe(
      true,
    );
  });
});

describe('refusals', () => {
  it('K0505 when the layer does not read codes', () => {
    expect(() => runText(randomKan(1, { layers: [3, 4, 2] }), 'quantize,tabulate')).toThrow(
      /K0505.*op %layer0.*calibrate before quantize/,
    );
  });
});
