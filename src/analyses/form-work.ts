/**
 * What one layer costs in every form it can be computed in, from its sizes alone. The formulas are those of
 * docs/costs.md.
 */
import { match } from 'ts-pattern';
import type { BranchFacts, LayerFacts, NetworkFacts } from './layer-facts.js';
import { additions, NO_WORK, products, sumOf, times, type Work } from './work.js';

/** Bits of one layer: KANtize's W, A and B, and those of edge-table entries. */
export interface LayerBits {
  /** W: coefficients. */
  readonly coef: number;
  /** A: activations, the codes that the layer reads. */
  readonly act: number;
  /** B: basis values. */
  readonly basis: number;
  readonly table: number;
}

/** Whether all K functions are computed and multiplied, or those that can be non-zero. */
export type Density = 'dense' | 'sparse';

/** Bytes that an entry takes as it is stored. */
const entryBytes = (bits: number): number => (bits <= 8 ? 1 : bits <= 16 ? 2 : 4);

/**
 * The values of all functions at one point. A term of the Cox-de Boor recursion, (x - t) * (1 / width) * B, is one
 * subtraction and two products (the reciprocal of a width is a constant), and every function of degree q >= 1 is the
 * sum of two terms (de Boor, A Practical Guide to Splines, ch. IX):
 *
 *   dense:  K + p - q functions of degree q, so 2 p K + p (p - 1) terms, and a comparison with each of K + p + 1 knots
 *   sparse: 2 q terms of degree q that are not 0, so p (p + 1) terms, and a bisection of the knots
 *
 * An elementary function (exp, tanh, SiLU) counts as one product, which favours the recursion.
 */
export const expansionWork = (b: BranchFacts, density: Density, bits: number): Work =>
  match(b.basis)
    .with('bspline', () => {
      const [k, p] = [b.functions, b.support - 1];
      const terms = density === 'dense' ? 2 * p * k + p * (p - 1) : p * (p + 1);
      const knots = k + p + 1;
      const compared = density === 'dense' ? knots : Math.ceil(Math.log2(knots));
      return sumOf([products(2 * terms, bits, bits), additions(terms + compared, bits)]);
    })
    .with('base', () => products(1, bits, bits))
    // exp(-((x - c) * (1 / width))^2)
    .with('rbf', () => sumOf([products(3 * b.functions, bits, bits), additions(b.functions, bits)]))
    // a x P - b Q for each degree from 2 on, and one function that squashes x.
    .with('polynomial', () => products(1 + 2 * Math.max(0, b.functions - 2), bits, bits))
    // f(a x + b)
    .with('symbolic', () => products(2 * b.functions, bits, bits))
    // The least that a function can be: its ops are not counted one by one.
    .with('expression', () => products(2 * b.functions, bits, bits))
    .exhaustive();

/** Edges of a branch: each of its inputs with the outputs of its group, at every window. */
const edgesOf = (layer: LayerFacts, inputs: number): number =>
  inputs * (layer.outputs / layer.groups) * layer.positions;

export const parametersOf = (layer: LayerFacts): number =>
  layer.branches.reduce((n, b) => n + b.parameters, layer.bias);

/** The recursion, as a layer is trained: expansion of every value, then products with the weights. */
export const recursionWork = (layer: LayerFacts, density: Density, bits: number): Work =>
  sumOf([
    ...layer.branches.flatMap((b) => [
      times(b.values, expansionWork(b, density, bits)),
      products(edgesOf(layer, b.inputs) * (density === 'dense' ? b.functions : b.support), bits, bits),
    ]),
    { ...NO_WORK, bytes: parametersOf(layer) * entryBytes(bits) },
  ]);

/** Each sum becomes a code of the next layer by one multiplication of 32 bits: `requantize`. */
const requantizeWork = (layer: LayerFacts): Work =>
  sumOf([products(layer.outputs * layer.positions, 32, 32), { ...NO_WORK, bytes: 4 * layer.outputs }]);

/**
 * Basis tables (KANtize): the recursion is one row of B-bit values, read for every value; W-bit coefficients are
 * multiplied with the values that are not 0 (KAN-SAs: p + 1 of them). The base branch is a table of A-bit values.
 */
export const basisTableWork = (layer: LayerFacts, bits: LayerBits): Work =>
  sumOf([
    ...layer.branches.map((b): Work => {
      const valueBits = b.basis === 'base' ? bits.act : bits.basis;
      const weights = b.inputs * b.functions * (layer.outputs / layer.groups);
      return {
        ...products(edgesOf(layer, b.inputs) * b.support, bits.coef, valueBits),
        reads: b.values,
        bytes: weights * entryBytes(bits.coef) + tableRows(b, bits.act) * b.support * entryBytes(valueBits),
      };
    }),
    requantizeWork(layer),
  ]);

/** Rows of a basis table: on equal knots the codes of one interval, which all inputs and intervals share. */
const tableRows = (b: BranchFacts, actBits: number): number => {
  const intervals = Math.max(1, b.functions - b.support + 1);
  return b.basis === 'bspline' && b.uniform ? Math.ceil(2 ** actBits / intervals) : b.rows * 2 ** actBits;
};

/** Accumulators that hold the sum of `inputs` entries whatever they are: 8, 16 or 32 bits. */
const accumulatorBits = (entryBits: number, inputs: number): number => {
  const needed = entryBits + Math.ceil(Math.log2(inputs));
  return needed <= 8 ? 8 : needed <= 16 ? 16 : 32;
};

/** Edge tables: one row of the table read for each input and window, and one addition for each edge. */
export const edgeTableWork = (layer: LayerFacts, bits: LayerBits): Work => {
  const entries = layer.inputs * 2 ** bits.act * (layer.outputs / layer.groups);
  const accBits = accumulatorBits(bits.table, layer.inputs / layer.groups);
  return sumOf([
    {
      ...additions(edgesOf(layer, layer.inputs), accBits),
      reads: layer.inputs * layer.positions,
      bytes: entries * entryBytes(bits.table),
    },
    requantizeWork(layer),
  ]);
};

/** The ops between the layers, at a width. */
export const restWork = ({ macs, adds, parameters }: NetworkFacts['rest'], bits: number): Work =>
  sumOf([
    products(macs, bits, bits),
    additions(adds, bits),
    { ...NO_WORK, bytes: parameters * entryBytes(bits) },
  ]);
