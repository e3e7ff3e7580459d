/** The WebGPU target: `model.wgsl`, its constants, and a loader without dependencies. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import { record } from '../../ir/codec.js';
import type { Graph } from '../../ir/graph.js';
import { verify } from '../../ir/verify.js';
import type { Artifact, Backend, EmitContext } from '../backend.js';
import { PACKAGE_JSON } from '../shared/javascript.js';
import { describeEnds } from '../shared/manifest.js';
import { booleanText, choiceText, integerText } from '../shared/options.js';
import { baselinePlan } from './baseline/index.js';
import { type Built, markedBuild } from './build.js';
import { loaderSource, loaderTypes } from './glue.js';
import { BINDING_BYTES, collectiveMemory, type Layout, layoutOf, type Schedule } from './layout.js';
import { type Program, programOf, type WgslManifest, wgslManifestOf } from './manifest.js';
import { moduleOf } from './module.js';
import { type Plan, planOf } from './plan.js';

export { parseWgslManifest, type WgslManifest } from './manifest.js';

export interface WgslOptions {
  /** Puts the module and its constants into index.js, for pages that serve one file. */
  readonly singleFile?: boolean;
  /**
   * `fused`: one dispatch for the whole network, where its values fit the memory of a workgroup (else as `layers`);
   * `layers`: one for every layer. `auto`: as `fused`.
   */
  readonly schedule?: Schedule | 'auto';
  /** Adds baseline.js with its module: the float network, for comparisons. K0602 on networks that it does not cover. */
  readonly floatBaseline?: boolean;
  /** Bytes that tables of a layer may have before they are split; by default what every device binds. */
  readonly bindingBytes?: number;
}

export const wgsl: Backend<WgslOptions> = {
  name: 'wgsl',
  summary: 'WebGPU compute shaders, and an ES module that runs them in browsers and Node',
  options: record(
    {},
    {
      singleFile: booleanText,
      floatBaseline: booleanText,
      schedule: choiceText('auto', 'fused', 'layers'),
      bindingBytes: integerText(1024, 2 ** 31),
    },
  ),
  emit: (options, context) => (graph) => {
    const limit = Math.floor((options.bindingBytes ?? BINDING_BYTES) / 4);
    return TE.fromEither(
      pipe(
        // Kernels rely on proven ranges, and graphs of scripts need not have been verified by anyone.
        verify(graph),
        E.flatMap(() => planOf(graph, limit)),
        E.bindTo('plan'),
        E.bind('baseline', () =>
          options.floatBaseline === true ? baselineFiles(graph, context, limit) : E.right([]),
        ),
        E.map(({ plan, baseline }) => {
          const layout = layoutOf(plan, options.schedule ?? 'auto', limit);
          const { source, steps } = moduleOf(aboutTables(graph, layout), plan, layout);
          const program = programOf(layout, steps, workgroupBytes(plan, layout));
          const built = markedBuild(program, source, constantsOf(plan, layout));
          return artifactOf(options, context, baseline, built, (files) =>
            wgslManifestOf(graph, plan, built.program, files, context),
          );
        }),
      ),
    );
  },
};

const aboutTables = (graph: Graph, { schedule }: Layout): ReadonlyArray<string> => [
  `${graph.name}, compiled by kanc. index.js beside this file loads and runs it.`,
  '',
  'Values are words: codes as u32, accumulators as the bits of i32, floats as the bits of f32. There is no float',
  'arithmetic: integers wrap around and are the same on every implementation.',
  schedule === 'fused'
    ? 'One workgroup computes one sample; its values stay in the memory of the workgroup.'
    : 'One dispatch computes one layer of all samples.',
];

/** The float network as a program of its own, run by the same loader. */
const baselineFiles = (
  graph: Graph<'table'>,
  context: EmitContext,
  limit: number,
): Checked<ReadonlyArray<readonly [string, Uint8Array | string]>> =>
  context.reference === undefined
    ? fail('K0602', 'there is no float network to make a baseline of')
    : pipe(
        baselinePlan(context.reference),
        E.map((plan) => {
          const layout = layoutOf(plan, 'layers', limit);
          const about = [
            `${graph.name} as it was trained, in floats: what the tables are compared with. baseline.js runs it.`,
          ];
          const module = moduleOf(about, plan, layout);
          const { program, source, constants } = markedBuild(
            programOf(layout, module.steps, workgroupBytes(plan, layout)),
            module.source,
            constantsOf(plan, layout),
          );
          const data = {
            name: `${graph.name}, in floats`,
            kanc: context.version,
            ...describeEnds(graph, plan),
            program,
          };
          const files = { _tag: 'beside', wgsl: 'baseline.wgsl', bin: 'baseline.bin' } as const;
          return [
            ['baseline.wgsl', source],
            ['baseline.bin', constants],
            ['baseline.js', loaderSource(data, files)],
            ['baseline.d.ts', loaderTypes(data)],
          ] as const;
        }),
      );

const workgroupBytes = (plan: Plan, layout: Layout): Program['workgroupBytes'] =>
  4 *
  [...collectiveMemory(plan.kernels, layout.schedule, layout.size).values()].reduce(
    (sum, words) => sum + words,
    layout.localWords,
  );

/** The constants of all parts in their pages, little-endian. */
const constantsOf = (plan: Plan, { pages, places }: Layout): Uint8Array => {
  const last = pages[pages.length - 1];
  const bytes = new Uint8Array(last === undefined ? 0 : 4 * (last.start + last.length));
  const view = new DataView(bytes.buffer);
  for (const [k, kernel] of plan.kernels.entries()) {
    for (const [p, { words }] of kernel.parts.entries()) {
      const { page, at } = places[k]![p]!;
      const from = 4 * (pages[page]!.start + at);
      const data = words.make();
      for (let j = 0; j < data.length; j++) view.setUint32(from + 4 * j, data[j]!, true);
    }
  }
  return bytes;
};

const artifactOf = (
  options: WgslOptions,
  context: EmitContext,
  baseline: ReadonlyArray<readonly [string, Uint8Array | string]>,
  { source, constants }: Built,
  manifest: (files: ReadonlyMap<string, Uint8Array | string>) => WgslManifest,
): Artifact => {
  const meta = manifest(new Map());
  const own =
    options.singleFile === true
      ? ({ _tag: 'inlined', wgsl: source, bin: constants } as const)
      : ({ _tag: 'beside', wgsl: 'model.wgsl', bin: 'model.bin' } as const);
  const files = new Map<string, Uint8Array | string>([
    ['model.wgsl', source],
    ['model.bin', constants],
    ['index.js', loaderSource(meta, own)],
    ['index.d.ts', loaderTypes(meta)],
    ['package.json', PACKAGE_JSON],
    ...baseline,
    ...(context.kir === undefined ? [] : [['model.kir', context.kir] as const]),
  ]);
  return { files: new Map([...files, ['manifest.json', `${JSON.stringify(manifest(files), null, 2)}\n`]]) };
};
