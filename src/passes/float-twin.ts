/** The float network behind a quantized graph, and the outputs that its layers have on samples. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, invariant } from '../diagnostics/index.js';
import { accumulateInput, branchEvaluator } from '../ir/basis-evaluate.js';
import { rewrite } from '../ir/builder.js';
import { definitionsOf, type Graph, type Node, type ValueName } from '../ir/graph.js';
import { evaluateOp, type Op } from '../ir/ops/index.js';
import { tableLayerOf } from '../ir/table-layer.js';
import { emptyTensor, type Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import { addRow } from '../numeric/rows.js';

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

/**
 * The value of a node on many samples at once, layers on features one input after the other: what an input adds is computed
 * once for every value that it has, however many samples have it, and its tables stay in the cache. Integers are those of
 * the interpreter; float sums are in another order.
 */
export const evaluateByInputs = (node: Node, operands: ReadonlyArray<Tensor>): Tensor => {
  const [x] = operands;
  const layer = layerOf(node.op);
  return layer === undefined || x === undefined
    ? evaluateOp(node.op, operands, node.type)
    : evaluateLayer(layer, x, emptyTensor(node.type, x.batch));
};

interface Layer {
  readonly bias: ArrayLike<number> | undefined;
  /** Adds what input i adds at a value to `sums`, [outputs]. */
  readonly add: (input: number, value: number, sums: Float64Array) => void;
}

/** Undefined for what is not a layer on features. */
const layerOf = (op: Op): Layer | undefined => {
  if (op.kind === 'kan' && op.attrs.window === undefined) {
    const branches = op.attrs.branches.map(branchEvaluator);
    const add: Layer['add'] = (i, value, sums) => {
      for (const b of branches) accumulateInput(b, i, value, sums);
    };
    return { bias: op.attrs.bias?.data, add };
  }
  const table = tableLayerOf(op);
  return table === undefined || table.window !== undefined
    ? undefined
    : { bias: table.bias?.data, add: (i, code, sums) => table.addRow(i, code, sums, 0) };
};

/** The value that most samples have (the background of images) is added to all, and the others as differences from it. */
const evaluateLayer = ({ bias, add }: Layer, x: Tensor, result: Tensor): Tensor => {
  const inputs = sizeOf(x.type);
  const outputs = sizeOf(result.type);
  const acc = new Float64Array(x.batch * outputs);
  const shared = new Float64Array(outputs);
  if (bias !== undefined) shared.set(bias);
  const numberOf = new Map<number, number>();
  const numbers = new Uint32Array(x.batch);
  const counts = new Uint32Array(x.batch);
  let rows = new Float64Array(0);
  for (let i = 0; i < inputs; i++) {
    numberOf.clear();
    counts.fill(0);
    let common = 0;
    for (let n = 0; n < x.batch; n++) {
      const value = x.data[n * inputs + i]!;
      const number = numberOf.get(value) ?? numberOf.size;
      if (number === numberOf.size) numberOf.set(value, number);
      numbers[n] = number;
      counts[number]!++;
      if (counts[number]! > counts[common]!) common = number;
    }
    if (rows.length < numberOf.size * outputs) rows = new Float64Array(numberOf.size * outputs);
    else rows.fill(0);
    for (const [value, number] of numberOf) {
      add(i, value, rows.subarray(number * outputs, (number + 1) * outputs));
    }
    addRow(shared, 0, rows, common * outputs, 1, outputs);
    for (let k = 0; k < numberOf.size; k++) {
      if (k !== common) addRow(rows, k * outputs, rows, common * outputs, -1, outputs);
    }
    for (let n = 0; n < x.batch; n++) {
      const number = numbers[n]!;
      if (number !== common) addRow(acc, n * outputs, rows, number * outputs, 1, outputs);
    }
  }
  for (let n = 0; n < x.batch; n++) addRow(acc, n * outputs, shared, 0, 1, outputs);
  result.data.set(acc);
  return result;
};
