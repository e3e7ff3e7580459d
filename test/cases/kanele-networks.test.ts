/**
 * The networks that KANELE publishes, on random codes: whichever way they run, they are what their tables say, of
 * which some are wider than the nodes (MNIST, RL).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { importSource } from '../../src/importers/index.js';
import { interpret, sizeOf, verify } from '../../src/ir/index.js';
import { model, workplace } from '../cli/support.js';
import { rightOf } from '../support/checked.js';
import { type Random, randomOf } from '../support/random.js';
import { missingTools } from '../support/tools.js';

const place = workplace();
const { kanc } = place;

const HERE = new URL('./kanele-networks/', import.meta.url).pathname;

const Network = t.type({ layers: t.array(t.number), layers_bitwidth: t.array(t.number) });
type Network = t.TypeOf<typeof Network>;
const Tables = t.record(t.string, t.type({ acive: t.number, values_int: t.array(t.number) }));

/** The edges of each layer that were not pruned. */
type Edges = ReadonlyArray<
  ReadonlyArray<{ readonly i: number; readonly o: number; readonly values: ReadonlyArray<number> }>
>;

const decoded = <A>(codec: t.Type<A, unknown, unknown>, json: string): A => {
  const value: unknown = JSON.parse(json);
  if (!codec.is(value)) throw new Error(`not as expected: ${json.slice(0, 200)}`);
  return value;
};

const edgesOf = ({ layers }: Network, json: string): Edges => {
  const active = Object.entries(decoded(Tables, json)).filter(([, edge]) => edge.acive === 1);
  return layers.slice(1).map((_, l) =>
    active.flatMap(([name, { values_int: values }]) => {
      const [of, i, o] = name.split('_').map(Number);
      return of === l ? [{ i: i!, o: o!, values }] : [];
    }),
  );
};

const folderOf = (name: string): string =>
  name === 'wine' || name === 'drybean' ? `${model(`kanele-${name}`, '')}/` : `${HERE}${name}/`;

const read = (name: string, file: string): string => {
  const path = folderOf(name) + file;
  return existsSync(path) ? readFileSync(path, 'utf8') : gunzipSync(readFileSync(`${path}.gz`)).toString();
};

/** The definition: a node is the sum of its edges, saturated; its code is counted from the smallest node. */
const defined = (
  { layers, layers_bitwidth: bits }: Network,
  edges: Edges,
  input: ArrayLike<number>,
): ReadonlyArray<number> => {
  let codes = Array.from(input);
  let nodes: number[] = [];
  for (let l = 0; l + 1 < layers.length; l++) {
    const half = 2 ** (bits[l + 1]! - 1);
    nodes = new Array<number>(layers[l + 1]!).fill(0);
    for (const { i, o, values } of edges[l]!) nodes[o]! += values[codes[i]!]!;
    nodes = nodes.map((sum) => Math.max(-half, Math.min(half - 1, sum)));
    codes = nodes.map((node) => node + half);
  }
  return nodes;
};

const NAMES = ['drybean', 'jsc-openml', 'mnist', 'moons', 'rl', 'wine'];
/** What is told of tables whose values do not fit a node. */
const WIDE: Readonly<Record<string, ReadonlyArray<string>>> = {
  mnist: [
    'layer 0 has 11 table values of more than the 6 bits of its nodes',
    'layer 1 has 25 table values of more than the 6 bits of its nodes',
  ],
  rl: ['layer 0 has 15 table values of more than the 8 bits of its nodes'],
};
const SAMPLES = 10_000;
const TARGETS = missingTools({ cc: 'gcc' }) ? ['wasm'] : ['wasm', 'c'];

const networkOf = (name: string) => {
  const [config, tables] = [read(name, 'config.json'), read(name, 'truth_tables.json')];
  const network = decoded(Network, config);
  return { config, tables, network, edges: edgesOf(network, tables) };
};

const randomCodes = (r: Random, { layers, layers_bitwidth: bits }: Network, samples: number): Uint8Array =>
  Uint8Array.from({ length: samples * layers[0]! }, () => r.whole(0, 2 ** bits[0]! - 1));

describe.each(NAMES)('%s', (name) => {
  const { config, tables, network, edges } = networkOf(name);
  const [inputs, outputs] = [network.layers[0]!, network.layers.at(-1)!];
  const expectedOf = (codes: Uint8Array): ReadonlyArray<number> =>
    Array.from({ length: codes.length / inputs }, (_, n) =>
      defined(network, edges, codes.subarray(n * inputs, (n + 1) * inputs)),
    ).flat();
  const imported = importSource({
    file: 'truth_tables.json',
    name: 'truth_tables.json',
    bytes: new TextEncoder().encode(tables),
    beside: new Map([['config.json', new TextEncoder().encode(config)]]),
  });

  it('gives the vectors that come with it, and so does the definition', () => {
    const numbers = (file: string) => read(name, file).trim().split(/\s+/).map(Number);
    const codes = Uint8Array.from(numbers('vectors_in.txt'));
    const { graph } = rightOf(imported);
    rightOf(verify(graph));
    const { type } = graph.inputs[0]!;
    const [found] = rightOf(interpret(graph, [{ type, batch: codes.length / sizeOf(type), data: codes }]));
    expect([...found!.data]).toEqual(numbers('vectors_out.txt'));
    expect(expectedOf(codes)).toEqual(numbers('vectors_out.txt'));
    const told = rightOf(imported).assumptions.filter(({ what }) => what.includes('of more than the'));
    expect(told.map(({ what }) => what)).toEqual(WIDE[name] ?? []);
  });

  it(`is the definition on ${SAMPLES} random inputs, imported and as WASM and C`, {
    timeout: 240_000,
  }, async () => {
    const codes = randomCodes(randomOf(7), network, SAMPLES);
    const expected = expectedOf(codes);
    const { graph } = rightOf(imported);
    const { type } = graph.inputs[0]!;
    const [found] = rightOf(interpret(graph, [{ type, batch: SAMPLES, data: codes }]));
    expect(Buffer.compare(bytesOf([...found!.data]), bytesOf(expected))).toBe(0);
    mkdirSync(place.path(name));
    writeFileSync(place.path(name, 'config.json'), config);
    writeFileSync(place.path(name, 'truth_tables.json'), tables);
    const data = place.putNpy(`${name}.npy`, { shape: [SAMPLES, inputs], dtype: 'u1', data: codes });
    for (const target of TARGETS) {
      const [out, y] = [place.path(`${name}-${target}`), place.path(`${name}-${target}.npy`)];
      const compiled = await kanc([
        'compile',
        place.path(name),
        '--target',
        target,
        '-o',
        out,
        '--verify-each',
      ]);
      expect(compiled, target).toMatchObject({ exit: 0 });
      const ran = await kanc(['run', out, '--input', data, '--output', y]);
      expect(ran, target).toMatchObject({ exit: 0 });
      const { shape, data: result } = rightOf(readNpy(readFileSync(y)));
      expect(shape).toEqual([SAMPLES, outputs]);
      expect(Buffer.compare(bytesOf([...result]), bytesOf(expected)), target).toBe(0);
    }
  });
});

/** Many integers, to be compared at once. */
const bytesOf = (values: ReadonlyArray<number>): Buffer => Buffer.from(Int32Array.from(values).buffer);
