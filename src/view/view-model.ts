/** From what a pipeline did to what the page shows: a pure function of graphs and measurements. */
import type { CostReport } from '../analyses/cost-report.js';
import { graphCost } from '../analyses/graph-cost.js';
import type { Graph } from '../ir/graph.js';
import { printGraph } from '../ir/print.js';
import { costsView } from './costs-view.js';
import { findEdges } from './find-edges.js';
import { nodeViews } from './graph-view.js';
import { layerViews } from './layer-view.js';
import type { Change, NodeView, QualityView, RemarkView, StepView, ViewModel } from './model.js';
import { VIEW_FORMAT } from './model.js';
import { tableViews } from './table-view.js';

/** One graph of the history: the one that came, then one behind every pass. */
export interface HistoryStep {
  readonly name: string;
  readonly call: string;
  readonly summary: string;
  readonly graph: Graph;
  /** Whether it is another graph than the one before. */
  readonly changed: boolean;
  readonly milliseconds?: number;
  readonly remarks: ReadonlyArray<RemarkView>;
  readonly quality?: QualityView;
}

export interface History {
  readonly kanc: string;
  readonly name: string;
  readonly file: string;
  readonly kind: ViewModel['kind'];
  readonly pipeline: string;
  readonly steps: ReadonlyArray<HistoryStep>;
  readonly costs: CostReport;
  readonly measured?: NonNullable<ViewModel['measured']>;
}

const countsOf = (nodes: ReadonlyArray<NodeView>): Readonly<Record<Change, number>> => {
  const counts = { same: 0, changed: 0, added: 0, removed: 0 };
  for (const { change, op } of nodes) if (op !== 'input' && op !== 'return') counts[change]++;
  return counts;
};

const stepViews = (
  steps: ReadonlyArray<HistoryStep>,
  layers: ReadonlyArray<string>,
): ReadonlyArray<StepView> => {
  let shown = 0;
  return steps.map((step, k) => {
    const before = steps[k - 1]?.graph;
    const isNew = step.changed || before === undefined;
    if (isNew) shown = k;
    const nodes = isNew ? nodeViews(step.graph, before, layers) : [];
    const { bytes, bitOps } = graphCost(step.graph);
    return {
      name: step.name,
      call: step.call,
      summary: step.summary,
      ...(step.milliseconds === undefined ? {} : { milliseconds: Math.round(step.milliseconds * 10) / 10 }),
      changed: isNew,
      level: step.graph.level,
      ops: step.graph.nodes.length,
      bytes,
      bitOps,
      counts: isNew ? countsOf(nodes) : { same: step.graph.nodes.length, changed: 0, added: 0, removed: 0 },
      remarks: step.remarks,
      ...(step.quality === undefined ? {} : { quality: step.quality }),
      graph: shown,
      ...(isNew ? { nodes, text: printGraph(step.graph, { resources: false }) } : {}),
    };
  });
};

export const viewModel = (history: History): ViewModel => {
  const { kanc, name, file, kind, pipeline, steps, costs, measured } = history;
  const graphs = steps.map(({ graph }) => graph);
  const edges = findEdges(graphs);
  const last = graphs.at(-1);
  return {
    format: VIEW_FORMAT,
    kanc,
    name,
    file,
    kind,
    pipeline,
    steps: stepViews(
      steps,
      edges.map((e) => e.name),
    ),
    layers: layerViews(edges),
    tables: last === undefined ? [] : tableViews(last),
    costs: costsView(costs),
    ...(measured === undefined ? {} : { measured }),
  };
};
