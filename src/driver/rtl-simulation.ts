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

/** Samples that one run of the simulator takes at most. */
const MOST_SAMPLES = 65536;

const PROGRAM = 'simulator.vvp';

/** A folder with the compiled simulation. */
const built = (tools: Tools, { files, folder: place }: ArtifactFiles, rtl: Rtl): Checked<string> => {
  const folder = tools.scratch();
  if (E.isLeft(folder)) return folder;
  const inputs = rtl.inputs.map((width) => ({ width }));
  const written = tools.write(
    folder.right,
    new Map<string, Uint8Array | string>([
      ['model.v', files.get('model.v') ?? ''],
      ['simulator.v', simulatorText(rtl.module, inputs, rtl.outputs, MOST_SAMPLES)],
    ]),
  );
  if (E.isLeft(written)) return written;
  const args = ['-g2005', '-o', PROGRAM, 'simulator.v', 'model.v'];
  const result = tools.run('iverilog', args, { cwd: folder.right });
  if (result === undefined) {
    return fail('K0603', 'running this artifact takes Icarus Verilog (Debian: apt-get install iverilog)', {
      place: { file: place },
    });
  }
  return result.status === 0
    ? E.right(folder.right)
    : fail('K0603', 'iverilog does not compile the artifact', {
        place: { file: place },
        output: result.stderr.slice(0, 500),
      });
};

/** The integers in a line of what the simulator prints; undefined where a bit of it is not known. */
const integersOf = (line: string, { outputs }: Rtl): ReadonlyArray<number> | undefined => {
  if (!/^[0-9a-f]+$/.test(line)) return undefined;
  let bits = BigInt(`0x${line}`);
  return outputs.map(({ width, signed }) => {
    const value = signed ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits);
    bits >>= BigInt(width);
    return Number(value);
  });
};

const simulate = (
  tools: Tools,
  folder: string,
  rtl: Rtl,
  codes: ArrayLike<number>,
  samples: number,
): Checked<Int32Array> => {
  const inputs = rtl.inputs.map((width) => ({ width }));
  const result = new Int32Array(samples * rtl.outputs.length);
  const digits = Math.ceil(widthOf(inputs) / 4);
  for (let from = 0; from < samples; from += MOST_SAMPLES) {
    const count = Math.min(MOST_SAMPLES, samples - from);
    const lines = Array.from({ length: count }, (_, s) =>
      packed(inputs, codes, (from + s) * inputs.length)
        .toString(16)
        .padStart(digits, '0'),
    );
    const written = tools.write(folder, new Map([['codes.mem', `${lines.join('\n')}\n`]]));
    if (E.isLeft(written)) return written;
    const ran = tools.run('vvp', [PROGRAM, `+samples=${count}`], { cwd: folder });
    const printed = new TextDecoder().decode(ran?.stdout).trim().split('\n');
    if (ran?.status !== 0 || printed.length < count) {
      return fail('K0603', `the simulation gave ${printed.length} results for ${count} samples`);
    }
    for (let s = 0; s < count; s++) {
      const integers = integersOf(printed[s]!, rtl);
      if (integers === undefined) {
        return fail('K0603', `the simulation gives unknown bits for sample ${from + s}: ${printed[s]}`);
      }
      result.set(integers, (from + s) * integers.length);
    }
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
      E.bind('folder', () => built(tools, artifact, manifest.rtl)),
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
