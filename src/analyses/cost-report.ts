/** The cost report of a model: every layer in every form, the compiled graph as it is, and how they compare. */
import { type Graph, type Node, typesOf } from '../ir/graph.js';
import { costOf } from '../ir/ops/index.js';
import { isTableLayer, tableLayerOf } from '../ir/table-layer.js';
import { innerOf, type ValueType } from '../ir/types.js';
import {
  basisTableWork,
  edgeTableWork,
  type LayerBits,
  parametersOf,
  recursionWork,
  restWork,
} from './form-work.js';
import { type LayerFacts, type NetworkFacts, networkFacts } from './layer-facts.js';
import { sumOf, type Work, workOf } from './work.js';

/** The forms, most expensive first: recursions of 32 and 8 bits, tables at the chosen bits, the compiled graph. */
export const FORMS = ['dense32', 'sparse32', 'dense8', 'sparse8', 'basis', 'edge', 'compiled'] as const;
export type FormName = (typeof FORMS)[number];

export const FORM_TITLES: Readonly<Record<FormName, string>> = {
  dense32: '32-bit recursion, dense',
  sparse32: '32-bit recursion, sparse',
  dense8: '8-bit recursion, dense',
  sparse8: '8-bit recursion, sparse',
  basis: 'basis tables',
  edge: 'edge tables',
  compiled: 'compiled graph',
};

/** Work by form; a form that is not known of a part is absent. */
export type FormCosts = Readonly<Partial<Record<FormName, Work>>>;

export interface LayerReport {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly positions: number;
  /** Trained numbers; absent where only tables are known. */
  readonly parameters?: number;
  readonly bits?: LayerBits;
  /** The op that computes it in the compiled graph. */
  readonly op?: string;
  readonly costs: FormCosts;
}

export interface PartReport {
  readonly parameters?: number;
  readonly costs: FormCosts;
}

/** One op of the compiled graph. */
export interface OpReport {
  readonly name: string;
  readonly op: string;
  readonly work: Work;
}

export interface CostReport {
  readonly name: string;
  /** Forms that are known of the whole network, in the order of FORMS. */
  readonly forms: ReadonlyArray<FormName>;
  readonly layers: ReadonlyArray<LayerReport>;
  /** All that is no layer: norms, sums, pooling; of the compiled graph also quantizers and requantizations. */
  readonly rest: PartReport;
  /** The sum of the layers and the rest. */
  readonly total: PartReport;
  /** Every op of the compiled graph; none where nothing is compiled. */
  readonly ops: ReadonlyArray<OpReport>;
  /** BitOps of the other forms over those of `of`: the compiled graph, or edge tables where nothing is compiled. */
  readonly ratios: { readonly of: FormName; readonly bitOps: Readonly<Partial<Record<FormName, number>>> };
}

/** Bits of the tables that are not compiled. */
export interface WantedBits extends LayerBits {
  /** Activations that another layer gives. */
  readonly hidden: number;
}

export const DEFAULT_BITS: WantedBits = { act: 8, hidden: 8, table: 8, coef: 8, basis: 8 };

const bitsOf = (type: ValueType | undefined): number | undefined =>
  type === undefined || type.element.kind === 'f32' ? undefined : type.element.bits;

/** A table layer of a compiled graph, with what it costs. */
interface Compiled {
  readonly node: Node;
  readonly work: Work;
  readonly operand: ValueType | undefined;
}

/** Work of every node of a graph. A layer that still computes its functions costs the sparse recursion of 32 bits. */
const nodesOf = (graph: Graph): ReadonlyArray<Compiled> => {
  const types = typesOf(graph);
  const layers = new Map(networkFacts(graph).layers.map((l) => [l.name, l]));
  return graph.nodes.map((node) => {
    const operands = node.operands.flatMap((name) => types.get(name) ?? []);
    const layer = layers.get(node.name);
    const work =
      layer === undefined ? workOf(costOf(node.op, operands, node.type)) : recursionWork(layer, 'sparse', 32);
    return { node, work, operand: operands[0] };
  });
};

/** Whether a value is that of a layer: `tabulate` names its accumulators after it. */
const isOf = (value: string, layer: string): boolean =>
  value.startsWith(layer) && /^(?:_acc\d*)?$/.test(value.slice(layer.length));

/** Bits as they are compiled, and the wanted ones where a form was not chosen. */
const layerBits = (layer: LayerFacts, compiled: Compiled | undefined, wanted: WantedBits): LayerBits => {
  const chosen: LayerBits = {
    coef: wanted.coef,
    basis: wanted.basis,
    table: wanted.table,
    act: bitsOf(compiled?.operand) ?? (layer.first ? wanted.act : wanted.hidden),
  };
  const op = compiled?.node.op;
  const of = (c: { readonly element: ValueType['element'] }): number => bitsOf({ ...c, shape: [] }) ?? 8;
  if (op?.kind === 'table.edge') return { ...chosen, table: of(op.attrs.table) };
  if (op?.kind === 'table.basis') {
    return { ...chosen, coef: of(op.attrs.coefficients), basis: of(op.attrs.basis) };
  }
  return chosen;
};

const layerReport = (
  layer: LayerFacts,
  compiled: Compiled | undefined,
  wanted: WantedBits | undefined,
  fallback: WantedBits,
): LayerReport => {
  const asked = wanted ?? fallback;
  const bits = layerBits(layer, wanted === undefined ? compiled : undefined, asked);
  return {
    name: layer.name,
    inputs: layer.inputs,
    outputs: layer.outputs,
    positions: layer.positions,
    parameters: parametersOf(layer),
    bits,
    ...(compiled === undefined ? {} : { op: compiled.node.op.kind }),
    costs: {
      dense32: recursionWork(layer, 'dense', 32),
      sparse32: recursionWork(layer, 'sparse', 32),
      dense8: recursionWork(layer, 'dense', 8),
      sparse8: recursionWork(layer, 'sparse', 8),
      basis: basisTableWork(layer, bits),
      edge: edgeTableWork(layer, bits),
      ...(compiled === undefined ? {} : { compiled: compiled.work }),
    },
  };
};

/** A table layer of which the network that it was made of is not known. */
const tableReport = ({ node, work, operand }: Compiled): LayerReport => {
  return {
    name: node.name,
    inputs: tableLayerOf(node.op)?.inputs ?? operand?.shape[0] ?? 1,
    outputs: node.type.shape[0] ?? 1,
    positions: innerOf(node.type),
    op: node.op.kind,
    costs: { compiled: work },
  };
};

export interface ReportInput {
  readonly name: string;
  /** The network as it was trained, where it is known. */
  readonly facts: NetworkFacts | undefined;
  /** The graph as it is compiled, where it is. */
  readonly graph: Graph | undefined;
  /** Bits for the forms that are not compiled, in place of those of the graph. */
  readonly wanted?: WantedBits;
  /** Bits where neither `wanted` nor the graph tells. */
  readonly fallback?: WantedBits;
}

export const costReport = ({
  name,
  facts,
  graph,
  wanted,
  fallback = DEFAULT_BITS,
}: ReportInput): CostReport => {
  const nodes = graph === undefined ? [] : nodesOf(graph);
  const tables = nodes.filter(({ node }) => isTableLayer(node.op) || node.op.kind === 'kan');
  const known = facts !== undefined && facts.layers.length > 0 ? facts : undefined;
  const pairs = (known?.layers ?? []).map((layer) => ({
    layer,
    compiled: tables.find(({ node }) => isOf(node.name, layer.name)),
  }));
  const layers =
    known === undefined
      ? tables.map(tableReport)
      : pairs.map(({ layer, compiled }) => layerReport(layer, compiled, wanted, fallback));
  const inLayers = new Set(known === undefined ? tables : pairs.flatMap(({ compiled }) => compiled ?? []));
  const others = sumOf(nodes.filter((n) => !inLayers.has(n)).map(({ work }) => work));
  const rest: PartReport = {
    ...(known === undefined ? {} : { parameters: known.rest.parameters }),
    costs: {
      ...(known === undefined ? {} : restCosts(known.rest)),
      ...(graph === undefined ? {} : { compiled: others }),
    },
  };
  const forms = FORMS.filter((form) => rest.costs[form] !== undefined);
  const costs: FormCosts = Object.fromEntries(
    forms.map((form) => [form, sumOf([...layers, rest].flatMap((part) => part.costs[form] ?? []))]),
  );
  const parameters = [...layers, rest].flatMap((part) => part.parameters ?? []).reduce((a, b) => a + b, 0);
  const total: PartReport = { ...(known === undefined ? {} : { parameters }), costs };
  const ops = nodes.map(({ node, work }) => ({ name: node.name, op: node.op.kind, work }));
  return { name, forms, layers, rest, total, ops, ratios: ratiosOf(forms, costs) };
};

const restCosts = (rest: NetworkFacts['rest']): FormCosts => {
  const [at32, at8] = [restWork(rest, 32), restWork(rest, 8)];
  // Between tables too: of 32 bits, as the ops of table graphs are counted.
  return { dense32: at32, sparse32: at32, dense8: at8, sparse8: at8, basis: at32, edge: at32 };
};

const ratiosOf = (forms: ReadonlyArray<FormName>, costs: FormCosts): CostReport['ratios'] => {
  const of: FormName = forms.includes('compiled') ? 'compiled' : 'edge';
  const unit = costs[of]?.bitOps ?? 0;
  const others = forms.filter((form) => form !== of && unit > 0);
  return { of, bitOps: Object.fromEntries(others.map((form) => [form, (costs[form]?.bitOps ?? 0) / unit])) };
};
