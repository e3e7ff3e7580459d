/**
 * From a table graph to a circuit, element by element: every value that is a sum stays one until something needs its bits,
 * so that constants, clamps and the codes of the next tables are chosen together.
 */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { type Checked, fail, InternalError } from '../../diagnostics/index.js';
import { channel } from '../../ir/constant.js';
import type { Graph, Node, ValueName } from '../../ir/graph.js';
import { hasRole, type OpOf } from '../../ir/ops/index.js';
import { channelIndex, sizeOf, type ValueType } from '../../ir/types.js';
import { layerElements, sumElements } from './accumulate.js';
import {
  type Element,
  type Lowering,
  type LowerOptions,
  noForm,
  productOf,
  recoded,
  type Signed,
  signedOf,
} from './element.js';
import { type Net, type Nets, newNets } from './net.js';
import { gathered, type InPort, inputPorts, type Port } from './ports.js';
import type { Coded } from './steps.js';
import { narrowed } from './sums.js';
import { bucketizeElements, quantizedElement, requantizeElements } from './to-codes.js';

export interface OutPort extends Port {
  readonly net: Net;
  /** Whether the port is in two's complement. */
  readonly signed: boolean;
}

export interface Circuit {
  readonly nets: Nets;
  readonly inputs: ReadonlyArray<InPort>;
  readonly outputs: ReadonlyArray<OutPort>;
  /** The value whose integers the output ports give. */
  readonly to: ValueName;
  /** The values that are codes, each element as a net whose values stand for codes. */
  readonly codes: ReadonlyMap<string, ReadonlyArray<Coded>>;
}

type Elements = ReadonlyArray<Element>;

/** Fails with K0602 on ops that have no form in logic. */
export const lower = (graph: Graph<'table'>, options: LowerOptions): Checked<Circuit> => {
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || output === undefined || graph.inputs.length > 1 || graph.outputs.length > 1) {
    return fail('K0602', `the graph has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs`, {
      expected: 'one of each',
    });
  }
  const state: Lowering = {
    graph,
    nets: newNets(),
    options,
    types: new Map([[input.name, input.type]]),
    values: new Map(),
    inputs: inputPorts(graph),
  };
  const given = Array.from(
    { length: sizeOf(input.type) },
    (_, e): Element =>
      input.type.element.kind === 'uint' ? portCode(state, input.name, e) : { kind: 'float' },
  );
  state.values.set(input.name, restricted(state, input.name, given));
  for (const node of graph.nodes) {
    const elements = lowerNode(state, node);
    if (E.isLeft(elements)) return elements;
    state.types.set(node.name, node.type);
    state.values.set(node.name, restricted(state, node.name, elements.right));
  }
  return outputsOf(state, output);
};

/** The code at the port of an element. */
const portCode = ({ nets, inputs }: Lowering, name: ValueName, element: number): Element => {
  const index = inputs.findIndex(({ source }) => source?.value === name && source.element === element);
  const port = inputs[index];
  if (port === undefined) throw new InternalError(`%${name}[${element}] has no port`);
  const { width, levels, label } = port;
  const codes = Int32Array.from({ length: 2 ** width }, (_, c) => (c < levels ? c : -1));
  return { kind: 'codes', coded: { net: nets.input(index, width, levels - 1, label), codes } };
};

/** Codes that were never seen cannot occur, nor sums beyond those that were, where that is asked for. */
const restricted = ({ options: { seen } }: Lowering, name: ValueName, elements: Elements): Elements => {
  const known = seen?.codes.get(name);
  const ranges = seen?.ranges.get(name);
  return elements.map((element, e) => {
    if (element.kind === 'codes' && known !== undefined) {
      const { net, codes } = element.coded;
      const left = codes.map((c) => (c >= 0 && known[e]?.[c] === 1 ? c : -1));
      return { kind: 'codes', coded: { net, codes: left } };
    }
    if (element.kind === 'sum' && element.clamp === undefined && ranges !== undefined) {
      return { kind: 'sum', plan: narrowed(element.plan, ranges.lo[e]!, ranges.hi[e]!) };
    }
    return element;
  });
};

/** All elements, or why there are none. */
const orNoForm = (node: Node, elements: Elements | undefined, why: string): Checked<Elements> =>
  elements === undefined ? noForm(node, why) : E.right(elements);

const whole = (elements: ReadonlyArray<Element | undefined>): Elements | undefined => {
  const found = elements.flatMap((element) => element ?? []);
  return found.length === elements.length ? found : undefined;
};

const lowerNode = (state: Lowering, node: Node): Checked<Elements> => {
  const operands = node.operands.map((name) => state.values.get(name) ?? []);
  const types = node.operands.map((name) => state.types.get(name)!);
  const [x = []] = operands;
  const { op } = node;
  if (hasRole(op, 'univariate', 'observer')) return noForm(node, `${op.kind} has no form in logic`);
  return match(op)
    .with({ kind: 'quantize' }, ({ attrs }) => quantizedElements(state, node, attrs, x))
    .with({ kind: 'dequantize' }, () => E.right(realElements(node, types[0]!, x)))
    .with({ kind: 'reshape' }, () => E.right(x))
    .with({ kind: 'concat' }, () => E.right(operands.flat()))
    .with({ kind: 'gather' }, ({ attrs }) =>
      E.right(gathered(attrs.indices.data, node.type).map((from) => x[from]!)),
    )
    .with({ kind: 'recode' }, ({ attrs }) => recodedElements(state, node, attrs, types[0]!, x))
    .with({ kind: 'table.edge' }, { kind: 'table.basis' }, () =>
      orNoForm(node, layerElements(state, node, x, types[0]!), 'a layer of what is not codes'),
    )
    .with({ kind: 'table.sum' }, ({ attrs }) =>
      orNoForm(node, sumElements(state, node, attrs, operands), 'a sum of what is not codes'),
    )
    .with({ kind: 'requantize' }, ({ attrs }) => requantizeElements(state, node, attrs, x))
    .with({ kind: 'bucketize' }, ({ attrs }) =>
      orNoForm(node, bucketizeElements(state, node, attrs, x), 'thresholds of what is not integers'),
    )
    .with({ kind: 'multiply' }, ({ attrs }) =>
      orNoForm(node, productElements(state, node, attrs, x), 'a product of constants'),
    )
    .with(
      { kind: 'add' },
      { kind: 'decode' },
      { kind: 'kan' },
      { kind: 'norm' },
      { kind: 'pool' },
      { kind: 'softmax' },
      { kind: 'table.norm' },
      ({ kind }) => noForm(node, `${kind} has no form in logic`),
    )
    .exhaustive();
};

const quantizedElements = (
  state: Lowering,
  node: Node,
  attrs: OpOf<'quantize'>['attrs'],
  x: Elements,
): Checked<Elements> => {
  const elements = x.map((element, e) =>
    element.kind === 'float'
      ? portCode(state, node.name, e)
      : quantizedElement(state, node, attrs, element, e),
  );
  return orNoForm(
    node,
    whole(elements),
    'only elements of the input, or of what a dequantize gives, can be quantized',
  );
};

const realElements = (node: Node, { meaning }: ValueType, x: Elements): Elements => {
  const channelOf = channelIndex(node.type);
  const scaleOf = (e: number): number =>
    meaning?._tag === 'scaled' ? channel(meaning.scale, channelOf(e)) : 1;
  return x.map((integer, e): Element => ({ kind: 'real', integer, scale: scaleOf(e) }));
};

const recodedElements = (
  { nets }: Lowering,
  node: Node,
  { map }: OpOf<'recode'>['attrs'],
  operand: ValueType,
  x: Elements,
): Checked<Elements> => {
  const channelOf = channelIndex(operand);
  const elements = x.map((element, e): Element | undefined => {
    if (element.kind !== 'codes') return undefined;
    const row = map.shape[0] === 1 ? 0 : channelOf(e) * map.shape[1]!;
    const label = `${node.name}[${e}]`;
    return { kind: 'codes', coded: recoded(nets, element.coded, (c) => map.data[row + c]!, label) };
  });
  return orNoForm(node, whole(elements), 'a map of what is not codes');
};

const productElements = (
  { nets }: Lowering,
  node: Node,
  { left, right }: OpOf<'multiply'>['attrs'],
  x: Elements,
): Elements | undefined => {
  const factor = (k: number): Signed | undefined =>
    x[k] === undefined ? undefined : signedOf(nets, x[k], `${node.operands[0]}[${k}]`);
  const elements = Array.from(left.data, (l: number, m): Element | undefined => {
    // An index beyond the features stands for 1.
    const [a, b] = [factor(l), factor(right.data[m]!)];
    const one = a ?? b;
    if (one === undefined) return undefined;
    const both = a !== undefined && b !== undefined;
    return { kind: 'signed', signed: both ? productOf(nets, a, b, `${node.name}[${m}]`) : one };
  });
  const whole = elements.flatMap((e) => e ?? []);
  return whole.length === elements.length ? whole : undefined;
};

/** The last integers of the graph as ports. */
const outputsOf = ({ graph, nets, values, inputs }: Lowering, output: ValueName): Checked<Circuit> => {
  const last = graph.nodes.find((n) => n.name === output);
  const to = last?.op.kind === 'dequantize' ? last.operands[0]! : output;
  const isFloat = last?.type.element.kind === 'f32' && to === output;
  const elements = isFloat ? [] : (values.get(to) ?? []);
  const outputs = elements.flatMap((element, e): ReadonlyArray<OutPort> => {
    const label = `${to}[${e}]`;
    if (element.kind === 'codes') {
      const { net: of, codes } = element.coded;
      const bits = Array.from({ length: of.width }, (_, k) => k);
      const net = nets.table(
        of,
        bits,
        codes.map((c) => Math.max(0, c)),
        label,
      );
      return [{ net, width: Math.max(1, net.width), signed: false, label }];
    }
    const signed = signedOf(nets, element, label);
    return signed === undefined ? [] : [{ net: signed.net, width: signed.width, signed: true, label }];
  });
  if (outputs.length < elements.length || outputs.length === 0) {
    return fail('K0602', 'the result is not integers, nor a dequantize of some', { place: { op: output } });
  }
  return inputs.length === 0
    ? fail('K0602', 'the input never becomes codes', { place: { op: output } })
    : E.right({ nets, inputs, outputs, to, codes: codesOf(values) });
};

const codesOf = (values: Lowering['values']): Circuit['codes'] =>
  new Map(
    [...values].flatMap(([name, elements]) => {
      const coded = elements.flatMap((e) => (e.kind === 'codes' ? [e.coded] : []));
      return coded.length === elements.length ? [[name, coded] as const] : [];
    }),
  );
