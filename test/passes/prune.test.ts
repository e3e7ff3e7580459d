/** `prune`: inputs that do not matter go, with what computed them, and no integer changes. */
import { expect, it } from 'vitest';
import { builder, constant, floatType, type Graph } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomTensor } from '../support/graphs.js';
import { randomOf } from '../support/random.js';
import {
  calibrationOf,
  codes,
  compiled,
  edgeLayer,
  floatInput,
  nodesOf,
  onlyOf,
  outputOf,
  randomKan,
  runText,
  tableGraph,
  uniformValues,
} from './support.js';

it('moves constant inputs to the bias and drops their tables and their quantization', () => {
  const graph = tableGraph((b) => {
    const x = b.input('x', floatType([5]));
    const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
    const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 2, nan: 'zero' } }, [x]);
    const acc = b.add(
      'acc',
      edgeLayer(5, 3, (i) => i !== 1 && i !== 4),
      [q],
    );
    return b.add('y', { kind: 'dequantize', attrs: {} }, [acc]);
  });
  const { graph: pruned, remarks } = runText(graph, 'prune');
  expect(remarks).toEqual(['note acc: 2 inputs do not matter and were removed']);
  expect(pruned.nodes.map((n) => n.op.kind)).toEqual(['gather', 'quantize', 'table.edge', 'dequantize']);
  const { table, bias } = onlyOf(pruned, 'table.edge').op.attrs;
  expect(table.shape).toEqual([3, 4, 3]);
  expect([...bias!.data]).toEqual([1 + 4, 2 + 5, 3 + 6]);
  expect([...onlyOf(pruned, 'gather').op.attrs.indices.data]).toEqual([0, 2, 3]);
  const x = floatInput(5, uniformValues(randomOf(1), 50, 5, -1, 5));
  expect(outputOf(pruned, x).data).toEqual(outputOf(graph, x).data);
});

it('goes on through requantizations: a hidden value that nothing needs frees the inputs that only it needed', () => {
  // Hidden value 1 is not used by the last layer; input 2 moves hidden value 1 only.
  const graph = tableGraph((b) => {
    const x = b.input('x', codes(3));
    const acc0 = b.add(
      'acc0',
      edgeLayer(3, 3, (i, o) => i !== 2 || o === 1),
      [x],
    );
    const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
    const h = b.add('h', { kind: 'requantize', attrs: { mul: 3, shift: 4, bits: 2, quantizer } }, [acc0]);
    const acc1 = b.add(
      'acc1',
      edgeLayer(3, 2, (i) => i !== 1),
      [h],
    );
    return b.add('y', { kind: 'dequantize', attrs: {} }, [acc1]);
  });
  const { graph: pruned, remarks } = runText(graph, 'prune');
  expect(remarks).toHaveLength(2);
  const tables = nodesOf(pruned, 'table.edge').map((n) => n.op.attrs.table.shape);
  expect(tables).toEqual([
    [2, 4, 2],
    [2, 4, 2],
  ]);
  expect(pruned.nodes.map((n) => n.op.kind)).toEqual([
    'gather',
    'table.edge',
    'requantize',
    'table.edge',
    'dequantize',
  ]);
  const x = randomTensor(randomOf(2), codes(3), 64);
  expect(outputOf(pruned, x).data).toEqual(outputOf(graph, x).data);
});

it('goes through float round trips, maps and basis tables as well', () => {
  const net = randomKan(4, { layers: [4, 3, 2], bias: true });
  // No weights on hidden value 1.
  const cut: Graph<'float'> = {
    ...net,
    nodes: net.nodes.map((node, l) => {
      if (l === 0 || node.op.kind !== 'kan') return node;
      const branches = node.op.attrs.branches.map((b) => {
        const size = b.weights.shape[1]! * b.weights.shape[2]!;
        const data = Float32Array.from(b.weights.data, (w, e) => (Math.floor(e / size) === 1 ? 0 : w));
        return { ...b, weights: constant(b.weights.element, b.weights.shape, data) };
      });
      return { ...node, op: { kind: 'kan', attrs: { ...node.op.attrs, branches } } };
    }),
  };
  const x = floatInput(4, uniformValues(randomOf(9), 60, 4));
  for (const form of ['edge', 'basis']) {
    // At 16 bits of both, the basis form keeps its float round trip between the layers.
    for (const bits of [8, 16]) {
      const text = `calibrate{data=x},quantize{coef=${bits},basis=${bits}},tabulate{form=${form}},fold`;
      const before = compiled(cut, text, calibrationOf(4));
      const after = compiled(before, 'prune');
      const hidden = after.nodes.find((n) => n.op.kind === `table.${form}`);
      expect(hidden?.type.shape, `${form} ${bits}`).toEqual([2]);
      expect(outputOf(after, x).data).toEqual(outputOf(before, x).data);
    }
  }
});

it('leaves values that something else reads', () => {
  const b = builder('t', 'table');
  const x = b.input('x', codes(2));
  const shared = b.add(
    'acc0',
    edgeLayer(2, 2, () => true),
    [x],
  );
  const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
  const h = b.add('h', { kind: 'requantize', attrs: { mul: 3, shift: 4, bits: 2, quantizer } }, [shared]);
  const acc1 = b.add(
    'acc1',
    edgeLayer(2, 2, (i) => i === 0),
    [h],
  );
  const graph = rightOf(b.build([acc1, shared]));
  const after = compiled(graph, 'prune');
  expect(nodesOf(after, 'table.edge').map((n) => n.op.attrs.table.shape)).toEqual([
    [2, 4, 2],
    [1, 4, 2],
  ]);
  expect(after.outputs).toHaveLength(2);
  const values = randomTensor(randomOf(1), codes(2), 16);
  expect(outputOf(after, values).data).toEqual(outputOf(graph, values).data);
});

it('keeps one input of a layer where none matters', () => {
  const graph = tableGraph((b) =>
    b.add(
      'acc',
      edgeLayer(4, 2, () => false),
      [b.input('x', codes(4))],
    ),
  );
  const after = compiled(graph, 'prune');
  expect(onlyOf(after, 'table.edge').op.attrs.table.shape).toEqual([1, 4, 2]);
  const values = randomTensor(randomOf(1), codes(4), 16);
  expect(outputOf(after, values).data).toEqual(outputOf(graph, values).data);
});
