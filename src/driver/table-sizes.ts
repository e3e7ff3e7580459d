/** What tables will take, before they are made. */
import * as E from 'fp-ts/lib/Either.js';
import { basisCost, chooseForm, edgeCost, type Form, hasBasisForm } from '../analyses/form-cost.js';
import { definitionsOf, type Graph, typesOf, type ValueName } from '../ir/graph.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { layerInputs } from '../ir/ops/layers.js';
import { innerOf } from '../ir/types.js';
import { bytesOption } from '../passes/options.js';
import type { PassCall } from '../passes/pipeline-text.js';
import { type BoundPass, BUILTIN_PASSES } from '../passes/registry.js';
import { MAX_CONSTANT_BYTES, tooLarge } from './graph-text.js';

/** The options of `tabulate` that decide the form, as text or by their defaults. */
const formOf = ({
  options,
}: PassCall): ((layer: KanAttrs, inputs: number, levels: number, positions: number) => Form) => {
  const defaultOf = (name: string): string =>
    BUILTIN_PASSES.find((p) => p.name === 'tabulate')?.help.find((o) => o.name === name)?.default ?? '';
  const form = options['form'] ?? defaultOf('form');
  const budget = bytesOption('', '').parse(options['budget'] ?? defaultOf('budget'));
  return (layer, inputs, levels, positions) => {
    if (form === 'edge' || !hasBasisForm(layer)) return 'edge';
    return form === 'basis'
      ? 'basis'
      : chooseForm(layer, inputs, levels, E.isRight(budget) ? budget.right : 0, positions);
  };
};

/** Levels of the codes behind a value: those of the first quantizer found on the way up. */
const levelsBehind = (graph: Graph): ((value: ValueName) => number) => {
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  const find = (value: ValueName): number => {
    const meaning = types.get(value)?.meaning;
    if (meaning !== undefined && meaning._tag !== 'scaled') return meaning.levels;
    const node = definitions.get(value);
    if (node === undefined || node.op.kind === 'kan') return 0;
    return node.operands.reduce((levels, operand) => Math.max(levels, find(operand)), 0);
  };
  return find;
};

/** Bytes of the tables that `tabulate` would make of a quantized graph. */
const tableBytes = (graph: Graph, call: PassCall): number => {
  const form = formOf(call);
  const levelsOf = levelsBehind(graph);
  const types = typesOf(graph);
  let bytes = 0;
  for (const { op, operands, type } of graph.nodes) {
    if (op.kind !== 'kan') continue;
    const inputs = layerInputs(types.get(operands[0]!)?.shape ?? [0], op.attrs.window);
    const levels = levelsOf(operands[0]!);
    const edge = form(op.attrs, inputs, levels, innerOf(type)) === 'edge';
    bytes += (edge ? edgeCost(op.attrs, inputs, levels) : basisCost(op.attrs, inputs, levels))?.bytes ?? 0;
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
