/**
 * Runs C artifacts, and simulates HLS artifacts, with a compiler of the machine: the artifact's own sources are built
 * in a temporary folder, and samples go through the program as through a filter.
 */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { ManifestHeadCodec, Natural, readManifest, Size } from '../backends/manifest.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { allocate, parseElement, type TypedArray } from '../ir/element.js';
import type { Tools } from './capabilities.js';
import type { ArtifactFiles } from './models.js';
import { traceHarness } from './native-trace.js';
import type { Runnable } from './runnable.js';

const Identifier = t.refinement(t.string, (s) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(s), 'identifier');

/** A value that a C program keeps: its elements lie with channels last. */
const ValueCodec = t.type({
  name: t.string,
  element: t.keyof({ u8: null, i8: null, u16: null, i16: null, u32: null, i32: null, f32: null }),
  length: Size,
  channels: Size,
});

export type NativeValue = t.TypeOf<typeof ValueCodec>;

const CManifest = t.intersection([
  ManifestHeadCodec,
  t.type({
    code: t.type({
      name: Identifier,
      scratch: t.keyof({ static: null, caller: null }),
      constants: Natural,
      memory: Natural,
      values: t.array(ValueCodec),
    }),
  }),
]);

const HlsManifest = t.intersection([ManifestHeadCodec, t.type({ design: t.type({ name: Identifier }) })]);

interface Build {
  readonly compilers: ReadonlyArray<string>;
  readonly args: ReadonlyArray<string>;
  /** Files besides those of the artifact. */
  readonly extra: ReadonlyMap<string, string>;
  readonly values: ReadonlyArray<NativeValue>;
  readonly missing: string;
}

/** Windows finds it without its ending too. */
const PROGRAM = 'program.exe';

const cBuild = (text: string): Checked<Build> =>
  pipe(
    readManifest(CManifest, 'a C artifact')(text),
    E.map(({ code, input }) => ({
      compilers: ['cc', 'gcc', 'clang'],
      args: ['-std=c99', '-O2', '-include', 'trace.h', '-o', PROGRAM, 'trace.c', `${code.name}.c`],
      extra: traceHarness(code.name, code.scratch, input.dtype),
      values: code.values,
      missing: 'a C compiler (Debian: apt-get install gcc)',
    })),
  );

const hlsBuild = (text: string): Checked<Build> =>
  pipe(
    readManifest(HlsManifest, 'an HLS artifact')(text),
    E.map(({ design: { name } }) => ({
      compilers: ['c++', 'g++', 'clang++'],
      args: [
        '-std=c++17',
        '-O1',
        '-Wno-unknown-pragmas',
        '-DKANC_OWN_AP_INT',
        '-o',
        PROGRAM,
        `${name}_test.cpp`,
        `firmware/${name}.cpp`,
      ],
      extra: new Map(),
      values: [],
      missing: 'a C++ compiler (Debian: apt-get install g++)',
    })),
  );

const textOf = (files: ArtifactFiles['files']): string =>
  new TextDecoder().decode(files.get('manifest.json'));

/** Builds the program in a folder of its own; gives what runs it. */
const built = (tools: Tools, artifact: ArtifactFiles, build: Build): Checked<string> => {
  const folder = tools.scratch();
  if (E.isLeft(folder)) return folder;
  const written = tools.write(
    folder.right,
    new Map<string, Uint8Array | string>([...artifact.files, ...build.extra]),
  );
  if (E.isLeft(written)) return written;
  for (const compiler of build.compilers) {
    const result = tools.run(compiler, build.args, { cwd: folder.right });
    if (result === undefined) continue;
    return result.status === 0
      ? E.right(folder.right)
      : fail('K0603', `${compiler} does not compile the artifact: ${result.stderr.slice(0, 500)}`, {
          place: { file: artifact.folder },
        });
  }
  return fail('K0603', `running this artifact takes ${build.missing}`, { place: { file: artifact.folder } });
};

const elements = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);

export const nativeProgram = (tools: Tools, artifact: ArtifactFiles): Checked<Runnable> => {
  const { manifest } = artifact;
  const isC = manifest.target === 'c';
  const build = isC ? cBuild(textOf(artifact.files)) : hlsBuild(textOf(artifact.files));
  if (E.isLeft(build)) return build;
  const folder = built(tools, artifact, build.right);
  if (E.isLeft(folder)) return folder;
  const outputs = elements(manifest.output.shape);
  const raws = elements(manifest.raw.shape);
  const features = elements(manifest.input.shape);
  /** What the program writes for some samples: `width` bytes each. */
  const filter = (mode: string, input: Float32Array | Uint8Array, width: number): Checked<ArrayBuffer> => {
    const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    const result = tools.run(join(folder.right, PROGRAM), [mode], { cwd: folder.right, input: bytes });
    if (result?.status === 2)
      return fail('K0701', 'the program refuses a sample: it holds a NaN or an unknown code');
    const wanted = (input.length / features) * width;
    if (result?.status !== 0 || result.stdout.length !== wanted) {
      return fail('K0603', `the program wrote ${result?.stdout.length ?? 0} bytes in place of ${wanted}`, {
        place: { file: artifact.folder },
        hint: result?.stderr.slice(0, 500) ?? '',
      });
    }
    return E.right(result.stdout.slice().buffer);
  };
  const predictRaw: Runnable['predictRaw'] = (input) =>
    E.map((b: ArrayBuffer) => new Int32Array(b))(filter('raw', input, 4 * raws));
  return E.right({
    target: isC ? 'c' : 'hls',
    manifest,
    outputs,
    raws,
    predictRaw,
    predict: (input) =>
      manifest.output.dtype === 'i32'
        ? predictRaw(input)
        : E.map((b: ArrayBuffer) => new Float32Array(b))(filter('float', input, 4 * outputs)),
    inspect: (samples) => {
      const { values } = build.right;
      if (values.length === 0) return () => E.right(new Map());
      const width = values.reduce((n, v) => n + v.length * widthOf(v), 0);
      const written = filter('trace', samples, width);
      return (s) => E.map((b: ArrayBuffer) => valuesIn(values, b, s * width))(written);
    },
  });
};

const widthOf = ({ element }: NativeValue): number => Number(element.slice(1)) / 8;

/** The values after each other from `from` on, each brought into row-major order. */
const valuesIn = (
  values: ReadonlyArray<NativeValue>,
  bytes: ArrayBuffer,
  from: number,
): ReadonlyMap<string, TypedArray> => {
  const result = new Map<string, TypedArray>();
  let at = from;
  for (const v of values) {
    const type = parseElement(v.element);
    if (type === undefined) continue;
    const own = bytes.slice(at, at + v.length * widthOf(v));
    at += own.byteLength;
    const data = arrayOf(v.element, own);
    const rows = allocate(type, v.length);
    const inner = v.length / v.channels;
    for (let c = 0; c < v.channels; c++) {
      for (let p = 0; p < inner; p++) rows[c * inner + p] = data[p * v.channels + c]!;
    }
    result.set(v.name, rows);
  }
  return result;
};

const arrayOf = (element: NativeValue['element'], bytes: ArrayBuffer): TypedArray => {
  switch (element) {
    case 'u8':
      return new Uint8Array(bytes);
    case 'i8':
      return new Int8Array(bytes);
    case 'u16':
      return new Uint16Array(bytes);
    case 'i16':
      return new Int16Array(bytes);
    case 'u32':
      return new Uint32Array(bytes);
    case 'i32':
      return new Int32Array(bytes);
    case 'f32':
      return new Float32Array(bytes);
  }
};
