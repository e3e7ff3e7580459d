/**
 * The input ports of a module. A circuit takes codes, so a port is an element of a value that is codes: of the input itself,
 * or of a quantize of it. What lies between the input and a quantize only moves elements, which are wires.
 */
import { match } from 'ts-pattern';
import type { Graph, Node, ValueName } from '../../ir/graph.js';
import { typesOf } from '../../ir/graph.js';
import { innerOf, levelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import { bitsFor } from './net.js';

export interface Port {
  readonly width: number;
  /** The value of the graph and the element of it. */
  readonly label: string;
}

/** One element of a value of the graph. */
export interface ElementOf {
  readonly value: string;
  readonly element: number;
}

export interface InPort extends Port {
  /** The codes that the port takes; undefined where the input behind it has no effect. */
  readonly source: ElementOf | undefined;
  /** Codes are below this. */
  readonly levels: number;
}

/** For each element of a value the element of the input that it is, -1 where it was computed. */
type Moves = ReadonlyArray<number>;

/** Which element of its operand each element of a gather is. */
export const gathered = (indices: ArrayLike<number>, type: ValueType): ReadonlyArray<number> => {
  const inner = innerOf(type);
  return Array.from(
    { length: sizeOf(type) },
    (_, e) => indices[Math.floor(e / inner)]! * inner + (e % inner),
  );
};

/** The elements of the input that a node moves, from those that its operands are. */
const movedBy = ({ op, type }: Node, operands: ReadonlyArray<Moves>): Moves =>
  match(op)
    .with({ kind: 'reshape' }, { kind: 'concat' }, () => operands.flat())
    .with({ kind: 'gather' }, ({ attrs }) =>
      gathered(attrs.indices.data, type).map((from) => operands[0]![from]!),
    )
    .otherwise(() => Array.from({ length: sizeOf(type) }, () => -1));

/** Quantizes with elements of the input among what they read, and which these are. */
const quantizesOf = (
  graph: Graph<'table'>,
  input: Graph['inputs'][number],
): ReadonlyArray<{ readonly node: Node; readonly moves: Moves }> => {
  const moved = new Map<ValueName, Moves>([
    [input.name, Array.from({ length: sizeOf(input.type) }, (_, e) => e)],
  ]);
  return graph.nodes.flatMap((node) => {
    const operands = node.operands.map((name) => moved.get(name)!);
    moved.set(node.name, movedBy(node, operands));
    return node.op.kind === 'quantize' ? [{ node, moves: operands[0]! }] : [];
  });
};

const portOf = (value: ValueName, element: number, type: ValueType): InPort => {
  const levels = levelsOf(type);
  const width = Math.max(1, bitsFor(levels - 1));
  return { width, label: `${value}[${element}]`, source: { value, element }, levels };
};

/**
 * A port for each element of the input, in their order, then one for every further code that is made of an element. An
 * element that nothing reads keeps its port, as wide as the widest, so that ports have the numbers of the inputs.
 */
export const inputPorts = (graph: Graph<'table'>): ReadonlyArray<InPort> => {
  const [input] = graph.inputs;
  if (input === undefined) return [];
  const elements = Array.from({ length: sizeOf(input.type) }, (_, e) => e);
  if (input.type.element.kind === 'uint') return elements.map((e) => portOf(input.name, e, input.type));
  const types = typesOf(graph);
  const first = new Map<number, InPort>();
  const further: InPort[] = [];
  for (const { node, moves } of quantizesOf(graph, input)) {
    for (const [e, of] of moves.entries()) {
      if (of < 0) continue;
      const port = portOf(node.name, e, types.get(node.name)!);
      if (first.has(of)) further.push(port);
      else first.set(of, port);
    }
  }
  if (first.size === 0) return [];
  const widest = [...first.values(), ...further].reduce((a, b) => (b.width > a.width ? b : a));
  const unused = (e: number): InPort => ({
    width: widest.width,
    label: `${input.name}[${e}]`,
    source: undefined,
    levels: 2 ** widest.width,
  });
  return [...elements.map((e) => first.get(e) ?? unused(e)), ...further];
};

/** The values whose codes ports take, in the order of their first ports. */
export const portValues = (
  ports: ReadonlyArray<{ readonly source: ElementOf | undefined }>,
): ReadonlyArray<string> => [...new Set(ports.flatMap(({ source }) => source?.value ?? []))];

/** Row-major codes at ports, from the codes of values: 0 at ports without effect. */
export const codesAtPorts = (
  sources: ReadonlyArray<ElementOf | undefined>,
  codes: ReadonlyMap<string, ArrayLike<number>>,
  samples: number,
): Int32Array => {
  const result = new Int32Array(samples * sources.length);
  for (const [k, source] of sources.entries()) {
    const data = source === undefined ? undefined : codes.get(source.value);
    if (source === undefined || data === undefined) continue;
    const size = data.length / samples;
    for (let s = 0; s < samples; s++) result[s * sources.length + k] = data[s * size + source.element]!;
  }
  return result;
};
