/** What a step of a rewrite may return, as docs/writing-a-pass.md promises it. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/diagnostics/index.js';
import {
  builder,
  constant,
  F32,
  floatType,
  type Graph,
  type Node,
  printGraph,
  rewrite,
} from '../../src/ir/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

const scaled = (scale: number, shift: number | readonly [number, number]) => ({
  kind: 'affine' as const,
  attrs: { scale, shift: typeof shift === 'number' ? shift : constant(F32, [2], Float32Array.from(shift)) },
});

/** Two shifts, the second one for each channel. */
const graph: Graph<'float'> = (() => {
  const b = builder('net', 'float');
  const x = b.input('x', floatType([2]));
  const one = b.add('one', scaled(1, 3), [x]);
  return rightOf(b.build([b.add('two', scaled(1, [1, 2]), [one])]));
})();

const named = (name: string) => (node: Node) => node.name === name;
const isTwo = named('two');

const refused = (node: Node) =>
  fail('K0505', 'its shift differs between channels', {
    place: { pass: 'scale-shifts', op: node.name },
    expected: 'one shift for all channels',
  });

describe('a step of a rewrite', () => {
  it('returns names and Eithers that hold them alike', () => {
    const plain = rewrite(graph, 'float', (node, r) => r.keep(node));
    const checked = rewrite(graph, 'float', (node, r) => E.right(r.keep(node)));
    expect(printGraph(rightOf(plain))).toBe(printGraph(graph));
    expect(printGraph(rightOf(checked))).toBe(printGraph(graph));
  });

  it('drops a node by undefined, in an Either or not', () => {
    const ends = { ...graph, outputs: [graph.nodes[0]!.name] };
    for (const nothing of [undefined, E.right(undefined)]) {
      const after = rightOf(rewrite(ends, 'float', (node, r) => (isTwo(node) ? nothing : r.keep(node))));
      expect(after.nodes.map(({ name }) => name)).toEqual(['one']);
    }
  });

  it('ends the walk where it fails, with its diagnostics', () => {
    const seen: string[] = [];
    const result = rewrite(graph, 'float', (node, r) => {
      seen.push(node.name);
      return named('one')(node) ? refused(node) : r.keep(node);
    });
    expect(seen).toEqual(['one']);
    expect(codeOf(result)).toBe('K0505');
    expect(messageOf(result)).toContain('its shift differs between channels');
    expect(messageOf(result)).toContain('one shift for all channels');
  });

  it('is told of a node that a type rule refuses, before what it fails with itself', () => {
    const seen: string[] = [];
    const result = rewrite(graph, 'float', (node, r) => {
      seen.push(node.name);
      r.add(node.name, scaled(1, [1, 2]), []);
      return refused(node);
    });
    expect(seen).toEqual(['one']);
    expect(codeOf(result)).toBe('K0401');
  });
});
