/** Random ops that suit an operand of a given type. */
import {
  accumulatorFor,
  type Branch,
  basisTableRange,
  type ElementType,
  edgeTableRange,
  int,
  levelsOf,
  type Op,
  sizeOf,
  type TableBasisAttrs,
  type TableEdgeAttrs,
  uint,
  type ValueType,
} from '../../src/ir/index.js';
import { ACTIVATIONS, type Activation, isActivation } from '../../src/numeric/activations.js';
import { multiplierFor, shiftFor } from '../../src/numeric/fixed-point.js';
import {
  anyPerChannel,
  anyQuantizer,
  anyScale,
  ascendingRows,
  constantBy,
  floats,
  integers,
} from './quantizers.js';
import type { Random } from './random.js';

const activations: ReadonlyArray<Activation> = Object.keys(ACTIVATIONS).filter(isActivation);

const anyBranch = (r: Random, inputs: number, outputs: number): Branch => {
  if (r.chance(0.4)) {
    const basis = { _tag: 'base', activation: r.pick(activations) } as const;
    return { basis, weights: floats(r, [inputs, 1, outputs]) };
  }
  const order = r.whole(0, 3);
  const functions = order + r.whole(1, 4);
  const knots = ascendingRows(r, r.pick([1, inputs]), functions + order + 1, false);
  return { basis: { _tag: 'bspline', order, knots }, weights: floats(r, [inputs, functions, outputs]) };
};

const anyKan = (r: Random, inputs: number): Op => {
  const outputs = r.whole(1, 4);
  return {
    kind: 'kan',
    attrs: {
      branches: Array.from({ length: r.whole(1, 3) }, () => anyBranch(r, inputs, outputs)),
      ...(r.chance(0.5) ? { bias: floats(r, [outputs]) } : {}),
      ...(r.chance(0.5)
        ? { precision: { table: r.whole(2, 16), coef: r.whole(2, 16), basis: r.whole(1, 16) } }
        : {}),
    },
  };
};

const anyObserve = (r: Random, features: number): Op => {
  const bins = r.whole(1, 5);
  return {
    kind: 'observe',
    attrs: {
      samples: r.whole(1, 2 ** 32 - 1),
      lo: -r.unit(),
      hi: r.unit(),
      counts: integers(r, uint(32), [features, bins]),
      means: floats(r, [features, bins]),
    },
  };
};

const anyGather = (r: Random, features: number): Op => ({
  kind: 'gather',
  attrs: { indices: integers(r, uint(32), [r.whole(1, 6)], 0, features - 1) },
});

const anyFloatOp = (r: Random, type: ValueType): Op => {
  const features = sizeOf(type);
  const quantize = (): Op => {
    const bits = r.whole(1, 6);
    return {
      kind: 'quantize',
      attrs: { bits, nan: r.pick(['zero', 'refuse'] as const), quantizer: anyQuantizer(r, features, bits) },
    };
  };
  if (type.shape.length !== 1) return quantize();
  return r.pick([
    quantize,
    quantize,
    () => anyGather(r, features),
    () => anyObserve(r, features),
    () => anyKan(r, features),
    (): Op => ({
      kind: 'affine',
      attrs: { scale: anyPerChannel(r, features, r.float), shift: anyPerChannel(r, features, r.float) },
    }),
  ])();
};

/** Accumulators with a proven range, or undefined where it does not fit 32 bits. */
const accumulate = <A extends { readonly lo: number; readonly hi: number }>(
  range: { readonly lo: number; readonly hi: number },
  make: (acc: number, lo: number, hi: number) => A,
): A | undefined => {
  const e: ElementType | undefined = accumulatorFor(range.lo, range.hi);
  return e === undefined || e.kind === 'f32' ? undefined : make(e.bits, range.lo, range.hi);
};

export const anyEdge = (r: Random, inputs: number, levels: number): TableEdgeAttrs | undefined => {
  const outputs = r.whole(1, 5);
  const slabs = r.chance(0.4) ? r.whole(1, inputs) : undefined;
  const layer = {
    table: integers(r, int(r.whole(1, 17)), [slabs ?? inputs, levels, outputs]),
    ...(slabs === undefined ? {} : { slabs: integers(r, uint(8), [inputs], 0, slabs - 1) }),
    ...(r.chance(0.5) ? { bias: integers(r, int(32), [outputs], -999, 999) } : {}),
  };
  const scale = anyScale(r, outputs);
  return accumulate(edgeTableRange(layer, inputs), (acc, lo, hi) => ({ ...layer, scale, acc, lo, hi }));
};

export const anyBasisTable = (r: Random, inputs: number, levels: number): TableBasisAttrs | undefined => {
  const outputs = r.whole(1, 4);
  const width = r.whole(1, 4);
  const functions = width + r.whole(0, 4);
  const fractions = r.whole(1, 4);
  const rows = r.chance(0.5) ? undefined : r.whole(1, 3);
  const table = [rows ?? 1, levels] as const;
  const layer = {
    coefficients: integers(r, int(r.whole(2, 8)), [inputs, functions, outputs]),
    basis: integers(r, uint(r.whole(1, 8)), [fractions, width]),
    span: integers(r, uint(8), table, 0, functions - width),
    frac: integers(r, uint(8), table, 0, fractions - 1),
    shift: r.whole(0, 4),
    ...(rows === undefined ? {} : { rows: integers(r, uint(8), [inputs], 0, rows - 1) }),
    ...(r.chance(0.5)
      ? { base: integers(r, int(8), [inputs, outputs]), baseTable: integers(r, int(9), table) }
      : {}),
    ...(r.chance(0.5) ? { bias: integers(r, int(32), [outputs], -999, 999) } : {}),
  };
  const scale = anyScale(r, outputs);
  const whole: TableBasisAttrs = { ...layer, scale, acc: 32, lo: 0, hi: 0 };
  return accumulate(basisTableRange(whole, inputs), (acc, lo, hi) => ({ ...layer, scale, acc, lo, hi }));
};

const anyCodeOp = (r: Random, type: ValueType): Op | undefined => {
  const features = sizeOf(type);
  const levels = levelsOf(type);
  const recode = (): Op => {
    const bits = r.whole(1, 6);
    const quantizer = anyQuantizer(r, features, bits);
    const map = integers(r, uint(8), [r.pick([1, features]), levels], 0, quantizer.levels - 1);
    return { kind: 'recode', attrs: { map, bits, quantizer } };
  };
  const decode = (): Op => {
    const own = type.meaning === undefined || r.chance(0.5);
    return { kind: 'decode', attrs: own ? { values: floats(r, [r.pick([1, features]), levels]) } : {} };
  };
  if (type.shape.length !== 1) return r.pick([recode, decode])();
  return r.pick([
    recode,
    decode,
    () => anyGather(r, features),
    (): Op | undefined => {
      const attrs = anyEdge(r, features, levels);
      return attrs && { kind: 'table.edge', attrs };
    },
    (): Op | undefined => {
      const attrs = anyBasisTable(r, features, levels);
      return attrs && { kind: 'table.basis', attrs };
    },
  ])();
};

const anyRequantize = (r: Random, channels: number): Op => {
  const bits = r.whole(1, 8);
  const quantizer = anyQuantizer(r, channels, bits);
  const ratios = Float64Array.from({ length: channels }, () => 2 ** -r.whole(0, 12) * (1 + r.unit()));
  const shift = shiftFor(Math.max(...ratios), quantizer.levels);
  const mul = r.chance(0.5)
    ? multiplierFor(ratios[0]!, shift)
    : constantBy(int(32), [channels], (o) => multiplierFor(ratios[o]!, shift));
  const bias = r.chance(0.5) ? { bias: integers(r, int(32), [channels], -9999, 9999) } : {};
  return { kind: 'requantize', attrs: { mul, shift, bits, quantizer, ...bias } };
};

/** An op that takes one operand of this type, or undefined when the dice made none. */
export const anyOp = (r: Random, type: ValueType): Op | undefined => {
  if (type.element.kind === 'f32') return anyFloatOp(r, type);
  if (type.element.kind === 'uint') return anyCodeOp(r, type);
  const features = sizeOf(type);
  return r.pick([
    (): Op => ({ kind: 'dequantize', attrs: {} }),
    () => anyRequantize(r, features),
    () => anyGather(r, features),
  ])();
};
