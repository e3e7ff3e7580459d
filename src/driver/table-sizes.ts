/** What tables will take, before they are made. */
import * as E from 'fp-ts/lib/Either.js';
import { basisCost, chooseForm, edgeCost, type Form, hasBasisForm } from '../analyses/form-cost.js';
import { definitionsOf, type Graph, typesOf } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { bytesOption } from '../passes/options.js';
import type { PassCall } from '../passes/pipeline-text.js';
import { type BoundPass, BUILTIN_PASSES } from '../passes/registry.js';
import { MAX_CONSTANT_BYTES, tooLarge } from './graph-text.js';

/** The options of `tabulate` that decide the form, as text or by their defaults. */
const formOf = ({ options }: PassCall): ((layer: KanAttrs, levels: number) => Form) => {
  const defaultOf = (name: string): string =>
    BUILTIN_PASSES.find((p) => p.name === 'tabulate')?.help.find((o) => o.name === name)?.default ?? '';
  const form = options['form'] ?? defaultOf('form');
  const budget = bytesOption('', '').parse(options['budget'] ?? defaultOf('budget'));
  return (layer, levels) => {
    if (form === 'edge' || !hasBasisForm(layer)) return 'edge';
    return form === 'basis' ? 'basis' : chooseForm(layer, levels, E.isRight(budget) ? budget.right : 0);
  };
};

/** Bytes of the tables that `tabulate` would make of a quantized graph. */
const tableBytes = (graph: Graph, call: PassCall): number => {
  const form = formOf(call);
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  let bytes = 0;
  for (const { op, operands } of graph.nodes) {
    if (op.kind !== 'kan') continue;
    const meaning = types.get(definitions.get(operands[0]!)?.operands[0] ?? operands[0]!)?.meaning;
    if (meaning === undefined || meaning._tag === 'scaled') continue;
    const { levels } = meaning;
    const cost = form(op.attrs, levels) === 'edge' ? edgeCost(op.attrs, levels) : basisCost(op.attrs, levels);
    bytes += cost?.bytes ?? 0;
  }
  return bytes;
};

/** `tabulate` is not started where its tables would be too large (K0507): they would not even fit into arrays. */
export const sizeChecked = (pass: BoundPass, call: PassCall): BoundPass => ({
  ...pass,
  run: (context) => (graph) => {
    const bytes = call.name === 'tabulate' ? tableBytes(graph, call) : 0;
    return bytes > MAX_CONSTANT_BYTES ? tooLarge('the tables', bytes) : pass.run(context)(graph);
  },
});
