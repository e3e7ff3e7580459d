/** Random expressions that nothing overflows in, and graphs with an op of which no backend has heard. */
import { vi } from 'vitest';
import {
  type BinaryOp,
  binary,
  choose,
  type Expr,
  element,
  elements,
  entry,
  literal,
  type Rows,
  rank,
} from '../../src/code/language.js';
import { builder } from '../../src/ir/builder.js';
import { constant } from '../../src/ir/constant.js';
import { int, uint } from '../../src/ir/element.js';
import type { Graph } from '../../src/ir/graph.js';
import { OPS } from '../../src/ir/ops/index.js';
import { valueType } from '../../src/ir/types.js';
import { clampBounds, productForm } from '../../src/numeric/fixed-point.js';
import { rightOf } from '../support/checked.js';
import { type Random, randomOf } from '../support/random.js';
import { run } from './evaluate.js';

const CHANNELS = 8;
/** Operands are codes below this. */
const LEVELS = 256;
/** Every value on the way stays within it. */
const LARGEST = 2 ** 30;

/** An expression and the interval that holds it. */
interface Bounded {
  readonly e: Expr;
  readonly lo: number;
  readonly hi: number;
}

interface Source {
  readonly r: Random;
  /** A name for rows that no others have. */
  readonly name: () => string;
  /** Whether there are look-ups, which lanes of vectors do not have. */
  readonly scalar: boolean;
}

const anyRows = ({ r, name }: Source, width: number, most: number): Rows => {
  const rows = r.pick([1, CHANNELS]);
  return {
    name: name(),
    rows,
    width,
    data: Int32Array.from({ length: rows * width }, () => r.whole(-most, most)),
  };
};

const anyLeaf = (s: Source): Bounded => {
  const { r } = s;
  const operand = r.whole(0, 1);
  const number = r.pick([r.whole(-300, 300), r.whole(-3, 3)]);
  const most = r.pick([100, 30000, 2 ** 20]);
  return r.pick<() => Bounded>([
    () => ({ e: element(operand), lo: 0, hi: LEVELS - 1 }),
    () => ({ e: literal(number), lo: number, hi: number }),
    () => ({ e: entry(anyRows(s, 1, most), literal(0)), lo: -most, hi: most }),
    ...(s.scalar
      ? [() => ({ e: entry(anyRows(s, LEVELS, most), element(operand)), lo: -most, hi: most })]
      : []),
  ])();
};

/** The ends of a function that is monotone in each argument are among its values at the ends. */
const ends = (e: Expr, of: (x: number, y: number) => number, a: Bounded, b: Bounded): Bounded => {
  const values = [of(a.lo, b.lo), of(a.lo, b.hi), of(a.hi, b.lo), of(a.hi, b.hi)];
  return { e, lo: Math.min(...values), hi: Math.max(...values) };
};

const anyBinary = (s: Source, depth: number): Bounded => {
  const op = s.r.pick<BinaryOp>(['add', 'sub', 'mul', 'min', 'max', 'and', 'shl', 'shr']);
  const a = anyBounded(s, depth - 1);
  const most = s.r.whole(0, 15);
  const b =
    op === 'shl' || op === 'shr'
      ? { e: s.r.pick([literal(most), binary('and', element(0), literal(most))]), lo: 0, hi: most }
      : anyBounded(s, depth - 1);
  const e = binary(op, a.e, b.e);
  const power = 2 ** Math.ceil(Math.log2(Math.max(-a.lo, -b.lo, a.hi + 1, b.hi + 1)));
  const ways: Readonly<Record<BinaryOp, () => Bounded>> = {
    add: () => ends(e, (x, y) => x + y, a, b),
    sub: () => ends(e, (x, y) => x - y, a, b),
    mul: () => ends(e, (x, y) => x * y, a, b),
    min: () => ends(e, Math.min, a, b),
    max: () => ends(e, Math.max, a, b),
    and: () => ({ e, lo: -power, hi: power - 1 }),
    shl: () => ends(e, (x, y) => x * 2 ** y, a, b),
    shr: () => ends(e, (x, y) => Math.floor(x / 2 ** y), a, b),
  };
  return ways[op]();
};

const anyScaled = (s: Source, of: Expr): Bounded => {
  const { r } = s;
  const top = r.whole(1, 255);
  for (;;) {
    const [mul, shift] = [r.whole(1, 2 ** r.whole(1, 19)), r.whole(1, 43)];
    const form = productForm([mul], shift, top + 1);
    if (form === undefined) continue;
    const most = literal(Math.min(clampBounds(mul, shift, top + 1).hi, 2 ** 31 - 1));
    return { e: { _tag: 'scaled', of, mul: literal(mul), most, shift, top, form }, lo: 0, hi: top };
  }
};

const anyRank = (s: Source, of: Expr): Bounded => {
  const rows = anyRows(s, s.r.whole(1, s.scalar ? 40 : 20), s.r.pick([40, 3000]));
  for (let at = 0; at < rows.data.length; at += rows.width) rows.data.subarray(at, at + rows.width).sort();
  return { e: rank(rows, of), lo: 0, hi: rows.width };
};

const anyBounded = (s: Source, depth: number): Bounded => {
  if (depth === 0) return anyLeaf(s);
  const [a, b, c, d] = [0, 0, 0, 0].map(() => anyBounded(s, depth - 1)) as [
    Bounded,
    Bounded,
    Bounded,
    Bounded,
  ];
  const found = s.r.pick<() => Bounded>([
    () => anyBinary(s, depth),
    () => anyBinary(s, depth),
    () => anyRank(s, a.e),
    () => anyScaled(s, a.e),
    () => ({
      e: choose(s.r.pick(['less', 'equal']), a.e, b.e, c.e, d.e),
      lo: Math.min(c.lo, d.lo),
      hi: Math.max(c.hi, d.hi),
    }),
  ])();
  return found.lo < -LARGEST || found.hi > LARGEST ? anyLeaf(s) : found;
};

/** A random expression of two operands of codes, another for every channel; `scalar`: with what lanes of vectors have not. */
export const anyExpression = (seed: number, scalar = true): Expr => {
  const r = randomOf(seed);
  let names = 0;
  const s: Source = { r, name: () => `r${names++}`, scalar };
  const channel: Rows = {
    name: 'channel',
    rows: CHANNELS,
    width: 1,
    data: Int32Array.from({ length: CHANNELS }, (_, c) => c),
  };
  return Array.from({ length: CHANNELS }, (_, c) => c).reduce<Expr>(
    (rest, c) => choose('equal', entry(channel, literal(0)), literal(c), anyBounded(s, 3).e, rest),
    literal(-1),
  );
};

/**
 * table.sum as another op: what it computes is an expression, by which it is lowered and interpreted. No target knows more of
 * an op than its lowering.
 */
export const graphOf = (value: Expr, shape: ReadonlyArray<number>): Graph<'table'> => {
  vi.spyOn(OPS['table.sum'], 'lower').mockImplementation(() => elements('test', value));
  vi.spyOn(OPS['table.sum'], 'evaluate').mockImplementation((_, operands, type) =>
    run({ _tag: 'elements', value }, operands, type),
  );
  const r = randomOf(1);
  const b = builder('probe', 'table');
  const x = b.input('x', valueType(uint(8), shape));
  const map = constant(
    uint(8),
    [1, LEVELS],
    Uint8Array.from({ length: LEVELS }, () => r.whole(0, LEVELS - 1)),
  );
  const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: LEVELS } as const;
  const y = b.add('y', { kind: 'recode', attrs: { map, bits: 8, quantizer } }, [x]);
  const nothing = constant(int(8), [1, LEVELS], new Int8Array(LEVELS));
  const attrs = { tables: [nothing, nothing], scale: 1, acc: 32, lo: -(2 ** 31), hi: 2 ** 31 - 1 };
  return rightOf(b.build([b.add('probe', { kind: 'table.sum', attrs }, [x, y])]));
};

export const SHAPES: ReadonlyArray<ReadonlyArray<number>> = [[CHANNELS], [CHANNELS, 2, 3]];
