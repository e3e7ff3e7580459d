/**
 * How a basis-table layer lies in memory.
 *
 * *Records*: for each row of knots and each code of the source, the byte offset of the first coefficient row,
 * the basis values (already shifted), the value of the base branch in the low and in the high half of a word, and
 * the sum of all these values: one table look-up gives them all.
 *
 * *Coefficients*: inputs are taken two at a time, a *pair*. For each input there is a row for every function k, with the
 * coefficients of k and k + 1 side by side, so that one `i32x4.dot_i16x8_s` is two functions times four
 * outputs whatever the span is; then one row with the base weights of both inputs side by side, so that the base
 * branch of two inputs is one more dot product.
 *
 * *Coefficients of 8 bits*: four outputs are a *unit*, and two units share a vector: unit A in the low byte of each
 * 16-bit lane, as c + 128 so that it does not borrow, unit B in the high byte. The dot product of the lanes as they
 * are adds A + 2^8 B, that of the lanes shifted right by 8 adds B, both modulo 2^32, which gives A: no lane is
 * widened. The 128s add up to 128 times the sum of all values, which the records tell. An odd last unit is widened by its load.
 *
 * *Plain* form, where a factor does not fit 16 bits: rows of single coefficients, one multiplication per term.
 */

import type { TypedArray } from '../../../../ir/element.js';
import type { TableBasisAttrs } from '../../../../ir/ops/table-basis.js';
import { type Block, blockOf, lazyBlock } from '../../storage.js';
import { type CodeSource, layerCode } from '../code-source.js';
import type { Tiles } from '../tile-loops.js';

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

/** Code is written out for a tile: longer code would not stay in the cache of decoded instructions. */
const MAX_TILE = 64;

/** Outputs of a unit: the lanes of an accumulator. */
export const UNIT = 4;

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
    recordBytes: 4 * (1 + values + (hasBase ? (paired ? 2 : 1) : 0) + (paired ? 1 : 0)),
  };
};

/** Words of a record: offset, basis values (pairs of them when paired), base value, sum of all. */
export const recordWords = ({ paired, width, hasBase }: BasisShape) => {
  const values = paired ? Math.ceil(width / 2) : width;
  const base = 1 + values;
  return { values, base, sum: base + (hasBase ? 2 : 0) };
};

/** [rows, source levels] records of 32-bit words. */
export const recordBlock = (a: TableBasisAttrs, shape: BasisShape, source: CodeSource): Block => {
  const [rows, levels] = [a.span.shape[0]!, a.span.shape[1]!];
  const words = shape.recordBytes / 4;
  const data = new Int32Array(rows * source.levels * words);
  const at = recordWords(shape);
  let to = 0;
  for (let r = 0; r < rows; r++) {
    for (let s = 0; s < source.levels; s++, to += words) {
      const entry = r * levels + layerCode(source, s);
      const value = (j: number): number =>
        j < shape.width ? a.basis.data[a.frac.data[entry]! * shape.width + j]! << a.shift : 0;
      const base = a.baseTable?.data[entry] ?? 0;
      data[to] = a.span.data[entry]! * shape.rowBytes;
      if (!shape.paired) {
        for (let j = 0; j < shape.width; j++) data[to + 1 + j] = value(j);
        if (shape.hasBase) data[to + at.base] = base;
        continue;
      }
      let sum = base;
      for (let j = 0; j < shape.width; j += 2) {
        data[to + 1 + j / 2] = value(j) | (value(j + 1) << 16);
        sum += value(j) + value(j + 1);
      }
      if (shape.hasBase) {
        data[to + at.base] = base & 0xffff;
        data[to + at.base + 1] = base << 16;
      }
      data[to + at.sum] = sum;
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

/** Whether units share vectors: see above. */
export const isSplit = (s: BasisShape): boolean => s.paired && s.entry === 1;

/** Where the coefficient `half` (of two) of output o of a tile lies in a row, and what is added to it. */
const placeIn = (shape: BasisShape, o: number, half: number): { at: number; bias: number } => {
  if (!shape.paired) return { at: o, bias: 0 };
  const units = shape.tile / UNIT;
  const unit = Math.floor(o / UNIT);
  const alone = unit + 1 === units && units % 2 === 1;
  if (!isSplit(shape) || alone) return { at: 2 * o + half, bias: 0 };
  const vector = 4 * UNIT * Math.floor(unit / 2);
  return { at: vector + 2 * (2 * (o % UNIT) + half) + (unit % 2), bias: unit % 2 === 0 ? 128 : 0 };
};

const packCoefficients = (
  a: TableBasisAttrs,
  shape: BasisShape,
  slots: ReadonlyArray<number>,
  inputs: number,
  data: Int8Array | Int16Array | Int32Array,
): void => {
  const { paired, functions, tile, tiles, groups, outputs } = shape;
  const step = paired ? 2 : 1;
  const rowEntries = tile * step;
  const coefficients = a.coefficients.data;
  const places = Array.from({ length: step }, (_, half) =>
    Array.from({ length: tile }, (_, o) => placeIn(shape, o, half)),
  );
  const columns = places.map((of) => Int32Array.from(of, ({ at }) => at));
  const zeros = new Int32Array(rowEntries);
  for (const { at, bias } of places.flat()) zeros[at] = bias;
  for (let e = 0; e < data.length; e++) data[e] = zeros[e % rowEntries]!;
  const inputOf = (slot: number, group: number): number | undefined => {
    const input = slots[slot];
    return input === undefined || input < 0 ? undefined : group * inputs + input;
  };
  let to = 0;
  const put = (source: ArrayLike<number>, from: number, count: number, half: number): void => {
    const column = columns[half]!;
    // Eight bits keep the residue, which is all that an unsigned coefficient is.
    for (let o = 0; o < count; o++) data[to + column[o]!]! += source[from + o]!;
  };
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
          put(coefficients, from, count, 0);
          if (paired && k + 1 < functions) put(coefficients, from + outputs, count, 1);
        }
      }
      if (a.base === undefined) continue;
      for (let half = 0; half < step; half++) {
        const input = inputOf(s + half, group);
        if (input !== undefined) put(a.base.data, input * outputs + first, count, half);
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
