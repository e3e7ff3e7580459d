/** What tables will take, before they are made. */
import * as E from 'fp-ts/lib/Either.js';
import { basisCost, edgeCost, hasBasisForm } from '../analyses/form-cost.js';
import { definitionsOf, type Graph, typesOf, type ValueName } from '../ir/graph.js';
import { MAX_CONSTANT_BYTES, tooLarge } from '../ir/graph-text.js';
import { layerInputs } from '../ir/ops/layers.js';
import { innerOf } from '../ir/types.js';
import type { Pipeline } from './pipeline.js';
import type { PassCall } from './pipeline-text.js';
import type { BoundPass } from './registry.js';
import { tabulate } from './tabulate/index.js';
import { wantedForm } from './tabulate/layer.js';

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
  const options = tabulate.options.decode(call.options);
  // Options that the pass does not read were refused when the pipeline was bound.
  if (E.isLeft(options)) return 0;
  const levelsOf = levelsBehind(graph);
  const types = typesOf(graph);
  let bytes = 0;
  for (const { name, op, operands, type } of graph.nodes) {
    if (op.kind !== 'kan') continue;
    const inputs = layerInputs(types.get(operands[0]!)?.shape ?? [0], op.attrs.window);
    const levels = levelsOf(operands[0]!);
    const edge =
      !hasBasisForm(op.attrs) ||
      wantedForm(options.right, name, op.attrs, inputs, levels, innerOf(type)) === 'edge';
    bytes += (edge ? edgeCost(op.attrs, inputs, levels) : basisCost(op.attrs, inputs, levels))?.bytes ?? 0;
  }
  return bytes;
};

/** `tabulate` is not started where its tables would be too large (K0507): they would not even fit into arrays. */
const sizeChecked = (pass: BoundPass, call: PassCall): BoundPass => ({
  ...pass,
  run: (context) => (graph) => {
    const bytes = call.name === 'tabulate' ? tableBytes(graph, call) : 0;
    return bytes > MAX_CONSTANT_BYTES ? tooLarge('the tables', bytes) : pass.run(context)(graph);
  },
});

/** A pipeline whose every `tabulate` is checked so, with the calls that it was bound from. */
export const sizesChecked = (pipeline: Pipeline, calls: ReadonlyArray<PassCall>): Pipeline => ({
  ...pipeline,
  steps: pipeline.steps.map((step, k) => ({ ...step, pass: sizeChecked(step.pass, calls[k]!) })),
});
