/**
 * Runs C artifacts, and simulates HLS artifacts, with a compiler of the machine: the artifact's own sources are built
 * in a temporary folder, and samples go through the program as through a filter.
 */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match } from 'ts-pattern';
import type { Scratch } from '../backends/c/header.js';
import type { CManifest, KeptValue } from '../backends/c/manifest.js';
import type { HlsManifest } from '../backends/hls/manifest.js';
import { checkInput, type Input } from '../backends/shared/check-input.js';
import { type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { elementCount } from '../ir/constant.js';
import { allocate, parseElement, type TypedArray } from '../ir/element.js';
import type { Tools } from './capabilities.js';
import type { ArtifactFiles } from './models.js';
import type { Program } from './program.js';

export interface Build {
  readonly compilers: ReadonlyArray<string>;
  readonly args: ReadonlyArray<string>;
  /** Files besides those of the artifact. */
  readonly extra: ReadonlyMap<string, string>;
  /** What it takes, where the machine has none of the compilers: `running this artifact takes a C compiler`. */
  readonly needs: string;
  /** What is compiled, where that fails: `the artifact`. */
  readonly what: string;
  readonly hint?: string;
}

/** A program whose values can be told, besides what it returns. */
interface Traced extends Build {
  readonly values: ReadonlyArray<KeptValue>;
}

/** Of programs that are built; Windows finds it without its ending too. */
export const PROGRAM = 'program.exe';

const cBuild = ({ code, input }: CManifest): Traced => ({
  compilers: ['cc', 'gcc', 'clang'],
  args: ['-std=c99', '-O2', '-include', 'trace.h', '-o', PROGRAM, 'trace.c', `${code.name}.c`],
  extra: traceHarness(code.name, code.scratch, input.dtype),
  values: code.values,
  needs: 'running this artifact takes a C compiler (Debian: apt-get install gcc)',
  what: 'the artifact',
});

const hlsBuild = ({ design: { name } }: HlsManifest): Traced => ({
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
  needs: 'running this artifact takes a C++ compiler (Debian: apt-get install g++)',
  what: 'the artifact',
});

/** Builds the program in a folder of its own, which it gives. */
export const built = (tools: Tools, artifact: ArtifactFiles, build: Build): Checked<string> => {
  const place = { file: artifact.folder };
  const files = new Map<string, Uint8Array | string>([...artifact.files, ...build.extra]);
  const folder = pipe(
    tools.scratch(),
    E.tap((path) => tools.write(path, files)),
  );
  if (E.isLeft(folder)) return folder;
  for (const compiler of build.compilers) {
    const result = tools.run(compiler, build.args, { cwd: folder.right });
    if (result === undefined) continue;
    return result.status === 0
      ? folder
      : fail('K0603', `${compiler} does not compile ${build.what}`, {
          place,
          ...(build.hint === undefined ? {} : { hint: build.hint }),
          output: result.stderr.slice(0, 500),
        });
  }
  return fail('K0603', build.needs, { place });
};

/** Builds the program of a C or HLS artifact; it is a process for every call. */
export const nativeProgram = (
  tools: Tools,
  manifest: CManifest | HlsManifest,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, Program> => {
  const build = match(manifest).with({ target: 'c' }, cBuild).with({ target: 'hls' }, hlsBuild).exhaustive();
  return TE.fromIOEither(() =>
    E.map((folder: string) => programIn(tools, manifest, build.values, folder))(
      built(tools, artifact, build),
    ),
  );
};

/** The program that was built in a folder. */
const programIn = (
  tools: Tools,
  manifest: CManifest | HlsManifest,
  values: ReadonlyArray<KeptValue>,
  folder: string,
): Program => {
  const features = elementCount(manifest.input.shape);
  /** What the program writes for some samples: `width` bytes each. */
  const filter = (mode: string, given: Input, width: number): Checked<ArrayBuffer> => {
    const checked = checkInput(manifest, features, given);
    if (E.isLeft(checked)) return checked;
    const input = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    const result = tools.run(join(folder, PROGRAM), [mode], { cwd: folder, input });
    const wanted = (given.length / features) * width;
    return result?.status === 0 && result.stdout.length === wanted
      ? E.right(result.stdout.slice().buffer)
      : fail('K0603', `the program wrote ${result?.stdout.length ?? 0} bytes in place of ${wanted}`, {
          output: result?.stderr.slice(0, 500) ?? '',
        });
  };
  const task =
    <A>(mode: string, width: number, read: (bytes: ArrayBuffer) => A) =>
    (input: Input): TE.TaskEither<Diagnostics, A> =>
      TE.fromIOEither(() => E.map(read)(filter(mode, input, width)));
  const predictRaw = task('raw', 4 * elementCount(manifest.raw.shape), (b) => new Int32Array(b));
  const width = values.reduce((n, v) => n + v.length * widthOf(v), 0);
  return {
    manifest,
    predictRaw,
    predict:
      manifest.output.dtype === 'i32'
        ? predictRaw
        : task('float', 4 * elementCount(manifest.output.shape), (b) => new Float32Array(b)),
    inspect:
      values.length === 0
        ? () => TE.right(new Map())
        : task('trace', width, (b) => valuesIn(values, b, width)),
    close: () => {},
  };
};

const widthOf = ({ element }: KeptValue): number => Number(element.slice(1)) / 8;

/** The values of samples of `width` bytes each, in row-major order. */
const valuesIn = (
  values: ReadonlyArray<KeptValue>,
  bytes: ArrayBuffer,
  width: number,
): ReadonlyMap<string, TypedArray> => {
  const samples = bytes.byteLength / width;
  const result = new Map<string, TypedArray>();
  let at = 0;
  for (const v of values) {
    const type = parseElement(v.element);
    if (type === undefined) continue;
    const size = v.length * widthOf(v);
    const rows = allocate(type, samples * v.length);
    const inner = v.length / v.channels;
    for (let s = 0; s < samples; s++) {
      // A copy, as an array may begin at multiples of its element only.
      const data = arrayOf(v.element, bytes.slice(s * width + at, s * width + at + size));
      for (let c = 0; c < v.channels; c++) {
        for (let p = 0; p < inner; p++) {
          rows[s * v.length + c * inner + p] = data[p * v.channels + c]!;
        }
      }
    }
    at += size;
    result.set(v.name, rows);
  }
  return result;
};

const arrayOf = (element: KeptValue['element'], bytes: ArrayBuffer): TypedArray => {
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

/** The main program around a C artifact: a filter, which can also write every value of the stages. */
const traceHarness = (name: string, scratch: Scratch, dtype: 'f32' | 'u8'): ReadonlyMap<string, string> => {
  const upper = name.toUpperCase();
  const given = scratch === 'caller' ? '&scratch, x' : 'x';
  const header = `#include <stddef.h>
extern int kanc_tracing;
void kanc_trace(const void *values, size_t bytes);
#define ${upper}_TRACE(stage, values, count) kanc_trace(values, (size_t)(count) * sizeof *(values))
`;
  const source = `#include <stdio.h>
#include <string.h>
#include "${name}.h"
int kanc_tracing = 0;
void kanc_trace(const void *values, size_t bytes)
{
    if (kanc_tracing) fwrite(values, bytes, 1, stdout);
}
static ${dtype === 'f32' ? 'float' : 'uint8_t'} x[${upper}_INPUTS];
static int32_t raw[${upper}_OUTPUTS];
${
  scratch === 'caller'
    ? `static ${name}_scratch scratch;
`
    : ''
}int main(int count, char **arguments)
{
    const char *mode = count > 1 ? arguments[1] : "raw";
    kanc_tracing = strcmp(mode, "trace") == 0;
    while (fread(x, sizeof x, 1, stdin) == 1) {
#ifdef ${upper}_HAS_FLOATS
        if (strcmp(mode, "float") == 0) {
            static float result[${upper}_OUTPUTS];
            if (${name}_predict(${given}, result) != 0) return 2;
            fwrite(result, sizeof result, 1, stdout);
            continue;
        }
#endif
        if (${name}_predict_raw(${given}, raw) != 0) return 2;
        if (!kanc_tracing) fwrite(raw, sizeof raw, 1, stdout);
    }
    return 0;
}
`;
  return new Map([
    ['trace.h', header],
    ['trace.c', source],
  ]);
};
