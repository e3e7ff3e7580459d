/** Running pipelines: binding names to passes, checking levels before anything runs, and telling what happened. */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail, nearest } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import type { Level } from '../ir/types.js';
import { verify } from '../ir/verify.js';
import type { PassContext, Remark } from './pass.js';
import { type PassCall, parsePipeline } from './pipeline-text.js';
import type { BoundPass, NamedPass } from './registry.js';

export interface PipelineStep {
  readonly name: string;
  readonly pass: BoundPass;
}

export interface Pipeline {
  readonly steps: ReadonlyArray<PipelineStep>;
  /** All data files that the passes name. */
  readonly files: ReadonlyArray<string>;
}

/** What one pass did. */
export interface PassEvent {
  /** Position in the pipeline, from 1. */
  readonly index: number;
  readonly name: string;
  readonly before: Graph;
  readonly after: Graph;
  readonly remarks: ReadonlyArray<Remark>;
  readonly milliseconds: number;
  /** Whether the graph is another one: every node kept and none added means unchanged. */
  readonly changed: boolean;
}

export interface RunOptions {
  readonly context: PassContext;
  /** Run the verifier on the input and after every pass. */
  readonly verifyEach: boolean;
  readonly onPass?: (event: PassEvent) => void;
}

/** The pass that was probably meant: by spelling, or as a part of its name. */
const meant = (name: string, known: ReadonlyArray<string>): string | undefined =>
  nearest(name, known) ?? known.find((k) => k.startsWith(name) || name.startsWith(k) || k.includes(name));

/** Binds the calls to passes. Unknown names, wrong options and ill-ordered levels are refused before any runs. */
export const bindPipeline = (
  calls: ReadonlyArray<PassCall>,
  passes: ReadonlyArray<NamedPass>,
  start: Level,
): Checked<Pipeline> => {
  const steps: PipelineStep[] = [];
  let level = start;
  for (const [index, call] of calls.entries()) {
    const pass = passes.find((p) => p.name === call.name);
    if (pass === undefined) {
      const near = meant(
        call.name,
        passes.map((p) => p.name),
      );
      return fail('K0501', `there is no pass '${call.name}'`, {
        expected: `one of ${passes.map((p) => p.name).join(', ')}`,
        hint: near === undefined ? 'A pass of your own is loaded with --plugin' : `Did you mean '${near}'?`,
      });
    }
    const bound = pass.bind(call.options);
    if (E.isLeft(bound)) return bound;
    if (pass.from !== 'any' && pass.from !== level) {
      const before =
        index === 0 ? 'the graph it is given' : `the graph after '${calls[index - 1]?.name ?? ''}'`;
      return fail('K0504', `pass '${pass.name}' takes a ${pass.from} graph, but ${before} is ${level}`, {
        hint: orderHint(pass.from, level),
      });
    }
    if (pass.to !== 'same') level = pass.to;
    steps.push({ name: pass.name, pass: bound.right });
  }
  return E.right({ steps, files: [...new Set(steps.flatMap((s) => s.pass.files))] });
};

const orderHint = (wanted: Level, found: Level): string => {
  if (wanted === 'quantized' && found === 'float') return "Put 'quantize' before it.";
  if (wanted === 'table')
    return found === 'float' ? "Put 'quantize,tabulate' before it." : "Put 'tabulate' before it.";
  return 'Levels only go from float to quantized to table: put it earlier.';
};

export const bindPipelineText = (
  text: string,
  passes: ReadonlyArray<NamedPass>,
  start: Level,
): Checked<Pipeline> => {
  const calls = parsePipeline(text);
  return E.isLeft(calls) ? calls : bindPipeline(calls.right, passes, start);
};

/** Whether a pass returned the graph with the same nodes in the same order. */
const sameNodes = (a: Graph, b: Graph): boolean =>
  a === b ||
  (a.level === b.level &&
    a.nodes.length === b.nodes.length &&
    a.outputs.join() === b.outputs.join() &&
    a.nodes.every((node, k) => {
      const other = b.nodes[k];
      return (
        other !== undefined &&
        node.name === other.name &&
        node.op === other.op &&
        node.operands.join() === other.operands.join()
      );
    }));

/** Runs the passes in order. The result's level is what the last pass gives. */
export const runPipeline = (pipeline: Pipeline, graph: Graph, options: RunOptions): Checked<Graph> => {
  let current = graph;
  if (options.verifyEach) {
    const sound = verify(graph);
    if (E.isLeft(sound)) return sound;
  }
  for (const [index, { name, pass }] of pipeline.steps.entries()) {
    const started = performance.now();
    const result = at({ pass: name })(pass.run(options.context)(current));
    if (E.isLeft(result)) return result;
    const milliseconds = performance.now() - started;
    const after = result.right.graph;
    if (options.verifyEach) {
      const sound = at({ pass: name })(verify(after));
      if (E.isLeft(sound)) return sound;
    }
    options.onPass?.({
      index: index + 1,
      name,
      before: current,
      after,
      remarks: result.right.remarks,
      milliseconds,
      changed: !sameNodes(current, after),
    });
    current = after;
  }
  return E.right(current);
};
