/** The RTL target: the unrolled form in Verilog-2005, with a testbench that checks itself. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { probes } from '../../analyses/probes.js';
import { type Seen, seenCodes } from '../../analyses/seen-codes.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import { record } from '../../ir/codec.js';
import { type Graph, typesOf } from '../../ir/graph.js';
import { verify } from '../../ir/verify.js';
import type { Artifact, Backend, EmitContext } from '../backend.js';
import { programName } from '../cpp/names.js';
import { choiceText, integerText } from '../shared/options.js';
import { type Chosen, smallest } from './dont-cares.js';
import { countEdges } from './edges.js';
import { emitModule } from './emit.js';
import { estimateLuts } from './estimate.js';
import type { Circuit } from './lower.js';
import { verilogManifestOf } from './manifest.js';
import { makefileText, testbenchText } from './project.js';
import { type Figures, readmeText } from './readme.js';
import { scheduleOf } from './schedule.js';
import { someOf, type Vectors, vectorsOf, vectorText } from './vectors.js';

export interface VerilogOptions {
  /** Adders in a row between registers; 0: registers at the end only. 3 when absent. */
  readonly pipeline?: number;
  /** Tables that one chain of adders adds up at most; 16 when absent. */
  readonly chain?: number;
  /** `data`: codes that do not occur on the samples may give anything. `proven` when absent. */
  readonly 'dont-cares'?: 'proven' | 'data';
  /** Golden vectors; 256 when absent. */
  readonly vectors?: number;
  /** Where they come from; with don't-cares from data always from the samples, else from probes when absent. */
  readonly 'vectors-from'?: 'probes' | 'samples';
  /** The name of the module; `kan_` and that of the graph when absent. */
  readonly name?: string;
}

/** Edges that are unrolled at most: 16,384 tables are tens of thousands of LUTs, and more than an hour of synthesis. */
export const MOST_EDGES = 16384;

const DEFAULTS = { pipeline: 3, chain: 16, vectors: 256 } as const;
const SEED = 1;

export const verilog: Backend<VerilogOptions> = {
  name: 'verilog',
  summary: 'Verilog-2005: every edge a table in logic, pipelined, one inference per clock cycle',
  options: record(
    {},
    {
      pipeline: integerText(0, 1000),
      chain: integerText(2, 100000),
      'dont-cares': choiceText('proven', 'data'),
      vectors: integerText(1, 100000),
      'vectors-from': choiceText('probes', 'samples'),
      name: t.string,
    },
  ),
  emit: (options, context) => (graph) =>
    pipe(
      // Widths rely on proven ranges, and graphs of scripts need not have been verified by anyone.
      verify(graph),
      E.flatMap(() => edgesWithin(graph)),
      E.bindTo('edges'),
      E.bind('module', () => moduleName(options, graph)),
      E.bind('seen', () => seenOf(graph, options, context)),
      E.bind('chosen', ({ seen }) =>
        smallest(
          graph,
          { chain: options.chain ?? DEFAULTS.chain },
          seen,
          options.pipeline ?? DEFAULTS.pipeline,
        ),
      ),
      E.bind('vectors', ({ chosen }) => goldenOf(graph, chosen.circuit, options, context)),
      E.map(({ edges, module, chosen, vectors }) =>
        artifactOf(graph, module, chosen, vectors, edges, options, context),
      ),
      TE.fromEither,
    ),
};

const edgesWithin = (graph: Graph<'table'>): Checked<number> => {
  const types = typesOf(graph);
  let edges = 0;
  for (const node of graph.nodes) {
    edges += countEdges(
      node,
      node.operands.flatMap((name) => types.get(name) ?? []),
    );
    if (edges > MOST_EDGES) {
      return fail('K0602', `the network has more edges than the unrolled form takes`, {
        place: { op: node.name },
        expected: `at most ${MOST_EDGES} edges, each of which becomes a table in logic (${edges} up to here)`,
        hint: 'Use --target hls, whose folded form keeps tables in memory.',
      });
    }
  }
  return E.right(edges);
};

/** The codes that may be assumed to occur. */
const seenOf = (
  graph: Graph<'table'>,
  options: VerilogOptions,
  { samples }: EmitContext,
): Checked<Seen | undefined> => {
  if (options['dont-cares'] !== 'data') return E.right(undefined);
  return samples === undefined ? needsSamples('dont-cares=data') : seenCodes(graph, samples);
};

const needsSamples = (option: string): Checked<never> =>
  fail('K0602', `${option} needs inputs`, {
    place: { option: `--target-options ${option}` },
    hint: 'Give --sample-inputs inputs.npy: inputs as the program will get them.',
  });

const goldenOf = (
  graph: Graph<'table'>,
  circuit: Circuit,
  options: VerilogOptions,
  { samples }: EmitContext,
): Checked<Vectors> => {
  const count = options.vectors ?? DEFAULTS.vectors;
  if (options['dont-cares'] !== 'data' && options['vectors-from'] !== 'samples') {
    return vectorsOf(graph, circuit, probes(graph, graph.inputs[0]!.type, count, SEED));
  }
  return samples === undefined
    ? needsSamples('vectors-from=samples')
    : vectorsOf(graph, circuit, someOf(samples, count));
};

/** Behind `kan_` no word of Verilog and no other module has the same name. */
const moduleName = ({ name }: VerilogOptions, graph: Graph): Checked<string> =>
  E.map((known: string) => `kan_${known}`)(programName(name, graph.name, () => false));

const artifactOf = (
  graph: Graph<'table'>,
  module: string,
  { circuit, assumes }: Chosen,
  vectors: Vectors,
  edges: number,
  options: VerilogOptions,
  context: EmitContext,
): Artifact => {
  const pipeline = options.pipeline ?? DEFAULTS.pipeline;
  const schedule = scheduleOf(circuit, pipeline);
  const emitted = emitModule(circuit, schedule, module);
  const figures: Figures = {
    latency: schedule.latency,
    registers: emitted.registers,
    ...estimateLuts(circuit, schedule),
    edges,
  };
  const seen = assumes ? context.samples?.batch : undefined;
  const { version } = context;
  const { samples } = vectors;
  const parts = { graph, circuit, figures, module, version, samples, pipeline, seen };
  const files = new Map<string, Uint8Array | string>([
    ['model.v', emitted.text],
    ['tb.v', testbenchText(circuit, module, schedule.latency, samples)],
    ['vectors.mem', vectorText(circuit, vectors)],
    ['Makefile', makefileText(module)],
    ['README.md', readmeText(parts)],
    ...(context.kir === undefined ? [] : [['model.kir', context.kir] as const]),
  ]);
  const manifest = verilogManifestOf(
    graph,
    circuit,
    module,
    { chain: options.chain ?? DEFAULTS.chain, pipeline },
    figures,
    seen,
    files,
    context,
  );
  return { files: new Map([...files, ['manifest.json', `${JSON.stringify(manifest, null, 2)}\n`]]) };
};
