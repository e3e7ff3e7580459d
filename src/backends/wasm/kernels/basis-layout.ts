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
import type { TableBasisAttrs } from '../../../ir/ops/table-basis.js';
import { type Block, blockOf } from '../storage.js';
import { type CodeSource, layerCode } from './code-source.js';

export interface BasisShape {
  /** Dot products of 16-bit pairs, or plain 32-bit multiplications. */
  readonly paired: boolean;
  /** Bytes of a stored coefficient. */
  readonly entry: 1 | 2 | 4;
  /** Functions per input that a code multiplies: p + 1. */
  readonly width: number;
  /** Functions with a coefficient: K'. */
  readonly functions: number;
  readonly hasBase: boolean;
  readonly tiles: number;
  /** Outputs of a tile, a multiple of 4. */
  readonly tile: number;
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
  const groups = Math.ceil(outputs / 4);
  const tiles = Math.ceil((groups * 4) / MAX_TILE);
  const tile = Math.ceil(groups / tiles) * 4;
  const rowBytes = tile * entry * (paired ? 2 : 1);
  const hasBase = a.base !== undefined;
  const values = paired ? Math.ceil(width / 2) : width;
  return {
    paired,
    entry,
    width,
    functions,
    hasBase,
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
 * [tiles, slot pairs, (rows of input A, rows of input B, base row)] when paired, [tiles, slots, (rows, base
 * row)] otherwise. A missing second input has zero coefficients.
 */
export const coefficientBlock = (
  a: TableBasisAttrs,
  shape: BasisShape,
  slots: ReadonlyArray<number>,
): Block => {
  const { paired, functions, tile, tiles, hasBase } = shape;
  const outputs = a.coefficients.shape[2]!;
  const step = paired ? 2 : 1;
  const rowEntries = tile * step;
  const perStep = step * functions * rowEntries + (hasBase ? rowEntries : 0);
  const length = tiles * Math.ceil(slots.length / step) * perStep;
  const data =
    shape.entry === 1
      ? new Int8Array(length)
      : shape.entry === 2
        ? new Int16Array(length)
        : new Int32Array(length);
  const coefficients = a.coefficients.data;
  let to = 0;
  for (let t = 0; t < tiles; t++) {
    const first = t * tile;
    const count = Math.min(tile, outputs - first);
    for (let s = 0; s < slots.length; s += step) {
      for (let half = 0; half < step; half++) {
        const input = slots[s + half];
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
        const input = slots[s + half];
        if (input === undefined) continue;
        for (let o = 0; o < count; o++)
          data[to + o * step + half] = a.base.data[input * outputs + first + o]!;
      }
      to += rowEntries;
    }
  }
  return blockOf(data, 64);
};

/** Inputs with a coefficient that is not 0; the others add nothing, whatever their code. */
export const liveInputs = (a: TableBasisAttrs): ReadonlyArray<number> => {
  const inputs = a.coefficients.shape[0]!;
  const [perInput, outputs] = [a.coefficients.shape[1]! * a.coefficients.shape[2]!, a.coefficients.shape[2]!];
  const some = (data: ArrayLike<number>, from: number, count: number): boolean => {
    for (let k = from; k < from + count; k++) if (data[k] !== 0) return true;
    return false;
  };
  return Array.from({ length: inputs }, (_, i) => i).filter(
    (i) =>
      some(a.coefficients.data, i * perInput, perInput) ||
      (a.base !== undefined && some(a.base.data, i * outputs, outputs)),
  );
};
