/** `dce`: ops that no output depends on. */
import { expect, it } from 'vitest';
import { builder, floatType } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { runText } from './support.js';

it('drops what no output needs, and nothing else', () => {
  const b = builder('t', 'float');
  const x = b.input('x', floatType([2]));
  const used = b.add('used', { kind: 'affine', attrs: { scale: 2, shift: 1 } }, [x]);
  const dead = b.add('dead', { kind: 'affine', attrs: { scale: 3, shift: 1 } }, [x]);
  b.add('deader', { kind: 'affine', attrs: { scale: 4, shift: 1 } }, [dead]);
  const graph = rightOf(b.build([b.add('y', { kind: 'affine', attrs: { scale: 1, shift: 0 } }, [used])]));
  const { graph: after, remarks } = runText(graph, 'dce');
  expect(after.nodes.map((n) => n.name)).toEqual(['used', 'y']);
  expect(remarks).toEqual(['note : 2 unused ops removed']);
});
