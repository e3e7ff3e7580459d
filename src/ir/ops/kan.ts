/** The KAN layer: every input goes through its basis functions, outputs are linear in them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { eachHolds, HOLDS, type Rule } from '../../diagnostics/index.js';
import {
  type Branch,
  BranchCodec,
  basisConstants,
  basisFault,
  functionCount,
  isSharedByTaps,
  supportSize,
} from '../basis.js';
import { accumulateInput, addProducts, type BranchEvaluator, branchEvaluator } from '../basis-evaluate.js';
import { constantOf, Finite, integer, record } from '../codec.js';
import { type Constant, firstUnfit } from '../constant.js';
import { defineOp } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { floatType, sizeOf } from '../types.js';
import { forEachTap, type Window, WindowCodec, windowShape } from '../window.js';
import { layerInputs, storeChannelsFirst } from './layers.js';

/** How a layer is to be tabulated; set by `quantize`, read by `tabulate`. Bits are 1 to 16. */
export interface Precision {
  /** Bits of an edge-table entry. */
  readonly table: number;
  /** Bits of a coefficient in the basis form (two's complement). */
  readonly coef: number;
  /** Bits of a B-spline value in the basis form (unsigned). */
  readonly basis: number;
}

export interface KanAttrs {
  readonly branches: ReadonlyArray<Branch>;
  /** f32[O]. */
  readonly bias?: Constant;
  readonly precision?: Precision;
  /** The layer is applied to every window of an image [C, H, W]. */
  readonly window?: Window;
  /** What taps outside of the image read; absent: they add nothing. */
  readonly outside?: number;
}

const PrecisionCodec: t.Type<Precision, unknown, unknown> = record(
  { table: integer(2, 16), coef: integer(2, 16), basis: integer(1, 16) },
  {},
);

const attrs: t.Type<KanAttrs, unknown, unknown> = record(
  { branches: t.readonlyArray(BranchCodec) },
  { bias: constantOf('f32', 1), precision: PrecisionCodec, window: WindowCodec, outside: Finite },
);

/** What the branches of a layer must fit. */
interface LayerShape {
  /** Inputs that weights are for: features, or the taps of all groups. */
  readonly inputs: number;
  /** Outputs of one group. */
  readonly width: number;
  readonly groups: number;
}

const layerShape = (a: KanAttrs, shape: ReadonlyArray<number>): LayerShape | undefined => {
  const width = a.branches[0]?.weights.shape[2];
  return width === undefined
    ? undefined
    : { inputs: layerInputs(shape, a.window), width, groups: a.window?.groups ?? 1 };
};

const checkBranch = (
  branch: Branch,
  index: number,
  { inputs, width, groups }: LayerShape,
  window: Window | undefined,
): Rule<void> => {
  const [i, k, o] = [branch.weights.shape[0]!, branch.weights.shape[1]!, branch.weights.shape[2]!];
  const functions = functionCount(branch.basis);
  const from = branch.from ?? 0;
  // Groups split the channels of a layer, so a branch that reads a part of them is told only without groups.
  const area = window === undefined ? 1 : window.kernel[0] * window.kernel[1];
  const part = groups === 1 && i > 0 && from + i <= inputs && from % area === 0 && i % area === 0;
  const covered = (from === 0 && i === inputs) || part;
  if (!covered || functions < 1 || k !== functions || o !== width) {
    const start = from === 0 ? '' : ` from input ${from} on`;
    return E.left(
      `branch ${index}: weights are [${branch.weights.shape.join(', ')}]${start}, but ${inputs} inputs, ${functions} basis functions and ${width} outputs need [${inputs}, ${functions}, ${width}]`,
    );
  }
  if (window !== undefined && !isSharedByTaps(branch.basis, area)) {
    return E.left(`branch ${index}: all places of a window must read a channel through the same functions`);
  }
  return pipe(
    basisFault(branch.basis, i, o),
    E.mapLeft((fault) => `branch ${index}: ${fault}`),
  );
};

const descendingKnot = (knots: Constant): number => {
  const count = knots.shape[1]!;
  for (let i = 0; i < knots.data.length; i++) {
    if (i % count !== 0 && knots.data[i]! < knots.data[i - 1]!) return i;
  }
  return -1;
};

const check = (a: KanAttrs): Rule<void> => {
  for (const [index, branch] of a.branches.entries()) {
    if (firstUnfit(branch.weights) >= 0) return E.left(`branch ${index}: a weight is not finite`);
    if (basisConstants(branch.basis).some((c) => firstUnfit(c) >= 0)) {
      return E.left(`branch ${index}: a parameter of the basis is not finite`);
    }
    if (branch.basis._tag === 'bspline' && descendingKnot(branch.basis.knots) >= 0) {
      return E.left(`branch ${index}: knots decrease`);
    }
  }
  if (a.bias !== undefined && firstUnfit(a.bias) >= 0) return E.left('the bias is not finite');
  return HOLDS;
};

const dense = (
  a: KanAttrs,
  branches: ReadonlyArray<BranchEvaluator>,
  x: ArrayLike<number>,
  acc: Float64Array,
): void => {
  acc.fill(0);
  if (a.bias !== undefined) acc.set(a.bias.data);
  for (const b of branches) for (let i = b.from; i < b.to; i++) accumulateInput(b, i, x[i]!, acc);
};

/**
 * Every pixel is expanded once and its products go to all windows that hold it. `acc` is [position, output], so
 * that the outputs of a window are contiguous.
 */
const windowed = (
  a: KanAttrs,
  w: Window,
  branches: ReadonlyArray<BranchEvaluator>,
  shape: ReadonlyArray<number>,
  x: ArrayLike<number>,
  acc: Float64Array,
): void => {
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!];
  const groupWidth = a.branches[0]!.weights.shape[2]!;
  const outputs = groupWidth * w.groups;
  acc.fill(0);
  if (a.bias !== undefined) for (let at = 0; at < acc.length; at += outputs) acc.set(a.bias.data, at);
  const area = w.kernel[0] * w.kernel[1];
  if (a.outside !== undefined) addOutside(a.outside, w, branches, height, width, acc);
  const perGroup = channels / w.groups;
  const uses = tapUses(w, height, width);
  for (const b of branches) {
    for (let c = b.from / area; c < b.to / area; c++) {
      const group = Math.floor(c / perGroup);
      for (let pixel = 0; pixel < height * width; pixel++) {
        b.evaluator.evaluate(c * area - b.from, x[c * height * width + pixel]!);
        for (let u = uses.start[pixel]!; u < uses.start[pixel + 1]!; u++) {
          addProducts(
            b,
            c * area - b.from + uses.tap[u]!,
            acc,
            uses.position[u]! * outputs + group * groupWidth,
          );
        }
      }
    }
  }
};

/** Adds what taps outside of the image add, at every place that has some. */
const addOutside = (
  x: number,
  w: Window,
  branches: ReadonlyArray<BranchEvaluator>,
  height: number,
  width: number,
  acc: Float64Array,
): void => {
  const area = w.kernel[0] * w.kernel[1];
  const groupWidth = branches[0]!.outputs;
  const outputs = groupWidth * w.groups;
  const places = acc.length / outputs;
  const isInside = new Uint8Array(places * area);
  forEachTap(w, height, width, (at, t) => {
    isInside[at * area + t] = 1;
  });
  // What one tap adds to all outputs, channels summed.
  const sums = new Float64Array(area * outputs);
  for (const b of branches) {
    for (let i = b.from; i < b.to; i++) {
      const group = Math.floor((i * w.groups) / (b.to - b.from));
      b.evaluator.evaluate(i - b.from, x);
      addProducts(b, i - b.from, sums, (i % area) * outputs + (w.groups === 1 ? 0 : group * groupWidth));
    }
  }
  for (let at = 0; at < places; at++) {
    for (let t = 0; t < area; t++) {
      if (isInside[at * area + t] === 1) continue;
      for (let o = 0; o < outputs; o++) acc[at * outputs + o]! += sums[t * outputs + o]!;
    }
  }
};

/** For every pixel the windows that hold it: entries start[pixel] .. start[pixel + 1] of position and tap. */
const tapUses = (
  w: Window,
  height: number,
  width: number,
): { start: Uint32Array; position: Uint32Array; tap: Uint32Array } => {
  const start = new Uint32Array(height * width + 1);
  forEachTap(w, height, width, (_, __, y, x) => start[y * width + x + 1]!++);
  for (let p = 0; p < height * width; p++) start[p + 1]! += start[p]!;
  const next = start.slice();
  const position = new Uint32Array(start[height * width]!);
  const tap = new Uint32Array(position.length);
  forEachTap(w, height, width, (at, t, y, x) => {
    const u = next[y * width + x]!++;
    position[u] = at;
    tap[u] = t;
  });
  return { start, position, tap };
};

export const kan = defineOp<'kan', KanAttrs, 'value'>({
  kind: 'kan',
  role: { _tag: 'value', gives: 'accumulators' },
  summary:
    'y[o] = bias[o] + sum over branches, inputs i and basis functions k of weights[i,k,o] * basis_k(x[i])',
  doc: {
    does: 'a layer: basis functions of inputs, times weights',
    text: [
      '`y[o] = bias[o] + sum over branches, inputs i and functions k of weights[i, k, o] * basis_k(x[from + i])`, summed in double and rounded once: f32[n, I] to f32[n, O], or f32[n, C, H, W] to f32[n, O, OH, OW].',
      '',
      '- `branches`: a list of `{basis, weights, from?}`, weights f32[I, K, O]. With `from` a branch reads that many inputs from there on instead of all: whole channels, and not where there are groups.',
      '- The bases. Rows of their constants belong to inputs; over windows all places of the kernel have the rows of their channel.',
      '  - `bspline{knots, order, repeated?}`: B-splines by the Cox-de Boor recursion on knots f32[R, N], R = 1 or I, ascending; K = N - order - 1. Intervals are half-open, a term that is 0/0 counts as 0 (with `repeated`: "vanish" the whole function of that degree does, as in pykan), and outside the knots, as for NaN, all are 0.',
      '  - `base{activation}`: one named function for all inputs, K = 1.',
      '  - `rbf{centers, width, kernel?}`: a function of t = (x - centers[k]) / width, centers f32[K]: `gaussian` (when absent),',
      '    exp(-t^2), or `reflectional-switch`, 1 - tanh(t)^2.',
      '  - `polynomial{family, degree, squash, outer, beta?}`: `outer` of the polynomials of degree 0 to `degree` at s, s being x or tanh(x) (`squash`). P_0 = 1, P_1 = s, P_{n+1} = a_n s P_n - b_n P_{n-1}; `chebyshev`: a_n = 2, b_n = 1; `legendre`: a_n = (2n + 1) / (n + 1), b_n = n / (n + 1); `gram`: a_n = 1, b_n = beta[n], beta f32[degree + 1].',
      "  - `symbolic{functions, kinds, inner}`: functions[kinds[i, k]](inner[i, k, 0] * x + inner[i, k, 1]), the names being pykan's; kinds uint[I, K], inner f32[I, K, 2].",
      '  - `expression{function, parameters, edges?}`: functions that have no name. `function` is a text over x and parameters p0, p1, ...: sums, products and calls of scalar functions, with `let name = ...;` before it for what stands in several places. `parameters` is f32[R, K, P], R = 1 or I; with `edges` every edge has functions of its own, and it is f32[R, K, O, P].',
      '- `bias?`: f32[O].',
      '- `precision?`: `{basis, coef, table}`, bits for the table forms. Set by quantization, read by tabulation.',
      '- `window?`: see above. `outside?`: what taps outside of the image read; absent: they add nothing.',
    ],
  },
  levels: ['float', 'quantized'],
  operands: 1,
  attrs,
  infer: (a, [x]) => {
    const rank = a.window === undefined ? 1 : 3;
    if (x === undefined || x.element.kind !== 'f32' || x.shape.length !== rank) {
      return E.left(`takes a value of type f32[n, ${rank === 1 ? 'I' : 'C, H, W'}]`);
    }
    const layer = layerShape(a, x.shape);
    if (layer === undefined) return E.left('has no branches');
    const outputs = layer.width * layer.groups;
    const shape = a.window === undefined ? E.right([outputs]) : windowShape(a.window, x.shape, outputs);
    if (E.isLeft(shape)) return shape;
    const fit = eachHolds(a.branches, (branch, index) => checkBranch(branch, index, layer, a.window));
    if (E.isLeft(fit)) return fit;
    if (a.outside !== undefined && a.window === undefined) return E.left('outside is for windows only');
    if (a.bias !== undefined && a.bias.shape[0] !== outputs) {
      return E.left(`bias has ${a.bias.shape[0]} elements for ${outputs} outputs`);
    }
    return E.right(floatType(shape.right));
  },
  check,
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const branches = a.branches.map(branchEvaluator);
    const size = sizeOf(x!.type);
    const acc = new Float64Array(sizeOf(type));
    for (let n = 0; n < x!.batch; n++) {
      const sample = x!.data.subarray(n * size, (n + 1) * size);
      if (a.window === undefined) dense(a, branches, sample, acc);
      else windowed(a, a.window, branches, x!.type.shape, sample, acc);
      storeChannelsFirst(acc, type, result.data, n * acc.length);
    }
    return result;
  },
  cost: (a, _, type) => {
    // Each input of a branch meets the outputs of its group, at every window.
    const uses = sizeOf(type) / (a.window?.groups ?? 1);
    const macs = a.branches.reduce((n, b) => n + b.weights.shape[0]! * supportSize(b.basis) * uses, 0);
    const constants = a.branches.flatMap((b) => [b.weights, ...basisConstants(b.basis)]);
    const bytes = constants.reduce((n, c) => n + c.data.byteLength, a.bias?.data.byteLength ?? 0);
    return { macs, macBits: [32, 32], adds: 0, addBits: 32, reads: 0, bytes };
  },
});
