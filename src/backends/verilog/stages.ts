/**
 * Where a module can be opened: the values that stand in it as codes. A simulation forces the signals of one such value and
 * watches those of the next, so that the logic between them runs by itself.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Graph, ValueName } from '../../ir/graph.js';
import { emitModule } from './emit.js';
import { lower } from './lower.js';
import type { VerilogManifest } from './manifest.js';
import { scheduleOf } from './schedule.js';
import type { Coded } from './steps.js';
import { widthOf } from './vectors.js';

/** One element of a value at a place where it can be forced or watched. */
export interface Tap {
  /** Signals of the module, all alike; none where it is a port. */
  readonly signals: ReadonlyArray<string>;
  readonly port: string;
  readonly width: number;
  /** What the bits stand for: the code of each value, -1 where none can occur; undefined for integers of a port. */
  readonly codes: Int32Array | undefined;
  /** Two's complement. */
  readonly signed: boolean;
}

export interface RtlValue {
  readonly name: ValueName;
  readonly taps: ReadonlyArray<Tap>;
}

/** Logic from one value, or several, to the next. */
export interface RtlStage {
  readonly from: ReadonlyArray<RtlValue>;
  readonly to: RtlValue;
}

/** The stages of a module, from the graph and the options of its manifest. */
export const rtlStages = (
  graph: Graph<'table'>,
  { rtl }: VerilogManifest,
): Checked<ReadonlyArray<RtlStage>> =>
  pipe(
    lower(graph, { chain: rtl.chain }),
    E.map((circuit) => {
      const emitted = emitModule(circuit, scheduleOf(circuit, rtl.pipeline), rtl.module);
      const tapsOf = (coded: ReadonlyArray<Coded>, isPort: boolean): ReadonlyArray<Tap> =>
        coded.map(({ net, codes }) => ({
          signals: isPort ? [] : emitted.signalsOf(net),
          port: net.def.kind === 'input' ? `x${net.def.index}` : '',
          width: net.width,
          codes,
          signed: false,
        }));
      const cuts = new Map<ValueName, RtlValue>();
      const given = new Set<ValueName>(graph.inputs.map(({ name }) => name));
      for (const name of [...given, ...cutNames(graph)]) {
        const coded = circuit.codes.get(name) ?? [];
        const isPort = coded.length > 0 && coded.every(({ net }) => net.def.kind === 'input');
        if (isPort) given.add(name);
        const taps = tapsOf(coded, isPort);
        const alone = new Set(coded.map(({ net }) => net.id)).size === coded.length;
        if (taps.length > 0 && (isPort || (alone && taps.every((tap) => isSignal(tap))))) {
          cuts.set(name, { name, taps });
        }
      }
      const outputs: RtlValue = {
        name: circuit.to,
        taps: circuit.outputs.map(({ width, signed }, k) => ({
          signals: [],
          port: `y${k}`,
          width,
          codes: undefined,
          signed,
        })),
      };
      return [...cuts.values()]
        .filter(({ name }) => !given.has(name) && name !== circuit.to)
        .concat(outputs)
        .map((to) => ({ from: sourcesOf(graph, to.name, cuts), to }));
    }),
  );

/** Codes that logic makes of integers: what is between these runs by itself. */
const cutNames = (graph: Graph): ReadonlyArray<ValueName> =>
  graph.nodes
    .filter(({ op }) => op.kind === 'requantize' || op.kind === 'bucketize' || op.kind === 'quantize')
    .map(({ name }) => name);

/** Constants have no signal: they are literals, or have no bits. */
const isSignal = ({ signals, width }: Tap): boolean =>
  width > 0 && signals.length > 0 && signals.every((s) => /^[a-z]\w*$/.test(s));

/** The nearest cuts behind a value. */
const sourcesOf = (
  graph: Graph,
  name: ValueName,
  cuts: ReadonlyMap<ValueName, RtlValue>,
): ReadonlyArray<RtlValue> => {
  const found = new Map<ValueName, RtlValue>();
  const walk = (value: ValueName): void => {
    for (const operand of graph.nodes.find((n) => n.name === value)?.operands ?? []) {
      const cut = cuts.get(operand);
      if (cut === undefined) walk(operand);
      else found.set(operand, cut);
    }
  };
  walk(name);
  return [...found.values()];
};

const slice = (bus: string, from: number, width: number): string =>
  width === 1 ? `${bus}[${from}]` : `${bus}[${from + width - 1}:${from}]`;

/**
 * A module that reads values of the stage's operands from `given.mem`, a sample a line, gives each the time to pass, and prints
 * the value that comes out.
 */
export const stageSimulator = ({ rtl }: VerilogManifest, { from, to }: RtlStage, most: number): string => {
  const given = from.flatMap((value) => value.taps);
  const width = widthOf(given);
  let at = 0;
  const ports = new Map<string, string>();
  const forces: string[] = [];
  for (const tap of given) {
    const bits = slice('given', at, tap.width);
    if (tap.signals.length === 0) ports.set(tap.port, bits);
    for (const signal of tap.signals) forces.push(`      force dut.${signal} = ${bits};`);
    at += tap.width;
  }
  const watched = to.taps
    .map((tap) => (tap.codes === undefined ? tap.port : `dut.${tap.signals[0]}`))
    .reverse();
  return `module prover;
  reg [${width - 1}:0] samples [0:${most - 1}];
  reg [${width - 1}:0] given = 0;
  reg clk = 0;
  reg rst = 1;
  integer count;
  integer k;
  integer t;
${rtl.outputs.map((o, y) => `  wire ${o.width === 1 ? '' : `[${o.width - 1}:0] `}y${y};`).join('\n')}
  ${rtl.module} dut (
    .clk(clk),
    .rst(rst),
    .in_valid(1'b1),
    .in_ready(),
${rtl.inputs.map((w, x) => `    .x${x}(${ports.get(`x${x}`) ?? `${w}'d0`}),`).join('\n')}
    .out_valid(),
${rtl.outputs.map((_, y) => `    .y${y}(y${y}),`).join('\n')}
    .out_ready(1'b1)
  );
  initial begin
    if (!$value$plusargs("samples=%d", count)) count = 0;
    $readmemh("given.mem", samples, 0, count - 1);
    #1 clk = 1;
    #1 clk = 0;
    rst = 0;
    for (k = 0; k < count; k = k + 1) begin
      given = samples[k];
${forces.join('\n')}
      for (t = 0; t <= ${rtl.latency}; t = t + 1) begin
        #1 clk = 1;
        #1 clk = 0;
      end
      #1 $display("%h", {${watched.join(', ')}});
    end
    $finish;
  end
endmodule
`;
};
