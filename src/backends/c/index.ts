/** The C99 target: one header and one source without a library, and a project that tests them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import type { Checked } from '../../diagnostics/index.js';
import { record } from '../../ir/codec.js';
import type { Graph } from '../../ir/graph.js';
import { verify } from '../../ir/verify.js';
import type { Artifact, Backend, EmitContext } from '../backend.js';
import { withBuild } from '../cpp/build.js';
import { type Golden, goldenOf } from '../cpp/golden.js';
import { memoryOf } from '../cpp/memory.js';
import { isReservedForFiles, programName } from '../cpp/names.js';
import { type Program, programOf } from '../cpp/program.js';
import { booleanText, choiceText } from '../shared/options.js';
import { type CStyle, headerText, type Scratch, scratchFor } from './header.js';
import { cManifestOf } from './manifest.js';
import { cmakeText, goldenText, makefileText, readmeText, testbenchText } from './project.js';
import { sourceText } from './source.js';

export interface COptions {
  /** The name of files and functions; that of the graph when absent. */
  readonly name?: string;
  /** Where the values between stages lie; when absent, on the stack up to 1,024 bytes, and above with the caller. */
  readonly scratch?: Scratch;
  /** Tables of at most 4 bits share bytes; true when absent. */
  readonly pack?: boolean;
}

export const c: Backend<COptions> = {
  name: 'c',
  summary: 'C99: one header and one source, integers only, no allocation, no library',
  options: record(
    {},
    { name: t.string, scratch: choiceText('stack', 'caller', 'static'), pack: booleanText },
  ),
  emit: (options, context) => (graph) =>
    pipe(
      // Stages rely on proven ranges, and graphs of scripts need not have been verified by anyone.
      verify(graph),
      E.flatMap(() => programOf(graph, 'C')),
      E.bindTo('program'),
      E.bind('golden', ({ program }): Checked<Golden> => goldenOf(graph, program)),
      E.bind('name', () => programName(options.name, graph.name, isReservedForFiles)),
      E.map(({ program, golden, name }) => artifactOf(graph, program, golden, { ...options, name }, context)),
      TE.fromEither,
    ),
};

const artifactOf = (
  graph: Graph<'table'>,
  program: Program,
  golden: Golden,
  options: COptions & Pick<CStyle, 'name'>,
  context: EmitContext,
): Artifact => {
  const memory = memoryOf(program);
  const style: CStyle = {
    name: options.name,
    scratch: options.scratch ?? scratchFor(memory.bytes),
    pack: options.pack ?? true,
    version: context.version,
  };
  const { name } = style;
  const sources = withBuild(
    new Map([
      [`${name}.h`, headerText(graph, program, memory, style)],
      [`${name}.c`, sourceText(graph, program, memory, style)],
      ['testbench.c', testbenchText(program, style)],
      ['golden.h', goldenText(program, golden, name)],
    ]),
  );
  const files = new Map<string, Uint8Array | string>([
    ...sources,
    ['Makefile', makefileText(style)],
    ['CMakeLists.txt', cmakeText(style)],
    ['README.md', readmeText(program, memory, golden, style)],
    ...(context.kir === undefined ? [] : [['model.kir', context.kir] as const]),
  ]);
  const manifest = cManifestOf(graph, program, memory, style, files, context);
  return { files: new Map([...files, ['manifest.json', `${JSON.stringify(manifest, null, 2)}\n`]]) };
};
