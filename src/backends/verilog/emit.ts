/** The text of a circuit: one module of Verilog-2005, a block of wires for every stage and the registers behind it. */
import type { Circuit } from './lower.js';
import type { Net } from './net.js';
import { isLight, type Schedule } from './schedule.js';
import { literal, range } from './text.js';
import { sharedNets, Writer } from './writer.js';

export interface EmittedModule {
  readonly text: string;
  /** Bits of registers, as they are written. */
  readonly registers: number;
  /** The signals of a net. */
  readonly signalsOf: (net: Net) => ReadonlyArray<string>;
}

/** `name`: of the module. */
// Long: one text, in the order in which it is read.
export const emitModule = (circuit: Circuit, schedule: Schedule, name: string): EmittedModule => {
  const writer = new Writer(schedule, sharedNets(circuit, schedule));
  const last = schedule.latency - 1;
  // In the order of the stages, so that every signal stands before those that read it.
  for (const stage of writer.stages.keys()) {
    for (const net of circuit.nets.all) {
      if (schedule.live[net.id] === 1 && !isLight(net) && schedule.stage[net.id] === stage)
        writer.at(net, stage);
    }
  }
  const outs = circuit.outputs.map(({ net, width, signed }, k) => {
    const from = writer.at(net, last);
    const missing = width - net.width;
    const value = missing > 0 ? `{${missing}'d0, ${from}}` : from;
    return { name: `y${k}`, width, signed, value: net.width === 0 ? literal(0, width) : value };
  });
  const { registers, stages } = writer;
  const ports = [
    'input wire clk',
    'input wire rst',
    'input wire in_valid',
    'output wire in_ready',
    ...circuit.inputs.map(({ width }, k) => `input wire ${range(width)}x${k}`),
    'output wire out_valid',
    'input wire out_ready',
    ...outs.map(({ name: n, width, signed }) => `output reg ${signed ? 'signed ' : ''}${range(width)}${n}`),
  ];
  const lines = [
    '// The file is called alike for all modules. Unused are the lowest bits of differences, which only bring carries,',
    '// and bits of sums that are not part of a code.',
    '/* verilator lint_off DECLFILENAME */',
    '/* verilator lint_off UNUSEDSIGNAL */',
    `module ${name} (`,
    ports.map((p) => `  ${p}`).join(',\n'),
    ');',
    '  // All stages move together: when the last one is empty, or what is in it is taken.',
    `  reg ${range(schedule.latency)}valid;`,
    `  wire move = out_ready | ~valid${last === 0 ? '' : `[${last}]`};`,
    '  assign in_ready = move;',
    `  assign out_valid = valid${last === 0 ? '' : `[${last}]`};`,
    '  always @(posedge clk)',
    '    if (rst) valid <= 0;',
    `    else if (move) valid <= ${last === 0 ? 'in_valid' : `{valid[${last - 1}:0], in_valid}`};`,
    ...stages.flatMap((wires, stage) => {
      const own = registers.filter((r) => r.stage === stage);
      const ends = stage === last ? outs.map((o) => ({ name: o.name, from: o.value })) : own;
      return [
        '',
        `  // Stage ${stage + 1} of ${schedule.latency}.`,
        ...wires,
        ...own.map((r) => `  reg ${range(r.width)}${r.name};`),
        '  always @(posedge clk)',
        '    if (move) begin',
        ...ends.map((r) => `      ${r.name} <= ${r.from};`),
        '    end',
      ];
    }),
    'endmodule',
    '/* verilator lint_on UNUSEDSIGNAL */',
    '/* verilator lint_on DECLFILENAME */',
    '',
  ];
  const bits =
    registers.reduce((n, r) => n + r.width, 0) + outs.reduce((n, o) => n + o.width, 0) + schedule.latency;
  return { text: lines.join('\n'), registers: bits, signalsOf: (net) => writer.signalsOf(net) };
};
