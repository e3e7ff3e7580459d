/** LUTs of a circuit before any synthesis: what the parts were chosen by, added up. */
import { bitOf, lutsFor, type Table } from './codes.js';
import type { Circuit } from './lower.js';
import type { Net } from './net.js';
import type { Schedule } from './schedule.js';

/** How many inputs a LUT has, what a function costs, and how many inputs an adder leaves free. */
interface Fabric {
  readonly luts: (inputs: number) => number;
  readonly free: number;
}

const SIX: Fabric = { luts: lutsFor, free: 5 };

/** LUTs of four inputs, with multiplexers beside them as in ECP5; an adder leaves none of them to others. */
const FOUR: Fabric = { luts: (inputs) => (inputs < 1 ? 0 : 2 ** Math.max(0, inputs - 4)), free: 0 };

/** LUTs of a table by bits; those of at most `free` inputs cost nothing. */
const tableLuts = ({ def, width }: Net, { luts }: Fabric, free: number): number => {
  if (def.kind !== 'table') return 0;
  const table: Table = { ...def, care: new Uint8Array(def.values.length).fill(1) };
  let sum = 0;
  for (let bit = 0; bit < width; bit++) {
    const { bits, values } = bitOf(table, bit);
    const isWire = bits.length === 1 && values[1] === 1;
    sum += bits.length <= free || isWire ? 0 : luts(bits.length);
  }
  return sum;
};

/** Positions of carry chains that only pass a bit on are not counted, as synthesis does not. */
const lutsOn = ({ nets, outputs }: Circuit, { live }: Schedule, fabric: Fabric): number => {
  let luts = 1;
  const merged = new Set<number>();
  const alone = new Set<number>(outputs.map(({ net }) => net.id));
  for (const { id, def, width } of nets.all) {
    if (live[id] === 0) continue;
    if (def.kind === 'add') {
      luts += def.b === undefined ? 0 : Math.min(def.b.width, width);
      alone.add(def.a.id);
      if (def.b !== undefined) merged.add(def.b.id);
      if (def.carry !== undefined) alone.add(def.carry.id);
    } else if (def.kind === 'clamp') {
      luts += def.low !== undefined && def.high !== undefined ? width : 0;
      for (const net of [def.of, def.low?.when, def.high?.when]) if (net !== undefined) alone.add(net.id);
    } else if (def.kind === 'multiply') {
      luts += def.aWidth * def.bWidth;
      alone.add(def.a.id).add(def.b.id);
    } else if (def.kind === 'rank') {
      // A comparison and a choice of thresholds for each bit.
      luts += 2 * width * (def.width ?? def.of.width);
      alone.add(def.of.id);
    } else if (def.kind === 'slice' || def.kind === 'table') alone.add(def.of.id);
  }
  for (const net of nets.all) {
    if (live[net.id] === 0) continue;
    const isMerged = merged.has(net.id) && !alone.has(net.id);
    luts += tableLuts(net, fabric, isMerged ? fabric.free : 0);
  }
  return luts;
};

export interface LutEstimate {
  /** LUTs of six inputs, and of four where the device has those. */
  readonly luts: number;
  readonly luts4: number;
}

export const estimateLuts = (circuit: Circuit, schedule: Schedule): LutEstimate => ({
  luts: lutsOn(circuit, schedule, SIX),
  luts4: lutsOn(circuit, schedule, FOUR),
});
