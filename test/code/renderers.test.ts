/** An op that no backend has heard of gives the integers of its lowering on every target that renders the language. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as inC from '../backends/c/support.js';
import * as inWasm from '../backends/wasm/support.js';
import * as inWgsl from '../backends/wgsl/support.js';
import { randomTensor } from '../support/graphs.js';
import { randomOf } from '../support/random.js';
import { missingTools } from '../support/tools.js';
import { anyExpression, graphOf, SHAPES } from './expressions.js';

const CASES = Array.from({ length: 10 }, (_, seed) => seed);

const made = (seed: number, scalar?: boolean) => {
  const graph = graphOf(anyExpression(seed, scalar), SHAPES[seed % SHAPES.length] ?? []);
  return { graph, input: randomTensor(randomOf(seed), graph.inputs[0]!.type, 30) };
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe.skipIf(missingTools({ gcc: 'gcc' }))('random expressions in C', () => {
  it.each(CASES)('expression %i', async (seed) => {
    const { graph, input } = made(seed);
    // Random comparisons may be decided by the types of tables.
    const flags = ['-O1', '-Wno-type-limits', ...inC.sanitizersOf('gcc')];
    expect(await inC.expectSame(graph, input, { flags, options: { pack: seed % 2 === 0 } })).toBeGreaterThan(
      0,
    );
  });
});

describe('random expressions in WASM', () => {
  it.each(CASES)('expression %i, one element after the other', async (seed) => {
    const { graph, input } = made(seed);
    if (!(input.data instanceof Uint8Array)) throw new Error('inputs are codes');
    await inWasm.expectSame(graph, input.data);
  });

  it.each(CASES)('expression %i, in lanes', async (seed) => {
    const { graph, input } = made(seed, false);
    if (!(input.data instanceof Uint8Array)) throw new Error('inputs are codes');
    await inWasm.expectSame(graph, input.data);
  });
});

describe.skipIf(inWgsl.skipsGpu)('random expressions in WGSL', () => {
  const gpu = inWgsl.gpuOfFile();

  it.each(CASES)('expression %i', async (seed) => {
    const { graph, input } = made(seed);
    if (!(input.data instanceof Uint8Array)) throw new Error('inputs are codes');
    await inWgsl.expectSame(gpu(), graph, input.data);
  });
});
