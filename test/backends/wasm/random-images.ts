/** Random ops on images from a seed: windows, layers over them, sums, norms and pools. */
import type { Builder } from '../../../src/ir/builder.js';
import { F32, int, uint } from '../../../src/ir/element.js';
import type { ValueName } from '../../../src/ir/graph.js';
import { basisTableRange } from '../../../src/ir/ops/basis-range.js';
import type { Op } from '../../../src/ir/ops/index.js';
import type { TableBasisAttrs } from '../../../src/ir/ops/table-basis.js';
import { edgeTableRange } from '../../../src/ir/ops/table-edge.js';
import { sumRange } from '../../../src/ir/ops/table-sum.js';
import { levelsOf } from '../../../src/ir/types.js';
import { isPadded, type Window, windowOutput } from '../../../src/ir/window.js';
import type { Random } from '../../support/random.js';
import { accumulation, type BasisForm, filled, rangeOf, requantizeOp, uniform } from './random.js';

type Shape = readonly [channels: number, height: number, width: number];

/** A window that fits an image, of any kernel, stride, padding and dilation; groups that divide the channels. */
export const anyWindow = (r: Random, [channels, height, width]: Shape, groups: number): Window => {
  for (;;) {
    const pair = (lo: number, hi: number): readonly [number, number] => [r.whole(lo, hi), r.whole(lo, hi)];
    const kernel = r.pick([[3, 3] as const, [1, 1] as const, pair(1, 4)]);
    const w: Window = {
      kernel,
      stride: r.pick([[1, 1] as const, [2, 2] as const, pair(1, 3)]),
      padding: r.pick([[0, 0] as const, [1, 1] as const, pair(0, 4)]),
      dilation: r.pick([[1, 1] as const, [1, 1] as const, pair(1, 3)]),
      groups: channels % groups === 0 ? groups : 1,
    };
    if (windowOutput(w, height, width) !== undefined) return w;
  }
};

/** `outputs`: of a group. */
export const convEdge = (
  r: Random,
  [channels]: Shape,
  levels: number,
  outputs: number,
  bits: number,
  window: Window,
): Op => {
  const inputs = channels * window.kernel[0] * window.kernel[1];
  const shared = r.chance(0.3);
  const slabs = shared ? r.whole(1, inputs) : inputs;
  const rows = levels + (isPadded(window) ? 1 : 0);
  const top = 2 ** (bits - 1) - 1;
  const amplitudes = Array.from({ length: slabs }, () => (r.chance(0.1) ? 0 : r.whole(0, top)));
  let k = 0;
  const parts = {
    table: filled(int(bits), [slabs, rows, outputs], () => {
      const amplitude = amplitudes[Math.floor(k / (rows * outputs))]!;
      // Rows of padding may lie outside of what the codes span.
      const isPadding = Math.floor(k++ / outputs) % rows === levels;
      return isPadding ? r.whole(-top, top) : r.whole(-amplitude, amplitude);
    }),
    window,
    ...(shared ? { slabs: filled(uint(16), [inputs], () => r.whole(0, slabs - 1)) } : {}),
    ...(r.chance(0.5)
      ? { bias: filled(int(32), [outputs * window.groups], () => r.whole(-3000, 3000)) }
      : {}),
  };
  const range = edgeTableRange(parts, inputs);
  return { kind: 'table.edge', attrs: { ...parts, ...accumulation(r, range, outputs * window.groups) } };
};

export const convBasis = (
  r: Random,
  [channels]: Shape,
  levels: number,
  outputs: number,
  f: BasisForm,
  window: Window,
): Op => {
  const inputs = channels * window.kernel[0] * window.kernel[1];
  const functions = f.order + 1 + r.whole(0, 4);
  const fractions = r.whole(1, levels);
  const signed = (bits: number) => (): number => r.whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
  const dead = r.chance(0.3) ? r.whole(0, inputs - 1) : -1;
  let k = 0;
  const parts: Omit<TableBasisAttrs, 'scale' | 'acc' | 'lo' | 'hi'> = {
    coefficients: filled(int(f.coefBits), [inputs, functions, outputs], () => {
      const value = signed(f.coefBits)();
      return Math.floor(k++ / (functions * outputs)) === dead ? 0 : value;
    }),
    basis: filled(uint(f.basisBits), [fractions, f.order + 1], () => r.whole(0, 2 ** f.basisBits - 1)),
    span: filled(uint(8), [f.rows, levels], () => r.whole(0, functions - f.order - 1)),
    frac: filled(uint(16), [f.rows, levels], () => r.whole(0, fractions - 1)),
    shift: f.shift,
    window,
    ...(f.rows > 1 ? { rows: filled(uint(16), [inputs], () => r.whole(0, f.rows - 1)) } : {}),
    ...(f.base
      ? {
          base: filled(int(f.coefBits), [inputs, outputs], signed(f.coefBits)),
          baseTable: filled(int(f.baseBits), [f.rows, levels], signed(f.baseBits)),
        }
      : {}),
    ...(r.chance(0.5)
      ? { bias: filled(int(32), [outputs * window.groups], () => r.whole(-3000, 3000)) }
      : {}),
  };
  const range = basisTableRange(parts, inputs);
  return { kind: 'table.basis', attrs: { ...parts, ...accumulation(r, range, outputs * window.groups) } };
};

/** Small tables, so that what follows stays within what norms and products take. */
export const sumOp = (r: Random, channels: number, levels: ReadonlyArray<number>, bits: number): Op => {
  const top = 2 ** (bits - 1) - 1;
  const parts = {
    tables: levels.map((l) => filled(int(bits), [r.pick([1, channels]), l], () => r.whole(-top, top))),
    ...(r.chance(0.5) ? { bias: filled(int(32), [channels], () => r.whole(-200, 200)) } : {}),
  };
  return {
    kind: 'table.sum',
    attrs: { ...parts, ...accumulation(r, sumRange(parts, channels), channels, true) },
  };
};

/** `extreme`: gains and shifts that saturate codes or leave nothing of them. */
export const normOp = (
  r: Random,
  channels: number,
  over: 'sample' | 'channel',
  levels: number,
  extreme: boolean,
): Op => {
  const gain = (): number => (extreme ? r.pick([-32767, 0, 1, 32767]) : r.whole(-32767, 32767));
  const offset = (): number => (extreme ? r.pick([-(2 ** 29) + 1, 2 ** 29 - 1, 0, 5]) : r.whole(0, levels));
  return {
    kind: 'table.norm',
    attrs: {
      over,
      epsilon:
        over === 'channel' && r.chance(0.5)
          ? filled(F32, [channels], () => Math.fround(r.whole(1, 2 ** r.whole(1, 45))))
          : extreme
            ? r.pick([1, 2 ** 45])
            : r.whole(1, 2 ** 20),
      gain: r.chance(0.5) ? gain() : filled(int(32), [channels], gain),
      gainShift: extreme ? r.whole(-64, 64) : r.whole(6, 14),
      offset: r.chance(0.5) ? offset() : filled(int(32), [channels], offset),
      bits: Math.max(1, Math.ceil(Math.log2(levels))),
      quantizer: uniform(levels),
    },
  };
};

/** Adds a requantize that spreads the accumulators of a value over codes. */
export const toCodes = (
  r: Random,
  b: Builder<'table'>,
  name: string,
  value: ValueName,
  levels: number,
): ValueName => b.add(name, requantizeOp(r, rangeOf(b, value), b.typeOf(value).shape[0]!, levels), [value]);

export const shapeOf = (b: Builder<'table'>, value: ValueName): Shape => {
  const [channels, height, width] = b.typeOf(value).shape;
  return [channels!, height!, width!];
};

export const levelsIn = (b: Builder<'table'>, value: ValueName): number => levelsOf(b.typeOf(value));
