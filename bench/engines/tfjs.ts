/**
 * TensorFlow.js with its WebAssembly backend: layers of features, written with its ops as the Python libraries write
 * them with those of torch. An optional peer: the packages are looked up when the benchmark runs.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Basis, Branch, BSpline } from '../../src/ir/basis.js';
import { functionCount } from '../../src/ir/basis.js';
import { type Constant, channel, f32Data } from '../../src/ir/constant.js';
import type { Graph, ValueName } from '../../src/ir/graph.js';
import { channelsOf } from '../../src/ir/types.js';
import type { Absent, Engine } from './engine.js';

/** A tensor of the library, of which we know only what we do with it. */
interface Tensor {
  readonly shape: ReadonlyArray<number>;
  readonly dataSync: () => Float32Array;
  readonly dispose: () => void;
}

type Shape = ReadonlyArray<number>;

interface Library {
  readonly tensor: (data: Float32Array, shape: Shape) => Tensor;
  readonly tidy: <A>(f: () => A) => A;
  readonly add: (a: Tensor, b: Tensor) => Tensor;
  readonly sub: (a: Tensor, b: Tensor) => Tensor;
  readonly mul: (a: Tensor, b: Tensor) => Tensor;
  readonly exp: (a: Tensor) => Tensor;
  readonly neg: (a: Tensor) => Tensor;
  readonly square: (a: Tensor) => Tensor;
  readonly rsqrt: (a: Tensor) => Tensor;
  readonly sigmoid: (a: Tensor) => Tensor;
  readonly mean: (a: Tensor, axis: number, keep: boolean) => Tensor;
  readonly greaterEqual: (a: Tensor, b: Tensor) => Tensor;
  readonly less: (a: Tensor, b: Tensor) => Tensor;
  readonly logicalAnd: (a: Tensor, b: Tensor) => Tensor;
  readonly cast: (a: Tensor, type: string) => Tensor;
  readonly slice: (a: Tensor, from: Shape, size: Shape) => Tensor;
  readonly reshape: (a: Tensor, shape: Shape) => Tensor;
  readonly concat: (parts: ReadonlyArray<Tensor>, axis: number) => Tensor;
  readonly matMul: (a: Tensor, b: Tensor) => Tensor;
  readonly setBackend: (name: string) => Promise<boolean>;
}

const USED = [
  'tensor',
  'tidy',
  'add',
  'sub',
  'mul',
  'exp',
  'neg',
  'square',
  'rsqrt',
  'sigmoid',
  'mean',
  'greaterEqual',
  'less',
  'logicalAnd',
  'cast',
  'slice',
  'reshape',
  'concat',
  'matMul',
  'setBackend',
];

const isLibrary = (u: unknown): u is Library =>
  typeof u === 'object' && u !== null && USED.every((name) => typeof Reflect.get(u, name) === 'function');

let found: Promise<Library | undefined> | undefined;

/** The library with its backend, from the project or from a folder in which it was installed. */
const libraryOf = (folder: string | undefined): Promise<Library | undefined> => {
  const load = async (): Promise<Library | undefined> => {
    const base = folder === undefined ? import.meta.url : pathToFileURL(`${folder}/index.js`).href;
    const { resolve } = createRequire(base);
    try {
      const core: unknown = await import(pathToFileURL(resolve('@tensorflow/tfjs-core')).href);
      await import(pathToFileURL(resolve('@tensorflow/tfjs-backend-wasm')).href);
      return isLibrary(core) && (await core.setBackend('wasm')) ? core : undefined;
    } catch {
      return undefined;
    }
  };
  found ??= load();
  return found;
};

type Part = (x: Tensor) => Tensor;

/** The last axis from `from` on, `count` long. */
const part = (tf: Library, a: Tensor, from: number, count: number): Tensor =>
  tf.slice(
    a,
    a.shape.map((_, k) => (k === a.shape.length - 1 ? from : 0)),
    a.shape.map((d, k) => (k === a.shape.length - 1 ? count : d)),
  );

/** All functions by the Cox-de Boor recursion on whole tensors, [n, I] to [n, I, K]; knots and widths are constants. */
const splines = (tf: Library, { knots, order }: BSpline): Part => {
  const [rows, count] = [knots.shape[0]!, knots.shape[1]!];
  const data = f32Data(knots);
  const rowsOf = (from: number, length: number, f: (row: number, k: number) => number): Tensor => {
    const values = Float32Array.from({ length: rows * length }, (_, j) =>
      f(Math.floor(j / length), from + (j % length)),
    );
    return tf.tensor(values, [1, rows, length]);
  };
  const knot = (row: number, k: number): number => data[row * count + k]!;
  const inverse = (row: number, k: number, q: number): number => {
    const width = knot(row, k + q) - knot(row, k);
    return width > 0 ? 1 / width : 0;
  };
  const [low, high] = [rowsOf(0, count - 1, knot), rowsOf(1, count - 1, knot)];
  const steps = Array.from({ length: order }, (_, step) => {
    const q = step + 1;
    const n = count - 1 - q;
    return {
      n,
      left: rowsOf(0, n, knot),
      right: rowsOf(q + 1, n, knot),
      up: rowsOf(0, n, (row, k) => inverse(row, k, q)),
      down: rowsOf(1, n, (row, k) => inverse(row, k, q)),
    };
  });
  return (x) => {
    const wide = tf.reshape(x, [...x.shape, 1]);
    let values = tf.cast(tf.logicalAnd(tf.greaterEqual(wide, low), tf.less(wide, high)), 'float32');
    for (const { n, left, right, up, down } of steps) {
      const rising = tf.mul(tf.mul(tf.sub(wide, left), up), part(tf, values, 0, n));
      const falling = tf.mul(tf.mul(tf.sub(right, wide), down), part(tf, values, 1, n));
      values = tf.add(rising, falling);
    }
    return values;
  };
};

const basisOf = (tf: Library, basis: Basis): Part | undefined => {
  if (basis._tag === 'bspline') return splines(tf, basis);
  if (basis._tag === 'base' && basis.activation === 'silu') return (x) => tf.mul(x, tf.sigmoid(x));
  if (basis._tag === 'rbf') {
    const centers = Float32Array.from(f32Data(basis.centers), (c) => c / basis.width);
    const [at, inverse] = [
      tf.tensor(centers, [1, 1, centers.length]),
      tf.tensor(Float32Array.of(1 / basis.width), [1]),
    ];
    return (x) => tf.exp(tf.neg(tf.square(tf.sub(tf.mul(tf.reshape(x, [...x.shape, 1]), inverse), at))));
  }
  return undefined;
};

const layerOf = (
  tf: Library,
  branches: ReadonlyArray<Branch>,
  bias: Constant | undefined,
): Part | undefined => {
  const parts: Part[] = [];
  for (const { basis, weights, from = 0 } of branches) {
    const expand = basisOf(tf, basis);
    if (expand === undefined) return undefined;
    const [inputs, outputs] = [weights.shape[0]!, weights.shape[2]!];
    const columns = inputs * functionCount(basis);
    const matrix = tf.tensor(f32Data(weights), [columns, outputs]);
    parts.push((x) => {
      const read = inputs === x.shape[1] ? x : part(tf, x, from, inputs);
      return tf.matMul(tf.reshape(expand(read), [x.shape[0]!, columns]), matrix);
    });
  }
  const offset = bias === undefined ? undefined : tf.tensor(f32Data(bias), [1, bias.data.length]);
  return (x) => {
    const sum = parts.map((f) => f(x)).reduce((a, b) => tf.add(a, b));
    return offset === undefined ? sum : tf.add(sum, offset);
  };
};

/** The network as a function of tensors, or the op that stands in the way. */
const networkOf = (tf: Library, graph: Graph): Part | string => {
  const steps: ((values: Map<ValueName, Tensor>) => void)[] = [];
  for (const { op, operands, name, type } of graph.nodes) {
    const of = (values: Map<ValueName, Tensor>, k: number): Tensor => values.get(operands[k]!)!;
    if (op.kind === 'kan' && op.attrs.window === undefined) {
      const layer = layerOf(tf, op.attrs.branches, op.attrs.bias);
      if (layer === undefined)
        return 'edges of symbolic functions differ between inputs: an op for each of them';
      steps.push((values) => values.set(name, layer(of(values, 0))));
    } else if (op.kind === 'concat') {
      steps.push((values) =>
        values.set(
          name,
          tf.concat(
            operands.map((_, k) => of(values, k)),
            1,
          ),
        ),
      );
    } else if (op.kind === 'norm' && type.shape.length === 1) {
      const features = channelsOf(type);
      const row = (f: (c: number) => number): Tensor =>
        tf.tensor(
          Float32Array.from({ length: features }, (_, c) => f(c)),
          [1, features],
        );
      const [scale, shift] = [row((c) => channel(op.attrs.scale, c)), row((c) => channel(op.attrs.shift, c))];
      const epsilon = tf.tensor(Float32Array.of(op.attrs.epsilon), [1]);
      steps.push((values) => {
        const x = of(values, 0);
        const centred = tf.sub(x, tf.mean(x, 1, true));
        const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon));
        values.set(name, tf.add(tf.mul(tf.mul(centred, inverse), scale), shift));
      });
    } else if (op.kind === 'kan') {
      return 'convolutions are written for layers of features only';
    } else {
      return `${op.kind} is not written for it`;
    }
  }
  return (x) => {
    const values = new Map<ValueName, Tensor>([[graph.inputs[0]!.name, x]]);
    for (const step of steps) step(values);
    return values.get(graph.outputs[0]!)!;
  };
};

export const tfjsEngine = async (graph: Graph, folder: string | undefined): Promise<Engine | Absent> => {
  if (graph.level !== 'float') return { why: 'truth tables of integers, which it has no op for' };
  const tf = await libraryOf(folder);
  if (tf === undefined) return { why: '@tensorflow/tfjs-core and tfjs-backend-wasm are not installed' };
  const network = networkOf(tf, graph);
  if (typeof network === 'string') return { why: network };
  const weights = graph.nodes.flatMap(({ op }) => (op.kind === 'kan' ? op.attrs.branches : []));
  return {
    bytes: weights.reduce((n, b) => n + b.weights.data.byteLength, 0),
    load: async () => {
      // The tensors of a second copy of the network: what there is to load besides the library.
      networkOf(tf, graph);
    },
    prepare: async ({ floats, features }, batch) => {
      let last: Float32Array = new Float32Array(0);
      const run = (): void => {
        last = tf.tidy(() => network(tf.tensor(floats, [batch, features])).dataSync());
      };
      run();
      return { run, outputs: async () => last };
    },
  };
};
