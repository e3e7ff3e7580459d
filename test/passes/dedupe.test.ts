/** `dedupe`: equal constants, ops and tables are shared. */
import { expect, it } from 'vitest';
import {
  builder,
  constant,
  edgeTableRange,
  type Graph,
  int,
  type TableEdgeAttrs,
  uint,
} from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomTensor } from '../support/graphs.js';
import { constantBy } from '../support/quantizers.js';
import { randomOf } from '../support/random.js';
import { codes, compiled, edgeLayer, nodesOf, onlyOf, outputOf, runText, tableGraph } from './support.js';

const withSlabs = (different: number): Graph<'table'> =>
  tableGraph((b) => {
    const table = constantBy(int(8), [40, 4, 2], (e) => (Math.floor(e / 8) % different) + (e % 8));
    const attrs: TableEdgeAttrs = { table, scale: 1, acc: 16, ...edgeTableRange({ table }, 40) };
    return b.add('acc', { kind: 'table.edge', attrs }, [b.input('x', codes(40))]);
  });

it('lets inputs with equal tables share a slab', () => {
  const graph = withSlabs(7);
  const { graph: shared, remarks } = runText(graph, 'dedupe');
  expect(remarks).toEqual(['note acc: 40 tables are 7 different ones']);
  const { table, slabs } = onlyOf(shared, 'table.edge').op.attrs;
  expect(table.shape).toEqual([7, 4, 2]);
  expect([...slabs!.data]).toEqual(Array.from({ length: 40 }, (_, i) => i % 7));
  const x = randomTensor(randomOf(1), codes(40), 30);
  expect(outputOf(shared, x)).toStrictEqual(outputOf(graph, x));
});

it('leaves a table alone where an indirection would save next to nothing', () => {
  expect(onlyOf(compiled(withSlabs(39), 'dedupe'), 'table.edge').op.attrs.slabs).toBeUndefined();
  expect(onlyOf(compiled(withSlabs(38), 'dedupe'), 'table.edge').op.attrs.slabs).toBeDefined();
});

it('computes equal ops once and stores equal constants once', () => {
  const b = builder('t', 'table');
  const x = b.input('x', codes(3));
  const [p, q] = [
    b.add(
      'p',
      edgeLayer(3, 2, () => true),
      [x],
    ),
    b.add(
      'q',
      edgeLayer(3, 2, () => true),
      [x],
    ),
  ];
  const other = b.add(
    'r',
    edgeLayer(3, 2, (i) => i > 0),
    [x],
  );
  const graph = rightOf(b.build([p, q, other]));
  const { graph: after, remarks } = runText(graph, 'dedupe');
  expect(after.nodes.map((n) => n.name)).toEqual(['p', 'r']);
  expect(after.outputs).toEqual(['p', 'p', 'r']);
  expect(remarks).toContain('note : 1 ops were computed twice');
});

it('shares the arrays of equal constants between different ops', () => {
  const map = () => constant(uint(2), [1, 4], Uint8Array.of(3, 2, 1, 0));
  const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
  const graph = tableGraph((b) => {
    const y = b.add('y', { kind: 'recode', attrs: { map: map(), bits: 2, quantizer } }, [
      b.input('x', codes(3)),
    ]);
    return b.add('z', { kind: 'recode', attrs: { map: map(), bits: 3, quantizer } }, [y]);
  });
  const arrays = (g: Graph) => new Set(nodesOf(g, 'recode').map((n) => n.op.attrs.map.data)).size;
  expect([arrays(graph), arrays(compiled(graph, 'dedupe'))]).toEqual([2, 1]);
});
