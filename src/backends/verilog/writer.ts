/** Writes the signals of a circuit stage by stage, those that are asked for and what they need. */
import { InternalError, invariant } from '../../diagnostics/index.js';
import type { Circuit } from './lower.js';
import type { Def, Net } from './net.js';
import { isLight, type Schedule } from './schedule.js';
import { column, literal, pick, range } from './text.js';

/** Tables that more than one stage makes. */
export const sharedNets = (circuit: Circuit, schedule: Schedule): ReadonlySet<number> => {
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
    if (def.kind === 'rank' || (def.kind === 'table' && !isLight(net))) use(def.of, stage);
    if (def.kind === 'clamp') {
      for (const n of [def.of, def.low?.when, def.high?.when]) if (n !== undefined) use(n, stage);
    }
  }
  for (const { net } of circuit.outputs) use(net, schedule.latency - 1);
  return new Set([...places].filter(([, stages]) => stages.size > 1).map(([id]) => id));
};

const LETTERS = {
  input: 'x',
  table: 't',
  add: 's',
  slice: 'b',
  clamp: 'c',
  multiply: 'p',
  rank: 'r',
} as const;

type TableDef = Extract<Def, { kind: 'table' }>;
type RankDef = Extract<Def, { kind: 'rank' }>;

export class Writer {
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

  /** The signals that hold a net where it is made: registers behind them hold it later. */
  signalsOf(net: Net): ReadonlyArray<string> {
    const own = this.schedule.stage[net.id]!;
    const names = [...this.known].flatMap(([key, name]) => {
      const [id, stage] = key.split('@').map(Number);
      return id === net.id && (isLight(net) || stage === own) ? [name] : [];
    });
    return [...new Set(names)];
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
    return this.table(def, stage, width, name);
  }

  private table({ of, bits, values }: TableDef, stage: number, width: number, name: string): string {
    if (bits.length === 0) return literal(values[0]!, Math.max(1, width));
    const source = this.at(of, stage);
    const index = pick(source, of.width, bits);
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

  /** A binary search: each bit compares with the threshold that the bits above it choose. */
  private rank(name: string, width: number, def: RankDef, stage: number, label: string): string {
    const { of, thresholds } = def;
    const bits = def.width ?? of.width;
    const source = this.at(of, stage);
    // Moved so that the smallest integer is 0; one bit more, for thresholds that nothing reaches.
    const start = def.width === undefined ? 0 : -(2 ** (bits - 1));
    const padded = of.width < bits ? `{${bits - of.width}'d0, ${source}}` : source;
    const moved = def.width === undefined ? padded : `${padded} ^ ${literal(2 ** (bits - 1), bits)}`;
    this.wire(stage, bits, `${name}_m`, moved, label);
    this.wire(stage, bits + 1, `${name}_v`, `{1'b0, ${name}_m}`);
    const made: string[] = [];
    for (let bit = width - 1; bit >= 0; bit--) {
      const above = made.length === 1 ? made[0]! : `{${made.join(', ')}}`;
      const choices = Array.from({ length: 2 ** made.length }, (_, prefix) => {
        const t = thresholds[prefix * 2 ** (bit + 1) + 2 ** bit - 1];
        return t === undefined ? 2 ** bits : t - start;
      });
      const threshold =
        made.length === 0
          ? literal(choices[0]!, bits + 1)
          : this.chosen(
              `${name}_t${bit}`,
              choices,
              bits + 1,
              this.wire(stage, made.length, `${name}_i${bit}`, above),
              stage,
            );
      made.push(this.wire(stage, 1, `${name}_b${bit}`, `${name}_v >= ${threshold}`));
    }
    return this.wire(stage, width, name, made.length === 1 ? made[0]! : `{${made.join(', ')}}`);
  }

  /** A constant that an index chooses. */
  private chosen(
    name: string,
    values: ReadonlyArray<number>,
    width: number,
    index: string,
    stage: number,
  ): string {
    const table = Float64Array.from(values);
    const read = Array.from({ length: width }, (_, bit) => {
      const constant = `${name.toUpperCase()}_${bit}`;
      this.stages[stage]!.push(`  localparam ${range(table.length)}${constant} = ${column(table, bit)};`);
      return `${constant}[${index}]`;
    }).reverse();
    return this.wire(stage, width, name, `{${read.join(', ')}}`);
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
        if (def.b === undefined) {
          const missing = width - def.a.width;
          const whole = missing > 0 ? `{${missing}'d0, ${a}}` : missing < 0 ? `${a}[${width - 1}:0]` : a;
          const one = width === 1 ? carry : `{${width - 1}'d0, ${carry}}`;
          return this.wire(stage, width, name, `${whole} + ${one}`, net.label);
        }
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
      case 'rank':
        return this.rank(name, width, def, stage, net.label);
      case 'table':
        return this.table(def, stage, width, name);
      case 'slice':
        throw new InternalError('slices have no place');
    }
  }
}
