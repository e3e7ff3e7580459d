/**
 * The first half of a layer: every input through its basis functions, four inputs at a time.
 *
 * Results lie in planes, a float for every input in each: four inputs fill a vector of every plane, and nothing has to
 * be transposed. Of B-splines there are only the p + 1 functions that can be non-zero, and a plane that says which.
 */
import { match } from 'ts-pattern';
import type { Expr } from '../../src/backends/wasm/asm.js';
import {
  type Basis,
  type BSpline,
  functionCount,
  knotRow,
  type Polynomial,
  type RadialBasis,
  type Symbolic,
  supportSize,
} from '../../src/ir/basis.js';
import { f32Data } from '../../src/ir/constant.js';
import { isUniform } from '../../src/numeric/bspline.js';
import { type Code, floatsOf, toInteger, type Use } from './code.js';
import { ACTIVATION_CODE, exp, SYMBOLIC_CODE } from './math.js';
import { type Block, LANES, load } from './storage.js';

/** A basis made ready. */
export interface Expansion {
  /** Planes of values; for B-splines one more holds offsets. */
  readonly values: number;
  readonly functions: number;
  /** Whether the functions start at a place that depends on the input. */
  readonly shifted: boolean;
  readonly blocks: ReadonlyArray<Block>;
  /** Where inputs differ in their functions, code is made for each of them. */
  readonly perInput: boolean;
  /** `input`: bytes from the first input of the branch, 4 for each; constant where `perInput`. */
  readonly emit: (code: Code, at: ExpansionPlace, x: Use, input: Use) => void;
}

export interface ExpansionPlace {
  readonly store: (plane: number, value: Use) => void;
  /** Stores byte offsets, of a number of rows for each lane. */
  readonly storeRows: (rows: Use) => void;
  readonly blocks: ReadonlyArray<number>;
  /** The number of an input, where code is made for each. */
  readonly number: number;
}

const dense = (functions: number, emit: Expansion['emit'], more: Partial<Expansion> = {}): Expansion => ({
  values: functions,
  functions,
  shifted: false,
  perInput: false,
  blocks: [],
  emit,
  ...more,
});

/** Undefined, where there is no vector code for a function of the basis. */
export const expansionOf = (basis: Basis, inputs: number): Expansion | undefined =>
  match(basis)
    .with({ _tag: 'bspline' }, (b) => splines(b, inputs))
    .with({ _tag: 'base' }, ({ activation }) => {
      const f = ACTIVATION_CODE[activation];
      return f === undefined ? undefined : dense(1, (code, at, x) => at.store(0, f(code, x)));
    })
    .with({ _tag: 'rbf' }, radial)
    .with({ _tag: 'polynomial' }, polynomials)
    .with({ _tag: 'symbolic' }, symbolic)
    .with({ _tag: 'expression' }, () => undefined)
    .exhaustive();

/** exp(-((x - c) / width)^2): one division less, by the inverse width. */
const radial = (basis: RadialBasis): Expansion =>
  dense(functionCount(basis), (code, at, x) => {
    const { constant, mul, sub } = floatsOf(code);
    const scaled = mul(x, constant(1 / basis.width));
    f32Data(basis.centers).forEach((center, k) => {
      const d = sub(scaled, constant(center / basis.width));
      const { f32x4 } = code.asm.m;
      at.store(k, exp(code, code.vector(f32x4.neg(mul(d, d)()))));
    });
  });

const polynomials = (basis: Polynomial): Expansion | undefined => {
  const { family, degree } = basis;
  const outer = ACTIVATION_CODE[basis.outer];
  const squash = basis.squash === 'tanh' ? ACTIVATION_CODE.tanh : ACTIVATION_CODE.identity;
  if (outer === undefined || squash === undefined) return undefined;
  const beta = (n: number): number => basis.beta?.data[n] ?? 0;
  return dense(degree + 1, (code, at, x) => {
    const { constant, mul, sub } = floatsOf(code);
    const s = squash(code, x);
    const values: Use[] = [constant(1), s];
    for (let n = 1; n < degree; n++) {
      const a = family === 'chebyshev' ? 2 : family === 'gram' ? 1 : (2 * n + 1) / (n + 1);
      const b = family === 'chebyshev' ? 1 : family === 'gram' ? beta(n) : n / (n + 1);
      const grown = mul(s, values[n]!);
      const first = a === 1 ? grown : mul(grown, constant(a));
      values.push(sub(first, b === 1 ? values[n - 1]! : mul(values[n - 1]!, constant(b))));
    }
    for (let k = 0; k <= degree; k++) at.store(k, outer(code, values[k]!));
  });
};

const symbolic = (basis: Symbolic): Expansion | undefined => {
  const count = functionCount(basis);
  const used = [...new Set(basis.kinds.data)].map((k) => basis.functions[k]!);
  if (used.some((name) => SYMBOLIC_CODE[name] === undefined)) return undefined;
  const inner = f32Data(basis.inner);
  return dense(
    count,
    (code, at, x) => {
      const { constant, add, mul } = floatsOf(code);
      for (let k = 0; k < count; k++) {
        const e = at.number * count + k;
        const f = SYMBOLIC_CODE[basis.functions[basis.kinds.data[e]!]!]!;
        at.store(k, f(code, add(mul(x, constant(inner[2 * e]!)), constant(inner[2 * e + 1]!))));
      }
    },
    { perInput: true },
  );
};

/**
 * The functions of degree p that can be non-zero between the knots t_s and t_(s+1), by the Cox-de Boor recursion in the
 * order of algorithm A2.2 of The NURBS Book: p (p + 1) / 2 steps, each of which splits a function of degree q - 1
 * into its parts in two functions of degree q.
 */
const recursion = (code: Code, order: number, weight: (q: number, r: number) => Use): ReadonlyArray<Use> => {
  const { constant, add, sub, mul } = floatsOf(code);
  let values: ReadonlyArray<Use> = [constant(1)];
  for (let q = 1; q <= order; q++) {
    const next: Use[] = [];
    let saved: Use | undefined;
    values.forEach((value, r) => {
      const down = q === 1 ? weight(q, r) : mul(value, weight(q, r));
      next.push(saved === undefined ? down : add(saved, down));
      saved = sub(value, down);
    });
    values = [...next, saved!];
  }
  return values;
};

/** Zeroes functions that do not exist near the ends, and all outside of the knots. */
const masked = (
  code: Code,
  order: number,
  functions: number,
  span: Use,
  inside: Use,
  values: ReadonlyArray<Use>,
): ReadonlyArray<Use> => {
  const { and, constant } = floatsOf(code);
  const { f32x4 } = code.asm.m;
  return values.map((value, r) => {
    let mask = inside;
    if (r < order) mask = and(mask, code.vector(f32x4.ge(span(), constant(order - r)())));
    if (r > 0) mask = and(mask, code.vector(f32x4.lt(span(), constant(functions + order - r)())));
    return and(value, mask);
  });
};

const splines = (basis: BSpline, inputs: number): Expansion => {
  const { knots, order } = basis;
  const shared = knots.shape[0] === 1;
  const uniform = shared && order > 0 && isUniform(knotRow(basis, 0));
  const common = {
    values: supportSize(basis),
    functions: functionCount(basis),
    shifted: true,
    perInput: false,
  };
  return uniform ? { ...common, ...uniformSplines(basis) } : { ...common, ...searchedSplines(basis, inputs) };
};

/** Equal knots: the interval is one multiplication, and distances to knots are whole numbers from the fraction. */
const uniformSplines = (basis: BSpline): Pick<Expansion, 'blocks' | 'emit'> => {
  const { order } = basis;
  const data = f32Data(basis.knots);
  const intervals = data.length - 1;
  const [first, last] = [data[0]!, data[intervals]!];
  const inverse = intervals / (last - first);
  return {
    blocks: [],
    emit: (code, at, x) => {
      const { constant, add, sub, mul, least, greatest, floor, and } = floatsOf(code);
      const { m } = code.asm;
      const inside = and(
        code.vector(m.f32x4.ge(x(), constant(first)())),
        code.vector(m.f32x4.lt(x(), constant(last)())),
      );
      const t = mul(sub(x, constant(first)), constant(inverse));
      const span = floor(greatest(least(t, constant(intervals - 1)), constant(0)));
      const u = sub(t, span);
      // (t_(s+r+1) - x) / (q h), with the x in the interval at t_s + u h.
      const weight = (q: number, r: number): Use => {
        const distance = sub(constant(r + 1), u);
        return q === 1 ? distance : mul(distance, constant(1 / q));
      };
      const values = masked(code, order, functionCount(basis), span, inside, recursion(code, order, weight));
      for (const [r, value] of values.entries()) at.store(r, value);
      at.storeRows(toInteger(code, add(span, constant(-order))));
    },
  };
};

/** Knots of each input with `order` more on both sides, so that lanes near the ends read numbers. */
const paddedKnots = (basis: BSpline): Float32Array => {
  const { order } = basis;
  const [rows, count] = [basis.knots.shape[0]!, basis.knots.shape[1]!];
  const width = count + 2 * order;
  const padded = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const { knots, offset } = knotRow(basis, row);
    for (let k = 0; k < width; k++) {
      const inner = Math.min(count - 1, Math.max(0, k - order));
      padded[row * width + k] = knots[offset + inner]! + (k - order - inner);
    }
  }
  return padded;
};

/**
 * Any knots: the interval is the number of knots that are not above x, counted for four inputs at once (a dozen
 * comparisons without a branch, where a bisection would mispredict); the 2 p knots around it are gathered.
 */
const searchedSplines = (basis: BSpline, inputs: number): Pick<Expansion, 'blocks' | 'emit'> => {
  const { order } = basis;
  const shared = basis.knots.shape[0] === 1;
  const count = basis.knots.shape[1]!;
  const width = count + 2 * order;
  const columns = Math.ceil(inputs / LANES) * LANES;
  const data = f32Data(basis.knots);
  // Knot k of all inputs side by side; lanes beyond the inputs repeat the last.
  const transposed = Float32Array.from({ length: count * columns }, (_, j) => {
    const row = shared ? 0 : Math.min(inputs - 1, j % columns);
    return data[row * count + Math.floor(j / columns)]!;
  });
  return {
    blocks: [transposed, paddedKnots(basis)],
    emit: (code, at, x, input) => {
      const { constant, add, sub, div, and, least, greatest } = floatsOf(code);
      const { asm } = code;
      const { m } = asm;
      const [columnsAt, rowsAt] = [at.blocks[0]!, at.blocks[1]!];
      const knot = (k: number): Use =>
        shared ? constant(data[k]!) : code.vector(load(asm, columnsAt + 4 * k * columns, input()));
      const inside = and(
        code.vector(m.f32x4.ge(x(), knot(0)())),
        code.vector(m.f32x4.lt(x(), knot(count - 1)())),
      );
      // A comparison gives -1 where it holds.
      let counted: Use = code.vector(m.f32x4.ge(x(), knot(0)()));
      for (let k = 1; k < count; k++) {
        const compared = m.f32x4.ge(x(), knot(k)());
        counted = code.vector(m.i32x4.add(counted(), compared));
      }
      const above = code.vector(m.f32x4.convert_i32x4_s(m.i32x4.neg(counted())));
      const span = least(greatest(add(above, constant(-1)), constant(0)), constant(count - 2));
      const spans = toInteger(code, span);
      const lanes = Array.from({ length: LANES }, (_, lane) => {
        const row = shared
          ? m.i32.const(0)
          : m.i32.mul(
              // The rows of lanes beyond the inputs are those of the last.
              least32(code, m.i32.add(input(), m.i32.const(4 * lane)), 4 * (inputs - 1)),
              m.i32.const(width),
            );
        return code.integer(m.i32.add(row, m.i32.shl(m.i32x4.extract_lane(spans(), lane), m.i32.const(2))));
      });
      /** Knot t_(s+d) of the four inputs. */
      const around = new Map<number, Use>();
      for (let d = 1 - order; d <= order; d++) {
        let vector: Use = code.vector(m.v128.load32_splat(rowsAt + 4 * (order + d), 4, lanes[0]!()));
        for (let lane = 1; lane < LANES; lane++) {
          vector = code.vector(
            m.v128.load32_lane(rowsAt + 4 * (order + d), 4, lane, lanes[lane]!(), vector()),
          );
        }
        around.set(d, vector);
      }
      const weight = (q: number, r: number): Use => {
        const above = around.get(r + 1)!;
        return div(sub(above, x), sub(above, around.get(r + 1 - q)!));
      };
      const values = masked(code, order, functionCount(basis), span, inside, recursion(code, order, weight));
      for (const [r, value] of values.entries()) at.store(r, value);
      at.storeRows(toInteger(code, add(span, constant(-order))));
    },
  };
};

/** The lesser of an unsigned value and a limit. */
const least32 = (code: Code, value: Expr, limit: number): Expr => {
  const { m } = code.asm;
  const kept = code.integer(value);
  return m.select(m.i32.lt_u(kept(), m.i32.const(limit)), kept(), m.i32.const(limit));
};
