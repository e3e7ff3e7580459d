/** The logic of a Verilog artifact between the values that stand in it as codes, in Icarus Verilog. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { VerilogManifest } from '../../backends/verilog/manifest.js';
import { type RtlStage, rtlStages, stageSimulator, type Tap } from '../../backends/verilog/stages.js';
import { packed } from '../../backends/verilog/vectors.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import { allocate, type TypedArray } from '../../ir/element.js';
import { type Graph, typesOf } from '../../ir/graph.js';
import type { MachineStage, StageMachine } from '../../prove/prove.js';
import { evaluateUnit, unitOf } from '../../prove/unit.js';
import type { Tools } from '../capabilities.js';
import type { ArtifactFiles } from '../models.js';
import { builtBench, integersOf, MOST_SAMPLES, simulated } from '../rtl-simulation.js';

export const rtlMachine = (
  tools: Tools,
  graph: Graph<'table'>,
  manifest: VerilogManifest,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, StageMachine> =>
  TE.fromIOEither(() =>
    pipe(
      manifest.rtl.dontCares === 'proven'
        ? rtlStages(graph, manifest)
        : fail('K0602', "a module whose don't-cares come from data is defined on that data only", {
            place: { file: artifact.folder },
            hint: 'Compare it on the data with kanc verify --data.',
          }),
      E.flatMap(E.traverseArray((stage) => machineStage(tools, graph, manifest, artifact, stage))),
      E.map(
        (stages): StageMachine => ({
          stages,
          addsPerSecond: speedOf(artifact),
          about:
            'the logic of model.v between codes, each by itself: signals are forced and watched in a simulation',
          close: () => {},
        }),
      ),
    ),
  );

/** What a simulator does in a second, in terms of sums: less where a module is long, as all its registers move with the clock. */
const speedOf = ({ files }: ArtifactFiles): number => {
  const lines = (files.get('model.v') ?? new Uint8Array(0)).reduce((n, byte) => n + (byte === 10 ? 1 : 0), 0);
  return 3e5 / Math.max(1, lines / 8000);
};

const machineStage = (
  tools: Tools,
  graph: Graph<'table'>,
  manifest: VerilogManifest,
  artifact: ArtifactFiles,
  stage: RtlStage,
): Checked<MachineStage> =>
  pipe(
    builtBench(tools, artifact, {
      source: 'prover.v',
      text: stageSimulator(manifest, stage, MOST_SAMPLES),
      needs: 'proving this artifact takes Icarus Verilog (Debian: apt-get install iverilog)',
      refusal: 'iverilog does not find the stages',
      hint: 'Where another version of kanc has written the artifact, compile the model again.',
    }),
    E.map((folder) => runnable(tools, graph, folder, stage)),
  );

const runnable = (tools: Tools, graph: Graph<'table'>, folder: string, stage: RtlStage): MachineStage => {
  const { from, to } = stage;
  const unit = unitOf(
    graph,
    to.name,
    from.map((v) => v.name),
  );
  const given = from.flatMap((v) => v.taps);
  const { element } = typesOf(graph).get(to.name) ?? { element: { kind: 'int', bits: 32 } as const };
  const bitsOf = given.map(bitsByCode);
  let skipped = 0;
  /** One line of codes.mem; undefined where a code cannot occur in the module. */
  const lineOf = (operands: ReadonlyArray<TypedArray>, s: number): string | undefined => {
    const values: number[] = [];
    for (const [k, value] of from.entries()) {
      for (let e = 0; e < value.taps.length; e++) {
        const bits = bitsOf[values.length]!.get(operands[k]![s * value.taps.length + e]!);
        if (bits === undefined) return undefined;
        values.push(bits);
      }
    }
    return packed(given, values, 0).toString(16);
  };
  return {
    name: to.name,
    operands: from.map((v) => v.name),
    way: '',
    occurs: (k, e, code) => {
      const first = from.slice(0, k).reduce((n, v) => n + v.taps.length, 0);
      return bitsOf[first + e]!.has(code);
    },
    skipped: () => skipped,
    run: (operands, samples) =>
      TE.fromIOEither(() => {
        const lines = Array.from({ length: samples }, (_, s) => lineOf(operands, s));
        const run = lines.flatMap((line, s) => (line === undefined ? [] : [{ line, s }]));
        skipped += samples - run.length;
        const results = allocate(element, samples * to.taps.length);
        if (run.length < samples) {
          const tensors = unit.operands.map(({ type }, k) => ({ type, batch: samples, data: operands[k]! }));
          results.set(evaluateUnit(unit, tensors).data);
        }
        return pipe(
          simulate(
            tools,
            folder,
            stage,
            run.map(({ line }) => line),
          ),
          E.map((found) => {
            const width = to.taps.length;
            for (const [k, { s }] of run.entries()) {
              results.set(found.subarray(k * width, (k + 1) * width), s * width);
            }
            return results;
          }),
        );
      }),
  };
};

/** The bits that stand for a code. */
const bitsByCode = ({ codes, width }: Tap): ReadonlyMap<number, number> => {
  const bits = new Map<number, number>();
  const all = codes ?? Int32Array.from({ length: 2 ** width }, (_, v) => v);
  all.forEach((code, value) => {
    if (code >= 0 && !bits.has(code)) bits.set(code, value);
  });
  return bits;
};

/** What the stage gives for lines of operands; -1 for bits that stand for no code. */
const simulate = (
  tools: Tools,
  folder: string,
  { to }: RtlStage,
  lines: ReadonlyArray<string>,
): Checked<Int32Array> => {
  const printed = simulated(tools, folder, 'given.mem', lines);
  if (E.isLeft(printed)) return printed;
  const { taps } = to;
  const results = new Int32Array(lines.length * taps.length);
  for (const [s, line] of printed.right.entries()) {
    const integers = integersOf(line, taps);
    if (integers === undefined) return fail('K0603', `the simulation gives unknown bits: ${line}`);
    for (const [k, { codes }] of taps.entries()) {
      const value = integers[k]!;
      results[s * taps.length + k] = codes === undefined ? value : (codes[value] ?? -1);
    }
  }
  return E.right(results);
};
