/** The text of a circuit: one module of Verilog-2005, a block of wires for every stage and the registers behind it. */
import { InternalError, invariant } from '../../diagnostics/index.js';
import type { Circuit } from './lower.js';
import type { Net } from './net.js';
import { isLight, type Schedule } from './schedule.js';

export interface EmittedModule {
  readonly text: string;
  /** Bits of registers, as they are written. */
  readonly registers: number;
}

const range = (width: number): string => (width === 1 ? '' : `[${width - 1}:0] `);

const literal = (value: number, width: number): string => `${width}'d${value}`;

/** Bits of a signal, the lowest first in `bits`, as one expression. */
const pick = (name: string, width: number, bits: ReadonlyArray<number>): string => {
  const [first, last] = [bits[0]!, bits.at(-1)!];
  if (width === 1) return name;
  if (bits.length === 1) return `${name}[${first}]`;
  if (!bits.every((b, k) => b === first + k)) {
    return `{${[...bits]
      .reverse()
      .map((b) => `${name}[${b}]`)
      .join(', ')}}`;
  }
  return bits.length === width ? name : `${name}[${last}:${first}]`;
};

/** One bit of a table by all values of its index, as a hexadecimal constant. */
const column = (values: Int32Array, bit: number): string => {
  let digits = '';
  for (let at = 0; at < values.length; at += 4) {
    let digit = 0;
    for (let k = 0; k < 4 && at + k < values.length; k++) {
      digit += (Math.floor(values[at + k]! / 2 ** bit) % 2) * 2 ** k;
    }
    digits = digit.toString(16) + digits;
  }
  return `${values.length}'h${digits}`;
};

const LETTERS = { input: 'x', table: 't', add: 's', slice: 'b', clamp: 'c', multiply: 'p' } as const;

class Writer {
  /** Declarations by stage, in the order in which they are needed. */
  readonly stages: string[][];
  readonly registers: {
    readonly name: string;
    readonly from: string;
    readonly width: number;
    readonly stage: number;
  }[] = [];
  private readonly known = new Map<string, string>();

  constructor(
    private readonly schedule: Schedule,
    private readonly shared: ReadonlySet<number>,
  ) {
    this.stages = Array.from({ length: schedule.latency }, () => []);
  }

  private name(net: Net): string {
    return net.def.kind === 'input' ? `x${net.def.index}` : `${LETTERS[net.def.kind]}${net.id}`;
  }

  /** The signal that holds a net in a stage; what is not there yet is written. */
  at(net: Net, stage: number): string {
    const key = `${net.id}@${stage}`;
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const made = this.make(net, stage);
    this.known.set(key, made);
    return made;
  }

  private make(net: Net, stage: number): string {
    const own = this.schedule.stage[net.id]!;
    if (isLight(net)) {
      const suffix = this.shared.has(net.id) ? `_${stage}` : '';
      return this.light(net, stage, `${this.name(net)}${suffix}`);
    }
    if (stage > own) {
      const name = `${this.name(net)}_r${stage - own}`;
      this.registers.push({ name, from: this.at(net, stage - 1), width: net.width, stage: stage - 1 });
      return name;
    }
    invariant(stage === own, 'a net is used before it is there');
    return this.heavy(net, stage);
  }

  private wire(stage: number, width: number, name: string, value: string, note = ''): string {
    this.stages[stage]!.push(`  wire ${range(width)}${name} = ${value};${note === '' ? '' : ` // ${note}`}`);
    return name;
  }

  private light(net: Net, stage: number, name: string): string {
    const { def, width } = net;
    if (def.kind === 'slice') {
      const bits = Array.from({ length: width }, (_, k) => def.from + k);
      return this.wire(stage, width, name, pick(this.at(def.of, stage), def.of.width, bits));
    }
    invariant(def.kind === 'table', 'only tables and slices have no place');
    const { bits, values } = def;
    if (bits.length === 0) return literal(values[0]!, Math.max(1, width));
    const source = this.at(def.of, stage);
    const index = pick(source, def.of.width, bits);
    if (values.every((v, k) => v === k)) return this.wire(stage, width, name, index);
    const columns = Array.from({ length: width }, (_, bit) => column(values, bit));
    const address =
      bits.length === 1 || /^\w+$/.test(index) ? index : this.wire(stage, bits.length, `${name}_i`, index);
    columns.forEach((c, bit) => {
      this.stages[stage]!.push(`  localparam ${range(values.length)}${name.toUpperCase()}_${bit} = ${c};`);
    });
    const read = columns.map((_, bit) => `${name.toUpperCase()}_${bit}[${address}]`).reverse();
    const value = read.length === 1 ? read[0]! : `{${read.join(', ')}}`;
    return this.wire(stage, width, name, value);
  }

  private heavy(net: Net, stage: number): string {
    const { def, width } = net;
    const name = this.name(net);
    switch (def.kind) {
      case 'input':
        return name;
      case 'add': {
        const a = this.at(def.a, stage);
        const carry = def.carry === undefined ? "1'b0" : this.at(def.carry, stage);
        if (def.b === undefined) return this.wire(stage, width, name, `${a} + ${carry}`, net.label);
        const b = this.at(def.b, stage);
        // a + b + carry as a difference: of a sum, synthesis chooses which operand the carry chain takes as it is.
        const ones = width > def.b.width ? `{${width - def.b.width}{1'b1}}, ` : '';
        const zeros = width > def.a.width ? `{${width - def.a.width}{1'b0}}, ` : '';
        const left = width < def.a.width ? `${a}[${width - 1}:0]` : a;
        const right = width < def.b.width ? `${b}[${width - 1}:0]` : b;
        const difference = `{${zeros}${left}, ${carry}} - {${ones}~${right}, 1'b1}`;
        this.wire(stage, width + 1, `${name}_w`, difference, net.label);
        return this.wire(stage, width, name, `${name}_w[${width}:1]`);
      }
      case 'clamp': {
        const bound = (b: typeof def.low): string =>
          b === undefined ? '' : `${this.at(b.when, stage)} ? ${literal(b.give, width)} : `;
        const value = `${bound(def.high)}${bound(def.low)}${this.at(def.of, stage)}`;
        return this.wire(stage, width, name, value, net.label);
      }
      case 'multiply': {
        const factor = (of: Net, bits: number): string => {
          const zeros =
            bits > of.width ? `{${bits - of.width}'d0, ${this.at(of, stage)}}` : this.at(of, stage);
          return `$signed(${zeros})`;
        };
        const value = `${factor(def.a, def.aWidth)} * ${factor(def.b, def.bWidth)}`;
        this.stages[stage]!.push(`  wire signed ${range(width)}${name} = ${value}; // ${net.label}`);
        return name;
      }
      case 'table':
      case 'slice':
        throw new InternalError('tables have no place');
    }
  }
}

/** Tables that more than one stage makes. */
const sharedNets = (circuit: Circuit, schedule: Schedule): ReadonlySet<number> => {
  const places = new Map<number, Set<number>>();
  const use = (net: Net, stage: number): void => {
    if (!isLight(net)) return;
    const known = places.get(net.id) ?? new Set();
    if (known.has(stage)) return;
    known.add(stage);
    places.set(net.id, known);
    if (net.def.kind === 'table' || net.def.kind === 'slice') use(net.def.of, stage);
  };
  for (const net of circuit.nets.all) {
    if (schedule.live[net.id] === 0) continue;
    const stage = schedule.stage[net.id]!;
    const { def } = net;
    if (def.kind === 'add') for (const n of [def.a, def.b, def.carry]) if (n !== undefined) use(n, stage);
    if (def.kind === 'multiply') for (const n of [def.a, def.b]) use(n, stage);
    if (def.kind === 'clamp') {
      for (const n of [def.of, def.low?.when, def.high?.when]) if (n !== undefined) use(n, stage);
    }
  }
  for (const { net } of circuit.outputs) use(net, schedule.latency - 1);
  return new Set([...places].filter(([, stages]) => stages.size > 1).map(([id]) => id));
};

/** `name`: of the module. */
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
    '',
  ];
  const bits =
    registers.reduce((n, r) => n + r.width, 0) + outs.reduce((n, o) => n + o.width, 0) + schedule.latency;
  return { text: lines.join('\n'), registers: bits };
};
