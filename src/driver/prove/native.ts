/** The stages of C and HLS artifacts, built with a compiler of the machine; a process for every run. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { CManifest } from '../../backends/c/manifest.js';
import { elementText } from '../../backends/cpp/memory.js';
import { type Program, programOf } from '../../backends/cpp/program.js';
import type { Slot } from '../../backends/cpp/stage.js';
import { designOf } from '../../backends/hls/design.js';
import type { HlsManifest } from '../../backends/hls/manifest.js';
import { type Diagnostics, fail } from '../../diagnostics/index.js';
import { allocate, F32, parseElement, type TypedArray } from '../../ir/element.js';
import type { Graph, ValueName } from '../../ir/graph.js';
import { sizeOf } from '../../ir/types.js';
import type { MachineStage, StageMachine } from '../../prove/prove.js';
import type { Tools } from '../capabilities.js';
import type { ArtifactFiles } from '../models.js';
import { type Build, built, PROGRAM } from '../native.js';
import { cHarness, cStage, floatStage, type HarnessStage, hlsHarness, hlsStage } from './native-harness.js';

/** What builds a harness beside the files of the artifact. */
const harness = (source: string, text: string, compiler: 'C' | 'C++'): Build => ({
  compilers: compiler === 'C' ? ['cc', 'gcc', 'clang'] : ['c++', 'g++', 'clang++'],
  args: [
    ...(compiler === 'C' ? ['-std=c99', '-O2'] : ['-std=c++17', '-O1', '-w', '-DKANC_OWN_AP_INT']),
    '-o',
    PROGRAM,
    source,
  ],
  extra: new Map([[source, text]]),
  needs: `proving this artifact takes a ${compiler} compiler (Debian: apt-get install ${compiler === 'C' ? 'gcc' : 'g++'})`,
  what: 'the stages',
  hint: 'Where another version of kanc has written the artifact, compile the model again.',
});

/** What `predict` returns, as a slot: row-major floats. */
const floatSlot = ({ output }: Program): Slot => ({
  value: output.name,
  name: 'floats',
  type: 'f32',
  length: sizeOf(output.type),
  channels: 1,
});

export const cMachine = (
  tools: Tools,
  graph: Graph<'table'>,
  { code }: CManifest,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> =>
  TE.fromIOEither(() =>
    pipe(
      programOf(graph, 'C'),
      E.flatMap((program) => {
        const own = program.stages.map(cStage);
        const rawStage = program.stages.findIndex((s) => s.output.name === program.rawSlot.name);
        const call = `${code.scratch === 'caller' ? '&kanc_prove_scratch, ' : ''}kanc_prove_input`;
        const stages = [
          ...own,
          ...(program.scale === undefined
            ? []
            : [floatStage(code.name, own.length, program.rawSlot, floatSlot(program), call)]),
        ];
        return pipe(
          built(
            tools,
            artifact,
            harness('prover.c', cHarness(code.name, rawStage, stages, code.scratch, program.inputSlot), 'C'),
          ),
          E.map((folder) =>
            machineOf(tools, folder, stages, 1e9, `the functions of ${code.name}.c, each by itself`),
          ),
        );
      }),
    ),
  );

export const hlsMachine = (
  tools: Tools,
  graph: Graph<'table'>,
  manifest: HlsManifest,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> => {
  const { name, architecture, interface: port, part, clock } = manifest.design;
  return TE.fromIOEither(() =>
    pipe(
      programOf(graph, 'HLS'),
      E.flatMap((program) =>
        designOf(name, program, { architecture, interface: port, part, clock }, manifest.kanc),
      ),
      E.flatMap((design) => {
        const { program, host, hardware } = design;
        const own = [
          ...host.map((stage, k) => hlsStage(stage, k, 'host::')),
          ...hardware.map((stage, k) => hlsStage(stage, host.length + k, '')),
        ];
        // What the design returns is row-major.
        const raw = { ...program.rawSlot, channels: 1 };
        const stages = [
          ...own,
          ...(program.scale === undefined
            ? []
            : [floatStage(name, own.length, raw, floatSlot(program), 'kanc_prove_input')]),
        ];
        return pipe(
          built(tools, artifact, harness('prover.cpp', hlsHarness(design, stages), 'C++')),
          E.map((folder) =>
            machineOf(
              tools,
              folder,
              stages,
              2e8,
              `the functions of firmware/${name}.cpp and host.h, each by itself`,
            ),
          ),
        );
      }),
    ),
  );
};

const machineOf = (
  tools: Tools,
  folder: string,
  stages: ReadonlyArray<HarnessStage>,
  addsPerSecond: number,
  about: string,
): StageMachine => ({
  stages: stages.map((stage, k) => machineStage(tools, folder, stage, k)),
  addsPerSecond,
  about,
  close: () => {},
});

/** An array of the native type of a slot; the elements of a slot are whole machine types. */
const arrayFor = ({ type }: Slot, length: number): TypedArray =>
  allocate(parseElement(elementText(type)) ?? F32, length);

/** From row-major samples to channels that stand interleaved, or back. */
const reordered = (
  data: TypedArray,
  slot: Slot,
  samples: number,
  into: TypedArray,
  back: boolean,
): TypedArray => {
  const { length, channels } = slot;
  if (channels === 1 || channels === length) {
    into.set(data.subarray(0, samples * length));
    return into;
  }
  const inner = length / channels;
  for (let s = 0; s < samples; s++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < inner; p++) {
        const [rows, mixed] = [s * length + c * inner + p, s * length + p * channels + c];
        if (back) into[rows] = data[mixed]!;
        else into[mixed] = data[rows]!;
      }
    }
  }
  return into;
};

const bytesOf = (data: TypedArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The operands of every sample one after another. */
const inputBytes = (
  stage: HarnessStage,
  operands: ReadonlyArray<TypedArray>,
  samples: number,
): Uint8Array => {
  const arrays = stage.inputs.map((slot, k) =>
    bytesOf(reordered(operands[k]!, slot, samples, arrayFor(slot, samples * slot.length), false)),
  );
  if (arrays.length === 1) return arrays[0]!;
  const widths = arrays.map((bytes) => bytes.length / samples);
  const all = new Uint8Array(arrays.reduce((n, bytes) => n + bytes.length, 0));
  let at = 0;
  for (let s = 0; s < samples; s++) {
    for (const [k, bytes] of arrays.entries()) {
      all.set(bytes.subarray(s * widths[k]!, (s + 1) * widths[k]!), at);
      at += widths[k]!;
    }
  }
  return all;
};

const machineStage = (tools: Tools, folder: string, stage: HarnessStage, k: number): MachineStage => ({
  name: stage.output.value,
  operands: stage.inputs.map((slot): ValueName => slot.value),
  way: '',
  run: (operands, samples) =>
    TE.fromIOEither(() => {
      const { output } = stage;
      const input = inputBytes(stage, operands, samples);
      const result = tools.run(join(folder, PROGRAM), [String(k)], { cwd: folder, input });
      const raw = arrayFor(output, samples * output.length);
      if (result?.status !== 0 || result.stdout.length !== raw.byteLength) {
        return fail(
          'K0603',
          `the stage of '${output.value}' wrote ${result?.stdout.length ?? 0} bytes in place of ${raw.byteLength}`,
          { output: result?.stderr.slice(0, 500) ?? '' },
        );
      }
      bytesOf(raw).set(result.stdout);
      return E.right(reordered(raw, output, samples, arrayFor(output, raw.length), true));
    }),
});
