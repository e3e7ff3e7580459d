/**
 * Runs Verilog artifacts in Icarus Verilog. The interpreter makes the codes that the ports take, where the network takes
 * floats or bytes; everything behind them is the module.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { checkInput } from '../backends/shared/check-input.js';
import { portSources, type VerilogManifest } from '../backends/verilog/manifest.js';
import { codesAtPorts, type ElementOf } from '../backends/verilog/ports.js';
import { simulatorText } from '../backends/verilog/project.js';
import { packed, widthOf } from '../backends/verilog/vectors.js';
import { type Checked, type Diagnostics, fail, InternalError } from '../diagnostics/index.js';
import { allocate } from '../ir/element.js';
import type { Graph } from '../ir/graph.js';
import { interpret } from '../ir/interpret.js';
import { evaluateOp } from '../ir/ops/index.js';
import type { Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/types.js';
import type { Tools } from './capabilities.js';
import { type ArtifactFiles, artifactGraph } from './models.js';
import type { Program } from './program.js';

type Rtl = VerilogManifest['rtl'];

/** Samples that one run of a simulator takes at most. */
export const MOST_SAMPLES = 65536;

const PROGRAM = 'simulator.vvp';

export interface Bench {
  /** The file of the module around that of the artifact, and its text. */
  readonly source: string;
  readonly text: string;
  /** What it takes, where the machine has no simulator. */
  readonly needs: string;
  /** What the simulator says where it does not take the files. */
  readonly refusal: string;
  readonly hint?: string;
}

/** A folder with the compiled simulation. */
export const builtBench = (
  tools: Tools,
  { files, folder: place }: ArtifactFiles,
  { source, text, needs, refusal, hint }: Bench,
): Checked<string> =>
  pipe(
    tools.scratch(),
    E.tap((folder) =>
      tools.write(
        folder,
        new Map<string, Uint8Array | string>([
          ['model.v', files.get('model.v') ?? ''],
          [source, text],
        ]),
      ),
    ),
    E.tap((folder) => {
      const result = tools.run('iverilog', ['-g2005', '-o', PROGRAM, source, 'model.v'], { cwd: folder });
      if (result === undefined) return fail('K0603', needs, { place: { file: place } });
      return result.status === 0
        ? E.right(undefined)
        : fail('K0603', refusal, {
            place: { file: place },
            ...(hint === undefined ? {} : { hint }),
            output: result.stderr.slice(0, 500),
          });
    }),
  );

/** The lines that a simulation prints for the lines of `given`, a file that it reads; one for each sample. */
export const simulated = (
  tools: Tools,
  folder: string,
  given: string,
  lines: ReadonlyArray<string>,
): Checked<ReadonlyArray<string>> => {
  const all: string[] = [];
  for (let from = 0; from < lines.length; from += MOST_SAMPLES) {
    const some = lines.slice(from, from + MOST_SAMPLES);
    const written = tools.write(folder, new Map([[given, `${some.join('\n')}\n`]]));
    if (E.isLeft(written)) return written;
    const ran = tools.run('vvp', [PROGRAM, `+samples=${some.length}`], { cwd: folder });
    const printed = new TextDecoder().decode(ran?.stdout).trim().split('\n');
    if (ran?.status !== 0 || printed.length < some.length) {
      return fail('K0603', `the simulation gave ${printed.length} results for ${some.length} samples`, {
        output: ran?.stderr.slice(0, 500) ?? '',
      });
    }
    for (let s = 0; s < some.length; s++) all.push(printed[s]!);
  }
  return E.right(all);
};

/** The integers in a line of what the simulator prints; undefined where a bit of it is not known. */
export const integersOf = (
  line: string,
  values: ReadonlyArray<{ readonly width: number; readonly signed: boolean }>,
): ReadonlyArray<number> | undefined => {
  if (!/^[0-9a-f]+$/.test(line)) return undefined;
  let bits = BigInt(`0x${line}`);
  return values.map(({ width, signed }) => {
    const value = signed ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits);
    bits >>= BigInt(width);
    return Number(value);
  });
};

const benchOf = (rtl: Rtl): Bench => ({
  source: 'simulator.v',
  text: simulatorText(
    rtl.module,
    rtl.inputs.map((width) => ({ width })),
    rtl.outputs,
    MOST_SAMPLES,
  ),
  needs: 'running this artifact takes Icarus Verilog (Debian: apt-get install iverilog)',
  refusal: 'iverilog does not compile the artifact',
});

/** What the module gives for the codes of samples. */
const simulate = (
  tools: Tools,
  folder: string,
  rtl: Rtl,
  codes: ArrayLike<number>,
  samples: number,
): Checked<Int32Array> => {
  const inputs = rtl.inputs.map((width) => ({ width }));
  const digits = Math.ceil(widthOf(inputs) / 4);
  const lines = Array.from({ length: samples }, (_, s) =>
    packed(inputs, codes, s * inputs.length)
      .toString(16)
      .padStart(digits, '0'),
  );
  const printed = simulated(tools, folder, 'codes.mem', lines);
  if (E.isLeft(printed)) return printed;
  const result = new Int32Array(samples * rtl.outputs.length);
  for (const [s, line] of printed.right.entries()) {
    const integers = integersOf(line, rtl.outputs);
    if (integers === undefined) {
      return fail('K0603', `the simulation gives unknown bits for sample ${s}: ${line}`);
    }
    result.set(integers, s * integers.length);
  }
  return E.right(result);
};

/** The codes of some samples at the ports; K0603 where the manifest is not that of the graph. */
const codesOf = (graph: Graph, rtl: Rtl, input: Tensor): Checked<ArrayLike<number>> => {
  const sources = portSources(rtl);
  const wanted = new Set(sources.map((source) => source?.value));
  const codes = new Map<string, ArrayLike<number>>();
  const keep = (name: string, data: ArrayLike<number>): void => {
    if (wanted.has(name)) codes.set(name, data);
  };
  for (const { name } of graph.inputs) keep(name, input.data);
  const isThere = (source: ElementOf | undefined): boolean =>
    source === undefined || source.element < (codes.get(source.value)?.length ?? 0) / input.batch;
  const ran: Checked<unknown> = sources.every(isThere)
    ? E.right(undefined)
    : interpret(graph, [input], (name, value) => keep(name, value.data));
  if (E.isLeft(ran)) return ran;
  const absent = sources.find((source) => !isThere(source));
  if (absent !== undefined || sources.length !== rtl.inputs.length) {
    return fail('K0603', 'manifest.json does not fit model.kir', {
      expected: `a value %${absent?.value ?? rtl.codes} with a code for each port`,
      hint: 'Compile the model again.',
    });
  }
  return E.right(codesAtPorts(sources, codes, input.batch));
};

/** The floats that the integers stand for, where the graph ends in a dequantize. */
const floatsOf = (graph: Graph, raw: Int32Array, samples: number): Float32Array | Int32Array => {
  const last = graph.nodes.find((n) => n.name === graph.outputs[0]);
  const source = graph.nodes.find((n) => n.name === last?.operands[0]);
  if (last?.op.kind !== 'dequantize' || source === undefined) return raw;
  const data = allocate(source.type.element, raw.length);
  data.set(raw);
  const result = evaluateOp(last.op, [{ type: source.type, batch: samples, data }], last.type);
  return Float32Array.from(result.data);
};

/** Makes a Verilog artifact ready to run. */
export const simulatedRtl = (
  tools: Tools,
  manifest: VerilogManifest,
  artifact: ArtifactFiles,
): TE.TaskEither<Diagnostics, Program> =>
  TE.fromIOEither(() =>
    pipe(
      artifactGraph(artifact),
      E.bindTo('graph'),
      E.bind('folder', () => builtBench(tools, artifact, benchOf(manifest.rtl))),
      E.map(({ graph, folder }): Program => {
        const [input] = graph.inputs;
        if (input === undefined) throw new InternalError('a graph without inputs');
        const size = sizeOf(input.type);
        const predictRaw: Program['predictRaw'] = (given) =>
          TE.fromIOEither(() => {
            const samples = given.length / size;
            return pipe(
              checkInput(manifest, size, given),
              E.flatMap((data) => codesOf(graph, manifest.rtl, { type: input.type, batch: samples, data })),
              E.flatMap((codes) => simulate(tools, folder, manifest.rtl, codes, samples)),
            );
          });
        return {
          manifest,
          predictRaw,
          predict: (given) =>
            pipe(
              predictRaw(given),
              TE.map((raw) => floatsOf(graph, raw, given.length / size)),
            ),
          inspect: () => TE.right(new Map()),
          close: () => {},
        };
      }),
    ),
  );
