/**
 * What costs depend on: the sizes of a network's layers as it was trained, without its weights. Small plain data, so
 * that a manifest can hold them and an artifact can be compared with the network that it was made of.
 */
import * as t from 'io-ts';
import {
  type Branch,
  basisConstants,
  functionCount,
  isSharedBasis,
  knotRow,
  supportSize,
} from '../ir/basis.js';
import { integer } from '../ir/codec.js';
import { elementCount } from '../ir/constant.js';
import { type Graph, type Node, typesOf, type ValueName } from '../ir/graph.js';
import { costOf, hasRole, type OpOf } from '../ir/ops/index.js';
import { layerInputs } from '../ir/ops/layers.js';
import { visitConstants } from '../ir/resources.js';
import { innerOf, sizeOf, type ValueType } from '../ir/types.js';
import { isUniform } from '../numeric/bspline.js';

const Size = integer(1, Number.MAX_SAFE_INTEGER);
const Natural = integer(0, Number.MAX_SAFE_INTEGER);

const BranchFactsCodec = t.readonly(
  t.type({
    basis: t.keyof({
      bspline: null,
      base: null,
      rbf: null,
      polynomial: null,
      symbolic: null,
      expression: null,
    }),
    /** K. */
    functions: Size,
    /** How many of them can be non-zero at one point: p + 1 for B-splines of order p, K for others. */
    support: Size,
    /** Inputs of the layer that the branch reads; over windows the taps of all groups. */
    inputs: Size,
    /** Values of a sample that it expands, each of them once, however many windows hold it. */
    values: Size,
    /** Rows of basis parameters: 1 where all inputs share them. */
    rows: Size,
    /** Whether the knots are equally spaced. */
    uniform: t.boolean,
    /** Trained numbers: weights, and the knots or centers. */
    parameters: Natural,
  }),
);

const LayerFactsCodec = t.readonly(
  t.type({
    /** The name of the layer's value. */
    name: t.string,
    /** Inputs; over windows the taps of all groups. */
    inputs: Size,
    /** Outputs of all groups. */
    outputs: Size,
    groups: Size,
    /** Windows of a sample: 1 for layers of features. */
    positions: Size,
    /** No layer stands before it. */
    first: t.boolean,
    /** Biases: as many as outputs, or none. */
    bias: Natural,
    branches: t.readonlyArray(BranchFactsCodec),
  }),
);

/** The rest of the network: norms, sums, pooling and the like. */
const RestFactsCodec = t.readonly(t.type({ macs: Natural, adds: Natural, parameters: Natural }));

export const NetworkFactsCodec = t.readonly(
  t.type({ layers: t.readonlyArray(LayerFactsCodec), rest: RestFactsCodec }),
);

export type BranchFacts = t.TypeOf<typeof BranchFactsCodec>;
export type LayerFacts = t.TypeOf<typeof LayerFactsCodec>;
export type NetworkFacts = t.TypeOf<typeof NetworkFactsCodec>;

type KanNode = Node & { readonly op: OpOf<'kan'> };

const isKan = (node: Node): node is KanNode => node.op.kind === 'kan';

/** The facts of a float or quantized graph; a graph of tables has no layers of this kind left. */
export const networkFacts = (graph: Graph): NetworkFacts => {
  const types = typesOf(graph);
  const behindLayer = new Set<ValueName>();
  for (const node of graph.nodes) {
    if (isKan(node) || node.operands.some((o) => behindLayer.has(o))) behindLayer.add(node.name);
  }
  const layers = graph.nodes.filter(isKan).map((node) => {
    const operand = types.get(node.operands[0]!) ?? node.type;
    return layerFacts(node, operand, !node.operands.some((o) => behindLayer.has(o)));
  });
  const rest = { macs: 0, adds: 0, parameters: 0 };
  for (const node of graph.nodes.filter((n) => !isKan(n))) {
    const operands = node.operands.flatMap((name) => types.get(name) ?? []);
    const { macs, adds } = costOf(node.op, operands, node.type);
    rest.macs += macs;
    rest.adds += adds;
    rest.parameters += trainedNumbers(node);
  }
  return { layers, rest };
};

/** Numbers in the attributes of ops that are trained; what calibration has added is not, nor are indices. */
const trainedNumbers = ({ op }: Node): number => {
  if (!hasRole(op, 'univariate', 'value')) return 0;
  let count = 0;
  visitConstants(op.attrs, (c) => {
    if (c.element.kind === 'f32') count += elementCount(c.shape);
  });
  return count;
};

const layerFacts = ({ name, op, type }: KanNode, operand: ValueType, first: boolean): LayerFacts => {
  const { window, branches, bias } = op.attrs;
  const area = window === undefined ? 1 : window.kernel[0] * window.kernel[1];
  return {
    name,
    inputs: layerInputs(operand.shape, window),
    outputs: type.shape[0] ?? 1,
    groups: window?.groups ?? 1,
    positions: window === undefined ? 1 : innerOf(type),
    first,
    bias: bias === undefined ? 0 : sizeOf(bias),
    branches: branches.map((b) => branchFacts(b, area, innerOf(operand))),
  };
};

const branchFacts = (branch: Branch, area: number, pixels: number): BranchFacts => {
  const { basis, weights } = branch;
  const inputs = weights.shape[0] ?? 1;
  return {
    basis: basis._tag,
    functions: functionCount(basis),
    support: supportSize(basis),
    inputs,
    values: (inputs / area) * pixels,
    rows: isSharedBasis(basis) ? 1 : inputs,
    uniform: isUniformBasis(branch),
    parameters: [weights, ...basisConstants(basis)].reduce((n, c) => n + elementCount(c.shape), 0),
  };
};

const isUniformBasis = ({ basis }: Branch): boolean => {
  if (basis._tag !== 'bspline') return false;
  const rows = basis.knots.shape[0] ?? 0;
  for (let r = 0; r < rows; r++) if (!isUniform(knotRow(basis, r))) return false;
  return true;
};
