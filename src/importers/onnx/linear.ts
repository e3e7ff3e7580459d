/** Sums of products in ONNX: MatMul, Gemm, Einsum. */
import { stridedIndex } from '../../tensor/movement.js';
import { stridesOf, type ValueId } from '../../tensor/program.js';
import {
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  contract,
  floatOf,
  intOf,
  map,
  operand,
  pick,
  reduce,
  reshape,
  scalar,
  shapeOf,
  show,
  stringOf,
  transpose,
  wrong,
} from './call.js';

/** A value whose dimensions have letters. */
interface Lettered {
  readonly value: ValueId;
  readonly letters: string;
}

/** Without the dimensions of one element that the other operand has more of: these are broadcast. */
function* unbroadcast(call: Call, one: Lettered, other: Lettered): Building<Lettered> {
  const shape = shapeOf(call, one.value);
  const sizes = shapeOf(call, other.value);
  const stays = [...one.letters].map((letter, d) => {
    const there = other.letters.indexOf(letter);
    return shape[d] !== 1 || there < 0 || sizes[there] === 1;
  });
  if (stays.every((s) => s)) return one;
  return {
    value: yield* reshape(
      call,
      one.value,
      shape.filter((_, d) => stays[d]),
    ),
    letters: [...one.letters].filter((_, d) => stays[d]).join(''),
  };
}

/** The sum of products of two operands over the letters that the result does not have, with broadcasting. */
function* product(call: Call, a: Lettered, b: Lettered, result: string): Building<Lettered> {
  const left = yield* unbroadcast(call, a, b);
  const right = yield* unbroadcast(call, b, a);
  return {
    value: yield* contract(call, `${left.letters},${right.letters}->${result}`, left.value, right.value),
    letters: result,
  };
}

const BATCH = 'abcdefghijklmnopqrstuvw';

/** Matrices in the last two dimensions, those before are broadcast; one dimension alone is a row or a column. */
const MatMul: Conversion = function* (call) {
  const a = yield* operand(call, 0);
  const b = yield* operand(call, 1);
  const ranks = [a, b].map((v) => shapeOf(call, v).length);
  const [ra = 0, rb = 0] = ranks;
  if (ra === 0 || rb === 0 || Math.max(ra, rb) > BATCH.length)
    return yield* wrong(`${show(shapeOf(call, a))} and ${show(shapeOf(call, b))} are no matrices`);
  // Only the dimensions before the matrices are broadcast, not the one that is summed over.
  const [na, nb] = [shapeOf(call, a)[ra - 1], shapeOf(call, b)[Math.max(rb - 2, 0)]];
  if (na !== nb)
    return yield* wrong(`${show(shapeOf(call, a))} cannot be multiplied by ${show(shapeOf(call, b))}`);
  const rank = Math.max(ra, rb, 2);
  const batch = BATCH.slice(0, rank - 2);
  const left = ra === 1 ? 'y' : `${batch.slice(batch.length - (ra - 2))}xy`;
  const right = rb === 1 ? 'y' : `${batch.slice(batch.length - (rb - 2))}yz`;
  const result = `${batch}${ra === 1 ? '' : 'x'}${rb === 1 ? '' : 'z'}`;
  return [(yield* product(call, { value: a, letters: left }, { value: b, letters: right }, result)).value];
};

/** alpha * A' B' + beta * C. */
const Gemm: Conversion = function* (call) {
  const left = (yield* intOf(call, 'transA', 0)) === 0 ? 'ab' : 'ba';
  const right = (yield* intOf(call, 'transB', 0)) === 0 ? 'bc' : 'cb';
  const alpha = yield* floatOf(call, 'alpha', 1);
  const beta = yield* floatOf(call, 'beta', 1);
  let value = yield* contract(call, `${left},${right}->ac`, yield* operand(call, 0), yield* operand(call, 1));
  if (alpha !== 1) value = yield* map(call, 'mul', value, yield* scalar(call, alpha, value));
  const c = call.operands[2];
  if (c === undefined || beta === 0) return [value];
  const scaled = beta === 1 ? c : yield* map(call, 'mul', c, yield* scalar(call, beta, c));
  return [yield* map(call, 'add', value, scaled)];
};

/** The diagonal of dimensions that have the same letter. */
function* diagonal(call: Call, { value, letters }: Lettered): Building<Lettered> {
  const distinct = [...new Set(letters)];
  if (distinct.length === letters.length) return { value, letters };
  const shape = shapeOf(call, value);
  const strides = stridesOf(shape);
  const sizes = distinct.map((letter) => shape[letters.indexOf(letter)]!);
  const uneven = [...letters].find((letter, d) => shape[d] !== shape[letters.indexOf(letter)]);
  if (uneven !== undefined) return yield* wrong(`"${uneven}" has two sizes in ${show(shape)}`);
  const steps = distinct.map((letter) =>
    [...letters].reduce((sum, other, d) => sum + (other === letter ? strides[d]! : 0), 0),
  );
  return {
    value: yield* pick(call, [value], stridedIndex(sizes, steps, 0), sizes),
    letters: distinct.join(''),
  };
}

/** One operand with only some of its letters, in their order: sums, then a transposition. */
function* alone(call: Call, operand: Lettered, result: string): Building<ValueId> {
  const summed = [...operand.letters].flatMap((letter, d) => (result.includes(letter) ? [] : [d]));
  const rest = [...operand.letters].filter((letter) => result.includes(letter));
  const value =
    summed.length === 0 ? operand.value : yield* reduce(call, 'sum', operand.value, summed, false);
  return yield* transpose(
    call,
    value,
    [...result].map((letter) => rest.indexOf(letter)),
  );
}

interface Einsum {
  readonly operands: ReadonlyArray<Lettered>;
  readonly result: string;
}

/** Letters for the dimensions that "..." stands for: the last of them. */
const DOTS = '0123456789';

/** The equation with "..." written out and the result told. */
function* equationOf(call: Call): Building<Einsum> {
  const text = (yield* stringOf(call, 'equation', '')).replace(/\s/g, '');
  const [left = '', given] = text.split('->');
  const terms = left.split(',');
  if (!/^[A-Za-z.,]*(?:->[A-Za-z.]*)?$/.test(text) || terms.length !== call.operands.length)
    return yield* wrong(`"${text}" does not fit ${call.operands.length} operands`);
  const operands: Lettered[] = [];
  let widest = 0;
  for (const [k, term] of terms.entries()) {
    const value = yield* operand(call, k);
    const rank = shapeOf(call, value).length;
    const dots = term.includes('...') ? rank - (term.length - 3) : 0;
    const letters = term.replace('...', DOTS.slice(DOTS.length - dots));
    if (dots < 0 || dots > DOTS.length || letters.length !== rank || letters.includes('.'))
      return yield* wrong(`"${term}" does not fit ${show(shapeOf(call, value))}`);
    widest = Math.max(widest, dots);
    operands.push({ value, letters });
  }
  const every = operands.map((o) => o.letters).join('');
  const once = [...every].filter((l) => /[A-Za-z]/.test(l) && every.indexOf(l) === every.lastIndexOf(l));
  const dotted = DOTS.slice(DOTS.length - widest);
  const result = given === undefined ? dotted + once.sort().join('') : given.replace('...', dotted);
  return { operands, result };
}

const Einsum: Conversion = function* (call) {
  const { operands, result } = yield* equationOf(call);
  const terms: Lettered[] = [];
  for (const o of operands) terms.push(yield* diagonal(call, o));
  const [first = yield* wrong('it has no operands'), ...rest] = terms;
  if (rest.length === 0) return [yield* alone(call, first, result)];
  let joined: Lettered = first;
  for (const [k, next] of rest.entries()) {
    const later = rest.slice(k + 1).map((o) => o.letters);
    const needed = [result, ...later].join('');
    const both = [...new Set(joined.letters + next.letters)];
    const to = later.length === 0 ? result : both.filter((letter) => needed.includes(letter)).join('');
    joined = yield* product(call, joined, next, to);
  }
  return [joined.value];
};

export const LINEAR: Conversions = { Einsum, Gemm, MatMul };
