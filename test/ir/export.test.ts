/** JSON and Graphviz: everything is there, and nothing in a name can break out. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  builder,
  constant,
  F32,
  floatType,
  type Graph,
  graphToDot,
  graphToJson,
  hashOf,
} from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { arbitraryGraph } from '../support/graphs.js';

const scale = constant(F32, [2], Float32Array.of(1, -0));

const small = (name: string): Graph => {
  const b = builder(name, 'float');
  const x = b.input('x', floatType([2]));
  return rightOf(b.build([b.add('y', { kind: 'affine', attrs: { scale, shift: -0 } }, [x])]));
};

describe('graphToJson', () => {
  it('has structure, types and attributes, and constants by hash', () => {
    const type = { element: 'f32', shape: ['n', 2] };
    expect(graphToJson(small('g'))).toStrictEqual({
      name: 'g',
      level: 'float',
      inputs: [{ name: 'x', type }],
      nodes: [
        {
          name: 'y',
          type,
          op: 'affine',
          operands: ['x'],
          attrs: { scale: { hash: hashOf(scale), type: 'f32[2]' }, shift: '-0' },
        },
      ],
      outputs: ['y'],
    });
  });

  it('is JSON', () => {
    fc.assert(
      fc.property(arbitraryGraph(), (graph) => {
        const json = graphToJson(graph);
        expect(JSON.parse(JSON.stringify(json))).toStrictEqual(json);
      }),
    );
  });
});

describe('graphToDot', () => {
  /** The text with all quoted ids taken out. */
  const skeleton = (text: string): string => text.replaceAll(/"(?:[^"\\]|\\.)*"/g, 'ID');

  it('has a node for each value and an edge for each use', () => {
    expect(graphToDot(small('g'))).toBe(
      [
        'digraph "g" {',
        '  node [fontname="monospace", shape=box];',
        '  edge [fontname="monospace"];',
        '  "%x" [shape=ellipse, label="%x\\nf32[n, 2]"];',
        '  "%y" [label="%y = affine\\nf32[n, 2]\\nscale = f32[2]\\nshift = -0"];',
        '  "%x" -> "%y" [label="f32[n, 2]"];',
        '  "return 0" [shape=ellipse];',
        '  "%y" -> "return 0" [label="f32[n, 2]"];',
        '}',
        '',
      ].join('\n'),
    );
  });

  it('escapes every name', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constant('"]; evil -> "'), fc.constant('\\'), fc.constant('\n')),
        (name) => {
          expect(skeleton(graphToDot(small(name)))).toBe(skeleton(graphToDot(small('g'))));
        },
      ),
    );
  });

  it('holds every graph', () => {
    fc.assert(
      fc.property(arbitraryGraph(), (graph) => {
        const lines = skeleton(graphToDot(graph)).trim().split('\n');
        const edges = graph.nodes.reduce((n, node) => n + node.operands.length, graph.outputs.length);
        expect(lines.filter((l) => l.includes('->'))).toHaveLength(edges);
        expect(lines).toHaveLength(
          4 + graph.inputs.length + graph.nodes.length + graph.outputs.length + edges,
        );
      }),
    );
  });
});
