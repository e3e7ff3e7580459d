/** Ops of ONNX that read and write by index. Constant indices pick elements, varying ones look them up in a table. */
import { stridedIndex } from '../../tensor/movement.js';
import { type Shape, sizeOfShape, stridesOf, type ValueId } from '../../tensor/program.js';
import {
  apply,
  axisIn,
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  constant,
  contract,
  intOf,
  makeable,
  map,
  meaningless,
  operand,
  pick,
  reshape,
  scalar,
  shapeOf,
  show,
  stringOf,
  typeOf,
  wrong,
} from './call.js';
import { counting, outerIndex, within } from './indices.js';

/** Varying indices, those below zero counted from the end. */
function* wrapped(call: Call, indices: ValueId, size: number): Building<ValueId> {
  const behind = yield* map(call, 'add', indices, yield* scalar(call, size, indices));
  const negative = yield* map(call, 'lt', indices, yield* scalar(call, 0, indices));
  return yield* map(call, 'where', negative, behind, indices);
}

const Gather: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const indices = yield* operand(call, 1);
  const shape = shapeOf(call, x);
  const axis = yield* axisIn(yield* intOf(call, 'axis', 0), shape.length);
  const known = call.builder.constantOf(indices);
  if (known === undefined) {
    const rows = yield* wrapped(call, indices, shape[axis] ?? 1);
    return [yield* apply(call, { kind: 'lookup', axis }, [x, rows])];
  }
  const result = [...shape.slice(0, axis), ...shapeOf(call, indices), ...shape.slice(axis + 1)];
  yield* makeable(result);
  const list = yield* within(known, shape[axis] ?? 1);
  const index = outerIndex(
    shape.map((size, d) => (d === axis ? list : counting(size))),
    stridesOf(shape),
  );
  return [yield* pick(call, [x], index, result)];
};

/** Elements of a value by their numbers, which are constants or vary. */
function* elementsAt(call: Call, x: ValueId, numbers: ValueId, shape: Shape): Building<ValueId> {
  const known = call.builder.constantOf(numbers);
  if (known !== undefined) return yield* pick(call, [x], Int32Array.from(known), shape);
  const flat = yield* reshape(call, x, [sizeOfShape(shapeOf(call, x))]);
  return yield* apply(call, { kind: 'lookup', axis: 0 }, [flat, yield* reshape(call, numbers, shape)]);
}

/** indices[i] * step + offset[i], whether the indices are constants or not; those below zero from the end. */
function* numbersAlong(
  call: Call,
  indices: ValueId,
  size: number,
  step: number,
  offsets: Int32Array,
): Building<ValueId> {
  const shape = shapeOf(call, indices);
  const known = call.builder.constantOf(indices);
  const rows =
    known === undefined
      ? yield* wrapped(call, indices, size)
      : yield* constant(call, yield* within(known, size), shape, 'int');
  const scaled = yield* map(call, 'mul', rows, yield* scalar(call, step, rows));
  return yield* map(call, 'add', scaled, yield* constant(call, offsets, shape, 'int'));
}

const GatherElements: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const indices = yield* operand(call, 1);
  const shape = shapeOf(call, x);
  const to = shapeOf(call, indices);
  const axis = yield* axisIn(yield* intOf(call, 'axis', 0), shape.length);
  if (to.length !== shape.length || to.some((size, d) => d !== axis && size > shape[d]!))
    return yield* wrong(`indices ${show(to)} do not fit ${show(shape)}`);
  const strides = stridesOf(shape);
  const offsets = stridedIndex(
    to,
    strides.map((s, d) => (d === axis ? 0 : s)),
    0,
  );
  const numbers = yield* numbersAlong(call, indices, shape[axis] ?? 1, strides[axis] ?? 1, offsets);
  return [yield* elementsAt(call, x, numbers, to)];
};

/** Tuples of indices in the last dimension, with what they point into. */
interface Tuples {
  /** How many indices a tuple has. */
  readonly depth: number;
  /** The dimensions that the tuples stand in. */
  readonly lead: Shape;
  /** The sizes of the dimensions that a tuple points into. */
  readonly sizes: Shape;
  /** How many elements lie behind one tuple. */
  readonly width: number;
}

function* tuplesOf(call: Call, x: ValueId, indices: ValueId, batch: number): Building<Tuples> {
  const shape = shapeOf(call, x);
  const to = shapeOf(call, indices);
  const depth = to[to.length - 1] ?? 0;
  if (to.length === 0 || batch + depth > shape.length)
    return yield* wrong(`tuples ${show(to)} do not point into ${show(shape)}`);
  return {
    depth,
    lead: to.slice(0, -1),
    sizes: shape.slice(batch, batch + depth),
    width: sizeOfShape(shape.slice(batch + depth)),
  };
}

/** The row that each constant tuple points to. */
function* constantRows(indices: Float64Array, { depth, sizes }: Tuples): Building<Float64Array> {
  const strides = stridesOf(sizes);
  const rows = new Float64Array(depth === 0 ? 1 : indices.length / depth);
  for (let t = 0; t < rows.length; t++) {
    const tuple = indices.subarray(t * depth, (t + 1) * depth);
    for (let k = 0; k < depth; k++) {
      const [at = 0] = yield* within([tuple[k]!], sizes[k]!);
      rows[t]! += at * strides[k]!;
    }
  }
  return rows;
}

/** The row that each tuple points to, where something of them varies. */
function* varyingRows(call: Call, indices: ValueId, { depth, sizes, lead }: Tuples): Building<ValueId> {
  const count = sizeOfShape(lead);
  const flat = yield* reshape(call, indices, [count, depth]);
  const limits = yield* constant(call, sizes, [depth], 'int');
  const behind = yield* map(call, 'add', flat, limits);
  const negative = yield* map(call, 'lt', flat, yield* scalar(call, 0, flat));
  const at = yield* map(call, 'where', negative, behind, flat);
  return yield* contract(call, 'ab,b->a', at, yield* constant(call, stridesOf(sizes), [depth], 'int'));
}

const GatherND: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const indices = yield* operand(call, 1);
  const shape = shapeOf(call, x);
  const batch = yield* intOf(call, 'batch_dims', 0);
  const tuples = yield* tuplesOf(call, x, indices, batch);
  const { lead, sizes, width } = tuples;
  const rows = sizeOfShape(sizes);
  const batches = sizeOfShape(shape.slice(0, batch));
  const count = sizeOfShape(lead);
  const result = [...lead, ...shape.slice(batch + sizes.length)];
  yield* makeable(result);
  // Rows of earlier samples of the batch stand before those of a tuple.
  const before = Float64Array.from({ length: count }, (_, t) => Math.floor((t * batches) / count) * rows);
  const known = call.builder.constantOf(indices);
  if (known !== undefined) {
    const at = (yield* constantRows(known, tuples)).map((row, t) => row + before[t]!);
    return [yield* pick(call, [x], outerIndex([at, counting(width)], [width, 1]), result)];
  }
  const rowOf = yield* varyingRows(call, indices, tuples);
  const all = yield* map(call, 'add', rowOf, yield* constant(call, before, [count], 'int'));
  const table = yield* reshape(call, x, [batches * rows, width]);
  return [yield* reshape(call, yield* apply(call, { kind: 'lookup', axis: 0 }, [table, all]), result)];
};

const REDUCTIONS = { add: 'add', mul: 'mul', max: 'max', min: 'min' } as const;

/**
 * A value with updates written to the elements of given numbers; later ones over earlier ones, or joined with what is
 * there.
 */
function* written(call: Call, x: ValueId, targets: Int32Array, updates: ValueId): Building<ValueId> {
  const reduction = yield* stringOf(call, 'reduction', 'none');
  const shape = shapeOf(call, x);
  const fn = Object.entries(REDUCTIONS).find(([name]) => name === reduction)?.[1];
  if (fn === undefined && reduction !== 'none') return yield* wrong(`its reduction is "${reduction}"`);
  if (fn !== undefined && new Set(targets).size !== targets.length)
    return yield* meaningless(call, `${call.node.op} joins several updates in one element`, typeOf(call, x));
  const there = fn === undefined ? undefined : yield* pick(call, [x], targets, shapeOf(call, updates));
  const values = fn === undefined || there === undefined ? updates : yield* map(call, fn, there, updates);
  const size = sizeOfShape(shape);
  const index = Int32Array.from(counting(size));
  for (let u = 0; u < targets.length; u++) index[targets[u]!] = size + u;
  return yield* pick(call, [x, values], index, shape);
}

const ScatterND: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const indices = yield* operand(call, 1);
  const updates = yield* operand(call, 2);
  const tuples = yield* tuplesOf(call, x, indices, 0);
  const known = call.builder.constantOf(indices);
  if (known === undefined)
    return [yield* meaningless(call, 'it writes to places that are computed', typeOf(call, x))];
  const rows = yield* constantRows(known, tuples);
  yield* makeable([rows.length, tuples.width]);
  const targets = outerIndex([rows, counting(tuples.width)], [tuples.width, 1]);
  if (targets.length !== sizeOfShape(shapeOf(call, updates)))
    return yield* wrong(`updates ${show(shapeOf(call, updates))} are not ${targets.length} elements`);
  return [yield* written(call, x, targets, updates)];
};

const ScatterElements: Conversion = function* (call) {
  const x = yield* operand(call, 0);
  const indices = yield* operand(call, 1);
  const updates = yield* operand(call, 2);
  const shape = shapeOf(call, x);
  const to = shapeOf(call, indices);
  const axis = yield* axisIn(yield* intOf(call, 'axis', 0), shape.length);
  const known = call.builder.constantOf(indices);
  if (known === undefined)
    return [yield* meaningless(call, 'it writes to places that are computed', typeOf(call, x))];
  if (to.length !== shape.length || sizeOfShape(to) !== sizeOfShape(shapeOf(call, updates)))
    return yield* wrong(`indices ${show(to)} and updates do not fit ${show(shape)}`);
  const strides = stridesOf(shape);
  const targets = stridedIndex(
    to,
    strides.map((s, d) => (d === axis ? 0 : s)),
    0,
  );
  const at = yield* within(known, shape[axis] ?? 1);
  for (let e = 0; e < targets.length; e++) targets[e]! += at[e]! * strides[axis]!;
  return [yield* written(call, x, targets, updates)];
};

export const INDEXING: Conversions = {
  Gather,
  GatherElements,
  GatherND,
  Scatter: ScatterElements,
  ScatterElements,
  ScatterND,
};
