/** Means and deviations of their own for all inputs: every target computes the integers of the interpreter. */
import { describe, expect, it } from 'vitest';
import { type Graph, isLevel, type Tensor } from '../../src/ir/index.js';
import { compiled, randomKan } from '../passes/support.js';
import { randomOf } from '../support/random.js';
import { missingTools } from '../support/tools.js';
import { expectSame as expectSameC } from './c/support.js';
import { expectSimulated } from './hls/support.js';
import { expectSimulatedRtl } from './verilog/support.js';
import { expectSame as expectSameWasm } from './wasm/support.js';
import { expectSame as expectSameWgsl, gpuOfFile, skipsGpu } from './wgsl/support.js';

const MEAN = [0.1, 0.45, -0.3];
const STD = [0.5, 0.225, 2];
const SAMPLES = 64;

const graphOf = (dtype: 'u8' | 'f32'): Graph<'table'> => {
  const input = `input{dtype=${dtype},mean="${MEAN.join(',')}",std="${STD.join(',')}"}`;
  const graph = compiled(
    randomKan(5, { layers: [3, 4, 2] }),
    `${input},calibrate,quantize{act=4,table=5},tabulate{form=edge},fold,prune,dedupe,narrow,dce`,
  );
  if (!isLevel('table')(graph)) throw new Error('not a table graph');
  return graph;
};

const samplesOf = (graph: Graph, dtype: 'u8' | 'f32'): Tensor => {
  const r = randomOf(11);
  const length = SAMPLES * MEAN.length;
  const data =
    dtype === 'u8'
      ? Uint8Array.from({ length }, () => r.whole(0, 255))
      : Float32Array.from({ length }, (_, j) => MEAN[j % 3]! + STD[j % 3]! * (2.4 * r.unit() - 1.2));
  return { type: graph.inputs[0]!.type, batch: SAMPLES, data };
};

describe.each(['u8', 'f32'] as const)('inputs of %s, each with its mean and deviation', (dtype) => {
  const gpu = gpuOfFile();
  const graph = graphOf(dtype);
  const input = samplesOf(graph, dtype);
  const data = dtype === 'u8' ? Uint8Array.from(input.data) : Float32Array.from(input.data);

  it('wasm', async () => {
    await expectSameWasm(graph, data);
  });

  it.skipIf(missingTools({ gcc: 'gcc' }))('c', async () => {
    expect(await expectSameC(graph, input)).toBeGreaterThan(0);
  });

  it.skipIf(missingTools({ 'g++': 'g++' }))('hls', { timeout: 120_000 }, async () => {
    for (const architecture of ['unrolled', 'folded'] as const) {
      await expectSimulated(graph, input, { options: { architecture } });
    }
  });

  it.skipIf(missingTools({ iverilog: 'iverilog' }))('verilog', { timeout: 120_000 }, async () => {
    await expectSimulatedRtl(graph, input, 'iverilog');
  });

  it.skipIf(skipsGpu)('wgsl', async () => {
    for (const schedule of ['fused', 'layers'] as const) {
      await expectSameWgsl(gpu(), graph, data, { schedule });
    }
  });
});
