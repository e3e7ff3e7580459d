/** Layers of large tables, which calls of many samples go through in parts, give the integers of the interpreter. */
import { describe, expect, it } from 'vitest';
import { type ElementType, uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import type { Op } from '../../../src/ir/ops/index.js';
import { valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { type Random, randomOf } from '../../support/random.js';
import { edgeOp, filled, network, rangeOf, requantizeOp, tableBuilder, uniform } from './random.js';
import { compile, finish } from './support.js';

/** Results of calls of few and of many samples, whole calls and what is left after one. */
const expectSameInBatches = async (graph: Graph<'table'>, data: Uint8Array): Promise<void> => {
  const program = await compile(graph);
  const { features, outputs, raws } = program;
  const { type } = graph.inputs[0]!;
  let raw: ArrayLike<number> = [];
  const [want] = rightOf(
    interpret(graph, [{ type, batch: data.length / features, data }], (name, value) => {
      if (name === program.manifest.raw.name) raw = value.data;
    }),
  );
  const { capacity } = program.manifest.memory;
  const all = data.length / features;
  expect(all).toBeGreaterThan(128);
  for (const samples of [1, 31, 32, 127, 128, Math.min(all, capacity + 1), all]) {
    const given = data.subarray(0, samples * features);
    expect(rightOf(program.predict(given))).toEqual(want!.data.slice(0, samples * outputs));
    expect(Array.from(rightOf(program.predictRaw(given)))).toEqual(Array.from(raw).slice(0, samples * raws));
  }
};

/** Runs of background and of other codes. */
const samplesOf = (r: Random, count: number, features: number, levels: number): Uint8Array => {
  const data = new Uint8Array(count * features);
  let inside = false;
  for (let k = 0; k < data.length; k++) {
    if (k % 7 === 0) inside = r.chance(0.5);
    data[k] = inside ? 3 : r.whole(0, levels - 1);
  }
  return data;
};

const withFrequent = (op: Op, inputs: number, of: (i: number) => number): Op => {
  if (op.kind !== 'table.edge') throw new Error('an edge layer expected');
  let i = 0;
  return { ...op, attrs: { ...op.attrs, frequent: filled(uint(9), [inputs], () => of(i++)) } };
};

interface Case {
  readonly name: string;
  readonly inputs: number;
  readonly levels: number;
  readonly outputs: number;
  readonly bits: number;
  readonly frequent?: (i: number) => number;
  readonly form: RegExp;
}

const CASES: ReadonlyArray<Case> = [
  { name: 'one tile', inputs: 700, levels: 50, outputs: 48, bits: 8, form: /split8.* 2 parts/ },
  { name: 'two tiles', inputs: 300, levels: 64, outputs: 130, bits: 8, form: /split8.* 2 parts/ },
  { name: 'wide entries', inputs: 333, levels: 40, outputs: 70, bits: 16, form: /split16.* \d parts/ },
  { name: 'flushed sums', inputs: 900, levels: 40, outputs: 40, bits: 8, form: /flushed.* 2 parts/ },
  {
    name: 'background and inputs without one',
    inputs: 801,
    levels: 50,
    outputs: 40,
    bits: 8,
    frequent: (i) => (i % 5 === 4 ? 50 : 3),
    form: /skip background.* 2 parts/,
  },
  {
    name: 'background in tiles',
    inputs: 320,
    levels: 60,
    outputs: 200,
    bits: 7,
    frequent: (i) => (i < 290 ? 3 : 60),
    form: /skip background.* \d parts/,
  },
];

const CODES: ElementType = uint(8);

describe('parts of edge tables', () => {
  it.each(CASES)('$name', async ({ inputs, levels, outputs, bits, frequent, form }) => {
    const r = randomOf(inputs);
    const b = tableBuilder();
    const x = b.input('x', valueType(CODES, [inputs], uniform(levels)));
    const op = edgeOp(r, inputs, levels, outputs, bits);
    const graph = network(r, b, x, frequent === undefined ? op : withFrequent(op, inputs, frequent), 50);
    expect((await compile(graph)).manifest.layers[0]?.form).toMatch(form);
    await expectSameInBatches(graph, samplesOf(r, 140, inputs, levels));
  });

  it('of two layers, codes computed between and before them', async () => {
    const r = randomOf(5);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [400], uniform(30)));
    const first = b.add('first', edgeOp(r, 400, 30, 256, 8), [x]);
    const hidden = b.add('hidden', requantizeOp(r, rangeOf(b, first), 256, 128), [first]);
    const second = b.add('second', edgeOp(r, 256, 128, 100, 8), [hidden]);
    const codes = b.add('codes', requantizeOp(r, rangeOf(b, second), 100, 32), [second]);
    const last = b.add('last', edgeOp(r, 100, 32, 5, 8), [codes]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [last]));
    const forms = (await compile(graph)).manifest.layers.filter((l) => / parts/.test(l.form));
    expect(forms).toHaveLength(2);
    await expectSameInBatches(graph, samplesOf(r, 140, 400, 30));
  });

  it('not where a later layer looks past the layer', async () => {
    const r = randomOf(6);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [40], uniform(30)));
    const first = b.add('first', edgeOp(r, 40, 30, 256, 8), [x]);
    const hidden = b.add('hidden', requantizeOp(r, rangeOf(b, first), 256, 128), [first]);
    const wide = b.add('wide', edgeOp(r, 256, 128, 60, 8), [hidden]);
    const codes = b.add('codes', requantizeOp(r, rangeOf(b, wide), 60, 128), [wide]);
    const both = b.add('both', { kind: 'concat', attrs: {} }, [hidden, codes]);
    const last = b.add('last', edgeOp(r, 316, 128, 5, 8), [both]);
    const graph = finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [last]));
    await expectSameInBatches(graph, samplesOf(r, 140, 40, 30));
  });
});
