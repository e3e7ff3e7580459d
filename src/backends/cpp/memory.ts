/**
 * Where the arrays between stages lie: one pool for each machine type, in which arrays that are never needed at the
 * same time share their place. Pools of one type keep to the aliasing rules of C, which a pool of bytes would not.
 */
import { firstFit } from '../shared/first-fit.js';
import type { Program } from './program.js';
import type { ElementType, Slot } from './stage.js';
import { machineType } from './table.js';

export interface Pool {
  readonly ctype: string;
  /** The member of the scratch structure. */
  readonly name: string;
  readonly length: number;
  readonly bytes: number;
}

export interface Memory {
  /** Widest elements first, so that no gaps come between pools. */
  readonly pools: ReadonlyArray<Pool>;
  /** Pool and first element of each slot, by its name. */
  readonly places: ReadonlyMap<string, { readonly pool: Pool; readonly at: number }>;
  readonly bytes: number;
}

const TYPES = [
  ['float', 'f32', 4],
  ['int32_t', 'i32', 4],
  ['uint32_t', 'u32', 4],
  ['int16_t', 'i16', 2],
  ['uint16_t', 'u16', 2],
  ['int8_t', 'i8', 1],
  ['uint8_t', 'u8', 1],
] as const;

export const cType = (type: ElementType): string => (type === 'f32' ? 'float' : machineType(type));

/** The element type of a manifest: `u8`, `i16`, `f32`. */
export const elementText = (type: ElementType): (typeof TYPES)[number][1] | 'f32' =>
  TYPES.find(([ctype]) => ctype === cType(type))?.[1] ?? 'f32';

interface Live {
  readonly slot: Slot;
  readonly from: number;
  to: number;
}

/** From the stage that writes a slot to the last that reads it. */
const lifetimes = (program: Program): ReadonlyArray<Live> => {
  const lives = new Map<string, Live>();
  for (const [k, stage] of program.stages.entries()) {
    for (const input of stage.inputs) {
      const life = lives.get(input.name);
      if (life !== undefined) life.to = k;
    }
    lives.set(stage.output.name, { slot: stage.output, from: k, to: k });
  }
  const raw = lives.get(program.rawSlot.name);
  if (raw !== undefined) raw.to = program.stages.length;
  return [...lives.values()];
};

export const memoryOf = (program: Program): Memory => {
  const lives = lifetimes(program);
  const places = new Map<string, { pool: Pool; at: number }>();
  const pools: Pool[] = [];
  for (const [ctype, name, width] of TYPES) {
    const own = lives.filter((l) => cType(l.slot.type) === ctype);
    if (own.length === 0) continue;
    const { at, length } = firstFit(
      own.map(({ slot, from, to }) => ({ key: slot.name, length: slot.length, from, to })),
    );
    const pool = { ctype, name, length, bytes: length * width };
    pools.push(pool);
    for (const [slot, first] of at) places.set(slot, { pool, at: first });
  }
  return { pools, places, bytes: pools.reduce((n, p) => n + p.bytes, 0) };
};
