/** Folded and unrolled designs of random graphs, simulated with two compilers, against the interpreter. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { programOf } from '../../../src/backends/cpp/program.js';
import { designOf } from '../../../src/backends/hls/design.js';
import type { Graph } from '../../../src/ir/graph.js';
import { rightOf } from '../../support/checked.js';
import { kindsIn } from '../../support/graphs.js';
import { missingTools } from '../../support/tools.js';
import { sanitizersOf } from '../c/support.js';
import { covering, graphsFor } from '../cpp/graphs.js';
import { expectSimulated } from './support.js';

const canBe =
  (architecture: 'folded' | 'unrolled') =>
  (graph: Graph<'table'>): boolean =>
    E.isRight(designOf('net', rightOf(programOf(graph, 'HLS')), { architecture }, 'test'));

const candidates = graphsFor('HLS', 60, 900, 9);
const folded = covering(candidates.filter(canBe('folded')), 9);
const unrolled = covering(candidates.filter(canBe('unrolled')), 6);

const inputs = (graph: Graph, samples = 40) => probes(graph, graph.inputs[0]!.type, samples, 11);

describe.skipIf(missingTools({ 'g++': 'g++', 'clang++': 'clang' }))('HLS designs of random graphs', () => {
  it('cover the ops of tables', () => {
    const kinds = kindsIn(folded);
    for (const kind of [
      'quantize',
      'recode',
      'requantize',
      'table.norm',
      'table.sum',
      'table.edge',
      'table.basis',
      'pool',
    ] as const) {
      expect([kind, kinds.has(kind)]).toEqual([kind, true]);
    }
    expect(kindsIn(unrolled).has('table.edge')).toBe(true);
    expect(kindsIn(unrolled).has('table.basis')).toBe(true);
  });

  it.each(folded.map((graph, k) => [k, graph] as const))('folded %i', async (k, graph) => {
    await expectSimulated(graph, inputs(graph), {
      ...(k % 2 === 0 ? {} : { cxx: 'clang++', flags: ['-O1', ...sanitizersOf('clang++')] }),
      options: { architecture: 'folded', interface: k % 3 === 0 ? 'vector' : 'axis', reuse: 1 + (k % 3) },
    });
  });

  it.each(unrolled.map((graph, k) => [k, graph] as const))('unrolled %i', async (k, graph) => {
    await expectSimulated(graph, inputs(graph), {
      ...(k % 2 === 0 ? {} : { cxx: 'clang++', flags: ['-O1', ...sanitizersOf('clang++')] }),
      options: { architecture: 'unrolled', interface: k % 3 === 0 ? 'axis' : 'vector' },
    });
  });
});
