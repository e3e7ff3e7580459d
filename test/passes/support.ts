/** What the tests of passes share: shipped models and their data, small random networks, and running pipelines. */
import { readFileSync } from 'node:fs';
import { importCheckpoint, type NpyArray, readNpy } from '../../src/importers/index.js';
import {
  type Branch,
  type Builder,
  builder,
  constant,
  edgeTableRange,
  F32,
  floatType,
  type Graph,
  int,
  interpret,
  isLevel,
  type Node,
  type Op,
  type OpKind,
  type OpOf,
  type Tensor,
  uint,
  type ValueName,
  type ValueType,
  valueType,
  verify,
} from '../../src/ir/index.js';
import type { Activation } from '../../src/numeric/activations.js';
import {
  BUILTIN_PASSES,
  bindPipelineText,
  type Dataset,
  fold,
  NO_CONTEXT,
  type PassContext,
  type PassEvent,
  runPipeline,
  toTensor,
} from '../../src/passes/index.js';
import { rightOf } from '../support/checked.js';
import { constantBy } from '../support/quantizers.js';
import { type Random, randomOf } from '../support/random.js';

const examples = new URL('../../examples/', import.meta.url);

export const example = (path: string): Uint8Array => readFileSync(new URL(path, examples));

export const readArray = (path: string): NpyArray => rightOf(readNpy(example(path)));

export const dataset = (path: string): Dataset => ({ path, array: readArray(`data/${path}`) });

export const model = (name: string, file = 'model.safetensors'): Graph<'float'> => {
  const graph = rightOf(importCheckpoint(example(`models/${name}/${file}`), `${name}/${file}`));
  if (!isLevel('float')(graph)) throw new Error(`${name} is a ${graph.level} graph`);
  return graph;
};

/** A context that gives the same data for every path. */
export const contextOf = (data: Dataset | undefined): PassContext => ({ dataset: () => data });

export interface Ran {
  readonly graph: Graph;
  readonly events: ReadonlyArray<PassEvent>;
  /** All remarks, as `severity op: message`. */
  readonly remarks: ReadonlyArray<string>;
}

/** Runs a pipeline text with the verifier after every pass. */
export const runText = (graph: Graph, text: string, data?: Dataset): Ran => {
  const pipeline = rightOf(bindPipelineText(text, BUILTIN_PASSES, graph.level));
  const events: PassEvent[] = [];
  const onPass = (event: PassEvent): void => {
    events.push(event);
  };
  const result = rightOf(
    runPipeline(pipeline, graph, { context: contextOf(data), verifyEach: true, onPass }),
  );
  const remarks = events.flatMap((e) => e.remarks.map((r) => `${r.severity} ${r.op ?? ''}: ${r.message}`));
  return { graph: result, events, remarks };
};

export const compiled = (graph: Graph, text: string, data?: Dataset): Graph =>
  runText(graph, text, data).graph;

/** The only output on a batch. */
export const outputOf = (graph: Graph, input: Tensor): Tensor => rightOf(interpret(graph, [input]))[0]!;

/** Every value of a graph on a batch, by name. */
export const valuesOf = (graph: Graph, input: Tensor): ReadonlyMap<string, Tensor> => {
  const values = new Map<string, Tensor>();
  rightOf(interpret(graph, [input], (name, value) => values.set(name, value)));
  return values;
};

export const inputOf = (graph: Graph, data: Dataset, limit?: number): Tensor =>
  rightOf(toTensor(data, graph.inputs[0]!.type, limit));

/** Number of samples whose largest output is at their label. */
export const hits = (output: Tensor, labels: ArrayLike<number>): number => {
  const classes = output.data.length / output.batch;
  let count = 0;
  for (let n = 0; n < output.batch; n++) {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (output.data[n * classes + c]! > output.data[n * classes + best]!) best = c;
    }
    if (best === labels[n]) count++;
  }
  return count;
};

/** The nodes of one kind, in order. */
export const nodesOf = <K extends OpKind>(graph: Graph, kind: K): ReadonlyArray<Node & { op: OpOf<K> }> =>
  graph.nodes.filter((node): node is Node & { op: OpOf<K> } => node.op.kind === kind);

/** The only op of a kind. */
export const onlyOf = <K extends OpKind>(graph: Graph, kind: K): Node & { op: OpOf<K> } => {
  const [only, ...others] = nodesOf(graph, kind);
  if (only === undefined || others.length > 0) throw new Error(`not one op of kind ${kind}`);
  return only;
};

/** Root of the mean square of the differences. */
export const rmsDifference = (a: Tensor, b: Tensor): number => {
  let sum = 0;
  for (let j = 0; j < a.data.length; j++) sum += (a.data[j]! - b.data[j]!) ** 2;
  return Math.sqrt(sum / a.data.length);
};

/** Fails with the diagnostic when the graph breaks a rule. */
export const expectSound = (graph: Graph): void => rightOf(verify(graph));

export const floatInput = (features: number, values: ArrayLike<number>): Tensor => ({
  type: floatType([features]),
  batch: values.length / features,
  data: Float32Array.from(values),
});

export const asDataset = (features: number, values: ArrayLike<number>): Dataset => ({
  path: 'made up',
  array: { shape: [values.length / features, features], dtype: 'f4', data: Float32Array.from(values) },
});

/** `samples` rows of values uniform in [lo, hi). */
export const uniformValues = (r: Random, samples: number, features: number, lo = -1, hi = 1): Float32Array =>
  Float32Array.from({ length: samples * features }, () => lo + (hi - lo) * r.unit());

export interface KanShape {
  readonly layers: ReadonlyArray<number>;
  /** Intervals of the grid on [-1, 1]; 4 when absent. */
  readonly grid?: number;
  readonly order?: number;
  /** A row of knots for every input, unevenly spaced. */
  readonly uneven?: boolean;
  readonly base?: Activation | 'none';
  readonly bias?: boolean;
}

/** Knots t_0..t_{G+2p} over [-1, 1] with p more on each side; uneven ones wander by up to 0.3 steps. */
export const knotsOver = (r: Random, grid: number, order: number, uneven: boolean): Float32Array => {
  const h = 2 / grid;
  return Float32Array.from(
    { length: grid + 2 * order + 1 },
    (_, j) => -1 + (j - order + (uneven ? 0.6 * (r.unit() - 0.5) : 0)) * h,
  );
};

const weights = (r: Random, shape: readonly [number, number, number]) =>
  constant(
    F32,
    shape,
    Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => r.unit() * 2 - 1),
  );

/** A network of KAN layers with random weights. The same seed gives the same network. */
export const randomKan = (seed: number, shape: KanShape): Graph<'float'> => {
  const r = randomOf(seed);
  const { layers, grid = 4, order = 3, uneven = false, base = 'silu', bias = false } = shape;
  const b = builder('random', 'float');
  let value = b.input('x', floatType([layers[0]!]));
  for (let l = 0; l + 1 < layers.length; l++) {
    const [inputs, outputs] = [layers[l]!, layers[l + 1]!];
    const rows = uneven ? inputs : 1;
    const knots = Float32Array.from(
      Array.from({ length: rows }, () => [...knotsOver(r, grid, order, uneven)]).flat(),
    );
    const spline: Branch = {
      basis: { _tag: 'bspline', order, knots: constant(F32, [rows, grid + 2 * order + 1], knots) },
      weights: weights(r, [inputs, grid + order, outputs]),
    };
    const branches: Branch[] = [spline];
    if (base !== 'none') {
      branches.push({ basis: { _tag: 'base', activation: base }, weights: weights(r, [inputs, 1, outputs]) });
    }
    const op: Op = {
      kind: 'kan',
      attrs: {
        branches,
        ...(bias
          ? {
              bias: constant(
                F32,
                [outputs],
                Float32Array.from({ length: outputs }, () => r.unit() * 4 - 2),
              ),
            }
          : {}),
      },
    };
    value = b.add(`layer${l}`, op, [value]);
  }
  return rightOf(b.build([value]));
};

/** A table graph whose output is what `make` returns. */
export const tableGraph = (make: (b: Builder<'table'>) => ValueName): Graph<'table'> => {
  const b = builder('t', 'table');
  return rightOf(b.build([make(b)]));
};

/** The type of codes of 4 levels that stand for 0 to 3. */
export const codes = (features: number): ValueType =>
  valueType(uint(2), [features], { _tag: 'uniform', lo: 0, step: 1, levels: 4 });

/** An edge layer on 4 codes, whose edge from input i to output o is constant unless moves(i, o). */
export const edgeLayer = (
  inputs: number,
  outputs: number,
  moves: (i: number, o: number) => boolean,
): OpOf<'table.edge'> => {
  const table = constantBy(int(8), [inputs, 4, outputs], (e) => {
    const [i, c, o] = [Math.floor(e / (4 * outputs)), Math.floor(e / outputs) % 4, e % outputs];
    return moves(i, o) ? ((i * 7 + c * 5 + o * 3) % 11) - 5 : i + o;
  });
  const range = edgeTableRange({ table }, inputs);
  return { kind: 'table.edge', attrs: { table, scale: 0.5, acc: 16, ...range } };
};

/** Calibration data for a random network. */
export const calibrationOf = (features: number, seed = 1, samples = 300): Dataset =>
  asDataset(features, uniformValues(randomOf(seed), samples, features));

/** What `fold` makes of a graph; it must keep the rules. */
export const folded = (graph: Graph<'table'>): Graph<'table'> => {
  const { graph: result } = rightOf(fold.run({}, NO_CONTEXT)(graph));
  expectSound(result);
  return result;
};

/** The kinds of the ops that the outputs depend on. */
export const kinds = (graph: Graph): ReadonlyArray<OpKind> =>
  compiled(graph, 'dce').nodes.map((n) => n.op.kind);
