/** Costs: formulas against hand-computed layers and counted recursions, sums, and monotony in bits. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { costReport, FORMS, type FormName } from '../../src/analyses/cost-report.js';
import {
  basisTableWork,
  edgeTableWork,
  expansionWork,
  type LayerBits,
  recursionWork,
} from '../../src/analyses/form-work.js';
import { graphCost } from '../../src/analyses/graph-cost.js';
import {
  type BranchFacts,
  type LayerFacts,
  NetworkFactsCodec,
  networkFacts,
} from '../../src/analyses/layer-facts.js';
import { builder, constant, F32, type Graph, type Window } from '../../src/ir/index.js';
import { floatType } from '../../src/ir/types.js';
import { rightOf } from '../support/checked.js';
import { randomGraph } from '../support/graphs.js';

const zeros = (...shape: ReadonlyArray<number>) =>
  constant(F32, shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));

/** p = 1, knots 0, 1, 2, 3, 4, so K = 3. */
const knots = constant(F32, [1, 5], Float32Array.from([0, 1, 2, 3, 4]));
const spline = { _tag: 'bspline', order: 1, knots } as const;
const base = { _tag: 'base', activation: 'silu' } as const;

/** 2 inputs, 4 outputs, a B-spline and a base branch, a bias; then an affine. */
const network = (): Graph<'float'> => {
  const b = builder('net', 'float');
  const x = b.input('x', floatType([2]));
  const branches = [
    { basis: spline, weights: zeros(2, 3, 4) },
    { basis: base, weights: zeros(2, 1, 4) },
  ];
  const h = b.add('h', { kind: 'kan', attrs: { branches, bias: zeros(4) } }, [x]);
  const y = b.add('y', { kind: 'affine', attrs: { scale: zeros(4), shift: zeros(4) } }, [h]);
  const branch = { basis: spline, weights: zeros(4, 3, 1) };
  return rightOf(b.build([b.add('z', { kind: 'kan', attrs: { branches: [branch] } }, [y])]));
};

const firstLayer = (): LayerFacts => {
  const [layer] = networkFacts(network()).layers;
  if (layer === undefined) throw new Error('the network has a layer');
  return layer;
};

const BITS: LayerBits = { coef: 4, act: 6, basis: 3, table: 8 };

describe('networkFacts', () => {
  it('tells the sizes of layers and of the rest', () => {
    const { layers, rest } = networkFacts(network());
    const shared = { rows: 1, inputs: 2, values: 2 };
    expect(layers[0]).toEqual({
      name: 'h',
      inputs: 2,
      outputs: 4,
      groups: 1,
      positions: 1,
      first: true,
      bias: 4,
      branches: [
        { ...shared, basis: 'bspline', functions: 3, support: 2, uniform: true, parameters: 24 + 5 },
        { ...shared, basis: 'base', functions: 1, support: 1, uniform: false, parameters: 8 },
      ],
    });
    expect(layers[1]).toMatchObject({ name: 'z', first: false, inputs: 4, outputs: 1, bias: 0 });
    expect(rest).toEqual({ macs: 4, adds: 0, parameters: 8 });
  });

  it('expands every pixel once, and counts edges at every window and group', () => {
    const window: Window = { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 2 };
    const b = builder('images', 'float');
    const x = b.input('x', floatType([2, 5, 4]));
    const branches = [{ basis: spline, weights: zeros(18, 3, 3) }];
    const graph = rightOf(b.build([b.add('c', { kind: 'kan', attrs: { branches, window } }, [x])]));
    const [layer] = networkFacts(graph).layers;
    expect(layer).toMatchObject({ inputs: 18, outputs: 6, groups: 2, positions: 20 });
    expect(layer?.branches[0]?.values).toBe(2 * 5 * 4);
    // 40 values of 4 products of the recursion, and 18 taps x 3 outputs of the group x 20 windows x 2 functions.
    expect(layer === undefined ? 0 : recursionWork(layer, 'sparse', 32).macs).toBe(40 * 4 + 18 * 3 * 20 * 2);
  });

  it('survives JSON', () => {
    const facts = networkFacts(network());
    expect(E.isRight(NetworkFactsCodec.decode(JSON.parse(JSON.stringify(facts))))).toBe(true);
    const wrong = { ...facts, layers: [{ ...facts.layers[0], inputs: -1 }] };
    expect(E.isLeft(NetworkFactsCodec.decode(wrong))).toBe(true);
  });
});

/** Terms of the recursion for K functions of order p, counted one by one. */
const countedTerms = (
  functions: number,
  order: number,
  active: (k: number, q: number) => boolean,
): number => {
  let terms = 0;
  for (let q = 1; q <= order; q++) {
    // Functions k of degree q, each from functions k and k + 1 of degree q - 1.
    for (let k = 0; k < functions + order - q; k++) {
      for (const from of [k, k + 1]) if (active(from, q - 1)) terms++;
    }
  }
  return terms;
};

describe('formulas', () => {
  it('count the terms of the Cox-de Boor recursion', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 9 }), (p, intervals) => {
        const [functions, span] = [intervals + p, p + intervals - 1];
        const branch: BranchFacts = {
          basis: 'bspline',
          functions,
          support: p + 1,
          inputs: 1,
          values: 1,
          rows: 1,
          uniform: true,
          parameters: 0,
        };
        const dense = countedTerms(functions, p, () => true);
        expect(expansionWork(branch, 'dense', 8).macs).toBe(2 * dense);
        // Of degree q those from span - q to span are not 0.
        const sparse = countedTerms(functions, p, (k, q) => k >= span - q && k <= span);
        expect(expansionWork(branch, 'sparse', 8).macs).toBe(2 * sparse);
      }),
    );
  });

  it('give the numbers of a layer by hand', () => {
    const layer = firstLayer();
    // Each of 2 values: 2pK = 6 terms of 2 products, 6 subtractions and 5 comparisons; SiLU one product.
    // 2 x 4 edges of 3 + 1 products.
    expect(recursionWork(layer, 'dense', 32)).toEqual({
      macs: 2 * (12 + 1) + 8 * 4,
      adds: 2 * 11,
      bitOps: (26 + 32) * 1024 + 22 * 32,
      reads: 0,
      bytes: 4 * (29 + 8 + 4),
    });
    // p(p+1) = 2 terms, bisection of 5 knots; 2 + 1 products an edge.
    expect(recursionWork(layer, 'sparse', 8)).toEqual({
      macs: 2 * (4 + 1) + 8 * 3,
      adds: 2 * 5,
      bitOps: (10 + 24) * 64 + 10 * 8,
      reads: 0,
      bytes: 29 + 8 + 4,
    });
    // 8 edges: two products of 4 x 3 bits, one of 4 x 6; 4 requantizations. Rows: 64 codes over 2 intervals.
    expect(basisTableWork(layer, BITS)).toEqual({
      macs: 8 * 3 + 4,
      adds: 0,
      bitOps: 8 * (2 * 4 * 3 + 4 * 6) + 4 * 1024,
      reads: 4,
      bytes: 24 + 8 + 32 * 2 + 64 + 16,
    });
    // The sum of two 8-bit entries needs 9 bits, so 16.
    expect(edgeTableWork(layer, BITS)).toEqual({
      macs: 4,
      adds: 8,
      bitOps: 8 * 16 + 4 * 1024,
      reads: 2,
      bytes: 2 * 64 * 4 + 16,
    });
  });

  it('never cost less with more bits', () => {
    const layer = firstLayer();
    const bits = fc.integer({ min: 1, max: 16 });
    const all = fc.record({ coef: bits, act: bits, basis: bits, table: bits });
    fc.assert(
      fc.property(all, fc.constantFrom('coef', 'act', 'basis', 'table'), (some, which) => {
        if (some[which] === 16) return;
        const more: LayerBits = { ...some, [which]: some[which] + 1 };
        for (const work of [basisTableWork, edgeTableWork]) {
          expect(work(layer, more).bitOps).toBeGreaterThanOrEqual(work(layer, some).bitOps);
          expect(work(layer, more).bytes).toBeGreaterThanOrEqual(work(layer, some).bytes);
        }
      }),
    );
    expect(basisTableWork(layer, { ...BITS, basis: 4 }).bitOps).toBeGreaterThan(
      basisTableWork(layer, BITS).bitOps,
    );
  });
});

describe('costReport', () => {
  it('adds up: the total of every form is the sum of the layers and the rest', () => {
    const report = costReport({ name: 'net', facts: networkFacts(network()), graph: undefined });
    expect(report.forms).toEqual(FORMS.filter((form) => form !== 'compiled'));
    const sum = (form: FormName, key: 'bitOps' | 'macs' | 'adds' | 'reads' | 'bytes'): number =>
      [...report.layers, report.rest].reduce((n, part) => n + (part.costs[form]?.[key] ?? 0), 0);
    for (const form of report.forms) {
      for (const key of ['bitOps', 'macs', 'adds', 'reads', 'bytes'] as const) {
        expect(report.total.costs[form]?.[key]).toBe(sum(form, key));
      }
    }
    expect(report.total.parameters).toBe(41 + (12 + 5) + 8);
    expect(report.ratios.of).toBe('edge');
    const { dense32, edge } = report.total.costs;
    expect(report.ratios.bitOps.dense32).toBe((dense32?.bitOps ?? 0) / (edge?.bitOps ?? 1));
  });

  it('gives the first layer bits of act and the others those of hidden', () => {
    const wanted = { act: 5, hidden: 7, coef: 4, basis: 3, table: 6 };
    const { layers } = costReport({ name: 'net', facts: networkFacts(network()), graph: undefined, wanted });
    expect(layers.map(({ bits }) => bits?.act)).toEqual([5, 7]);
    expect(layers[0]?.bits).toEqual({ act: 5, coef: 4, basis: 3, table: 6 });
  });

  it('counts a compiled graph as graphCost does, whatever is in it', () => {
    for (let seed = 0; seed < 60; seed++) {
      const graph = randomGraph('table', seed, 8);
      const { total, layers, ops, forms } = costReport({ name: 'g', facts: undefined, graph });
      const cost = graphCost(graph);
      expect(forms).toEqual(['compiled']);
      expect(total.costs.compiled?.bitOps).toBeCloseTo(cost.bitOps, 3);
      expect(total.costs.compiled).toMatchObject({ macs: cost.macs, adds: cost.adds, bytes: cost.bytes });
      expect(ops).toHaveLength(graph.nodes.length);
      expect(layers).toHaveLength(
        graph.nodes.filter(({ op }) => /^table\.(edge|basis)$/.test(op.kind)).length,
      );
    }
  });

  it('counts layers that are not tabulated yet as recursion', () => {
    const graph = network();
    const { total, forms } = costReport({ name: 'g', facts: networkFacts(graph), graph });
    expect(forms).toContain('compiled');
    expect(total.costs.compiled?.bitOps).toBe(total.costs.sparse32?.bitOps);
  });
});
