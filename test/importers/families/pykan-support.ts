/** Random MultKANs as their tensors and configuration, and what they compute, written from the definition. */
import type { FileTensor } from '../../../src/importers/containers/tensor.js';
import { type ImportOptions, importSource, type Source } from '../../../src/importers/index.js';
import { SYMBOLIC_FUNCTIONS, type SymbolicFunction } from '../../../src/numeric/symbolic.js';
import { coxDeBoor } from '../../support/naive-basis.js';
import { type Random, randomOf } from '../../support/random.js';
import { f32, uniform } from '../arch/support.js';

export type Tensors = Record<string, FileTensor>;

export interface PykanShape {
  readonly seed: number;
  /** Of every layer of nodes: sum nodes, and the factors of each multiplication node. */
  readonly nodes: ReadonlyArray<{ readonly sum: number; readonly arities: ReadonlyArray<number> }>;
  readonly grid: number;
  readonly order: number;
  /** Share of edges that are masked, and that are symbolic. */
  readonly masked: number;
  readonly symbolic: number;
}

/** Those that are finite on what the tests give them. */
const TAME: ReadonlyArray<SymbolicFunction> = [
  '0',
  'x',
  'x^2',
  'x^3',
  'sin',
  'cos',
  'tanh',
  'abs',
  'gaussian',
  'sgn',
];

export interface RandomPykan {
  readonly tensors: Tensors;
  readonly config: string;
  readonly names: ReadonlyArray<ReadonlyArray<ReadonlyArray<SymbolicFunction>>>;
  readonly shape: PykanShape;
}

const count = (n: PykanShape['nodes'][number]) => n.sum + n.arities.length;
const subCount = (n: PykanShape['nodes'][number]) => n.arities.reduce((a, b) => a + b, n.sum);

const layerTensors = (r: Random, s: PykanShape, l: number): Tensors => {
  const [I, S, N] = [count(s.nodes[l]!), subCount(s.nodes[l + 1]!), count(s.nodes[l + 1]!)];
  const { grid: G, order: p } = s;
  const bits = (shape: ReadonlyArray<number>, share: number) =>
    f32(
      shape,
      Array.from({ length: shape[0]! * shape[1]! }, () => (r.chance(share) ? 1 : 0)),
    );
  const knots = Array.from({ length: I }, () =>
    Array.from({ length: G + 2 * p + 1 }, (_, j) => -1 + ((j - p + 0.8 * r.unit()) * 2) / G),
  );
  return {
    [`act_fun.${l}.grid`]: f32([I, G + 2 * p + 1], knots.flat()),
    [`act_fun.${l}.coef`]: uniform(r, [I, S, G + p]),
    [`act_fun.${l}.mask`]: bits([I, S], 1 - s.masked),
    [`act_fun.${l}.scale_base`]: uniform(r, [I, S]),
    [`act_fun.${l}.scale_sp`]: uniform(r, [I, S]),
    [`symbolic_fun.${l}.mask`]: bits([S, I], s.symbolic),
    [`symbolic_fun.${l}.affine`]: uniform(r, [S, I, 4]),
    [`subnode_scale_${l}`]: uniform(r, [S]),
    [`subnode_bias_${l}`]: uniform(r, [S]),
    [`node_scale_${l}`]: uniform(r, [N]),
    [`node_bias_${l}`]: uniform(r, [N]),
  };
};

export const randomPykan = (shape: PykanShape): RandomPykan => {
  const r = randomOf(shape.seed);
  const tensors: Tensors = {};
  const names: SymbolicFunction[][][] = [];
  for (let l = 0; l + 1 < shape.nodes.length; l++) {
    Object.assign(tensors, layerTensors(r, shape, l));
    const [I, S] = [count(shape.nodes[l]!), subCount(shape.nodes[l + 1]!)];
    names.push(Array.from({ length: S }, () => Array.from({ length: I }, () => r.pick(TAME))));
  }
  return { tensors, config: configOf(shape, names), names, shape };
};

/** As PyYAML writes it, in flow style. */
const configOf = (shape: PykanShape, names: RandomPykan['names']): string =>
  [
    'base_fun_name: silu',
    `mult_arity: ${JSON.stringify(shape.nodes.map((n) => n.arities))}`,
    'symbolic_enabled: true',
    ...names.map((layer, l) => `symbolic.funs_name.${l}: ${JSON.stringify(layer)}`),
    `width: ${JSON.stringify(shape.nodes.map((n) => [n.sum, n.arities.length]))}`,
    '',
  ].join('\n');

export const naivePykan = (
  { tensors: t, names, shape }: RandomPykan,
  input: ReadonlyArray<number>,
): ReadonlyArray<number> => {
  let x = input;
  for (let l = 0; l + 1 < shape.nodes.length; l++) {
    const get = (name: string) => t[name]!;
    const [grid, coef] = [get(`act_fun.${l}.grid`), get(`act_fun.${l}.coef`)];
    const [S, K] = [coef.shape[1]!, coef.shape[2]!];
    const count = grid.shape[1]!;
    const z = Array.from({ length: S }, (_, s) => {
      let sum = 0;
      for (const [i, xi] of x.entries()) {
        const e = i * S + s;
        const row = grid.data.slice(i * count, (i + 1) * count);
        let spline = 0;
        for (let k = 0; k < K; k++) spline += coef.data[e * K + k]! * coxDeBoor(row, k, shape.order, xi);
        const base = xi / (1 + Math.exp(-xi));
        sum +=
          get(`act_fun.${l}.mask`).data[e]! *
          (get(`act_fun.${l}.scale_base`).data[e]! * base + get(`act_fun.${l}.scale_sp`).data[e]! * spline);
        const q = s * x.length + i;
        const [a0, a1, a2, a3] = get(`symbolic_fun.${l}.affine`).data.slice(4 * q, 4 * q + 4);
        if (get(`symbolic_fun.${l}.mask`).data[q] !== 0) {
          sum += a2! * SYMBOLIC_FUNCTIONS[names[l]![s]![i]!](a0! * xi + a1!) + a3!;
        }
      }
      return get(`subnode_scale_${l}`).data[s]! * sum + get(`subnode_bias_${l}`).data[s]!;
    });
    const { sum, arities } = shape.nodes[l + 1]!;
    let next = sum;
    const products = arities.map((a) => {
      const from = next;
      next += a;
      return z.slice(from, next).reduce((p, v) => p * v, 1);
    });
    x = [...z.slice(0, sum), ...products].map(
      (v, n) => get(`node_scale_${l}`).data[n]! * v + get(`node_bias_${l}`).data[n]!,
    );
  }
  return x;
};

/** A safetensors file of f32 tensors. */
export const safetensorsOf = (tensors: Tensors): Uint8Array => {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + 4 * data.length] };
    at += 4 * data.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + at);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, json.length, true);
  bytes.set(json, 8);
  let to = 8 + json.length;
  for (const { data } of Object.values(tensors)) {
    for (const x of data) {
      view.setFloat32(to, x, true);
      to += 4;
    }
  }
  return bytes;
};

/** Imports tensors with a configuration beside them, or without one. */
export const importPykan = (tensors: Tensors, config: string | undefined, options: ImportOptions = {}) => {
  const source: Source = {
    file: 'net_state',
    name: 'net_state',
    bytes: safetensorsOf(tensors),
    beside: new Map(config === undefined ? [] : [['net_config.yml', new TextEncoder().encode(config)]]),
  };
  return importSource(source, options);
};
