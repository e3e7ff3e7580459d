/** Random tensor programs with a network of KAN layers inside, in the ways in which exporters write them. */
import * as E from 'fp-ts/lib/Either.js';
import type { ScalarFunction } from '../../src/numeric/scalar.js';
import { tensorBuilder } from '../../src/tensor/builder.js';
import {
  type Shape,
  sizeOfShape,
  type TensorOp,
  type TensorProgram,
  type ValueId,
} from '../../src/tensor/program.js';
import type { Random } from '../support/random.js';

/** A builder that throws: what is made here is right. */
const writer = (r: Random) => {
  const b = tensorBuilder('random', 2);
  let count = 0;
  const label = (op: string) => ({ name: `v${count++}`, origin: { node: `n${count}`, op } });
  const held = <A>(rule: E.Either<string, A>): A => {
    if (E.isLeft(rule)) throw new Error(rule.left);
    return rule.right;
  };
  const shapeOf = (v: ValueId): Shape => b.typeOf(v).shape;
  const numbers = (shape: Shape, next: () => number): ValueId =>
    held(
      b.constant(
        { dtype: 'f32', shape },
        Float64Array.from({ length: sizeOfShape(shape) }, () => Math.fround(next())),
        label('Constant'),
      ),
    );
  const op = (o: TensorOp, operands: ReadonlyArray<ValueId>, shape?: Shape): ValueId =>
    held(b.apply(o, operands, shape === undefined ? {} : { shape }, label(o.kind)));
  const map = (fn: ScalarFunction, ...operands: ReadonlyArray<ValueId>): ValueId =>
    op({ kind: 'map', fn }, operands);
  return {
    b,
    r,
    op,
    map,
    shapeOf,
    numbers,
    weights: (shape: Shape): ValueId => numbers(shape, () => 2 * r.unit() - 1),
    scalar: (value: number): ValueId => numbers([], () => value),
    reshape: (v: ValueId, shape: Shape): ValueId => op({ kind: 'reshape' }, [v], shape),
    contract: (left: string, right: string, result: string, a: ValueId, c: ValueId): ValueId =>
      op({ kind: 'contract', equation: { left, right, result } }, [a, c]),
    input: (shape: Shape): ValueId => b.input({ dtype: 'f32', shape }, label('Input')),
  };
};

type Writer = ReturnType<typeof writer>;

/** The values of basis functions of x [B, I] along a new last axis: [B, I, K]. */
type Expansion = (w: Writer, x: ValueId) => ValueId;

const last = (w: Writer, x: ValueId): ValueId => w.reshape(x, [...w.shapeOf(x), 1]);

/** The recursion of Cox and de Boor on all functions of one order at once, as libraries write it. */
const splines: Expansion = (w, x) => {
  const order = w.r.whole(1, 3);
  const intervals = w.r.whole(1, 4);
  const count = intervals + 2 * order + 1;
  const uniform = w.r.chance(0.7);
  const knots: number[] = [];
  for (let k = 0; k < count; k++) {
    knots.push(k === 0 ? -1.7 : knots[k - 1]! + (uniform ? 0.5 : 0.2 + w.r.unit()));
  }
  const part = (from: number, to: number): ValueId => {
    const values = knots.slice(from, to);
    let at = 0;
    return w.numbers([values.length], () => values[at++]!);
  };
  const t = last(w, x);
  let basis = w.map('and', w.map('ge', t, part(0, count - 1)), w.map('lt', t, part(1, count)));
  basis = w.op({ kind: 'reshape' }, [basis], w.shapeOf(basis));
  for (let p = 1; p <= order; p++) {
    const cut = (start: number): ValueId => {
      const shape = w.shapeOf(basis);
      const rank = shape.length;
      return w.op(
        { kind: 'slice', start: shape.map((_, d) => (d === rank - 1 ? start : 0)), step: shape.map(() => 1) },
        [basis],
        [...shape.slice(0, -1), shape.at(-1)! - 1],
      );
    };
    const n = count - 1 - p;
    const rise = w.map('div', w.map('sub', t, part(0, n)), w.map('sub', part(p, n + p), part(0, n)));
    const fall = w.map(
      'div',
      w.map('sub', part(p + 1, n + p + 1), t),
      w.map('sub', part(p + 1, n + p + 1), part(1, n + 1)),
    );
    basis = w.map('add', w.map('mul', rise, cut(0)), w.map('mul', fall, cut(1)));
  }
  return basis;
};

const gaussians: Expansion = (w, x) => {
  const count = w.r.whole(2, 5);
  const centers = w.numbers([count], () => 4 * w.r.unit() - 2);
  const scaled = w.map('div', w.map('sub', last(w, x), centers), w.scalar(0.5 + w.r.unit()));
  return w.map('exp', w.map('neg', w.map('pow', scaled, w.scalar(2))));
};

const waves: Expansion = (w, x) => {
  const count = w.r.whole(1, 4);
  let k = 0;
  const angles = w.map(
    'mul',
    last(w, x),
    w.numbers([count], () => ++k),
  );
  return w.map(w.r.pick(['sin', 'cos'] as const), angles);
};

const powers: Expansion = (w, x) => {
  const s = w.r.chance(0.5) ? w.map('tanh', x) : x;
  const parts = [s];
  for (let d = 2; d <= w.r.whole(2, 4); d++) parts.push(w.map('mul', parts.at(-1)!, s));
  const columns = parts.map((p) => last(w, p));
  const shape = w.shapeOf(columns[0]!);
  return w.op({ kind: 'concat', axis: shape.length - 1 }, columns, [...shape.slice(0, -1), columns.length]);
};

const EXPANSIONS: ReadonlyArray<Expansion> = [splines, splines, gaussians, waves, powers];

const silu = (w: Writer, x: ValueId): ValueId => w.map('mul', x, w.map('sigmoid', x));

/** A layer on features [B, I]. */
const featureLayer = (w: Writer, x: ValueId): ValueId => {
  const [samples, inputs] = [w.shapeOf(x)[0]!, w.shapeOf(x)[1]!];
  const outputs = w.r.whole(1, 5);
  const way = w.r.whole(0, 4);
  if (way === 0) {
    const linear = w.contract('bi', 'oi', 'bo', x, w.weights([outputs, inputs]));
    return w.map('add', linear, w.weights([outputs]));
  }
  if (way === 1) {
    // Every edge a wavelet of its own.
    const row = w.reshape(x, [samples, 1, inputs]);
    const shifted = w.map('sub', row, w.weights([outputs, inputs]));
    const scaled = w.map(
      'div',
      shifted,
      w.numbers([outputs, inputs], () => 0.5 + w.r.unit()),
    );
    const square = w.map('mul', scaled, scaled);
    const hat = w.map(
      'mul',
      w.map('sub', square, w.scalar(1)),
      w.map('exp', w.map('mul', square, w.scalar(-0.5))),
    );
    const weighted = w.map('mul', hat, w.weights([outputs, inputs]));
    return w.op({ kind: 'reduce', fn: 'sum', axes: [2], keep: false }, [weighted], [samples, outputs]);
  }
  const basis = w.r.pick(EXPANSIONS)(w, x);
  const count = w.shapeOf(basis)[2]!;
  const sum =
    way === 2
      ? w.contract(
          'bj',
          'oj',
          'bo',
          w.reshape(basis, [samples, inputs * count]),
          w.weights([outputs, inputs * count]),
        )
      : w.contract('bik', 'iok', 'bo', basis, w.weights([inputs, outputs, count]));
  if (!w.r.chance(0.5)) return sum;
  return w.map('add', w.contract('bi', 'oi', 'bo', silu(w, x), w.weights([outputs, inputs])), sum);
};

/** Something between layers that keeps the shape. */
const between = (w: Writer, x: ValueId): ValueId => {
  const shape = w.shapeOf(x);
  const channels = [shape[1]!, ...shape.slice(2).map(() => 1)];
  const ways: ReadonlyArray<() => ValueId> = [
    () => x,
    () => w.map('tanh', x),
    () => w.map('prelu', x, w.weights(channels)),
    () => w.map('add', w.map('mul', x, w.weights(channels)), w.weights(channels)),
    () => w.map('add', x, silu(w, x)),
    () => norm(w, x),
  ];
  return w.r.pick(ways)();
};

/** A norm over all but the batch, as one op or step by step, with what it learns. */
const norm = (w: Writer, x: ValueId): ValueId => {
  const shape = w.shapeOf(x);
  const axes = shape.map((_, d) => d).slice(1);
  if (sizeOfShape(shape.slice(1)) < 2) return x;
  const learnt = (y: ValueId): ValueId =>
    w.map('add', w.map('mul', y, w.weights(shape.slice(1))), w.weights(shape.slice(1)));
  if (w.r.chance(0.5)) return learnt(w.op({ kind: 'standardize', axes, epsilon: 1e-3 }, [x]));
  const kept = shape.map((n, d) => (d === 0 ? n : 1));
  const mean = (v: ValueId): ValueId => w.op({ kind: 'reduce', fn: 'mean', axes, keep: true }, [v], kept);
  const d = w.map('sub', x, mean(x));
  const variance = mean(w.map('pow', d, w.scalar(2)));
  return learnt(w.map('div', d, w.map('sqrt', w.map('add', variance, w.scalar(1e-3)))));
};

/** A convolution over the basis functions of every pixel of an image [B, C, H, W]. */
const imageLayer = (w: Writer, x: ValueId): ValueId => {
  const [samples, channels, height, width] = w.shapeOf(x) as readonly [number, number, number, number];
  const basis = w.r.pick([gaussians, waves, powers])(w, x);
  const count = w.shapeOf(basis)[4]!;
  const planes = w.op(
    { kind: 'transpose', perm: [0, 1, 4, 2, 3] },
    [basis],
    [samples, channels, count, height, width],
  );
  const image = w.reshape(planes, [samples, channels * count, height, width]);
  const groups = w.r.chance(0.3) ? channels : 1;
  const outputs = groups * w.r.whole(1, 3);
  const [kernel, stride, padding] = [
    w.r.whole(1, Math.min(3, height, width)),
    w.r.whole(1, 2),
    w.r.whole(0, 1),
  ];
  const out = (n: number): number => Math.floor((n + 2 * padding - kernel) / stride) + 1;
  const windows = {
    kernel: [kernel, kernel],
    stride: [stride, stride],
    dilation: [1, 1],
    before: [padding, padding],
    after: [padding, padding],
  };
  const weights = w.weights([outputs, (channels * count) / groups, kernel, kernel]);
  return w.op(
    { kind: 'conv', windows, groups },
    [image, weights],
    [samples, outputs, out(height), out(width)],
  );
};

/** From an image to features: the mean of each channel, or all pixels. */
const flat = (w: Writer, x: ValueId): ValueId => {
  const shape = w.shapeOf(x);
  return w.r.chance(0.5)
    ? w.op({ kind: 'reduce', fn: 'mean', axes: [2, 3], keep: false }, [x], shape.slice(0, 2))
    : w.reshape(x, [shape[0]!, sizeOfShape(shape.slice(1))]);
};

/** A random network for two samples. */
export const randomProgram = (r: Random): TensorProgram => {
  const w = writer(r);
  const image = r.chance(0.35);
  const x = w.input(image ? [2, r.whole(1, 2), r.whole(3, 5), r.whole(3, 5)] : [2, r.whole(1, 5)]);
  let value = x;
  if (image) {
    for (let l = 0; l < r.whole(1, 2); l++) value = between(w, imageLayer(w, value));
    value = flat(w, value);
  }
  for (let l = image ? 1 : 0; l < r.whole(1, 3); l++) {
    const layer = featureLayer(w, value);
    value = l === 2 ? layer : between(w, layer);
  }
  return w.b.finish([x], [value]);
};
