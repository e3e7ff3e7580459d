/** `prune`, `dedupe`, `narrow` and `dce` on any graph: every integer stays, and a second time they do nothing. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Graph, type Level, printGraph, type Tensor } from '../../src/ir/index.js';
import { arbitraryGraph, randomTensor } from '../support/graphs.js';
import { randomOf } from '../support/random.js';
import { expectSound, outputOf, runText } from './support.js';

const PASSES = ['prune', 'dedupe', 'narrow', 'dce'] as const;

const tensorsOf = (graph: Graph, seed: number): ReadonlyArray<Tensor> => {
  const r = randomOf(seed);
  return graph.inputs.map((input) => randomTensor(r, input.type, 15));
};

describe.each(PASSES)('%s on any graph', (pass) => {
  const levels: ReadonlyArray<Level> =
    pass === 'prune' || pass === 'narrow' ? ['table'] : ['float', 'quantized', 'table'];
  it.each(levels)('keeps what a %s graph computes, and does nothing the second time', (level) => {
    fc.assert(
      fc.property(arbitraryGraph(level), fc.integer(), (graph, seed) => {
        if (graph.inputs.length > 1) return;
        const { graph: once } = runText(graph, pass);
        expectSound(once);
        const [x] = tensorsOf(graph, seed);
        // The numbers, whatever width of array holds them.
        expect(Array.from(outputOf(once, x!).data)).toEqual(Array.from(outputOf(graph, x!).data));
        const again = runText(once, pass);
        expect(printGraph(again.graph)).toBe(printGraph(once));
        expect(again.events[0]!.changed).toBe(false);
        expect(again.remarks).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
