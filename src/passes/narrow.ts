/** Proves the range of every accumulator anew and gives each the narrowest type that holds it. */
import { rewrite } from '../ir/builder.js';
import { layerInputs } from '../ir/ops/layers.js';
import { isTableLayer } from '../ir/table-layer.js';
import { declareOptions } from './options.js';
import { definePass, note, type Remark, withRemarks } from './pass.js';
import { proveLayer } from './table-parts.js';

const { codec, help } = declareOptions({});

export const narrow = definePass<'table', 'table', Record<never, never>>({
  name: 'narrow',
  summary: 'proves the range of every accumulator and narrows its type to it',
  options: codec,
  help,
  from: 'table',
  to: 'table',
  run: () => (graph) => {
    const remarks: Remark[] = [];
    const result = rewrite<'table'>(graph, 'table', (node, r) => {
      if (!isTableLayer(node.op)) return r.keep(node);
      const operands = node.operands.map(r.of);
      const inputs = layerInputs(r.typeOf(operands[0]!).shape, node.op.attrs.window);
      const op = proveLayer(node.op, inputs);
      if (op === undefined) return r.keep(node);
      const { acc, lo, hi } = op.attrs;
      if (acc === node.op.attrs.acc && lo === node.op.attrs.lo && hi === node.op.attrs.hi)
        return r.keep(node);
      remarks.push(note(`range [${lo}, ${hi}] in i${acc}`, node.name));
      return r.add(node.name, op, operands);
    });
    return withRemarks(result, remarks);
  },
});
