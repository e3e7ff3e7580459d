/** What a layer would cost in a form at some bits, from its sizes: what a search plans with before it compiles anything. */
import type { ConfigurationCost } from './configuration-cost.js';
import { basisTableWork, edgeTableWork, type LayerBits } from './form-work.js';
import type { LayerFacts } from './layer-facts.js';
import { functionLuts } from './lut-estimate.js';

/** Edges that have hardware of their own: those of one window. */
const edgesOf = ({ inputs, outputs, groups }: LayerFacts): number => inputs * (outputs / groups);

/** The formulas of docs/costs.md, entries at their bits, and LUTs as lut-estimate.ts counts them, adders of equal width. */
export const choiceCost = (layer: LayerFacts, form: 'edge' | 'basis', bits: LayerBits): ConfigurationCost => {
  const edges = edgesOf(layer);
  if (form === 'edge') {
    const { bytes, bitOps, reads } = edgeTableWork(layer, bits);
    return {
      bytes,
      bitOps,
      reads,
      packed: (edges * 2 ** bits.act * bits.table) / 8,
      luts: edges * (functionLuts(bits.act, bits.table) + bits.table + 1),
    };
  }
  const { bytes, bitOps, reads } = basisTableWork(layer, bits);
  const functions = layer.branches.reduce((n, b) => n + b.functions, 0);
  const support = layer.branches.reduce((n, b) => n + b.support, 0);
  const { coef, basis } = bits;
  return {
    bytes,
    bitOps,
    reads,
    packed: (edges * functions * coef + 2 ** bits.act * support * basis) / 8,
    luts: edges * support * (coef * basis + functionLuts(3, coef) + coef + basis),
  };
};
