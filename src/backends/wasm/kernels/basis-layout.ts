/**
 * How a basis-table layer lies in memory.
 *
 * *Records*: for each row of knots and each code of the source, the byte offset of the first coefficient row,
 * the basis values (already shifted), and the value of the base branch: one table look-up gives all three.
 *
 * *Coefficients*: inputs are taken two at a time. For each input there is a row for every function k, with the
 * coefficients of k and k + 1 interleaved as pairs, so that one `i32x4.dot_i16x8_s` is two functions times four
 * outputs whatever the span is; then one row with the base weights of both inputs interleaved, so that the base
 * branch of two inputs is one more dot product.
 *
 * *Plain* form, where a factor does not fit 16 bits: rows of single coefficients, one multiplication per term.
 */

import type { TypedArray } from '../../../ir/element.js';
import type { TableBasisAttrs } from '../../../ir/ops/table-basis.js';
import { type Block, blockOf, lazyBlock } from '../storage.js';
import { type CodeSource, layerCode } from './code-source.js';
import type { Tiles } from './tile-loops.js';

export interface BasisShape extends Tiles {
  /** Dot products of 16-bit pairs, or plain 32-bit multiplications. */
  readonly paired: boolean;
  /** Bytes of a stored coefficient. */
  readonly entry: 1 | 2 | 4;
  /** Functions per input that a code multiplies: p + 1. */
  readonly width: number;
  /** Functions with a coefficient: K'. */
  readonly functions: number;
  readonly hasBase: boolean;
  readonly rowBytes: number;
  /** Bytes of the coefficient rows of one input. */
  readonly inputBytes: number;
  readonly recordBytes: number;
}

/** Eight accumulators leave room for the splatted basis values of two inputs. */
const MAX_TILE = 32;

const within = (data: ArrayLike<number>, lo: number, hi: number): boolean => {
  for (let i = 0; i < data.length; i++) if (data[i]! < lo || data[i]! > hi) return false;
  return true;
};

export const basisShape = (a: TableBasisAttrs): BasisShape => {
  const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const width = a.basis.shape[1]!;
  const weights = [a.coefficients.data, ...(a.base === undefined ? [] : [a.base.data])];
  const hold = (bits: number): boolean =>
    weights.every((w) => within(w, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1));
  const paired =
    hold(16) &&
    within(a.basis.data, 0, 32767 >> a.shift) &&
    (a.baseTable === undefined || within(a.baseTable.data, -32768, 32767));
  const entry = paired && hold(8) ? 1 : hold(16) ? 2 : 4;
  const vectors = Math.ceil(outputs / 4);
  const tiles = Math.ceil((vectors * 4) / MAX_TILE);
  const tile = Math.ceil(vectors / tiles) * 4;
  const rowBytes = tile * entry * (paired ? 2 : 1);
  const hasBase = a.base !== undefined;
  const values = paired ? Math.ceil(width / 2) : width;
  return {
    paired,
    entry,
    width,
    functions,
    hasBase,
    groups: a.window?.groups ?? 1,
    outputs,
    tiles,
    tile,
    rowBytes,
    inputBytes: functions * rowBytes,
    recordBytes: 4 * (1 + values + (hasBase ? 1 : 0)),
  };
};

/** [rows, source levels] records of 32-bit words: row offset, basis values, base value. */
export const recordBlock = (a: TableBasisAttrs, shape: BasisShape, source: CodeSource): Block => {
  const [rows, levels] = [a.span.shape[0]!, a.span.shape[1]!];
  const words = shape.recordBytes / 4;
  const data = new Int32Array(rows * source.levels * words);
  let to = 0;
  for (let r = 0; r < rows; r++) {
    for (let s = 0; s < source.levels; s++, to += words) {
      const at = r * levels + layerCode(source, s);
      const value = (j: number): number =>
        j < shape.width ? a.basis.data[a.frac.data[at]! * shape.width + j]! << a.shift : 0;
      data[to] = a.span.data[at]! * shape.rowBytes;
      if (shape.paired) {
        for (let j = 0; j < shape.width; j += 2) data[to + 1 + j / 2] = value(j) | (value(j + 1) << 16);
      } else {
        for (let j = 0; j < shape.width; j++) data[to + 1 + j] = value(j);
      }
      if (a.baseTable !== undefined) data[to + words - 1] = a.baseTable.data[at]!;
    }
  }
  return blockOf(data);
};

/**
 * [groups, tiles, slot pairs, (rows of input A, rows of input B, base row)] when paired, [groups, tiles, slots,
 * (rows, base row)] otherwise. A missing second input has zero coefficients. `inputs`: of a group.
 */
export const coefficientBlock = (
  a: TableBasisAttrs,
  shape: BasisShape,
  slots: ReadonlyArray<number>,
  inputs: number,
): Block => {
  const step = shape.paired ? 2 : 1;
  const length =
    (shape.groups * shape.tiles * Math.ceil(slots.length / step) * stepBytes(shape)) / shape.entry;
  const pack = (): TypedArray => {
    const data =
      shape.entry === 1
        ? new Int8Array(length)
        : shape.entry === 2
          ? new Int16Array(length)
          : new Int32Array(length);
    packCoefficients(a, shape, slots, inputs, data);
    return data;
  };
  return lazyBlock(length, shape.entry, pack, 64);
};

/** Bytes of the rows that belong to one slot, or to two when paired. */
export const stepBytes = (shape: BasisShape): number =>
  (shape.paired ? 2 : 1) * shape.inputBytes + (shape.hasBase ? shape.rowBytes : 0);

const packCoefficients = (
  a: TableBasisAttrs,
  { paired, functions, tile, tiles, groups, outputs }: BasisShape,
  slots: ReadonlyArray<number>,
  inputs: number,
  data: Int8Array | Int16Array | Int32Array,
): void => {
  const step = paired ? 2 : 1;
  const rowEntries = tile * step;
  const coefficients = a.coefficients.data;
  const inputOf = (slot: number, group: number): number | undefined => {
    const input = slots[slot];
    return input === undefined ? undefined : group * inputs + input;
  };
  let to = 0;
  for (let number = 0; number < groups * tiles; number++) {
    const group = Math.floor(number / tiles);
    const first = (number % tiles) * tile;
    const count = Math.min(tile, outputs - first);
    for (let s = 0; s < slots.length; s += step) {
      for (let half = 0; half < step; half++) {
        const input = inputOf(s + half, group);
        for (let k = 0; k < functions; k++, to += rowEntries) {
          if (input === undefined) continue;
          const from = (input * functions + k) * outputs + first;
          const next = k + 1 < functions ? from + outputs : -1;
          for (let o = 0; o < count; o++) {
            data[to + o * step] = coefficients[from + o]!;
            if (paired && next >= 0) data[to + 2 * o + 1] = coefficients[next + o]!;
          }
        }
      }
      if (a.base === undefined) continue;
      for (let half = 0; half < step; half++) {
        const input = inputOf(s + half, group);
        if (input === undefined) continue;
        for (let o = 0; o < count; o++)
          data[to + o * step + half] = a.base.data[input * outputs + first + o]!;
      }
      to += rowEntries;
    }
  }
};

/** Inputs of a group with a coefficient that is not 0 in any group; the others add nothing, whatever their code. */
export const liveInputs = (a: TableBasisAttrs, inputs: number): ReadonlyArray<number> => {
  const groups = a.window?.groups ?? 1;
  const [perInput, outputs] = [a.coefficients.shape[1]! * a.coefficients.shape[2]!, a.coefficients.shape[2]!];
  const some = (data: ArrayLike<number>, from: number, count: number): boolean => {
    for (let k = from; k < from + count; k++) if (data[k] !== 0) return true;
    return false;
  };
  const isLive = (i: number): boolean =>
    some(a.coefficients.data, i * perInput, perInput) ||
    (a.base !== undefined && some(a.base.data, i * outputs, outputs));
  return Array.from({ length: inputs }, (_, i) => i).filter((i) =>
    Array.from({ length: groups }, (_, g) => g * inputs + i).some(isLive),
  );
};

/** [kernel place, output]: minus what the kernel adds for a place in the padding, where it reads code 0. */
export const basisExcess = (a: TableBasisAttrs, inputs: number, area: number): Float64Array => {
  const groups = a.window?.groups ?? 1;
  const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const width = a.basis.shape[1]!;
  const excess = new Float64Array(area * outputs * groups);
  for (let i = 0; i < inputs * groups; i++) {
    const group = Math.floor(i / inputs);
    const to = ((i % inputs) % area) * outputs * groups + group * outputs;
    const at = (a.rows?.data[i] ?? 0) * a.span.shape[1]!;
    for (let j = 0; j < width; j++) {
      const value = a.basis.data[a.frac.data[at]! * width + j]! << a.shift;
      const row = (i * functions + a.span.data[at]! + j) * outputs;
      for (let o = 0; value !== 0 && o < outputs; o++)
        excess[to + o]! -= a.coefficients.data[row + o]! * value;
    }
    const s = a.baseTable?.data[at] ?? 0;
    for (let o = 0; a.base !== undefined && o < outputs; o++)
      excess[to + o]! -= a.base.data[i * outputs + o]! * s;
  }
  return excess;
};
