/** Models of one node, made in place of a file, and what their program gives. */
import * as E from 'fp-ts/lib/Either.js';
import { showDiagnostic } from '../../../src/diagnostics/index.js';
import type {
  OnnxAttribute,
  OnnxElement,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
} from '../../../src/importers/containers/onnx/model.js';
import { programOf } from '../../../src/importers/onnx/index.js';
import { evaluateProgram } from '../../../src/tensor/evaluate.js';
import type { TensorProgram } from '../../../src/tensor/program.js';

export interface Given {
  readonly shape: ReadonlyArray<number>;
  readonly data: ReadonlyArray<number>;
  readonly element: OnnxElement;
  /** A constant of the file even where the others vary. */
  readonly fixed: boolean;
}

/** A float operand. */
export const f = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>): Given => ({
  shape,
  data,
  element: 'float',
  fixed: false,
});

/** An integer operand. */
export const i = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>): Given => ({
  ...f(shape, data),
  element: 'int64',
});

export const b = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>): Given => ({
  ...f(shape, data),
  element: 'bool',
});

/** The same operand, always a constant: sizes, axes and the like. */
export const fixed = (given: Given): Given => ({ ...given, fixed: true });

/** A list of integers that is always a constant. */
export const list = (...data: ReadonlyArray<number>): Given => fixed(i([data.length], data));

export const tensorOf = (name: string, { shape, data, element }: Given): OnnxTensor => ({
  name,
  shape,
  element,
  data: Float64Array.from(data),
});

type Value = number | string | ReadonlyArray<number> | OnnxTensor | OnnxGraph | { readonly float: number };

const isTensor = (value: object): value is OnnxTensor => 'element' in value;
const isGraph = (value: object): value is OnnxGraph => 'nodes' in value;
const isList = (value: object): value is ReadonlyArray<number> => Array.isArray(value);

/** Whole numbers are ints, others floats; a float that is whole is written `{ float: 1 }`. */
const attribute = (value: Value): OnnxAttribute => {
  if (typeof value === 'string') return { _tag: 'string', value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { _tag: 'int', value } : { _tag: 'float', value };
  if (isList(value)) return { _tag: value.every(Number.isInteger) ? 'ints' : 'floats', value };
  if (isTensor(value)) return { _tag: 'tensor', value };
  if (isGraph(value)) return { _tag: 'graph', value };
  return { _tag: 'float', value: value.float };
};

export const node = (
  op: string,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
  attributes: Readonly<Record<string, Value>> = {},
): OnnxNode => ({
  name: `the ${op}`,
  op,
  domain: '',
  inputs,
  outputs,
  attributes: new Map(Object.entries(attributes).map(([name, value]) => [name, attribute(value)] as const)),
});

export const graph = (parts: Partial<OnnxGraph>): OnnxGraph => ({
  name: 'g',
  nodes: [],
  initializers: new Map(),
  inputs: [],
  outputs: [],
  ...parts,
});

export const modelOf = (parts: Partial<OnnxGraph>, opset = 18): OnnxModel => ({
  irVersion: 8,
  opset,
  producer: 'test',
  graph: graph(parts),
});

export interface Options {
  readonly attributes?: Readonly<Record<string, Value>>;
  readonly opset?: number;
  readonly outputs?: number;
}

/** A model of one node; operands that are not fixed are its inputs if it `varies`. */
export const oneNode = (
  op: string,
  operands: ReadonlyArray<Given | undefined>,
  options: Options,
  varies: boolean,
): OnnxModel => {
  const names = operands.map((o, k) => (o === undefined ? '' : `x${k}`));
  const entries = operands.flatMap((given, k) => (given === undefined ? [] : [{ name: names[k]!, given }]));
  const isInput = (given: Given): boolean => varies && !given.fixed;
  const outputs = Array.from({ length: options.outputs ?? 1 }, (_, k) => `y${k}`);
  return modelOf(
    {
      nodes: [node(op, names, outputs, options.attributes)],
      initializers: new Map(
        entries
          .filter(({ given }) => !isInput(given))
          .map(({ name, given }) => [name, tensorOf(name, given)] as const),
      ),
      inputs: entries
        .filter(({ given }) => isInput(given))
        .map(({ name, given }) => ({ name, element: given.element, shape: given.shape })),
      outputs: outputs.map((name) => ({ name })),
    },
    options.opset,
  );
};

export interface Result {
  readonly shape: ReadonlyArray<number>;
  readonly data: ReadonlyArray<number>;
}

export const programFor = (model: OnnxModel, samples = 1): TensorProgram => {
  const program = programOf(model, { samples });
  if (E.isLeft(program)) throw new Error(program.left.map(showDiagnostic).join('\n'));
  return program.right;
};

export const evaluated = (
  program: TensorProgram,
  inputs: ReadonlyArray<ReadonlyArray<number>>,
): ReadonlyArray<Result> => {
  const values = evaluateProgram(
    program,
    inputs.map((data) => Float64Array.from(data)),
  );
  if (E.isLeft(values)) throw new Error(values.left);
  return values.right.map((data, k) => ({
    shape: program.nodes[program.outputs[k]!]!.type.shape,
    data: [...data],
  }));
};

/** What an op gives when its operands vary, and when all are constants: then the program is constants alone. */
export const both = (
  op: string,
  operands: ReadonlyArray<Given | undefined>,
  options: Options = {},
): { readonly varying: ReadonlyArray<Result>; readonly folded: ReadonlyArray<Result> } => {
  const given = operands.flatMap((o) => (o === undefined || o.fixed ? [] : [o]));
  const samples = given[0]?.shape[0] ?? 1;
  const varying = evaluated(
    programFor(oneNode(op, operands, options, true), samples),
    given.map((o) => o.data),
  );
  const folded = programFor(oneNode(op, operands, options, false), samples);
  const left = folded.nodes.find((n) => n.op.kind !== 'constant');
  if (left !== undefined) throw new Error(`"${left.name}" was not folded: ${left.op.kind}`);
  return { varying, folded: evaluated(folded, []) };
};

/** Numbers that look random and are the same on every run, from -2 to 2. */
export const numbers = (count: number, seed = 1): ReadonlyArray<number> => {
  let state = seed * 2654435761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround((state / 2 ** 32) * 4 - 2);
  });
};

export const size = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);

/** A float operand of such numbers. */
export const random = (shape: ReadonlyArray<number>, seed = 1): Given => f(shape, numbers(size(shape), seed));

/** All index tuples of a shape, row-major. */
export const places = (shape: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  shape.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (tuples, n) => tuples.flatMap((t) => Array.from({ length: n }, (_, k) => [...t, k])),
    [[]],
  );

/** The element of an operand at a place. */
export const element = ({ shape, data }: Result, place: ReadonlyArray<number>): number => {
  let at = 0;
  for (const [d, k] of place.entries()) at = at * shape[d]! + k;
  const value = data[at];
  if (value === undefined) throw new Error('outside');
  return value;
};
