/** The float network behind a quantized graph, and the outputs that its layers have on samples. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, invariant } from '../diagnostics/index.js';
import { rewrite } from '../ir/builder.js';
import { definitionsOf, type Graph, type ValueName } from '../ir/graph.js';
import type { Tensor } from '../ir/tensor.js';
import { evaluateByInputs } from './evaluate-by-inputs.js';

export interface Twin {
  readonly graph: Graph<'float'>;
  /** The layers of the quantized graph by the names that they have here. */
  readonly layers: ReadonlyMap<ValueName, ValueName>;
}

/** What was quantized and decoded is read as it was. */
export const floatTwin = (graph: Graph<'quantized'>): Checked<Twin> => {
  const definitions = definitionsOf(graph);
  const layers = new Map<ValueName, ValueName>();
  const twin = rewrite(graph, 'float', (node, r) => {
    const before = node.op.kind === 'decode' ? definitions.get(node.operands[0]!) : undefined;
    if (node.op.kind === 'quantize' || before?.op.kind === 'quantize') return r.of(node.operands[0]!);
    const name = r.keep(node);
    if (node.op.kind === 'kan') layers.set(name, node.name);
    return name;
  });
  return E.map((made: Graph<'float'>) => ({ graph: made, layers }))(twin);
};

/**
 * Runs the network on samples and calls back with the outputs of every layer. Values that nothing reads any more are
 * forgotten, and what comes after the last layer is not computed.
 */
export const runTwin = (
  { graph, layers }: Twin,
  samples: Tensor,
  visit: (layer: ValueName, outputs: Tensor) => void,
): void => {
  const last = graph.nodes.findLastIndex((node) => layers.has(node.name));
  const lastUse = new Map<ValueName, number>();
  for (const [k, node] of graph.nodes.entries()) for (const o of node.operands) lastUse.set(o, k);
  const values = new Map<ValueName, Tensor>([[graph.inputs[0]!.name, samples]]);
  for (const [k, node] of graph.nodes.slice(0, last + 1).entries()) {
    const operands = node.operands.map((o) => {
      const value = values.get(o);
      invariant(value !== undefined, `%${o} is not defined`);
      return value;
    });
    const value = evaluateByInputs(node, operands);
    values.set(node.name, value);
    const layer = layers.get(node.name);
    if (layer !== undefined) visit(layer, value);
    for (const o of node.operands) if (lastUse.get(o) === k) values.delete(o);
  }
};
