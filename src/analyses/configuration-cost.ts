/** The figures by which configurations of one network are compared. */
import type { Graph } from '../ir/graph.js';
import { visitConstants } from '../ir/resources.js';
import { graphCost } from './graph-cost.js';
import { estimateLuts } from './lut-estimate.js';

export interface ConfigurationCost {
  /** Bytes of constants as a target with 8-bit memory stores them: the number that `kanc report` gives. */
  readonly bytes: number;
  /** Bytes of the same constants with no bit unused: what they take in a memory as wide as an entry. */
  readonly packed: number;
  readonly bitOps: number;
  /** An estimate: see lut-estimate.ts. */
  readonly luts: number;
  readonly reads: number;
}

export const addCosts = (a: ConfigurationCost, b: ConfigurationCost): ConfigurationCost => ({
  bytes: a.bytes + b.bytes,
  packed: a.packed + b.packed,
  bitOps: a.bitOps + b.bitOps,
  luts: a.luts + b.luts,
  reads: a.reads + b.reads,
});

/** Bytes of all integer constants in the attributes of ops, each entry at its bits. */
const packedBytes = (graph: Graph): number => {
  let bits = 0;
  for (const { op } of graph.nodes) {
    // Multipliers are counted as immediate operands, as in the cost of the op.
    visitConstants(op.kind === 'requantize' ? op.attrs.bias : op.attrs, ({ element, data }) => {
      if (element.kind !== 'f32') bits += element.bits * data.length;
    });
  }
  return Math.ceil(bits / 8);
};

/** What a compiled graph costs. */
export const configurationCost = (graph: Graph<'table'>): ConfigurationCost => {
  const { bytes, bitOps, reads } = graphCost(graph);
  return { bytes, packed: packedBytes(graph), bitOps, luts: estimateLuts(graph), reads };
};
