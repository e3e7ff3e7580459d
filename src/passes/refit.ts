/**
 * What edge tables are refit on: for every layer the codes that the tables before it really produce, and the outputs
 * that the float network has on the same samples. The errors of earlier layers are thus corrected as far as later ones
 * can.
 */
import * as E from 'fp-ts/lib/Either.js';
import { graphCost } from '../analyses/graph-cost.js';
import { type Checked, fail, invariant } from '../diagnostics/index.js';
import { type Rewriter, rewrite } from '../ir/builder.js';
import { definitionsOf, type Graph, typesOf, type ValueName } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import { evaluateOp } from '../ir/ops/index.js';
import { emptyTensor, type Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import type { CodeSamples } from '../numeric/table-fit.js';
import { type Dataset, toTensor } from './dataset.js';

export interface RefitOptions {
  readonly samples: number | 'auto';
  readonly ridge: number;
  readonly round: 'together' | 'nearest';
}

/** What a layer is refit on. */
export interface Evidence extends CodeSamples, Pick<RefitOptions, 'ridge' | 'round'> {
  /** [samples, outputs]: the outputs of the layer in the float network. */
  readonly targets: Float32Array;
}

export interface Refit {
  /**
   * The evidence for a layer of the old graph that reads `codes` of the new one. Undefined for layers over windows,
   * and where the network is too large for `samples=auto`.
   */
  readonly evidenceFor: (layer: ValueName, codes: ValueName, r: Rewriter<'table'>) => Evidence | undefined;
}

/** Most samples when it is `auto`: the solve grows with their cube, and 2,048 take a second or two. */
const MOST = 2048;

/** Multiply-accumulates of the float network that refit spends when samples are `auto`. */
const WORK = 2e9;

/** Fewer samples than these correct nothing. */
const FEWEST = 128;

const NOTHING: Refit = { evidenceFor: () => undefined };

/** Runs the float network behind a quantized graph on the data. */
export const refitOn = (graph: Graph<'quantized'>, data: Dataset, options: RefitOptions): Checked<Refit> => {
  const input = graph.inputs[0];
  if (input === undefined || graph.inputs.length > 1) {
    return fail('K0505', 'refit takes a graph with one input', { place: { pass: 'tabulate' } });
  }
  const affordable = Math.floor(WORK / Math.max(1, graphCost(graph).macs));
  const all = toTensor(data, input.type);
  if (E.isLeft(all)) return all;
  if (options.samples === 'auto' && affordable < FEWEST) return E.right(NOTHING);
  const samples = firstFinite(
    all.right,
    options.samples === 'auto' ? Math.max(1, Math.min(MOST, affordable)) : options.samples,
  );
  const twin = floatTwin(graph);
  if (E.isLeft(twin)) return twin;
  if (twin.right.layers.size === 0) return E.right(NOTHING);
  const targets = new Map<ValueName, Float32Array>();
  const ran = interpret(twin.right.graph, [samples], (name, { data: values }) => {
    const layer = twin.right.layers.get(name);
    if (layer !== undefined && values instanceof Float32Array) targets.set(layer, values);
  });
  if (E.isLeft(ran)) return ran;
  const given = new Map([[input.name, samples]]);
  return E.right({
    evidenceFor: (layer, codes, r) => {
      const wanted = targets.get(layer);
      if (wanted === undefined) return undefined;
      return evidence(wanted, valueIn(codes, r, given), options);
    },
  });
};

/** The first samples without NaN and infinities, `most` at most. */
const firstFinite = (all: Tensor, most: number): Tensor => {
  const size = sizeOf(all.type);
  const sound: number[] = [];
  for (let n = 0; n < all.batch && sound.length < most; n++) {
    if (all.data.subarray(n * size, (n + 1) * size).every(Number.isFinite)) sound.push(n);
  }
  const result = emptyTensor(all.type, sound.length);
  for (const [k, n] of sound.entries())
    result.data.set(all.data.subarray(n * size, (n + 1) * size), k * size);
  return result;
};

interface Twin {
  readonly graph: Graph<'float'>;
  /** The layers of the quantized graph (those on features) by the names that they have here. */
  readonly layers: ReadonlyMap<ValueName, ValueName>;
}

/** The float network behind a quantized graph: what was quantized and decoded is read as it was. */
const floatTwin = (graph: Graph<'quantized'>): Checked<Twin> => {
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  const layers = new Map<ValueName, ValueName>();
  const twin = rewrite(graph, 'float', (node, r) => {
    const before = node.op.kind === 'decode' ? definitions.get(node.operands[0]!) : undefined;
    if (node.op.kind === 'quantize' || before?.op.kind === 'quantize') return r.of(node.operands[0]!);
    const name = r.keep(node);
    if (node.op.kind === 'kan' && types.get(node.operands[0]!)?.shape.length === 1)
      layers.set(name, node.name);
    return name;
  });
  return E.map((made: Graph<'float'>) => ({ graph: made, layers }))(twin);
};

/** A value of the graph under construction, on the samples. Everything that was computed is kept in `known`. */
const valueIn = (name: ValueName, r: Rewriter<'table'>, known: Map<ValueName, Tensor>): Tensor => {
  const before = known.get(name);
  if (before !== undefined) return before;
  const node = r.nodeOf(name);
  invariant(node !== undefined, `%${name} is not defined`);
  const value = evaluateOp(
    node.op,
    node.operands.map((o) => valueIn(o, r, known)),
    node.type,
  );
  known.set(name, value);
  return value;
};

/** Evidence on the samples whose targets are numbers: a symbolic edge may have a pole. */
const evidence = (
  targets: Float32Array,
  { type, batch, data }: Tensor,
  { ridge, round }: RefitOptions,
): Evidence => {
  const inputs = sizeOf(type);
  const outputs = batch === 0 ? 0 : targets.length / batch;
  const codes = new Uint16Array(data.length);
  const wanted = new Float32Array(targets.length);
  let samples = 0;
  for (let n = 0; n < batch; n++) {
    const row = targets.subarray(n * outputs, (n + 1) * outputs);
    if (!row.every(Number.isFinite)) continue;
    codes.set(data.subarray(n * inputs, (n + 1) * inputs), samples * inputs);
    wanted.set(row, samples * outputs);
    samples++;
  }
  const { meaning } = type;
  invariant(meaning !== undefined && meaning._tag !== 'scaled', 'tables are refit on codes');
  return {
    samples,
    inputs,
    levels: meaning.levels,
    outputs,
    codes: codes.subarray(0, samples * inputs),
    targets: wanted.subarray(0, samples * outputs),
    ridge,
    round,
  };
};
