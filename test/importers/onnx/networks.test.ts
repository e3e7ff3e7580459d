/** Whole exported networks: what their programs compute, against what PyTorch did. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../../src/importers/containers/npy/index.js';
import { readOnnx } from '../../../src/importers/containers/onnx/index.js';
import { bakedBatch, programOf } from '../../../src/importers/onnx/index.js';
import { evaluateProgram } from '../../../src/tensor/evaluate.js';
import { rightOf } from '../../support/checked.js';
import { size } from './one-node.js';

const FOLDER = fileURLToPath(new URL('../../models/onnx-wild/', import.meta.url));
const networks = readdirSync(FOLDER, { withFileTypes: true }).flatMap((e) =>
  e.isDirectory() ? [e.name] : [],
);

const valuesOf = (
  network: string,
  file: string,
): { readonly samples: number; readonly data: Float64Array } => {
  const { shape, data } = rightOf(readNpy(readFileSync(`${FOLDER}${network}/${file}.npy`)));
  return { samples: shape[0] ?? 0, data: Float64Array.from(data) };
};

/** The greatest difference, by the greatest number that was expected. */
const relativeError = (found: Float64Array, expected: Float64Array): number => {
  let difference = 0;
  let greatest = 0;
  for (let k = 0; k < found.length; k++) {
    difference = Math.max(difference, Math.abs(found[k]! - expected[k]!));
    greatest = Math.max(greatest, Math.abs(expected[k]!));
  }
  return difference / greatest;
};

describe('exported networks', () => {
  it('are here', () => {
    expect(networks.length).toBeGreaterThanOrEqual(6);
  });

  it.each(networks)('%s', (network) => {
    const bytes = readFileSync(`${FOLDER}${network}/model.onnx`);
    const model = rightOf(readOnnx(bytes, 'model.onnx'));
    const inputs = valuesOf(network, 'golden_inputs');
    const outputs = valuesOf(network, 'golden_outputs');
    const samples = bakedBatch(model) ?? inputs.samples;
    expect(samples).toBe(network === 'relukan' ? 2 : inputs.samples);
    const program = rightOf(programOf(model, { samples }));
    const cut = inputs.data.subarray(0, (inputs.data.length / inputs.samples) * samples);
    const values = evaluateProgram(program, [cut]);
    if (E.isLeft(values)) throw new Error(values.left);
    const [result = new Float64Array(0)] = values.right;
    expect(result.length).toBe((outputs.data.length / outputs.samples) * samples);
    expect(result.length).toBe(size(program.nodes[program.outputs[0]!]!.type.shape));
    expect(relativeError(result, outputs.data)).toBeLessThan(1e-4);
  });
});
