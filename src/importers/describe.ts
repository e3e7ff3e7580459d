/** What was read from a checkpoint, as facts for people and programs: everything comes out of the graph itself. */
import { match } from 'ts-pattern';
import { printable } from '../diagnostics/index.js';
import {
  type Basis,
  type Branch,
  type BSpline,
  functionCount,
  knotRow,
  type RadialKernel,
} from '../ir/basis.js';
import { showElement } from '../ir/element.js';
import { type Node, typesOf } from '../ir/graph.js';
import { levelsOf, type ValueType } from '../ir/types.js';
import { type Assumption, showAssumption } from './family.js';
import type { Imported } from './import.js';

/** A basis by its numbers. JSON as it is. */
export type BasisFacts =
  | {
      readonly basis: 'bspline';
      readonly order: number;
      /** Intervals of the grid, G. */
      readonly intervals: number;
      /** G + p. */
      readonly functions: number;
      readonly knots: 'uniform' | 'not uniform';
      /** Rows of knots: 1 when all inputs share them. */
      readonly rows: number;
      /** The grid without the p intervals that extend it at either end; the widest of all rows. */
      readonly range: readonly [number, number];
    }
  | { readonly basis: 'base'; readonly activation: string }
  | {
      readonly basis: 'rbf';
      readonly kernel: RadialKernel;
      readonly functions: number;
      readonly range: readonly [number, number];
      readonly width: number;
    }
  | {
      readonly basis: 'polynomial';
      readonly family: string;
      readonly degree: number;
      readonly squash: string;
    }
  | { readonly basis: 'symbolic'; readonly functions: ReadonlyArray<string> }
  | {
      readonly basis: 'expression';
      readonly function: string;
      readonly functions: number;
      /** Whether every edge has functions of its own. */
      readonly edges: boolean;
    };

export interface OpFacts {
  readonly name: string;
  readonly op: string;
  /** Of one sample. */
  /** The node of an exported graph that it ends at. */
  readonly node?: string;
  readonly inputShape: ReadonlyArray<number>;
  readonly outputShape: ReadonlyArray<number>;
  readonly element: string;
  /** For `kan`. */
  readonly branches?: ReadonlyArray<BasisFacts>;
  readonly bias?: boolean;
  /** For integer layers: how many different codes it reads. */
  readonly levels?: number;
}

export interface Description {
  readonly family: string;
  readonly format: string;
  readonly level: string;
  readonly input: string;
  readonly output: string;
  readonly parameters: number;
  readonly ops: ReadonlyArray<OpFacts>;
  /** Weights that were put together from parts. */
  readonly folded: ReadonlyArray<string>;
  readonly assumptions: ReadonlyArray<Assumption>;
}

const showType = ({ element, shape }: ValueType): string => `${showElement(element)}[n, ${shape.join(', ')}]`;

export const describe = ({
  graph,
  family,
  format,
  parameters,
  folded,
  assumptions,
  origins,
}: Imported): Description => {
  const types = typesOf(graph);
  const output = types.get(graph.outputs[0]!);
  return {
    family,
    format,
    level: graph.level,
    input: graph.inputs.map(({ type }) => showType(type)).join(', '),
    output: output === undefined ? 'nothing' : showType(output),
    parameters,
    ops: graph.nodes.map((node) => opFacts(node, types, origins?.get(node.name))),
    folded,
    assumptions,
  };
};

const opFacts = (
  { name, op, operands, type }: Node,
  types: ReadonlyMap<string, ValueType>,
  node: string | undefined,
): OpFacts => {
  const operand = types.get(operands[0] ?? '');
  const facts = {
    name,
    op: op.kind,
    ...(node === undefined ? {} : { node }),
    inputShape: operand?.shape ?? [],
    outputShape: type.shape,
    element: showElement(type.element),
  };
  if (op.kind === 'kan') {
    const { branches, bias } = op.attrs;
    return { ...facts, branches: branches.map(basisFacts), bias: bias !== undefined };
  }
  return op.kind.startsWith('table.') && operand !== undefined
    ? { ...facts, levels: levelsOf(operand) }
    : facts;
};

const basisFacts = ({ basis }: Branch): BasisFacts =>
  match<Basis, BasisFacts>(basis)
    .with({ _tag: 'bspline' }, splineFacts)
    .with({ _tag: 'base' }, ({ activation }) => ({ basis: 'base', activation }))
    .with({ _tag: 'rbf' }, ({ centers, width, kernel }) => ({
      basis: 'rbf',
      kernel: kernel ?? 'gaussian',
      functions: centers.shape[0]!,
      range: [centers.data[0]!, centers.data.at(-1)!],
      width,
    }))
    .with({ _tag: 'polynomial' }, ({ family, degree, squash }) => ({
      basis: 'polynomial',
      family,
      degree,
      squash,
    }))
    .with({ _tag: 'symbolic' }, ({ functions }) => ({
      basis: 'symbolic',
      functions: functions.filter((f) => f !== '0'),
    }))
    .with({ _tag: 'expression' }, ({ function: text, parameters, edges }) => ({
      basis: 'expression',
      function: text,
      functions: parameters.shape[1]!,
      edges: edges === true,
    }))
    .exhaustive();

/** A deviation from equal steps that rounding to f32 explains, in steps. */
const UNEVEN = 1e-4;

const splineFacts = (basis: BSpline): BasisFacts => {
  const rows = basis.knots.shape[0]!;
  const { order } = basis;
  const functions = functionCount(basis);
  let uniform = true;
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < rows; row++) {
    const { knots, offset, count } = knotRow(basis, row);
    const [first, last] = [knots[offset]!, knots[offset + count - 1]!];
    const step = (last - first) / (count - 1);
    // A step of f32 knots far from 0 is itself rounded.
    const slack = UNEVEN * step + 4 * 2 ** -24 * Math.max(Math.abs(first), Math.abs(last));
    for (let j = 0; j < count; j++) {
      if (!(Math.abs(knots[offset + j]! - (first + j * step)) <= slack)) uniform = false;
    }
    lo = Math.min(lo, knots[offset + order]!);
    hi = Math.max(hi, knots[offset + functions]!);
  }
  return {
    basis: 'bspline',
    order,
    intervals: functions - order,
    functions,
    knots: uniform ? 'uniform' : 'not uniform',
    rows,
    range: [lo, hi],
  };
};

const short = (x: number): string => String(Number(x.toPrecision(4)));

const showBasis = (f: BasisFacts): string =>
  match(f)
    .with(
      { basis: 'bspline' },
      ({ order, intervals, knots, rows, range }) =>
        `B-splines of order p = ${order} on G = ${intervals} intervals of [${range.map(short).join(', ')}], knots ${knots}, ${rows === 1 ? 'the same for all inputs' : 'for each input its own'}`,
    )
    .with({ basis: 'base' }, ({ activation }) => `base ${activation}`)
    .with(
      { basis: 'rbf' },
      ({ functions, range, width, kernel }) =>
        `${functions} ${kernel === 'gaussian' ? 'Gaussians' : 'reflectional switches'} of width ${short(width)} on [${range.map(short).join(', ')}]`,
    )
    .with(
      { basis: 'polynomial' },
      ({ family, degree, squash }) =>
        `${family} polynomials to degree ${degree}${squash === 'none' ? '' : ` of ${squash}(x)`}`,
    )
    .with({ basis: 'symbolic' }, ({ functions }) => `formulas with ${functions.join(', ')}`)
    .with(
      { basis: 'expression' },
      ({ function: text, functions, edges }) =>
        `${functions === 1 ? 'a function' : `${functions} functions`} ${edges ? 'of each edge' : 'of each input'}: ${text.length > 200 ? `${text.slice(0, 200)} ...` : text}`,
    )
    .exhaustive();

const showOp = (op: OpFacts): ReadonlyArray<string> => {
  const shapes = `${op.inputShape.join('x')} -> ${op.outputShape.join('x')}`;
  const details = op.levels === undefined ? '' : `, ${op.levels} codes, ${op.element}`;
  return [
    `  ${op.name}: ${op.op} ${shapes}${details}${op.bias === true ? ', with a bias' : ''}${op.node === undefined ? '' : `   (${op.node})`}`,
    ...(op.branches ?? []).map((b) => `    ${showBasis(b)}`),
  ];
};

/** The description as lines for people. */
export const showDescription = (d: Description): string =>
  [
    `family: ${d.family} (${d.format})`,
    `network: ${d.input} -> ${d.output}, ${d.level}, ${d.parameters} numbers stored`,
    ...d.ops.flatMap(showOp),
    ...d.folded.map((weight) => `folded: ${weight}`),
    ...(d.assumptions.length === 0 ? ['nothing had to be assumed'] : ['assumed:']),
    ...d.assumptions.map((a) => `  ${showAssumption(a)}`),
    '',
  ]
    .map((line) => printable(line))
    .join('\n');
