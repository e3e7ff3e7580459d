/** Random table graphs from a seed: the same seed gives the same graph. */
import { type Builder, builder } from '../../../src/ir/builder.js';
import { type Constant, constant } from '../../../src/ir/constant.js';
import { allocate, type ElementType, F32, int, uint } from '../../../src/ir/element.js';
import type { Graph, ValueName } from '../../../src/ir/graph.js';
import { basisTableRange } from '../../../src/ir/ops/basis-range.js';
import type { Op } from '../../../src/ir/ops/index.js';
import type { TableBasisAttrs } from '../../../src/ir/ops/table-basis.js';
import { edgeTableRange } from '../../../src/ir/ops/table-edge.js';
import type { Quantizer } from '../../../src/ir/quantizer.js';
import { levelsOf, sizeOf } from '../../../src/ir/types.js';
import type { Interval } from '../../../src/numeric/ranges.js';
import type { Random } from '../../support/random.js';
import { finish } from './support.js';

export const filled = (element: ElementType, shape: ReadonlyArray<number>, next: () => number): Constant => {
  const data = allocate(
    element,
    shape.reduce((n, d) => n * d, 1),
  );
  for (let k = 0; k < data.length; k++) data[k] = next();
  return constant(element, shape, data);
};

export const uniform = (levels: number, lo = 0, step = 1): Quantizer => ({
  _tag: 'uniform',
  // What an attribute says is an f32.
  lo: Math.fround(lo),
  step: Math.fround(step),
  levels,
});

export const accumulation = (r: Random, range: Interval, outputs: number, oneScale = false) => ({
  scale: oneScale
    ? 0.25
    : r.chance(0.5)
      ? Math.fround(0.01 + r.unit())
      : filled(F32, [outputs], () => Math.fround(0.01 + r.unit())),
  // Wider than needed at times: the declared range is a bound, not a fact.
  acc: [8, 16, 32].find((n) => r.chance(0.8) && range.lo >= -(2 ** (n - 1)) && range.hi < 2 ** (n - 1)) ?? 32,
  lo: range.lo,
  hi: range.hi,
});

/** An edge layer with tables of `bits` bits; some columns narrow, some constant. */
export const edgeOp = (
  r: Random,
  inputs: number,
  levels: number,
  outputs: number,
  bits: number,
  form: { readonly shared?: boolean; readonly narrow?: boolean } = {},
): Op => {
  const slabs = form.shared === true ? Math.max(1, inputs >> 2) : inputs;
  const top = 2 ** (bits - 1) - 1;
  const element = int(bits);
  const data = allocate(element, slabs * levels * outputs);
  for (let s = 0; s < slabs; s++) {
    const amplitude = r.chance(0.1)
      ? 0
      : form.narrow === true
        ? r.whole(0, top >> 2)
        : r.whole(top >> 1, top);
    const center = r.whole(amplitude - top, top - amplitude);
    for (let k = 0; k < levels * outputs; k++) {
      data[s * levels * outputs + k] = center + r.whole(-amplitude, amplitude);
    }
  }
  const table = constant(element, [slabs, levels, outputs], data);
  const parts = {
    table,
    ...(form.shared === true ? { slabs: filled(uint(16), [inputs], () => r.whole(0, slabs - 1)) } : {}),
    ...(r.chance(0.5) ? { bias: filled(int(32), [outputs], () => r.whole(-3000, 3000)) } : {}),
  };
  return {
    kind: 'table.edge',
    attrs: { ...parts, ...accumulation(r, edgeTableRange(parts, inputs), outputs) },
  };
};

export interface BasisForm {
  readonly order: number;
  readonly base: boolean;
  readonly rows: number;
  readonly coefBits: number;
  readonly basisBits: number;
  readonly shift: number;
  readonly baseBits: number;
}

export const basisOp = (r: Random, inputs: number, levels: number, outputs: number, f: BasisForm): Op => {
  const functions = f.order + 1 + r.whole(0, 6);
  const fractions = r.whole(1, levels);
  const signed = (bits: number) => (): number => r.whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
  const attrs: Omit<TableBasisAttrs, 'scale' | 'acc' | 'lo' | 'hi'> = {
    coefficients: filled(int(f.coefBits), [inputs, functions, outputs], signed(f.coefBits)),
    basis: filled(uint(f.basisBits), [fractions, f.order + 1], () => r.whole(0, 2 ** f.basisBits - 1)),
    span: filled(uint(8), [f.rows, levels], () => r.whole(0, functions - f.order - 1)),
    frac: filled(uint(16), [f.rows, levels], () => r.whole(0, fractions - 1)),
    shift: f.shift,
    ...(f.rows > 1 ? { rows: filled(uint(16), [inputs], () => r.whole(0, f.rows - 1)) } : {}),
    ...(f.base
      ? {
          base: filled(int(f.coefBits), [inputs, outputs], signed(f.coefBits)),
          baseTable: filled(int(f.baseBits), [f.rows, levels], signed(f.baseBits)),
        }
      : {}),
    ...(r.chance(0.5) ? { bias: filled(int(32), [outputs], () => r.whole(-3000, 3000)) } : {}),
  };
  const range = basisTableRange(attrs, inputs);
  return { kind: 'table.basis', attrs: { ...attrs, ...accumulation(r, range, outputs) } };
};

/** Requantizes accumulators so that codes reach from end to end. */
export const requantizeOp = (r: Random, range: Interval, outputs: number, levels: number): Op => {
  const bits = Math.max(1, Math.ceil(Math.log2(levels)));
  const width = Math.max(1, range.hi - range.lo);
  const shift = 30 - Math.ceil(Math.log2(levels + 2));
  const mulFor = (): number =>
    Math.min(2 ** 28, Math.max(1, Math.round((levels / width) * (0.7 + r.unit()) * 2 ** shift)));
  return {
    kind: 'requantize',
    attrs: {
      mul: r.chance(0.5) ? mulFor() : filled(int(32), [outputs], mulFor),
      shift,
      bits,
      quantizer: uniform(levels),
      ...(r.chance(0.7)
        ? { bias: filled(int(32), [outputs], () => Math.round(-range.lo * (0.5 + r.unit()))) }
        : {}),
    },
  };
};

export const rangeOf = (b: Builder<'table'>, name: ValueName): Interval => {
  const { meaning } = b.typeOf(name);
  return meaning?._tag === 'scaled' ? meaning : { lo: 0, hi: 0 };
};

/** Layer, requantize, small layer, dequantize: everything after the codes of the first layer. */
export const network = (
  r: Random,
  b: Builder<'table'>,
  codes: ValueName,
  layer: Op,
  hiddenLevels: number,
): Graph<'table'> => {
  const sums = b.add('sums', layer, [codes]);
  const width = sizeOf(b.typeOf(sums));
  const hidden = b.add('hidden', requantizeOp(r, rangeOf(b, sums), width, hiddenLevels), [sums]);
  const outputs = r.whole(1, 12);
  const last = b.add('last', edgeOp(r, width, levelsOf(b.typeOf(hidden)), outputs, 8), [hidden]);
  return finish(b, b.add('y', { kind: 'dequantize', attrs: {} }, [last]));
};

export const tableBuilder = (): Builder<'table'> => builder('random', 'table');
