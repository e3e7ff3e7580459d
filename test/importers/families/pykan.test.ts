/** pykan's MultKAN against golden outputs of the library, and against its definition. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importCheckpoint, readNpy } from '../../../src/importers/index.js';
import { SYMBOLIC_FUNCTIONS } from '../../../src/numeric/symbolic.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { difference, f32, run } from '../arch/support.js';
import { importPykan, naivePykan, type PykanShape, randomPykan } from './pykan-support.js';

const MODELS = new URL('../../../examples/models/', import.meta.url);

describe('shipped models', () => {
  for (const name of ['pykan-wine', 'pykan-mult', 'pykan-symbolic']) {
    for (const file of ['model_state', 'model.safetensors']) {
      it(`${name}/${file} gives the golden outputs`, () => {
        const read = (f: string): Uint8Array => readFileSync(new URL(`${name}/${f}`, MODELS));
        const array = (f: string) => Float32Array.from(rightOf(readNpy(read(f))).data);
        const beside = new Map([['model_config.yml', read('model_config.yml')]]);
        const graph = rightOf(importCheckpoint(read(file), `some/folder/${file}`, {}, beside));
        const values = run(graph, array('golden_inputs.npy'));
        expect(difference(values.get('outputs')!, array('golden_outputs.npy'))).toBeLessThan(1e-5);
      });
    }
  }
});

const SHAPE: PykanShape = {
  seed: 1,
  nodes: [
    { sum: 2, arities: [] },
    { sum: 1, arities: [3, 2] },
    { sum: 1, arities: [] },
  ],
  grid: 3,
  order: 2,
  masked: 0.3,
  symbolic: 0.3,
};

const agrees = (shape: PykanShape): void => {
  const net = randomPykan(shape);
  const graph = rightOf(importPykan(net.tensors, net.config)).graph;
  const width = shape.nodes[0]!.sum;
  const x = Array.from({ length: width }, (_, i) => Math.fround(Math.sin(shape.seed + i)));
  expect(difference(run(graph, x).get('outputs')!, naivePykan(net, x))).toBeLessThan(2e-4);
};

describe('any network', () => {
  it('computes what the definition says: masks, affine maps, products of any arity, formulas', () => {
    const node = fc.record({
      sum: fc.integer({ min: 1, max: 3 }),
      arities: fc.array(fc.integer({ min: 2, max: 5 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(node, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(0, 0.4, 1),
        fc.constantFrom(0, 0.4, 1),
        (seed, inputs, nodes, grid, order, masked, symbolic) => {
          // A step (order 0, sgn) may differ after rounding: only of the first layer is the operand exact.
          const layers = order === 0 || symbolic > 0 ? nodes.slice(0, 1) : nodes;
          agrees({ seed, nodes: [{ sum: inputs, arities: [] }, ...layers], grid, order, masked, symbolic });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('multiplies in steps that halve the factors', () => {
    const net = randomPykan({
      ...SHAPE,
      nodes: [
        { sum: 1, arities: [] },
        { sum: 1, arities: [5] },
      ],
    });
    const kinds = rightOf(importPykan(net.tensors, net.config)).graph.nodes.map((n) => n.op.kind);
    expect(kinds).toEqual(['kan', 'multiply', 'multiply', 'multiply', 'affine']);
  });

  it('knows every function by its name', () => {
    for (const name of Object.keys(SYMBOLIC_FUNCTIONS)) {
      const net = randomPykan({
        ...SHAPE,
        nodes: [
          { sum: 1, arities: [] },
          { sum: 1, arities: [] },
        ],
        masked: 1,
        symbolic: 1,
      });
      const config = `symbolic.funs_name.0: [[${JSON.stringify(name)}]]\nwidth: [1, 1]\nbase_fun_name: silu\n`;
      const tensors = { ...net.tensors, 'symbolic_fun.0.affine': f32([1, 1, 4], [0.5, 0.25, 2, 1]) };
      const { graph, assumptions } = rightOf(importPykan(tensors, config));
      expect(assumptions).toHaveLength(name === '0' ? 1 : 0);
      const f = Object.entries(SYMBOLIC_FUNCTIONS).find(([n]) => n === name)![1];
      const z = 2 * f(0.5 * 0.75 + 0.25) + 1;
      const [s, b, ns, nb] = ['subnode_scale_0', 'subnode_bias_0', 'node_scale_0', 'node_bias_0'].map(
        (n) => net.tensors[n]!.data[0]!,
      );
      expect(difference(run(graph, [0.75]).get('outputs')!, [(s! * z + b!) * ns! + nb!]), name).toBeLessThan(
        1e-5,
      );
    }
  });

  it('reads only the inputs that pruning left', () => {
    const net = randomPykan({ ...SHAPE, symbolic: 0 });
    const tensors = { ...net.tensors, input_id: f32([2], [3, 1]) };
    const read = rightOf(importPykan(tensors, net.config));
    expect(read.graph.inputs[0]!.type.shape).toEqual([4]);
    expect(read.assumptions.map((a) => a.option)).toContain('--input-features');
    const x = [9, 0.25, 9, -0.5];
    expect(difference(run(read.graph, x).get('outputs')!, naivePykan(net, [-0.5, 0.25]))).toBeLessThan(1e-4);
    const wider = rightOf(importPykan(tensors, net.config, { inputFeatures: 6 }));
    expect(wider.graph.inputs[0]!.type.shape).toEqual([6]);
    expect(codeOf(importPykan(tensors, net.config, { inputFeatures: 3 }))).toBe('K0203');
    expect(codeOf(importPykan(net.tensors, net.config, { inputFeatures: 3 }))).toBe('K0203');
    expect(codeOf(importPykan({ ...tensors, input_id: f32([2], [-1, 0]) }, net.config))).toBe('K0203');
    expect(codeOf(importPykan({ ...tensors, input_id: f32([2], [0.5, 0]) }, net.config))).toBe('K0203');
    expect(codeOf(importPykan({ ...tensors, input_id: f32([2], [1e30, 0]) }, net.config))).toBe('K0203');
    expect(codeOf(importPykan({ ...tensors, input_id: f32([3], [0, 1, 2]) }, net.config))).toBe('K0203');
  });
});

describe('without a configuration', () => {
  it('the shapes say the nodes, of two factors each, and that is told', () => {
    const two = randomPykan({
      ...SHAPE,
      symbolic: 0,
      nodes: [
        { sum: 2, arities: [] },
        { sum: 2, arities: [2, 2] },
        { sum: 1, arities: [] },
      ],
    });
    const { graph, assumptions } = rightOf(importPykan(two.tensors, undefined));
    expect(graph).toStrictEqual(rightOf(importPykan(two.tensors, two.config)).graph);
    expect(assumptions.map((a) => a.what).join()).toMatch(/_config\.yml.*activation.*factors/);
    // Three factors could be read as two products of two each: that is why it is told.
    const three = randomPykan({
      ...SHAPE,
      symbolic: 0,
      nodes: [
        { sum: 2, arities: [] },
        { sum: 0, arities: [5] },
      ],
    });
    expect(codeOf(importPykan(three.tensors, undefined))).toBe('K0203');
    expect(codeOf(importPykan(three.tensors, 'mult_arity: 5'))).toBe('ok');
  });

  it('a formula has no name, and the message says where it should be', () => {
    const net = randomPykan({ ...SHAPE, symbolic: 1 });
    const result = importPykan(net.tensors, net.config.replace(/symbolic\.funs.*\n/g, ''));
    expect(codeOf(result)).toBe('K0202');
    expect(messageOf(result)).toContain('symbolic.funs_name.0');
    expect(codeOf(importPykan(net.tensors, net.config.replace('enabled: true', 'enabled: false')))).toBe(
      'ok',
    );
  });
});

describe('errors', () => {
  const net = randomPykan(SHAPE);

  it('K0206: a function or a base activation that is not known, by its name', () => {
    const all = randomPykan({ ...SHAPE, symbolic: 1 });
    const odd = importPykan(
      all.tensors,
      all.config.replace(/(funs_name\.0: \[\[)"[^"]*"/, '$1"bessel\u001b[2J"'),
    );
    expect(codeOf(odd)).toBe('K0206');
    expect(messageOf(odd)).toContain("'bessel");
    expect(messageOf(odd)).not.toContain('\u001b');
    expect(
      codeOf(importPykan(all.tensors, all.config.replace(/(funs_name\.0: \[\[)"[^"]*"/, '$1"toString"'))),
    ).toBe('K0206');
    const base = importPykan(net.tensors, net.config.replace('silu', 'wavelet'));
    expect(messageOf(base)).toMatch(/'wavelet'.*--base-activation/);
    expect(
      codeOf(importPykan(net.tensors, net.config.replace('silu', 'wavelet'), { baseActivation: 'relu' })),
    ).toBe('ok');
  });

  it('K0203: a configuration of another network', () => {
    const other = (from: RegExp, to: string) =>
      codeOf(importPykan(net.tensors, net.config.replace(from, to)));
    expect(other(/width: .*/, 'width: [[2, 0], [2, 2], [1, 0]]')).toBe('K0203');
    expect(other(/width: .*/, 'width: [[2, 0], [1, 1], [1, 0]]')).toBe('K0203');
    expect(other(/mult_arity: .*/, 'mult_arity: [[], [2, 2], []]')).toBe('K0203');
    expect(other(/mult_arity: .*/, 'mult_arity: 2')).toBe('K0203');
    expect(other(/width: .*/, 'width: [[1, 0], [1, 2], [1, 0]]')).toBe('ok');
  });

  it.each(Object.keys(net.tensors))('K0202, K0203 and K0204 for %s', (name) => {
    const { [name]: old, ...rest } = net.tensors;
    const all = (t: typeof old | undefined) =>
      importPykan(t === undefined ? rest : { ...rest, [name]: t }, net.config);
    expect(['K0201', 'K0202']).toContain(codeOf(all(undefined)));
    expect(codeOf(all(f32([1, 1, 1, 1], [0])))).toBe('K0203');
    expect(codeOf(all(f32(old!.shape, [...old!.data].with(0, Number.NaN))))).toBe('K0204');
  });

  it('K0204: finite scales whose product is not', () => {
    const huge = {
      ...net.tensors,
      subnode_scale_0: f32([6], new Array(6).fill(1e30)),
      node_scale_0: f32([3], new Array(3).fill(1e30)),
    };
    expect(codeOf(importPykan(huge, net.config))).toBe('K0204');
  });

  it('K0203: width and mult_arity that are no plain numbers, where there are products', () => {
    const with_ = (from: RegExp, to: string) => importPykan(net.tensors, net.config.replace(from, to));
    expect(messageOf(with_(/mult_arity: .*/, 'mult_arity: !!python/object:mine.Arity {n: 2}'))).toMatch(
      /K0203.*mult_arity of the configuration/,
    );
    expect(messageOf(with_(/width: .*/, 'width: [[two, 0]]'))).toMatch(/K0203.*width of the configuration/);
    expect(messageOf(with_(/width: .*/, 'width: [[2, 0], [1, 2], [1, 0], [1, 0]]'))).toMatch(
      /4 layers of nodes, the state 3/,
    );
  });

  it('a layer of which everything is masked is 0', () => {
    agrees({ ...SHAPE, masked: 1, symbolic: 0 });
  });
});
