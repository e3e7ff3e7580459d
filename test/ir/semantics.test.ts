/** What every op means: the interpreter against definitions written again without a thought of speed. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  builder,
  floatType,
  type Graph,
  interpret,
  LEVELS,
  OPS,
  type OpKind,
  type Tensor,
  type ValueName,
} from '../../src/ir/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { arbitraryGraph, randomGraph, randomTensor } from '../support/graphs.js';
import { naiveValue } from '../support/naive.js';
import { randomOf } from '../support/random.js';

const LARGEST = 3.4028234663852886e38;

/** Runs a graph on random inputs and compares each node with its definition. Returns how many values it saw. */
const compare = (graph: Graph, seed: number, seen: Map<OpKind, number>): void => {
  const r = randomOf(seed);
  const inputs = graph.inputs.map((i) => randomTensor(r, i.type, 3));
  const values = new Map<ValueName, Tensor>();
  rightOf(interpret(graph, inputs, (name, value) => values.set(name, value)));
  for (const node of graph.nodes) {
    const found = values.get(node.name)!;
    const wanted = naiveValue(node, values.get(node.operands[0]!)!);
    expect(found.data).toHaveLength(wanted.length);
    for (const [j, w] of wanted.entries()) {
      const f = found.data[j]!;
      seen.set(node.op.kind, (seen.get(node.op.kind) ?? 0) + 1);
      const where = `%${node.name} = ${node.op.kind}, element ${j}, seed ${seed}`;
      if (typeof w === 'number') expect(f, where).toBe(w);
      // Sums of another order round otherwise, and beyond the largest f32 they may differ altogether.
      else if (w.magnitude < LARGEST / 2)
        expect(Math.abs(f - w.value), where).toBeLessThanOrEqual(w.magnitude * 2e-7 + 1e-38);
    }
  }
};

describe('the interpreter', () => {
  it.each(LEVELS)('gives every op its meaning at level %s', (level) => {
    const seen = new Map<OpKind, number>();
    for (let seed = 0; seed < 250; seed++) compare(randomGraph(level, seed, 8), seed, seen);
    const expected = Object.values(OPS).filter((op) => (op.levels as ReadonlyArray<string>).includes(level));
    for (const { kind } of expected) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(20);
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

  it('of another type are refused', () => {
    expect(codeOf(interpret(graph('zero'), []))).toBe('K0701');
    const wrong = { type: floatType([3]), batch: 1, data: new Float32Array(3) };
    expect(codeOf(interpret(graph('zero'), [wrong]))).toBe('K0701');
  });
});
