/** Exported networks of many libraries and exporters: the layers found in them give what the networks gave. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { Checked } from '../../src/diagnostics/index.js';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { type Imported, importSource } from '../../src/importers/import.js';
import { sourceOf } from '../../src/importers/source.js';
import { interpret, sizeOf } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';

const MODELS = fileURLToPath(new URL('../models/', import.meta.url));

const networksIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(MODELS, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`)
    .sort();

const ALL = [...networksIn('onnx'), ...networksIn('onnx-wild')];

const read = (network: string, options = {}): Checked<Imported> => {
  const data = join(MODELS, network, 'model.onnx.data');
  const beside = new Map(existsSync(data) ? [['model.onnx.data', readFileSync(data)]] : []);
  const bytes = readFileSync(join(MODELS, network, 'model.onnx'));
  return importSource(sourceOf(bytes, 'model.onnx', beside), options);
};

/** The largest deviation from the golden outputs, relative to the largest of them. */
const deviation = (network: string, { graph }: Imported): number => {
  const inputs = rightOf(readNpy(readFileSync(join(MODELS, network, 'golden_inputs.npy'))));
  const wanted = rightOf(readNpy(readFileSync(join(MODELS, network, 'golden_outputs.npy'))));
  const { type } = graph.inputs[0]!;
  const data = Float32Array.from(inputs.data, Number);
  const [found] = rightOf(interpret(graph, [{ type, batch: data.length / sizeOf(type), data }]));
  expect(found!.data).toHaveLength(wanted.data.length);
  let [worst, scale] = [0, 0];
  for (const [i, value] of Array.from(wanted.data, Number).entries()) {
    worst = Math.max(worst, Math.abs(found!.data[i]! - value));
    scale = Math.max(scale, Math.abs(value));
  }
  return worst / scale;
};

/** Ops and bases of a network, in order. */
const opsOf = ({ graph }: Imported): ReadonlyArray<string> =>
  graph.nodes.map(({ op }) =>
    op.kind === 'kan' ? `kan(${op.attrs.branches.map((b) => b.basis._tag).join(', ')})` : op.kind,
  );

/** Networks that are refused, with what the message names. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'onnx/odd-sparse-constant': /K0112.*sparse/,
  'onnx/refused-attention': /K0221.*MatMul 'node_matmul'/,
  'onnx/refused-batch-range': /K0221.*Reduce(?:Min|Max)/,
  'onnx/refused-gru': /K0221.*recurrent/,
  'onnx/refused-top-k': /K0221/,
  'onnx/torch-old-reshape-of-64': /K0217/,
};

/** Halves have 11 bits: what they round is more than layers that do not round are off by. */
const NOISE: Readonly<Record<string, number>> = { 'onnx/torch-gaussians-f16': 2e-3 };

describe('exported networks', () => {
  it.each(ALL.filter((name) => !(name in REFUSED)))('%s', (network) => {
    expect(deviation(network, rightOf(read(network)))).toBeLessThan(NOISE[network] ?? 1e-4);
  });

  it.each(Object.entries(REFUSED))('%s is refused', (network, message) => {
    const found = read(network);
    expect(E.isLeft(found)).toBe(true);
    expect(JSON.stringify(found)).toMatch(message);
  });

  it.each([
    ['onnx/torch-splines', ['kan(base, bspline)', 'kan(base, bspline)']],
    ['onnx/torch-old-splines', ['kan(base, bspline)', 'kan(base, bspline)']],
    ['onnx-wild/fastkan', ['norm', 'concat', 'kan(base, rbf)', 'norm', 'concat', 'kan(base, rbf)']],
    ['onnx-wild/adhoc_pykan_head', ['kan(base)', 'activate', 'kan(base, bspline)', 'kan(base, bspline)']],
    ['onnx-wild/wavkan_morlet', ['kan(expression)', 'kan(expression)']],
  ])('%s has its layers by name', (network, ops) => {
    expect(opsOf(rightOf(read(network)))).toStrictEqual(ops);
  });
});
