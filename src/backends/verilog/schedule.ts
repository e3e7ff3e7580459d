/**
 * Where the registers of a circuit stand: every adder is in a stage, with at most a given number of adders one after
 * another in each. Tables and the like are made in the stage that needs them, so that what is delayed are codes, which
 * all outputs of a layer share, and not the many tables of these codes.
 */
import type { Circuit } from './lower.js';
import { type Net, operandsOf } from './net.js';

export interface Schedule {
  /** The stage that computes a net, from 0; of tables and slices the first that could. */
  readonly stage: Int32Array;
  /** Clock edges from codes to integers: the number of stages. */
  readonly latency: number;
  /** Whether anything needs a net, by its id. */
  readonly live: Uint8Array;
}

/** What has no place of its own and is made where it is needed. */
export const isLight = ({ def }: Net): boolean =>
  def.kind === 'slice' || (def.kind === 'table' && def.held === undefined);

/** What has a register behind it: one makes one of two clamps free, and keeps large tables apart from those behind them. */
const isHeld = ({ def }: Net): boolean =>
  def.kind === 'clamp' || (def.kind === 'table' && def.held !== undefined);

/** A multiplication counts as this many adders. */
const PRODUCT_DEPTH = 2;

const depthOf = ({ def, width }: Net): number => {
  // A rank is a binary search: one comparison for each of its bits.
  if (def.kind === 'rank') return width;
  return def.kind === 'add' ? 1 : def.kind === 'multiply' ? PRODUCT_DEPTH : 0;
};

/** `depth`: adders in a row; 0 puts registers at the end alone. */
export const scheduleOf = ({ nets, outputs }: Circuit, depth: number): Schedule => {
  const live = new Uint8Array(nets.all.length);
  for (const { net } of outputs) live[net.id] = 1;
  for (const net of [...nets.all].reverse()) {
    if (live[net.id] === 1) for (const operand of operandsOf(net)) live[operand.id] = 1;
  }
  const limit = depth === 0 ? Number.POSITIVE_INFINITY : depth;
  const stage = new Int32Array(nets.all.length);
  const adders = new Int32Array(nets.all.length);
  for (const net of nets.all) {
    if (live[net.id] === 0) continue;
    const operands = operandsOf(net).map((o) =>
      isHeld(o) && depth > 0
        ? { stage: stage[o.id]! + 1, adders: 0 }
        : { stage: stage[o.id]!, adders: adders[o.id]! },
    );
    const first = operands.reduce((s, o) => Math.max(s, o.stage), 0);
    const before = operands.reduce((d, o) => (o.stage === first ? Math.max(d, o.adders) : d), 0);
    const own = depthOf(net);
    const fits = before === 0 || before + own <= limit;
    stage[net.id] = fits ? first : first + 1;
    adders[net.id] = (fits ? before : 0) + own;
  }
  const latency = 1 + outputs.reduce((s, { net }) => Math.max(s, stage[net.id]!), 0);
  return { stage, latency, live };
};
