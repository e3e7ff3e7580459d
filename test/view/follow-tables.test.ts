/** Tables that the page shows are those of the last graph, whatever passes behind `tabulate` did to them. */
import { describe, expect, it } from 'vitest';
import { constant } from '../../src/ir/constant.js';
import { F32 } from '../../src/ir/element.js';
import { type Graph, isLevel } from '../../src/ir/graph.js';
import { bindPipelineText, runPipeline } from '../../src/passes/pipeline.js';
import { BUILTIN_PASSES } from '../../src/passes/registry.js';
import type { EdgeSource } from '../../src/view/edge-source.js';
import { findEdges } from '../../src/view/find-edges.js';
import { calibrationOf, contextOf, nodesOf, randomKan } from '../passes/support.js';
import { rightOf } from '../support/checked.js';

const CALIBRATE = 'calibrate{data=x},quantize{act=3,hidden=3,table=6},tabulate{form=edge}';

/** All graphs of a pipeline, the one that came first. */
const graphsOf = (graph: Graph, text: string): ReadonlyArray<Graph> => {
  const graphs = [graph];
  const pipeline = rightOf(bindPipelineText(text, BUILTIN_PASSES, graph.level));
  const onPass = ({ after }: { after: Graph }): void => {
    graphs.push(after);
  };
  rightOf(runPipeline(pipeline, graph, { context: contextOf(calibrationOf(3)), verifyEach: true, onPass }));
  return graphs;
};

const edgeAt = ({ table, outputs }: EdgeSource, i: number, code: number): ReadonlyArray<number> => {
  const out = new Float64Array(outputs);
  table?.(i, code, out);
  return [...out];
};

const allOf = (source: EdgeSource): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: source.inputs }, (_, i) =>
    Array.from({ length: 8 }, (__, code) => edgeAt(source, i, code)).flat(),
  );

/** The graph with every table entry of a layer negated, as a wrong pass may have it. */
const negated = (graph: Graph, layer: string): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => {
    if (node.name !== layer || node.op.kind !== 'table.edge') return node;
    const { element, shape, data } = node.op.attrs.table;
    const table = constant(
      element,
      shape,
      data.map((v: number) => -v),
    );
    return { ...node, op: { ...node.op, attrs: { ...node.op.attrs, table } } };
  }),
});

/** A network of which an input and a hidden value do nothing. */
const withDead = (): Graph<'float'> => {
  const graph = randomKan(5, { layers: [3, 4, 2] });
  const isDead = (layer: number, i: number): boolean => (layer === 0 ? i === 1 : i === 2);
  const nodes = graph.nodes.map((node, layer) => {
    if (node.op.kind !== 'kan') return node;
    const branches = node.op.attrs.branches.map(({ basis, weights: { shape, data } }) => {
      const each = shape[1]! * shape[2]!;
      const left = Float32Array.from(data, (w: number, e: number) =>
        isDead(layer, Math.floor(e / each)) ? 0 : w,
      );
      return { basis, weights: constant(F32, shape, left) };
    });
    return { ...node, op: { kind: 'kan' as const, attrs: { ...node.op.attrs, branches } } };
  });
  return { ...graph, nodes };
};

describe('tables of the last graph', () => {
  it('show what a pass behind tabulate changed', () => {
    const graphs = graphsOf(randomKan(1, { layers: [3, 4, 2] }), CALIBRATE);
    const [before] = findEdges(graphs);
    const wrong = negated(graphs.at(-1)!, nodesOf(graphs.at(-1)!, 'table.edge')[0]!.name);
    const [after, other] = findEdges([...graphs, wrong]);
    expect(allOf(after!)).not.toEqual(allOf(before!));
    expect(allOf(after!)).toEqual(allOf(before!).map((row) => row.map((v) => (v === 0 ? 0 : -v))));
    expect(allOf(other!)).toEqual(allOf(findEdges(graphs)[1]!));
    expect(after).toMatchObject({ isLast: true, removedEdges: 0 });
  });

  it('are by the inputs and outputs before prune, which are counted where they are gone', () => {
    const graphs = graphsOf(withDead(), `${CALIBRATE},fold,prune,dedupe,narrow,dce`);
    const sources = findEdges(graphs);
    expect(sources.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [3, 4],
      [4, 2],
    ]);
    // Of the first layer 2 x 3 edges are left, of the second 3 x 2.
    expect(sources.map(({ removedEdges, isLast }) => [removedEdges, isLast])).toEqual([
      [6, true],
      [2, true],
    ]);
    // No pass of this pipeline changes a number.
    const early = findEdges(graphsOf(withDead(), CALIBRATE));
    expect(sources.map(allOf)).toEqual(early.map(allOf));
  });

  it('show what a pass behind prune changed, at the edges that are left', () => {
    const graphs = graphsOf(withDead(), `${CALIBRATE},fold,prune`);
    const last = graphs.at(-1)!;
    if (!isLevel('table')(last)) throw new Error('a table graph is expected');
    const [first] = findEdges(graphs);
    const [after] = findEdges([...graphs, negated(last, nodesOf(last, 'table.edge')[0]!.name)]);
    const [was, now] = [edgeAt(first!, 2, 5), edgeAt(after!, 2, 5)];
    // The third hidden value is gone, and is shown as it was.
    expect(now).toEqual(was.map((v, o) => (o === 2 || v === 0 ? v : -v)));
    expect(allOf(after!)[1]).toEqual(allOf(first!)[1]);
  });

  it('say so where the last graph has no such layer', () => {
    const graphs = graphsOf(randomKan(1, { layers: [3, 2] }), CALIBRATE);
    const last = graphs.at(-1)!;
    const other = { ...last, nodes: last.nodes.filter(({ op }) => op.kind !== 'table.edge') };
    expect(findEdges([...graphs, other])[0]).toMatchObject({ isLast: false });
  });
});
