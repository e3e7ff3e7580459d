/** LUTs and registers of a circuit before any synthesis: what the parts were chosen by, added up. */
import { bitOf, lutsFor } from './codes.js';
import type { Circuit } from './lower.js';
import type { Net } from './net.js';
import type { Schedule } from './schedule.js';
import { tableLuts } from './split.js';

/** Inputs of a LUT that an adder leaves free. */
const FREE = 5;

const lutsOfTable = ({ def }: Net): number =>
  def.kind === 'table' ? tableLuts({ ...def, care: new Uint8Array(def.values.length).fill(1) }) : 0;

/** Bits of a table that an adder cannot take in. */
const lutsBeforeAdder = ({ def, width }: Net): number => {
  if (def.kind !== 'table') return 0;
  const table = { ...def, care: new Uint8Array(def.values.length).fill(1) };
  let luts = 0;
  for (let bit = 0; bit < width; bit++) {
    const inputs = bitOf(table, bit).bits.length;
    luts += inputs <= FREE ? 0 : lutsFor(inputs);
  }
  return luts;
};

/** LUTs of six inputs. Positions of carry chains that only pass a bit on are not counted, as synthesis does not. */
export const estimateLuts = ({ nets, outputs }: Circuit, { live }: Schedule): number => {
  let luts = 0;
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
    if (net.def.kind !== 'table' || live[net.id] === 0) continue;
    luts += alone.has(net.id) || !merged.has(net.id) ? lutsOfTable(net) : lutsBeforeAdder(net);
  }
  return luts + 1;
};
