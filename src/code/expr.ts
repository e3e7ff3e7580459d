/**
 * A small language for what one element of a result is, in 32-bit integers: what the elementwise ops of table graphs are
 * lowered to, once, beside their definitions, and what every target writes in its own way. No node overflows: the range of
 * every value is proven by the op that it comes from.
 */

/** Rows of integers in a table, one for all channels or one for each. `name` is for generated code. */
export interface Rows {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly data: Int32Array;
}

/** Ascending f32 thresholds, one row for all channels or one for each. */
export interface FloatRows {
  readonly rows: number;
  readonly width: number;
  readonly data: Float32Array;
}

export type Expr =
  | { readonly kind: 'literal'; readonly value: number }
  /** This element of an operand: a code or an accumulator. */
  | { readonly kind: 'operand'; readonly index: number }
  /** A number for each channel. */
  | { readonly kind: 'constant'; readonly table: Rows }
  /** An entry of the row of the channel. */
  | { readonly kind: 'entry'; readonly table: Rows; readonly at: Expr }
  /** How many thresholds of the row of the channel are at most the key. */
  | { readonly kind: 'count'; readonly thresholds: Rows; readonly key: Expr }
  /** The same for this element of a float operand; 0 for NaN, which nothing is at most. */
  | { readonly kind: 'countFloats'; readonly thresholds: FloatRows; readonly index: number }
  | {
      readonly kind: 'add' | 'subtract' | 'multiply' | 'least' | 'greatest';
      readonly a: Expr;
      readonly b: Expr;
    }
  /**
   * (value * mul + 2^(shift - 1)) >> shift for a value of at least 0, exact. Narrow products fit 31 bits; wide ones are
   * split or formed in 64 bits (numeric/fixed-point.ts).
   */
  | {
      readonly kind: 'scaled';
      readonly value: Expr;
      readonly mul: Expr;
      readonly shift: number;
      readonly product: 'narrow' | 'wide';
    };

/** An elementwise op: integers, or floats that are integers times a scale, rounded as f32 twice. */
export interface ElementCode {
  readonly value: Expr;
  readonly scale?: number | { readonly data: ArrayLike<number> };
  /** How it is computed, in a few words for manifests and reports. */
  readonly form: string;
  /** Bits of a table entry, where there is one. */
  readonly bits?: number;
}

export const literal = (value: number): Expr => ({ kind: 'literal', value });

export const operand = (index: number): Expr => ({ kind: 'operand', index });

/** A number for each channel; a literal where all are equal. */
export const constant = (name: string, values: ArrayLike<number>): Expr => {
  const data = Int32Array.from(values);
  const [first = 0] = data;
  return data.every((v) => v === first)
    ? literal(first)
    : { kind: 'constant', table: { name, rows: data.length, width: 1, data } };
};

/** A table from the shape and data of a constant of the graph: [rows, width]. */
export const rowsOf = (
  name: string,
  { shape, data }: { readonly shape: ReadonlyArray<number>; readonly data: ArrayLike<number> },
): Rows => ({ name, rows: shape[0] ?? 1, width: shape[1] ?? 1, data: Int32Array.from(data) });

export const entry = (table: Rows, at: Expr): Expr => ({ kind: 'entry', table, at });

export const count = (thresholds: Rows, key: Expr): Expr => ({ kind: 'count', thresholds, key });

export const add = (a: Expr, b: Expr): Expr =>
  a.kind === 'literal' && a.value === 0
    ? b
    : b.kind === 'literal' && b.value === 0
      ? a
      : { kind: 'add', a, b };

export const subtract = (a: Expr, b: Expr): Expr => ({ kind: 'subtract', a, b });

export const least = (a: Expr, b: Expr): Expr => ({ kind: 'least', a, b });

export const greatest = (a: Expr, b: Expr): Expr => ({ kind: 'greatest', a, b });

/** The expressions that an expression is made of. */
export const partsOf = (e: Expr): ReadonlyArray<Expr> => {
  switch (e.kind) {
    case 'literal':
    case 'operand':
    case 'constant':
    case 'countFloats':
      return [];
    case 'entry':
      return [e.at];
    case 'count':
      return [e.key];
    case 'scaled':
      return [e.value, e.mul];
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'least':
    case 'greatest':
      return [e.a, e.b];
  }
};

/** An expression and all that it is made of, parts first. */
export const everyPart = (e: Expr): ReadonlyArray<Expr> => [...partsOf(e).flatMap(everyPart), e];

/** Whether an expression differs between channels. */
export const isPerChannel = (e: Expr): boolean =>
  everyPart(e).some((part) =>
    part.kind === 'constant' || part.kind === 'entry'
      ? part.table.rows > 1
      : (part.kind === 'count' || part.kind === 'countFloats') && part.thresholds.rows > 1,
  );
