/** What a design will take, before any tool has seen it: estimates, and labelled so wherever they are shown. */
import type { Stage } from '../cpp/stage.js';
import { type Design, lutEstimate } from './design.js';

export interface StageEstimate {
  readonly stage: Stage;
  readonly cycles: number;
  /** Bits of constants. */
  readonly bits: number;
}

export interface Estimate {
  readonly stages: ReadonlyArray<StageEstimate>;
  /** Clocks from a sample to its results; of unrolled designs the adders in a row, which tools place into stages. */
  readonly latency: number;
  /** Clocks between samples. */
  readonly interval: number;
  /** LUTs of tables and adders of unrolled designs. */
  readonly luts: number;
}

const bitsOf = (design: Design, stage: Stage): number => {
  const logic = design.tables.get(stage.name);
  const tables = logic === undefined ? stage.tables : logic.tables.map((t) => t.table);
  return tables.reduce((n, t) => n + t.data.length * t.type.bits, 0);
};

export const estimateOf = (design: Design): Estimate => {
  const stages = design.hardware.map((stage) => ({
    stage,
    cycles: Math.ceil(stage.cycles(design.lanes)),
    bits: bitsOf(design, stage),
  }));
  const words = [...design.inputs.map((s) => s.length), design.program.rawSlot.length];
  const transfers = design.interface === 'axis' ? Math.max(...words) : 1;
  if (design.architecture === 'unrolled') {
    // A table, then adders; every other stage is one step.
    const depth = design.hardware.reduce((n, s) => n + 1 + (design.tables.get(s.name)?.depth ?? 0), 0);
    return { stages, latency: depth, interval: transfers, luts: lutEstimate(design.tables.values()) };
  }
  const cycles = stages.map((s) => s.cycles);
  return {
    stages,
    latency: cycles.reduce((a, b) => a + b, 0) + words.reduce((a, b) => a + b, 0),
    interval: Math.max(transfers, ...cycles),
    luts: 0,
  };
};
