/** The longest path of a synthesized netlist, in cells: what the JSON of yosys (`write_json`) tells. */
import * as t from 'io-ts';

/** Bits are numbers of nets, or constants as text. */
const Bits = t.array(t.union([t.number, t.string]));

const Cell = t.type({
  type: t.string,
  port_directions: t.record(t.string, t.string),
  connections: t.record(t.string, Bits),
});

export const NetlistCodec = t.type({
  modules: t.record(
    t.string,
    t.type({
      ports: t.record(t.string, t.type({ direction: t.string, bits: Bits })),
      cells: t.record(t.string, Cell),
    }),
  ),
});

export type Netlist = t.TypeOf<typeof NetlistCodec>;
type NetlistCell = t.TypeOf<typeof Cell>;

export interface Depth {
  /** LUTs one after another, and blocks of carry chains on that path. */
  readonly luts: number;
  readonly carries: number;
}

/** Cells whose outputs change with the clock only, or that hold memory. */
const SEQUENTIAL = /^(FD|LD|SRL|RAM|ROM|DSP|SB_DFF|SB_RAM|SB_MAC|TRELLIS_FF|DP16KD|PDPW|MULT18)/;
const LUT = /^(LUT\d|SB_LUT4|INV)/;
const CARRY = /^(CARRY|SB_CARRY|CCU2C)/;

/** Paths are longer first by LUTs, then by carry blocks. */
const weightOf = ({ type }: NetlistCell): number => (LUT.test(type) ? 2 ** 20 : CARRY.test(type) ? 1 : 0);

/** Between registers, from inputs to registers and from registers to outputs; undefined where there is no such module. */
export const longestPath = (netlist: Netlist, top: string): Depth | undefined => {
  const module = netlist.modules[top];
  if (module === undefined) return undefined;
  const cells = Object.values(module.cells);
  const ends = (cell: NetlistCell, direction: string): ReadonlyArray<number> =>
    Object.entries(cell.connections).flatMap(([port, bits]) =>
      cell.port_directions[port] === direction ? bits.filter((b) => typeof b === 'number') : [],
    );
  const driver = new Map<number, number>();
  cells.forEach((cell, k) => {
    if (!SEQUENTIAL.test(cell.type)) for (const bit of ends(cell, 'output')) driver.set(bit, k);
  });
  const inputs = cells.map((cell) => ends(cell, 'input'));
  const arrival = new Float64Array(cells.length).fill(-1);
  const arrivalOf = (from: number): number => {
    // Depth first without recursion: chains of carries are thousands of cells long in large designs.
    const stack = [from];
    const open = new Set<number>();
    while (stack.length > 0) {
      const cell = stack.at(-1)!;
      if (arrival[cell]! >= 0) {
        stack.pop();
        continue;
      }
      const before = inputs[cell]!.flatMap((bit) => driver.get(bit) ?? []);
      const unknown = before.filter((k) => arrival[k]! < 0 && !open.has(k));
      open.add(cell);
      if (unknown.length > 0) stack.push(...unknown);
      else {
        stack.pop();
        const latest = before.reduce((most, k) => Math.max(most, arrival[k]!), 0);
        arrival[cell] = Math.max(0, latest) + weightOf(cells[cell]!);
      }
    }
    return arrival[from]!;
  };
  let longest = 0;
  const end = (bit: number): void => {
    const from = driver.get(bit);
    if (from !== undefined) longest = Math.max(longest, arrivalOf(from));
  };
  cells.forEach((cell, k) => {
    if (SEQUENTIAL.test(cell.type)) inputs[k]!.forEach(end);
  });
  for (const { direction, bits } of Object.values(module.ports)) {
    if (direction === 'output') for (const bit of bits) if (typeof bit === 'number') end(bit);
  }
  return { luts: Math.floor(longest / 2 ** 20), carries: longest % 2 ** 20 };
};
