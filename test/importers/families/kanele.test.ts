/** KANELE's truth tables: all vectors of the shipped networks, and random networks against their definition. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Imported, importCheckpoint, importSource } from '../../../src/importers/index.js';
import { type Graph, interpret, sizeOf, verify } from '../../../src/ir/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';

const MODELS = new URL('../../../examples/models/', import.meta.url);

const bytesOf = (json: unknown): Uint8Array =>
  new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));

const importing = (config: unknown, tables: unknown) =>
  importSource(
    {
      file: 'net/truth_tables.json',
      name: 'truth_tables.json',
      bytes: bytesOf(tables),
      beside: new Map([['config.json', bytesOf(config)]]),
    },
    { family: 'kanele' },
  );

const run = (graph: Graph, codes: ReadonlyArray<number>): ReadonlyArray<number> => {
  const { type } = graph.inputs[0]!;
  const bits = type.element.kind === 'uint' ? type.element.bits : 0;
  const data = bits <= 8 ? Uint8Array.from(codes) : Uint16Array.from(codes);
  const [output] = rightOf(interpret(graph, [{ type, batch: codes.length / sizeOf(type), data }]));
  return [...output!.data];
};

describe('shipped networks', () => {
  for (const name of ['kanele-wine', 'kanele-drybean']) {
    const read = (f: string): Uint8Array => readFileSync(new URL(`${name}/${f}`, MODELS));
    const numbers = (f: string) =>
      new TextDecoder()
        .decode(read(f))
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).map(Number));

    it(`${name} gives all 1,000 vectors, whichever file is named`, () => {
      const [inputs, outputs] = [numbers('vectors_in.txt'), numbers('vectors_out.txt')];
      expect(inputs).toHaveLength(1000);
      for (const [file, other] of [
        ['truth_tables.json', 'config.json'],
        ['config.json', 'truth_tables.json'],
      ] as const) {
        const graph = rightOf(importCheckpoint(read(file), `a/${file}`, {}, new Map([[other, read(other)]])));
        expect(graph.level).toBe('table');
        rightOf(verify(graph));
        expect(run(graph, inputs.flat())).toEqual(outputs.flat());
      }
    });
  }
});

interface Network {
  readonly layers: ReadonlyArray<number>;
  readonly bits: ReadonlyArray<number>;
  readonly tables: Record<string, { acive: number; values_int: number[] }>;
}

const randomNetwork = (seed: number, layers: ReadonlyArray<number>, bits: ReadonlyArray<number>): Network => {
  const r = randomOf(seed);
  const tables: Network['tables'] = {};
  for (let l = 0; l + 1 < layers.length; l++) {
    for (let i = 0; i < layers[l]!; i++) {
      for (let o = 0; o < layers[l + 1]!; o++) {
        const limit = 2 ** bits[l + 1]!;
        tables[`${l}_${i}_${o}`] = {
          acive: r.chance(0.8) ? 1 : 0,
          values_int: Array.from({ length: 2 ** bits[l]! }, () => r.whole(-limit, limit)),
        };
      }
    }
  }
  return { layers, bits, tables };
};

const saturate = (v: number, bits: number): number =>
  Math.min(2 ** (bits - 1) - 1, Math.max(-(2 ** (bits - 1)), v));

const naive = ({ layers, bits, tables }: Network, input: ReadonlyArray<number>): ReadonlyArray<number> => {
  let codes = input;
  let nodes: ReadonlyArray<number> = [];
  for (let l = 0; l + 1 < layers.length; l++) {
    const b = bits[l + 1]!;
    nodes = Array.from({ length: layers[l + 1]! }, (_, o) =>
      saturate(
        codes.reduce((sum, code, i) => {
          const edge = tables[`${l}_${i}_${o}`]!;
          return edge.acive === 0 ? sum : sum + edge.values_int[code]!;
        }, 0),
        b,
      ),
    );
    codes = nodes.map((v) => v + 2 ** (b - 1));
  }
  return nodes;
};

const configOf = ({ layers, bits }: Network) => ({ layers, layers_bitwidth: bits, grid_range: [-8, 8] });

describe('any network', () => {
  it('computes what the definition says, for any widths and bits, and passes the verifier', () => {
    const shape = fc.integer({ min: 2, max: 4 }).chain((n) =>
      fc.record({
        seed: fc.integer(),
        layers: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: n, maxLength: n }),
        bits: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: n, maxLength: n }),
      }),
    );
    fc.assert(
      fc.property(shape, ({ seed, layers, bits }) => {
        const net = randomNetwork(seed, layers, bits);
        const { graph } = rightOf(importing(configOf(net), net.tables));
        rightOf(verify(graph));
        const r = randomOf(seed);
        const inputs = Array.from({ length: 20 }, () =>
          Array.from({ length: layers[0]! }, () => r.whole(0, 2 ** bits[0]! - 1)),
        );
        expect(run(graph, inputs.flat())).toEqual(inputs.flatMap((x) => naive(net, x)));
      }),
      { numRuns: 60 },
    );
  });

  it('of 16 bits too', () => {
    const net = randomNetwork(3, [1, 1, 1], [16, 16, 16]);
    const { graph } = rightOf(importing(configOf(net), net.tables));
    rightOf(verify(graph));
    const inputs = Array.from({ length: 500 }, (_, k) => [k * 131]);
    expect(run(graph, inputs.flat())).toEqual(inputs.flatMap((x) => naive(net, x)));
  });
});

describe('errors', () => {
  const net = randomNetwork(1, [2, 2], [3, 4]);
  const config = configOf(net);
  const { '0_1_1': _, ...without } = net.tables;
  const withEdge = (edge: unknown) => importing(config, { ...net.tables, '0_0_1': edge });
  const edge = net.tables['0_0_0']!;

  it('K0101: either file is alone', () => {
    const alone = importCheckpoint(bytesOf(net.tables), 'x/truth_tables.json');
    expect(codeOf(alone)).toBe('K0101');
    expect(messageOf(alone)).toContain('no config.json beside it');
    expect(messageOf(importCheckpoint(bytesOf(config), 'x/config.json'))).toContain('no truth_tables.json');
  });

  it('K0203: JSON of other shapes', () => {
    for (const wrong of [
      { ...config, layers: [2] },
      { ...config, layers: [2, 0] },
      { ...config, layers: [2, 2.5] },
      { ...config, layers: 'two' },
      { ...config, layers_bitwidth: [3, 4, 5] },
      { ...config, layers_bitwidth: [3, 64] },
      { ...config, layers_bitwidth: [3, 0] },
      { ...config, layers_bitwidth: [3, 1e308] },
      {},
      [],
      'null',
    ]) {
      expect(codeOf(importing(wrong, net.tables)), JSON.stringify(wrong)).toBe('K0203');
    }
    expect(messageOf(importing({ ...config, layers_bitwidth: [3, 64] }, net.tables))).toMatch(
      /layers_bitwidth.*\[1, 16\].*64/,
    );
    for (const tables of [[], [1], 'null', '3', '"text"'])
      expect(codeOf(importing(config, tables))).toBe('K0203');
    expect(codeOf(importing(config, '{'))).toBe('K0104');
    expect(codeOf(importing('{', net.tables))).toBe('K0104');
    expect(codeOf(importing(config, `{${'"a":['.repeat(20000)}`))).toBe('K0104');
  });

  it('K0202 and K0203: edges that are missing, too many, or malformed', () => {
    const missing = importing(config, without);
    expect(codeOf(missing)).toBe('K0202');
    expect(messageOf(missing)).toContain('0_1_1');
    const extra = importing(config, { ...net.tables, '0_2_0': edge });
    expect(codeOf(extra)).toBe('K0203');
    expect(messageOf(extra)).toContain("'0_2_0'");
    expect(codeOf(importing(config, { ...net.tables, '00_0_0': edge }))).toBe('K0203');
    for (const wrong of [
      null,
      3,
      {},
      { values_int: edge.values_int },
      { acive: 2, values_int: edge.values_int },
      { acive: 1 },
      { acive: 1, values_int: 'text' },
      { acive: 1, values_int: edge.values_int.slice(1) },
      { acive: 1, values_int: [...edge.values_int.slice(1), 0.5] },
      { acive: 1, values_int: [...edge.values_int.slice(1), null] },
      { acive: 1, values_int: [...edge.values_int.slice(1), '1'] },
      { acive: 1, values_int: [...edge.values_int.slice(1), 1e300] },
    ]) {
      const result = withEdge(wrong);
      expect(codeOf(result), JSON.stringify(wrong)).toBe('K0203');
      expect(messageOf(result)).toContain('0_0_1');
    }
    const text = JSON.stringify(net.tables);
    const twice = importing(config, `${text.slice(0, -1)},"0_0_0":${JSON.stringify(edge)}}`);
    expect(messageOf(twice)).toMatch(
      /K0104: net\/truth_tables\.json: the file cannot be read: .*"0_0_0" stands twice/,
    );
    // The file at fault is named, whichever of the two was given.
    expect(messageOf(importing('{', net.tables))).toMatch('K0104: net/config.json: the file cannot');
    expect(
      codeOf(importing('{"layers": [2, 2], "layers": [2, 2], "layers_bitwidth": [3, 4]}', net.tables)),
    ).toBe('K0104');
    expect(codeOf(withEdge({ acive: 0, values_int: [] }))).toBe('ok');
    expect(codeOf(withEdge({ active: 1, values_int: edge.values_int }))).toBe('ok');
  });

  it('K0113: a configuration that asks for more than there is', () => {
    const huge = { layers: [65536, 65536], layers_bitwidth: [16, 16] };
    expect(codeOf(importing(huge, net.tables))).toBe('K0113');
  });

  it('tells the codes it takes as an assumption', () => {
    const told = rightOf(importing(config, net.tables)) satisfies Imported;
    expect(told.family).toBe('kanele');
    expect(told.parameters).toBe(2 * 2 * 8);
    expect(told.assumptions.map((a) => a.assumed).join()).toContain('3 bits');
  });
});
