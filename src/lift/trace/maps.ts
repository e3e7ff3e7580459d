/**
 * Elementwise ops. Of one source they stay functions of it; sums and differences of several are sums of functions;
 * a product of two sources is a cut of its own; everything else of several sources is no KAN.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { ScalarFunction } from '../../numeric/scalar.js';
import { movementOf } from '../../tensor/movement.js';
import { sizeOfShape, type TensorNode, type ValueId } from '../../tensor/program.js';
import type { FunctionId } from '../functions.js';
import {
  asSources,
  elementsAt,
  factorAt,
  functionAt,
  isAdditive,
  NO_SOURCE,
  sourceAt,
  type Traced,
  type Varying,
  varyingOf,
} from '../traced.js';
import { rebased } from './rebase.js';
import { cutLike, entangled, type Tracer } from './state.js';
import { addUp } from './sums.js';

/** The operand with an element for each element of the result. */
const broadcast = (t: Tracer, node: TensorNode, operand: number, traced: Traced): Varying => {
  const { shape } = t.program.nodes[operand]!.type;
  const v = varyingOf(t.table, traced);
  if (v.source.length === sizeOfShape(node.type.shape)) return v;
  return elementsAt(t.table, v, movementOf({ kind: 'expand' }, [shape], node.type.shape));
};

/** Whether several sources meet at an element; a sum that is not ended stands for several. */
const severalAt = (operands: ReadonlyArray<Varying>, e: number): boolean => {
  let found = NO_SOURCE;
  for (const { source } of operands) {
    const s = source[e]!;
    if (s === NO_SOURCE) continue;
    if (isAdditive(s) || (found !== NO_SOURCE && found !== s)) return true;
    found = s;
  }
  return false;
};

/** The first element at which several sources meet, or -1. */
const firstSeveral = (operands: ReadonlyArray<Varying>): number => {
  const n = operands[0]!.source.length;
  for (let e = 0; e < n; e++) if (severalAt(operands, e)) return e;
  return -1;
};

const isConstant = ({ source }: Varying): boolean => source.every((s) => s === NO_SOURCE);

const constantAt = (t: Tracer, v: Varying, e: number): number =>
  factorAt(v, e) * (t.table.constantOf(v.fn[e]!) ?? Number.NaN);

/** The value times a constant for each element. */
const scaled = (v: Varying, by: (e: number) => number): Varying => ({
  ...v,
  factor: Float64Array.from(v.source, (_, e) => by(e) * factorAt(v, e)),
});

/** A constant factor stands beside the function, so that the same functions with other weights stay the same. */
const byConstant = (t: Tracer, fn: ScalarFunction, [a, b]: ReadonlyArray<Varying>): Varying | undefined => {
  if (fn === 'neg') return scaled(a!, () => -1);
  if (b === undefined) return undefined;
  if (fn === 'mul' && isConstant(b)) return scaled(a!, (e) => constantAt(t, b, e));
  if (fn === 'mul' && isConstant(a!)) return scaled(b, (e) => constantAt(t, a!, e));
  if (fn === 'div' && isConstant(b)) return scaled(a!, (e) => 1 / constantAt(t, b, e));
  return undefined;
};

const MEMO = 1024;

/** Calls of one function, remembering some: what an element is made of was mostly seen a few elements ago. */
const callMemo = (
  t: Tracer,
  fn: ScalarFunction,
): ((a: FunctionId, b: FunctionId, c: FunctionId) => FunctionId) => {
  const keys = new Int32Array(MEMO * 3).fill(-2);
  const values = new Int32Array(MEMO);
  return (a, b, c) => {
    const at = (Math.imul(a, 31) + Math.imul(b, 17) + c) & (MEMO - 1);
    const k = at * 3;
    if (keys[k] === a && keys[k + 1] === b && keys[k + 2] === c) return values[at]!;
    keys[k] = a;
    keys[k + 1] = b;
    keys[k + 2] = c;
    const made = t.table.call(fn, a, b, c);
    values[at] = made;
    return made;
  };
};

/** The function of every element, all operands of an element having one source at most. */
const univariate = (t: Tracer, fn: ScalarFunction, operands: ReadonlyArray<Varying>): Varying => {
  const n = operands[0]!.source.length;
  const source = new Int32Array(n).fill(NO_SOURCE);
  const made = new Int32Array(n);
  const [a, b, c] = operands;
  const [withA, withB, withC] = [a?.factor !== undefined, b?.factor !== undefined, c?.factor !== undefined];
  // Rows of an image repeat the same few functions over and over.
  const memo = callMemo(t, fn);
  for (let e = 0; e < n; e++) {
    const fa: FunctionId = withA ? functionAt(t.table, a!, e) : a!.fn[e]!;
    const fb: FunctionId = b === undefined ? -1 : withB ? functionAt(t.table, b, e) : b.fn[e]!;
    const fc: FunctionId = c === undefined ? -1 : withC ? functionAt(t.table, c, e) : c.fn[e]!;
    const call = memo(fa, fb, fc);
    made[e] = call;
    if (a!.source[e]! >= 0) source[e] = a!.source[e]!;
    else if (b !== undefined && b.source[e]! >= 0) source[e] = b.source[e]!;
    else if (c !== undefined && c.source[e]! >= 0) source[e] = c.source[e]!;
    if (source[e] !== NO_SOURCE && t.table.constantOf(call) !== undefined) source[e] = NO_SOURCE;
  }
  return { tag: 'varying', source, fn: made };
};

/** `where` by constants only chooses between elements. */
const chosen = (t: Tracer, [c, a, b]: ReadonlyArray<Varying>): Varying | undefined => {
  if (c === undefined || a === undefined || b === undefined || !isConstant(c)) return undefined;
  const takes = (e: number): Varying => (constantAt(t, c, e) !== 0 ? a : b);
  return {
    tag: 'varying',
    source: a.source.map((_, e) => takes(e).source[e]!),
    fn: a.fn.map((_, e) => takes(e).fn[e]!),
    ...(a.factor === undefined && b.factor === undefined
      ? {}
      : { factor: Float64Array.from(a.source, (_, e) => factorAt(takes(e), e)) }),
  };
};

/** The product of two values, which is a cut of its own. */
const product = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  left: Varying,
  right: Varying,
): Checked<Varying> => {
  const definition = { kind: 'product', left, right } as const;
  const either: Varying = { ...left, source: left.source.map((s, e) => (s >= 0 ? s : right.source[e]!)) };
  return cutLike(t, node, value, definition, either);
};

/** The product of two values: a function where each element has one source, otherwise a cut of its own. */
export const multiplied = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  left: Varying,
  right: Varying,
): Checked<Varying> =>
  firstSeveral([left, right]) < 0
    ? E.right(univariate(t, 'mul', [left, right]))
    : product(t, node, value, left, right);

const several = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  fn: ScalarFunction,
  operands: ReadonlyArray<Varying>,
): Checked<Varying> => {
  const [a, b] = operands;
  const n = a!.source.length;
  if (b !== undefined && (fn === 'add' || fn === 'sub')) {
    const sign = fn === 'sub' ? -1 : 1;
    return addUp(
      t,
      node,
      value,
      [
        { value: a!, factor: () => 1 },
        { value: b, factor: () => sign },
      ],
      n,
    );
  }
  const sources = operands.map(asSources);
  const at = firstSeveral(sources);
  // Sums that a function is applied to end here: their elements are sources.
  if (at < 0) return E.right(univariate(t, fn, sources));
  const [left, right] = sources;
  if (fn === 'mul') return product(t, node, value, left!, right!);
  if (fn === 'div') {
    return product(t, node, value, left!, univariate(t, 'reciprocal', [right!]));
  }
  return entangled(
    t,
    node,
    'takes values that depend on different inputs of a layer',
    sources.map((v) => sourceAt(v, at)).filter((s) => s >= 0),
  );
};

/** A map of a scalar function. */
export const traceMap = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  fn: ScalarFunction,
  operands: ReadonlyArray<Traced>,
): Checked<Traced> => {
  const vs = operands.map((traced, k) => broadcast(t, node, node.operands[k]!, traced));
  const simple = byConstant(t, fn, vs) ?? (fn === 'where' ? chosen(t, vs) : undefined);
  if (simple !== undefined) return rebased(t, node, value, closed(t, node, value, simple));
  if (firstSeveral(vs) >= 0) return several(t, node, value, fn, vs);
  return rebased(t, node, value, E.right(univariate(t, fn, vs)));
};

/** A sum times constants is a sum of its own, so that whatever takes it more than once finds one value. */
const closed = (t: Tracer, node: TensorNode, value: ValueId, v: Varying): Checked<Varying> =>
  v.source.some(isAdditive) && t.consumers.count(value) > 1
    ? addUp(t, node, value, [{ value: v, factor: () => 1 }], v.source.length)
    : E.right(v);
