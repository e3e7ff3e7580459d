/** `narrow`: the proven range, and the type that holds it. */
import { expect, it } from 'vitest';
import { edgeTableRange } from '../../src/ir/index.js';
import { codes, compiled, edgeLayer, onlyOf, outputOf, runText, tableGraph } from './support.js';

it('gives accumulators the range that is proven and the type that holds it', () => {
  const wide = tableGraph((b) => {
    const op = edgeLayer(6, 2, () => true);
    const attrs = { ...op.attrs, acc: 32, lo: -(2 ** 30), hi: 2 ** 30 };
    return b.add('acc', { kind: 'table.edge', attrs }, [b.input('x', codes(6))]);
  });
  const { graph, remarks } = runText(wide, 'narrow');
  const { acc, lo, hi, table } = onlyOf(graph, 'table.edge').op.attrs;
  expect({ acc, ...edgeTableRange({ table }, 6) }).toEqual({ acc: 16, lo, hi });
  expect(remarks).toEqual([`note acc: range [${lo}, ${hi}] in i16`]);
});

it('the range is reached: no smaller one holds every input', () => {
  const graph = tableGraph((b) =>
    b.add(
      'acc',
      edgeLayer(3, 2, () => true),
      [b.input('x', codes(3))],
    ),
  );
  const { lo, hi } = onlyOf(compiled(graph, 'narrow'), 'table.edge').op.attrs;
  const data = Uint8Array.from({ length: 3 * 64 }, (_, j) => (Math.floor(j / 3) >> (2 * (j % 3))) & 3);
  const sums = Array.from(outputOf(graph, { type: codes(3), batch: 64, data }).data);
  expect([Math.min(...sums), Math.max(...sums)]).toEqual([lo, hi]);
});
