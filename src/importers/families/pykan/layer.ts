/** One layer of a MultKAN: its tensors as branches, with masks, scales and affine maps folded in. */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked } from '../../../diagnostics/index.js';
import type { Branch } from '../../../ir/basis.js';
import { type Constant, constant } from '../../../ir/constant.js';
import { F32 } from '../../../ir/element.js';
import type { Activation } from '../../../numeric/activations.js';
import type { FileTensor, TensorFile } from '../../containers/tensor.js';
import { type RepeatedKnots, splineBasis } from '../../knots.js';
import { finiteTensor, numbersTensor } from '../../tensors.js';
import type { PykanConfig } from './config.js';
import { factorsOf, type Nodes, nodesOf } from './nodes.js';
import { type SymbolicPart, symbolicPart } from './symbolic.js';

export interface PykanLayer extends Pick<Nodes, 'sum' | 'arities'> {
  readonly inputs: number;
  readonly nodes: number;
  /** At least one. */
  readonly branches: ReadonlyArray<Branch>;
  /** f32[S]. */
  readonly bias?: Constant;
  /** For each node what is added after the products; absent where it is nothing. */
  readonly shift?: Float32Array;
  readonly arityAssumed: boolean;
  /** Whether the base function has a part in it: not where every edge is masked, or symbolic. */
  readonly usesBase: boolean;
  /** Edges fixed to formulas that the configuration leaves out. */
  readonly leftOut: number;
  /** Whether its outputs are constants: every edge is masked or fixed to 0. */
  readonly isConstant: boolean;
}

/** What comes after the sums of a layer: z = scale * (sum over edges) + bias, and what products get on top. */
interface Outer {
  readonly scale: Float64Array;
  readonly bias: Float64Array;
  readonly shift: Float32Array | undefined;
}

/** What the layers of a network have in common. */
export interface PykanStyle {
  readonly config: PykanConfig;
  readonly activation: Activation;
  readonly repeated: RepeatedKnots;
  /** Where the names of formulas are looked for, for messages. */
  readonly formulas: string;
}

export const readLayer = (file: TensorFile, l: number, style: PykanStyle): Checked<PykanLayer> => {
  const { config } = style;
  const coef = finiteTensor(file, `act_fun.${l}.coef`, 3);
  if (E.isLeft(coef)) return coef;
  const [inputs, subnodes] = [coef.right.shape[0]!, coef.right.shape[1]!];
  const scales = finiteTensor(file, `node_scale_${l}`, 1);
  if (E.isLeft(scales)) return scales;
  const nodes = nodesOf(config, l + 1, scales.right.shape[0]!, subnodes);
  if (E.isLeft(nodes)) return nodes;
  const outer = readOuter(file, l, nodes.right, subnodes, scales.right);
  if (E.isLeft(outer)) return outer;
  const numeric = numericBranches(file, l, coef.right, outer.right.scale, style);
  if (E.isLeft(numeric)) return numeric;
  const symbolic = readSymbolic(file, style, l, [subnodes, inputs], outer.right.scale);
  if (E.isLeft(symbolic)) return symbolic;
  const bias = Float32Array.from(outer.right.bias, (b, s) => b + symbolic.right.bias[s]!);
  const live = numeric.right.filter(({ weights }) => weights.data.some((w: number) => w !== 0));
  const branches = [...live, ...(symbolic.right.branch === undefined ? [] : [symbolic.right.branch])];
  return E.right({
    inputs,
    nodes: scales.right.shape[0]!,
    sum: nodes.right.sum,
    arities: nodes.right.arities,
    arityAssumed: nodes.right.assumed,
    usesBase: live.some(({ basis }) => basis._tag === 'base'),
    leftOut: symbolic.right.leftOut,
    isConstant: branches.length === 0,
    // A layer of which everything was masked is still a layer, of zeros.
    branches: branches.length === 0 ? numeric.right.slice(1) : branches,
    ...(bias.every((b) => b === 0) ? {} : { bias: constant(F32, [subnodes], bias) }),
    ...(outer.right.shift === undefined ? {} : { shift: outer.right.shift }),
  });
};

/**
 * The affine maps of sub-nodes and nodes as one: y = node_scale * (a * b) + node_bias with a = scale_a * z_a + bias_a
 * is ((node_scale * a) * b) + node_bias. Nodes that pass have no product, so that their bias joins that of z.
 */
const readOuter = (
  file: TensorFile,
  l: number,
  nodes: Nodes,
  subnodes: number,
  nodeScale: FileTensor,
): Checked<Outer> => {
  const nodeBias = finiteTensor(file, `node_bias_${l}`, 1, nodeScale.shape);
  if (E.isLeft(nodeBias)) return nodeBias;
  const subScale = finiteTensor(file, `subnode_scale_${l}`, 1, [subnodes]);
  if (E.isLeft(subScale)) return subScale;
  const subBias = finiteTensor(file, `subnode_bias_${l}`, 1, [subnodes]);
  if (E.isLeft(subBias)) return subBias;
  const scale = Float64Array.from(subScale.right.data);
  const bias = Float64Array.from(subBias.right.data);
  const shift = Float32Array.from(nodeBias.right.data);
  for (const [n, factors] of factorsOf(nodes).entries()) {
    const first = factors[0]!;
    scale[first]! *= nodeScale.data[n]!;
    bias[first]! *= nodeScale.data[n]!;
    if (factors.length > 1) continue;
    bias[first]! += shift[n]!;
    shift[n] = 0;
  }
  return E.right({ scale, bias, shift: shift.every((s) => s === 0) ? undefined : shift });
};

/** The spline branch and the base branch. */
const numericBranches = (
  file: TensorFile,
  l: number,
  coef: FileTensor,
  outer: Float64Array,
  { activation, repeated }: PykanStyle,
): Checked<readonly [Branch, Branch]> => {
  const [inputs, subnodes, functions] = [coef.shape[0]!, coef.shape[1]!, coef.shape[2]!];
  const name = `act_fun.${l}.grid`;
  const grid = finiteTensor(file, name, 2, [inputs, undefined]);
  if (E.isLeft(grid)) return grid;
  const basis = at({ tensor: name })(splineBasis(grid.right, functions, repeated));
  if (E.isLeft(basis)) return basis;
  const edges: Float32Array[] = [];
  for (const part of ['mask', 'scale_base', 'scale_sp']) {
    const read = part === 'mask' ? numbersTensor : finiteTensor;
    const tensor = read(file, `act_fun.${l}.${part}`, 2, [inputs, subnodes]);
    if (E.isLeft(tensor)) return tensor;
    edges.push(Float32Array.from(tensor.right.data));
  }
  const [mask, scaleBase, scaleSpline] = edges;
  const spline = new Float32Array(inputs * functions * subnodes);
  const base = new Float32Array(inputs * subnodes);
  for (let i = 0; i < inputs; i++) {
    for (let s = 0; s < subnodes; s++) {
      const e = i * subnodes + s;
      const factor = mask![e]! * outer[s]!;
      base[e] = factor * scaleBase![e]!;
      for (let k = 0; k < functions; k++) {
        spline[(i * functions + k) * subnodes + s] =
          factor * scaleSpline![e]! * coef.data[e * functions + k]!;
      }
    }
  }
  return E.right([
    { basis: basis.right, weights: constant(F32, [inputs, functions, subnodes], spline) },
    { basis: { _tag: 'base', activation }, weights: constant(F32, [inputs, 1, subnodes], base) },
  ]);
};

const readSymbolic = (
  file: TensorFile,
  { config, formulas }: PykanStyle,
  l: number,
  [subnodes, inputs]: readonly [number, number],
  outer: Float64Array,
): Checked<SymbolicPart & Pick<PykanLayer, 'leftOut'>> => {
  const mask = numbersTensor(file, `symbolic_fun.${l}.mask`, 2, [subnodes, inputs]);
  if (E.isLeft(mask)) return mask;
  const affine = finiteTensor(file, `symbolic_fun.${l}.affine`, 3, [subnodes, inputs, 4]);
  if (E.isLeft(affine)) return affine;
  if (config.symbolicEnabled === false) {
    const leftOut = Array.from(mask.right.data).filter((m) => m !== 0).length;
    return E.right({ bias: new Float64Array(subnodes), leftOut });
  }
  const edges = { mask: mask.right, affine: affine.right, names: config.functions(l), formulas };
  return E.map((part: SymbolicPart) => ({ ...part, leftOut: 0 }))(symbolicPart(edges, outer, l));
};
