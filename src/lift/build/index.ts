/** From the cuts of a trace to a float graph: each cut that an output needs becomes a value, once. */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { type Checked, fail } from '../../diagnostics/index.js';
import { builder } from '../../ir/builder.js';
import { type Graph, toValueName, type ValueName } from '../../ir/graph.js';
import { samplesOfElements } from '../samples.js';
import type { Trace } from '../trace/index.js';
import type { Cut, Varying } from '../traced.js';
import { buildInput, buildPool, buildProduct, buildSoftmax, buildStandardize } from './cuts.js';
import { inPlaces, layoutOf } from './layout.js';
import { nodeOf, sameForAllSamples } from './same.js';
import { type Built, type Lifting, liftingOf } from './state.js';
import { buildSum } from './sum.js';
import { valueOfElements } from './values.js';

const buildCut = (l: Lifting, cut: Cut): Checked<Built> => {
  const known = l.built.get(cut);
  if (known !== undefined) return E.right(known);
  if (!sameForAllSamples(l, cut)) {
    const { origin } = nodeOf(l, cut);
    return fail(
      'K0221',
      `${origin.op} '${origin.node}' does not compute the same for every sample of a batch`,
      {
        place: { op: origin.node },
        expected: 'a network whose result for a sample depends on that sample alone',
        hint: 'Export in eval mode, with a dynamic batch axis.',
      },
    );
  }
  const made = match(cut.definition)
    .returnType<Checked<Built>>()
    .with({ kind: 'input' }, () => buildInput(l, cut))
    .with({ kind: 'sum' }, (d) => buildSum(l, buildCut, cut, d))
    .with({ kind: 'standardize' }, (d) => buildStandardize(l, buildCut, cut, d))
    .with({ kind: 'product' }, (d) => buildProduct(l, buildCut, cut, d))
    .with({ kind: 'pool' }, (d) => buildPool(l, buildCut, cut, d))
    .with({ kind: 'softmax' }, (d) => buildSoftmax(l, buildCut, cut, d))
    .exhaustive();
  if (E.isLeft(made)) return made;
  const refused = l.b.failure();
  if (refused !== undefined) return refused;
  l.built.set(cut, made.right);
  l.origins.set(made.right.name, nodeOf(l, cut).origin.node);
  return made;
};

/** An output of the program: its elements in the order that it has them in. */
const buildOutput = (l: Lifting, v: Varying): Checked<ValueName> => {
  const elements = samplesOfElements(l.trace, v);
  const layout = layoutOf(l, buildCut, [v], elements);
  if (E.isLeft(layout)) return layout;
  const { position, shape } = layout.right;
  const inOrder = position.every((p, k) => p === k);
  return inOrder
    ? valueOfElements(l, buildCut, v, inPlaces(elements, position), shape)
    : valueOfElements(l, buildCut, v, elements, [elements.length]);
};

/** The graph without what was replaced on the way. */
const live = (graph: Graph<'float'>): Graph<'float'> => {
  const needed = new Set<ValueName>(graph.outputs);
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!needed.has(node.name)) return false;
    for (const o of node.operands) needed.add(o);
    return true;
  });
  return { ...graph, nodes: nodes.toReversed() };
};

/** Values by the names that they would have had if what replaced them had been made at once. */
const readable = ({ graph, origins }: BuiltGraph): BuiltGraph => {
  const taken = new Set<string>([...graph.inputs, ...graph.nodes].map(({ name }) => name));
  const names = new Map<string, ValueName>();
  for (const { name } of graph.nodes) {
    const stem = toValueName(name.replace(/_(?:biased|learnt)$/, ''));
    if (stem === undefined || stem === name || taken.has(stem)) continue;
    taken.add(stem);
    names.set(name, stem);
  }
  const of = (name: ValueName): ValueName => names.get(name) ?? name;
  const nodes = graph.nodes.map((node) => ({
    ...node,
    name: of(node.name),
    operands: node.operands.map(of),
  }));
  return {
    graph: { ...graph, nodes, outputs: graph.outputs.map(of) },
    origins: new Map([...origins].map(([name, node]) => [names.get(name) ?? name, node])),
  };
};

export interface BuiltGraph {
  readonly graph: Graph<'float'>;
  /** The nodes of the program that values end at. */
  readonly origins: ReadonlyMap<string, string>;
}

export const buildGraph = (trace: Trace, name: string): Checked<BuiltGraph> => {
  const l = liftingOf(trace, builder(name, 'float'));
  for (const cut of trace.cuts) {
    if (cut.definition.kind !== 'input') continue;
    const made = buildCut(l, cut);
    if (E.isLeft(made)) return made;
  }
  const outputs: ValueName[] = [];
  for (const v of trace.outputs) {
    const value = buildOutput(l, v);
    if (E.isLeft(value)) return value;
    outputs.push(value.right);
  }
  const graph = l.b.build(outputs);
  return E.map((g: Graph<'float'>): BuiltGraph => readable({ graph: live(g), origins: l.origins }))(graph);
};
