/** What building a graph from a trace knows: the values that cuts have become, and how their elements lie there. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Builder } from '../../ir/builder.js';
import { constant } from '../../ir/constant.js';
import { F32, uint } from '../../ir/element.js';
import type { ValueName } from '../../ir/graph.js';
import type { Op } from '../../ir/ops/index.js';
import type { Trace } from '../trace/index.js';
import { owners } from '../trace/state.js';
import type { Cut } from '../traced.js';

/** The elements of one sample of a cut as a value of the graph. */
export interface Built {
  readonly name: ValueName;
  /** Element number `rank` of a sample is element position[rank] of the value, row-major. */
  readonly position: Int32Array;
  /** Where elements lay before they were put into another order for the sake of one op. */
  readonly natural?: { readonly position: Int32Array; readonly shape: ReadonlyArray<number> };
}

/** Filled while a graph is built. */
export interface Lifting {
  readonly trace: Trace;
  readonly b: Builder<'float'>;
  readonly built: Map<Cut, Built>;
  /** The node of the file at which a value ends, by the name of the value. */
  readonly origins: Map<ValueName, string>;
  /** Layers so far, whose names are their numbers. */
  layers: number;
  readonly ownerOf: (source: number) => Cut;
}

export const liftingOf = (trace: Trace, b: Builder<'float'>): Lifting => ({
  trace,
  b,
  built: new Map(),
  origins: new Map(),
  layers: 0,
  ownerOf: owners(trace.cuts),
});

/** The elements of sample 0 in order. */
export const firstSample = ({ sample }: Cut): Int32Array => {
  const elements: number[] = [];
  for (let e = 0; e < sample.length; e++) if (sample[e] === 0) elements.push(e);
  return Int32Array.from(elements);
};

export const shapeOf = (l: Lifting, value: ValueName): ReadonlyArray<number> => l.b.typeOf(value).shape;

/** The value in another shape; itself where it has that one. */
export const reshaped = (l: Lifting, value: ValueName, shape: ReadonlyArray<number>): ValueName => {
  const now = shapeOf(l, value);
  if (now.length === shape.length && now.every((n, d) => n === shape[d])) return value;
  // A reshape of a reshape is one.
  const made = l.b.nodeOf(value);
  const from = made?.op.kind === 'reshape' ? made.operands[0]! : value;
  if (from !== value) return reshaped(l, from, shape);
  return l.b.add(`${value}_as`, { kind: 'reshape', attrs: { shape } }, [value]);
};

export const flattened = (l: Lifting, value: ValueName): ValueName =>
  reshaped(l, value, [shapeOf(l, value).reduce((n, d) => n * d, 1)]);

/** Adds an op, and tells at once if its type rule refuses it. */
export const addOp = (
  l: Lifting,
  hint: string,
  op: Op,
  operands: ReadonlyArray<ValueName>,
): Checked<ValueName> => {
  const value = l.b.add(hint, op, operands);
  return l.b.failure() ?? E.right(value);
};

const isCounting = (indices: Int32Array, size: number): boolean =>
  indices.length === size && indices.every((i, k) => i === k);

/** Elements `indices` of a flat value. */
export const gathered = (l: Lifting, flat: ValueName, indices: Int32Array): ValueName => {
  const size = shapeOf(l, flat)[0]!;
  if (isCounting(indices, size)) return flat;
  const picked = constant(uint(32), [indices.length], Uint32Array.from(indices));
  return l.b.add(`${flat}_part`, { kind: 'gather', attrs: { indices: picked } }, [flat]);
};

export const f32 = (shape: ReadonlyArray<number>, data: ArrayLike<number>): ReturnType<typeof constant> =>
  constant(F32, shape, Float32Array.from(data));
