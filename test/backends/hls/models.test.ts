/** Shipped networks as HLS designs: KANELE's over their own vectors, and folded ones, against the interpreter. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { NpyArray } from '../../../src/importers/index.js';
import { compile, interpret, parseGraph, readNpy } from '../../../src/index.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { toTensor } from '../../../src/passes/dataset.js';
import { rightOf } from '../../support/checked.js';
import { missingTools } from '../../support/tools.js';
import { sanitizersOf } from '../c/support.js';
import { expectSimulated, simulate } from './support.js';

const root = (path: string): string => fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url));
const read = (path: string): Uint8Array => readFileSync(root(path));

type Input = Omit<Parameters<typeof compile>[0], 'target'>;

/** The table graph that options give. */
const graphOf = async (input: Input): Promise<Graph<'table'>> => {
  const { artifact } = await compile({ ...input, target: 'wasm' });
  const kir = artifact.files.get('model.kir');
  const graph = rightOf(parseGraph(typeof kir === 'string' ? kir : ''));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  return graph;
};

const samples = (graph: Graph, path: string, limit: number) =>
  rightOf(toTensor({ path, array: rightOf(readNpy(read(path))) }, graph.inputs[0]!.type, limit));

/** The first samples of a file. */
const first = (array: NpyArray, count: number): NpyArray => {
  const [, ...rest] = array.shape;
  const size = rest.reduce((n, d) => n * d, 1);
  return { ...array, shape: [count, ...rest], data: array.data.subarray(0, count * size) };
};

const PIXELS = { inputDtype: 'u8', inputMean: 0.5, inputStd: 0.5 } as const;

describe.skipIf(missingTools({ 'g++': 'g++', 'clang++': 'clang' }))('HLS designs of shipped networks', () => {
  it.each([
    ['kanele-wine', 'g++', 'unrolled'],
    ['kanele-drybean', 'clang++', 'unrolled'],
    ['kanele-wine', 'clang++', 'folded'],
  ] as const)('%s over its 1,000 vectors, with %s, %s', async (name, cxx, architecture) => {
    const folder = `models/${name}`;
    const graph = await graphOf({
      checkpoint: read(`${folder}/truth_tables.json`),
      checkpointName: 'truth_tables.json',
      files: { 'config.json': read(`${folder}/config.json`) },
    });
    const numbers = (file: string): number[] =>
      readFileSync(root(`${folder}/${file}`), 'utf8')
        .trim()
        .split(/\s+/)
        .map(Number);
    const [inputs, outputs] = [numbers('vectors_in.txt'), numbers('vectors_out.txt')];
    const { type } = graph.inputs[0]!;
    const input = { type, batch: 1000, data: Uint8Array.from(inputs) };
    expect(inputs.length).toBe(1000 * type.shape[0]!);
    const found = await simulate(graph, input, {
      cxx,
      flags: ['-O1', ...sanitizersOf(cxx)],
      options: { architecture },
    });
    expect([...found]).toEqual(outputs);
    expect([...rightOf(interpret(graph, [input]))[0]!.data]).toEqual(outputs);
  });

  it('efficient-kan-digits, folded, in the basis form', async () => {
    const graph = await graphOf({
      checkpoint: read('models/efficient-kan-digits/model.safetensors'),
      calibration: read('data/digits/calib_inputs.npy'),
      form: 'basis',
    });
    await expectSimulated(graph, samples(graph, 'data/digits/test_inputs.npy', 40), {
      flags: ['-O1'],
      options: { architecture: 'folded', reuse: 4 },
    });
  });

  it('conv-kan-fashion-batchnorm, folded, with line buffers', async () => {
    const folder = 'models/conv-kan-fashion-batchnorm';
    const images = rightOf(readNpy(read('data/fashion-mnist/calib_images.npy')));
    const graph = await graphOf({
      checkpoint: read(`${folder}/model.safetensors`),
      architecture: readFileSync(root(`${folder}/arch.json`), 'utf8'),
      calibration: first(images, 256),
      quant: { act: 5 },
      ...PIXELS,
    });
    await expectSimulated(graph, samples(graph, 'data/fashion-mnist/test_images.npy', 20), {
      flags: ['-O1'],
    });
  });
});
