/** The HLS target: a project for Vitis HLS whose simulation needs no vendor's tool. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Graph } from '../../ir/graph.js';
import { verify } from '../../ir/verify.js';
import type { Artifact, Backend, EmitContext } from '../backend.js';
import { goldenText, testbenchText } from '../c/project.js';
import { withBuild } from '../cpp/build.js';
import { type Golden, goldenOf } from '../cpp/golden.js';
import { programName } from '../cpp/names.js';
import { programOf, refusal } from '../cpp/program.js';
import { apHeader } from './ap-operators.js';
import { type Design, designOf } from './design.js';
import { firmwareText, parametersText } from './firmware.js';
import { definesText, hostText, topHeaderText } from './headers.js';
import { hlsManifestOf } from './manifest.js';
import { type HlsOptions, HlsOptionsCodec } from './options.js';
import { hlsMakefileText, hlsReadmeText, tclText } from './project.js';
import { streamsHeader } from './streams.js';

export type { HlsOptions } from './options.js';

export const hls: Backend<HlsOptions> = {
  name: 'hls',
  summary: 'HLS C++ for FPGAs: a Vitis HLS project with a testbench that any C++17 compiler runs',
  options: HlsOptionsCodec,
  emit: (options, context) => (graph) =>
    pipe(
      verify(graph),
      E.flatMap(() => programOf(graph, 'HLS')),
      E.bindTo('program'),
      E.bind('design', ({ program }) =>
        pipe(
          programName(options.name, graph.name),
          E.flatMap((name) => designOf(name, program, options, context.version)),
        ),
      ),
      E.bind('golden', ({ program }) => goldenOf(graph, program)),
      E.map(({ design, golden }) => artifactOf(graph, design, golden, context)),
      TE.fromEither,
    ),
};

const artifactOf = (
  graph: Graph<'table'>,
  design: Design,
  golden: Golden,
  context: EmitContext,
): Artifact => {
  const { name, program } = design;
  const style = { name, scratch: 'static' } as const;
  const sources = withBuild(
    new Map([
      [`firmware/${name}.cpp`, firmwareText(design)],
      [`firmware/${name}.h`, topHeaderText(design)],
      ['firmware/defines.h', definesText(design)],
      ['firmware/parameters.h', parametersText(design)],
      ['firmware/host.h', hostText(design, refusal(graph, program, 'given', 'host::'))],
      ['firmware/kanc_ap_int.h', apHeader()],
      ['firmware/kanc_hls.h', streamsHeader()],
      [`${name}_test.cpp`, testbenchText(program, style, 'firmware/host.h')],
      ['golden.h', goldenText(program, golden, name)],
    ]),
  );
  const files = new Map<string, Uint8Array | string>([
    ...sources,
    ['build_prj.tcl', tclText(design)],
    ['Makefile', hlsMakefileText(design)],
    ['README.md', hlsReadmeText(design, golden)],
    ...(context.kir === undefined ? [] : [['model.kir', context.kir] as const]),
  ]);
  const manifest = hlsManifestOf(graph, design, files, context);
  return { files: new Map([...files, ['manifest.json', `${JSON.stringify(manifest, null, 2)}\n`]]) };
};
