/** What every op means: the interpreter against definitions written again without a thought of speed. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  builder,
  constant,
  floatType,
  type Graph,
  int,
  interpret,
  LEVELS,
  type Level,
  type Node,
  OPS,
  type Op,
  type Tensor,
  uint,
  type ValueName,
  type ValueType,
  valueType,
} from '../../src/ir/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { arbitraryGraph, randomGraph, randomTensor } from '../support/graphs.js';
import { naiveValue } from '../support/naive.js';
import { randomOf } from '../support/random.js';

const LARGEST = 3.4028234663852886e38;

/** What makes a layer special: the forms that must occur for the comparison to mean something. */
const formsOf = ({ op }: Node): ReadonlyArray<string> => {
  if (op.kind !== 'kan' && op.kind !== 'table.edge' && op.kind !== 'table.basis') return [];
  const { window: w } = op.attrs;
  const windowed =
    w === undefined
      ? []
      : [
          'window',
          ...(w.groups > 1 ? ['groups'] : []),
          ...(w.padding.some((p) => p > 0) ? ['padding'] : []),
          ...(w.stride.some((s) => s > 1) ? ['stride'] : []),
          ...(w.dilation.some((d, k) => d > 1 && w.kernel[k]! > 1) ? ['dilation'] : []),
        ];
  if (op.kind !== 'kan') return windowed.map((form) => `${op.kind} ${form}`);
  const bases = op.attrs.branches.flatMap(({ basis, from = 0 }) => [
    basis._tag === 'polynomial'
      ? basis.family
      : basis._tag === 'rbf'
        ? (basis.kernel ?? 'gaussian')
        : basis._tag,
    ...(from > 0 ? [w === undefined ? 'from' : 'from under a window'] : []),
  ]);
  return [...bases, ...windowed].map((form) => `kan ${form}`);
};

const FORMS: Readonly<Record<Level, ReadonlyArray<string>>> = {
  float: [
    ...[
      'bspline',
      'base',
      'gaussian',
      'reflectional-switch',
      'chebyshev',
      'legendre',
      'gram',
      'symbolic',
      'from',
      'from under a window',
    ],
    ...['window', 'groups', 'padding', 'stride', 'dilation'],
  ].map((form) => `kan ${form}`),
  quantized: ['kan window'],
  table: ['table.edge', 'table.basis'].flatMap((kind) =>
    ['window', 'groups', 'padding', 'stride', 'dilation'].map((form) => `${kind} ${form}`),
  ),
};

/** Runs a graph on random inputs and compares each node with its definition. Counts the values that it saw. */
const compare = (graph: Graph, seed: number, seen: Map<string, number>): void => {
  const see = (what: string): void => {
    seen.set(what, (seen.get(what) ?? 0) + 1);
  };
  const r = randomOf(seed);
  const inputs = graph.inputs.map((i) => randomTensor(r, i.type, 3));
  const values = new Map<ValueName, Tensor>();
  rightOf(interpret(graph, inputs, (name, value) => values.set(name, value)));
  for (const node of graph.nodes) {
    const found = values.get(node.name)!;
    const wanted = naiveValue(
      node,
      node.operands.map((o) => values.get(o)!),
    );
    expect(found.data).toHaveLength(wanted.length);
    for (const [j, w] of wanted.entries()) {
      const f = found.data[j]!;
      const where = `%${node.name} = ${node.op.kind}, element ${j}, seed ${seed}`;
      // Sums of another order round otherwise, and beyond the largest f32 they may differ altogether.
      if (typeof w !== 'number' && !(w.magnitude < LARGEST / 2)) continue;
      if (typeof w === 'number') expect(f, where).toBe(w);
      else expect(Math.abs(f - w.value), where).toBeLessThanOrEqual(w.magnitude * 2e-7 + 1e-38);
      for (const what of [node.op.kind, ...formsOf(node)]) see(what);
    }
  }
};

describe('the interpreter', () => {
  it.each(LEVELS)('gives every op its meaning at level %s', (level) => {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 250; seed++) compare(randomGraph(level, seed, 8), seed, seen);
    const expected = Object.values(OPS).filter((op) => (op.levels as ReadonlyArray<string>).includes(level));
    for (const what of [...expected.map((op) => op.kind), ...FORMS[level]]) {
      expect(seen.get(what) ?? 0, what).toBeGreaterThan(40);
    }
  });

  it('gives codes below the levels and accumulators inside the proven range', () => {
    fc.assert(
      fc.property(arbitraryGraph('table'), fc.integer(), (graph, seed) => {
        const r = randomOf(seed);
        const inputs = graph.inputs.map((i) => randomTensor(r, i.type, 4));
        rightOf(
          interpret(graph, inputs, (_, { type, data }) => {
            const { meaning } = type;
            if (meaning?._tag === 'scaled') {
              expect(data.every((v: number) => v >= meaning.lo && v <= meaning.hi)).toBe(true);
            } else if (meaning !== undefined) {
              expect(data.every((v: number) => v < meaning.levels)).toBe(true);
            }
          }),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('gives samples of a batch what they get alone', () => {
    fc.assert(
      fc.property(arbitraryGraph(), fc.integer(), (graph, seed) => {
        const r = randomOf(seed);
        const inputs = graph.inputs.map((i) => randomTensor(r, i.type, 3));
        const slice = (t: Tensor, n: number): Tensor => {
          const width = t.data.length / t.batch;
          return { type: t.type, batch: 1, data: t.data.slice(n * width, (n + 1) * width) };
        };
        const together = rightOf(interpret(graph, inputs));
        for (let n = 0; n < 3; n++) {
          const alone = rightOf(
            interpret(
              graph,
              inputs.map((t) => slice(t, n)),
            ),
          );
          expect(alone.map((t) => t.data)).toStrictEqual(together.map((t) => slice(t, n).data));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('single ops', () => {
  const run = (type: ValueType, op: Op, data: ReadonlyArray<number>): ReadonlyArray<number> => {
    const b = builder('g', 'float');
    const graph = rightOf(b.build([b.add('y', op, [b.input('x', type)])]));
    const x = { type, batch: 1, data: Float32Array.from(data) };
    return Array.from(rightOf(interpret(graph, [x]))[0]!.data);
  };

  it('a pool takes the largest as Math.max does', () => {
    const window = { kernel: [1, 2], stride: [1, 1], padding: [0, 1], dilation: [1, 1], groups: 1 } as const;
    const op: Op = { kind: 'pool', attrs: { reduce: 'max', window } };
    const row = [-0, 0, Number.NaN, -5, Number.NEGATIVE_INFINITY];
    expect(run(floatType([1, 1, 5]), op, row)).toStrictEqual([
      -0,
      0,
      Number.NaN,
      Number.NaN,
      -5,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  it('a mean counts the padding as 0', () => {
    const window = { kernel: [2, 2], stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
    const op: Op = { kind: 'pool', attrs: { reduce: 'mean', window } };
    expect(run(floatType([1, 2, 2]), op, [4, 8, 12, 16])).toStrictEqual([1, 2, 3, 4]);
  });

  it('a product of two ones is one, and its range says so', () => {
    const two = constant(uint(8), [1], Uint8Array.of(1));
    const b = builder('g', 'table');
    const x = b.input('x', valueType(int(8), [1], { _tag: 'scaled', scale: 3, lo: 0, hi: 0 }));
    const y = b.add('y', { kind: 'multiply', attrs: { left: two, right: two } }, [x]);
    expect(b.typeOf(y).meaning).toMatchObject({ lo: 0, hi: 1 });
  });

  it('a mean of accumulators may be 0 under padding, and its range says so', () => {
    const window = { kernel: [1, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
    const b = builder('g', 'table');
    const x = b.input('x', valueType(int(8), [1, 1, 2], { _tag: 'scaled', scale: 1, lo: 5, hi: 9 }));
    const y = b.add('y', { kind: 'pool', attrs: { reduce: 'mean', window } }, [x]);
    expect(b.typeOf(y)).toMatchObject({ element: int(16), meaning: { lo: 0, hi: 18, scale: 0.5 } });
  });
});

describe('inputs', () => {
  const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
  const graph = (nan: 'zero' | 'refuse'): Graph => {
    const b = builder('g', 'quantized');
    const x = b.input('x', floatType([2]));
    return rightOf(b.build([b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 2, nan } }, [x])]));
  };
  const run = (nan: 'zero' | 'refuse', ...x: number[]): ReturnType<typeof interpret> =>
    interpret(graph(nan), [{ type: floatType([2]), batch: 1, data: Float32Array.from(x) }]);

  it('NaN has code 0, or is refused before the program starts', () => {
    expect(Array.from(rightOf(run('zero', Number.NaN, 2.6))[0]!.data)).toStrictEqual([0, 3]);
    expect(messageOf(run('refuse', 1, Number.NaN))).toMatch(
      /^error K0701: .*NaN at element 1\. .*--nan zero/,
    );
    expect(codeOf(run('refuse', 1, 2))).toBe('ok');
  });

  it('of two batch sizes are refused', () => {
    const b = builder('g', 'float');
    const type = floatType([1]);
    const [x, z] = [b.input('x', type), b.input('z', type)];
    const sum = rightOf(b.build([b.add('y', { kind: 'add', attrs: {} }, [x, z])]));
    const of = (batch: number): Tensor => ({ type, batch, data: new Float32Array(batch).fill(1) });
    expect(Array.from(rightOf(interpret(sum, [of(2), of(2)]))[0]!.data)).toStrictEqual([2, 2]);
    expect(messageOf(interpret(sum, [of(2), of(3)]))).toMatch(
      /^error K0701: input %z has 3 samples, the first input 2/,
    );
  });

  it('of another type are refused', () => {
    expect(codeOf(interpret(graph('zero'), []))).toBe('K0701');
    const wrong = { type: floatType([3]), batch: 1, data: new Float32Array(3) };
    expect(codeOf(interpret(graph('zero'), [wrong]))).toBe('K0701');
  });
});
