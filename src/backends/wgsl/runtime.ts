/**
 * Runs a WebGPU artifact in this process: what `kanc run`, `eval` and `verify` use. The module and the constants are
 * those of the artifact, the code that loads them is the loader of this version: nothing of a folder is executed here
 * but its shaders.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DiagnosticCode } from '../../diagnostics/catalog.js';
import { type Checked, type Diagnostics, diagnostic, fail } from '../../diagnostics/index.js';
import type { TypedArray } from '../../ir/element.js';
import { sizeOf } from '../../ir/types.js';
import { checkInput, type Input } from '../shared/check-input.js';
import { asWritten, manifestText } from '../shared/manifest.js';
import { loaderSource } from './glue.js';
import { parseWgslManifest, type WgslManifest } from './manifest.js';

type Async<A> = TE.TaskEither<Diagnostics, A>;

export interface GpuProgram {
  readonly manifest: WgslManifest;
  /** f32 results, or i32 where the graph ends in integers. Fails with K0701 on an input that does not fit. */
  readonly predict: (input: Input) => Async<Float32Array | Int32Array>;
  /** The last integers before they become floats. */
  readonly predictRaw: (input: Input) => Async<Int32Array>;
  /** Every value, by name, of all samples. */
  readonly inspect: (input: Input) => Async<ReadonlyMap<string, TypedArray>>;
  readonly close: () => void;
}

/** What the loader gives; see loaderTypes. */
interface Model {
  readonly predict: (input: Input) => Promise<Float32Array | Int32Array>;
  readonly predictRaw: (input: Input) => Promise<Int32Array>;
  readonly inspect: (input: Input) => Promise<ReadonlyMap<string, TypedArray>>;
  readonly destroy: () => void;
}

type Load = (options: {
  readonly gpu: unknown;
  readonly wgsl: Response;
  readonly bin: Uint8Array;
}) => Promise<Model>;

/** The loader is text of this package, so that its exports are known. */
const isLoader = (u: unknown): u is { readonly load: Load } =>
  typeof u === 'object' && u !== null && 'load' in u && typeof u.load === 'function';

/** Checks the files of an artifact and loads them onto a device. `gpu`: what devices come from (navigator.gpu). */
export const startOnGpu = (
  files: ReadonlyMap<string, Uint8Array | string>,
  gpu: unknown,
): Async<GpuProgram> =>
  pipe(
    manifestText(files),
    E.flatMap(parseWgslManifest),
    E.bindTo('manifest'),
    E.bind('wgsl', ({ manifest }) => checked(files, 'model.wgsl', manifest)),
    E.bind('bin', ({ manifest }) => checked(files, 'model.bin', manifest)),
    E.tap(({ manifest, bin }) => checkProgram(manifest, bin)),
    TE.fromEither,
    TE.bind('model', ({ manifest, wgsl, bin }) => attempt(() => modelOf(manifest, wgsl, bin, gpu))),
    TE.map(({ manifest, model }) => programOf(manifest, model)),
  );

const modelOf = async (
  manifest: WgslManifest,
  wgsl: Uint8Array,
  bin: Uint8Array,
  gpu: unknown,
): Promise<Model> => {
  const source = loaderSource(manifest, { _tag: 'beside', wgsl: 'model.wgsl', bin: 'model.bin' });
  const loader: unknown = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
  );
  if (!isLoader(loader)) throw new Error('the loader exports no load');
  return loader.load({ gpu, wgsl: new Response(Uint8Array.from(wgsl)), bin });
};

const checked = (
  files: ReadonlyMap<string, Uint8Array | string>,
  name: string,
  manifest: WgslManifest,
): Checked<Uint8Array> => {
  const file = files.get(name);
  if (file === undefined) return fail('K0603', `the artifact has no ${name}`);
  return E.map((content: Uint8Array | string) =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content,
  )(asWritten(name, file, manifest));
};

/** Whether pages and results are where the manifest says (K0603): a manifest can be edited. */
const checkProgram = (manifest: WgslManifest, bin: Uint8Array): Checked<void> => {
  const { program, output, raw } = manifest;
  const wrong = (what: string): Checked<never> =>
    fail('K0603', `manifest.json does not fit the program: ${what}`, { hint: 'Compile the model again.' });
  if (program.pages.some(({ start, length }) => 4 * (start + length) > bin.length)) {
    return wrong('a page ends outside of model.bin');
  }
  if (program.steps.some(({ page }) => page >= Math.max(1, program.pages.length))) {
    return wrong('a step reads a page that there is not');
  }
  for (const end of [output, raw]) {
    const value = program.values.find((v) => v.name === end.name);
    if (value === undefined || !value.kept || value.length !== sizeOf(end)) {
      return wrong(`'${end.name}' is no result of the program`);
    }
  }
  return E.right(undefined);
};

/** What the loader's errors mean here, by their code. */
const CODES: Readonly<Record<string, DiagnosticCode>> = {
  'no-webgpu': 'K0606',
  'no-adapter': 'K0606',
  limits: 'K0605',
};

const HINTS: Partial<Record<DiagnosticCode, string>> = {
  K0606:
    'kanc explain K0606 tells what is needed. On Linux without a GPU: VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium, with Chromium installed.',
};

/** What a GPU does, with its failures as diagnostics. */
export const attempt = <A>(run: () => Promise<A>): Async<A> =>
  TE.tryCatch(run, (error): Diagnostics => {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    const known = CODES[code] ?? 'K0607';
    const hint = HINTS[known];
    const message = error instanceof Error ? error.message : String(error);
    return [diagnostic(known, message.replace(/^kanc model: /, ''), hint === undefined ? {} : { hint })];
  });

const programOf = (manifest: WgslManifest, model: Model): GpuProgram => {
  const features = sizeOf(manifest.input);
  const on =
    <A>(run: (input: Input) => Promise<A>) =>
    (given: Input): Async<A> =>
      pipe(
        TE.fromEither(checkInput(manifest, features, given)),
        TE.flatMap((input) => attempt(() => run(input))),
      );
  return {
    manifest,
    predict: on(model.predict),
    predictRaw: on(model.predictRaw),
    inspect: on(model.inspect),
    close: model.destroy,
  };
};
