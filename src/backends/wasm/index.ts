/** The WASM SIMD target: `model.wasm`, a loader without dependencies, and what tools need to check them. */
import type BinaryenDefault from 'binaryen';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { record } from '../../ir/codec.js';
import { verify } from '../../ir/verify.js';
import type { Artifact, Backend, EmitContext } from '../backend.js';
import { PACKAGE_JSON } from '../shared/javascript.js';
import { booleanText } from '../shared/options.js';
import { markedModule } from './build.js';
import { loaderSource, loaderTypes, WORKER_FILE, WORKER_TEXT } from './glue.js';
import { layoutOf } from './layout.js';
import { type Manifest, manifestOf } from './manifest.js';
import { assemble } from './module.js';
import { planOf } from './plan.js';

export { type Manifest, parseManifest } from './manifest.js';
export { instantiate, type Program } from './runtime.js';

export interface WasmOptions {
  /** Puts the module into index.js as base64, for pages that serve one file. */
  readonly singleFile?: boolean;
}

export const wasm: Backend<WasmOptions> = {
  name: 'wasm',
  summary: 'WebAssembly with 128-bit SIMD, and an ES module that runs it in browsers and Node',
  options: record({}, { singleFile: booleanText }),
  emit: (options, context) => (graph) =>
    pipe(
      // Kernels rely on proven ranges, and graphs of scripts need not have been verified by anyone.
      verify(graph),
      E.flatMap(() => planOf(graph)),
      E.bindTo('plan'),
      E.bind('layout', ({ plan }) => layoutOf(plan)),
      TE.fromEither,
      TE.bind('library', () => TE.fromTask(loadLibrary)),
      TE.map(({ plan, layout, library }) => {
        const module = assemble(library, plan, layout);
        return artifactOf(options, context, module, (files) =>
          manifestOf(graph, plan, layout, files, context),
        );
      }),
    ),
};

const loadLibrary = async (): Promise<typeof BinaryenDefault> => (await import('binaryen')).default;

const artifactOf = (
  options: WasmOptions,
  context: EmitContext,
  module: Uint8Array,
  manifest: (files: ReadonlyMap<string, Uint8Array | string>) => Manifest,
): Artifact => {
  const meta = manifest(new Map());
  const marked = markedModule(module, meta);
  const where = options.singleFile === true ? 'inlined' : 'beside';
  const files = new Map<string, Uint8Array | string>([
    ['model.wasm', marked.module],
    ['index.js', loaderSource(meta, marked, where)],
    ['index.d.ts', loaderTypes(meta)],
    [WORKER_FILE, WORKER_TEXT],
    ['package.json', PACKAGE_JSON],
    ...(context.kir === undefined ? [] : [['model.kir', context.kir] as const]),
  ]);
  return { files: new Map([...files, ['manifest.json', `${JSON.stringify(manifest(files), null, 2)}\n`]]) };
};
