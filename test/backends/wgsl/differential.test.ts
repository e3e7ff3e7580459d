import { describe, expect, it } from 'vitest';
import { uint } from '../../../src/ir/element.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { type Random, randomOf } from '../../support/random.js';
import { basisOp, edgeOp, filled, network, tableBuilder, uniform } from '../wasm/random.js';
import { expectSame, gpuOfFile, skipsGpu } from './support.js';

const bytes = (r: Random, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => r.whole(0, 255));
const floats = (r: Random, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => (r.unit() - 0.5) * 4);
const bitsFor = (levels: number): number => Math.max(1, Math.ceil(Math.log2(levels)));

describe.skipIf(skipsGpu)('plain layers', () => {
  const gpu = gpuOfFile();

  it.each(Array.from({ length: 24 }, (_, seed) => seed))('edge tables, random network %i', async (seed) => {
    const r = randomOf(seed + 1);
    const inputs = r.whole(1, 70);
    const levels = r.whole(2, r.pick([4, 16, 64, 256]));
    const b = tableBuilder();
    const x = b.input('x', floatType([inputs]));
    const quantizer = uniform(levels, -2, Math.fround(4 / levels));
    const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: bitsFor(levels), nan: 'zero' } }, [x]);
    const layer = edgeOp(r, inputs, levels, r.whole(1, r.pick([9, 40, 150])), r.pick([2, 4, 6, 8, 8, 10]), {
      shared: r.chance(0.3),
      narrow: r.chance(0.5),
    });
    const graph = network(r, b, q, layer, r.whole(2, 256));
    await expectSame(gpu(), graph, floats(r, inputs * 5), { schedule: r.pick(['fused', 'layers']) });
  });
});
