/** Layer norm and instance norm: two passes for the statistics, as exact as the definition, and one to apply them. */
import * as E from 'fp-ts/lib/Either.js';
import { scaled } from '../../src/backends/wasm/asm.js';
import type { NormAttrs } from '../../src/ir/ops/norm.js';
import type { ValueType } from '../../src/ir/types.js';
import { type Code, floatsOf, type Use } from './code.js';
import { channelBlock } from './elementwise.js';
import { type Kernel, LANES, type Layout, layoutOf, load, type Operands, read, write } from './storage.js';

/** Sums of one statistic at a time: an addition takes as long as four can be started. */
const SUMS = 4;

export const normKernel = (a: NormAttrs, type: ValueType): E.Either<string, Kernel> => {
  const layout = layoutOf(type);
  const shared = a.over === 'channel' && layout.channels > 1;
  if (!shared && layout.positions > 1 && layout.channels > 1 && layout.channels % LANES !== 0) {
    return E.left('a norm over images whose channels are no whole vectors is not supported');
  }
  return E.right({
    blocks: [channelBlock(a.scale, layout), channelBlock(a.shift, layout)],
    scratch: 0,
    pieces: [(code, o) => (shared ? perChannel(code, a, layout, o) : perSample(code, a, layout, o))],
    weights: 0,
  });
};

/** Adds up f(x) over `vectors` vectors, `step` bytes apart. */
const total = (
  code: Code,
  vectors: number,
  step: number,
  at: (c: Code, index: Use, extra: number) => Use,
): Use => {
  const { m } = code.asm;
  const sums = Array.from({ length: SUMS }, () => code.asm.v128());
  for (const sum of sums) code.push(sum.set(m.f32x4.splat(m.f32.const(0))));
  const whole = Math.floor(vectors / SUMS);
  const addTo = (c: Code, k: number, index: Use, extra: number): void =>
    c.push(sums[k]!.set(m.f32x4.add(sums[k]!.get(), at(c, index, extra)())));
  code.loop(whole, SUMS * step, (c, index) => {
    for (let k = 0; k < SUMS; k++) addTo(c, k, index, k * step);
  });
  for (let k = whole * SUMS; k < vectors; k++) addTo(code, k - whole * SUMS, () => m.i32.const(0), k * step);
  const { add } = floatsOf(code);
  return add(add(sums[0]!.get, sums[1]!.get), add(sums[2]!.get, sums[3]!.get));
};

/** The sum of the lanes, in all lanes. */
const acrossLanes = (code: Code, x: Use): Use => {
  const { m } = code.asm;
  const lane = (k: number) => m.f32x4.extract_lane(x(), k);
  return code.vector(m.f32x4.splat(m.f32.add(m.f32.add(lane(0), lane(1)), m.f32.add(lane(2), lane(3)))));
};

/** 1 / sqrt(squares / count + epsilon). */
const inverseDeviation = (code: Code, squares: Use, count: number, epsilon: number): Use => {
  const { constant, mul, add, div } = floatsOf(code);
  const variance = add(mul(squares, constant(1 / count)), constant(epsilon));
  return div(constant(1), code.vector(code.asm.m.f32x4.sqrt(variance())));
};

const perSample = (code: Code, a: NormAttrs, layout: Layout, o: Operands): void => {
  const { asm } = code;
  const { m } = asm;
  const source = o.sources[0]!;
  const count = layout.positions * layout.channels;
  const vectors = Math.ceil(count / LANES);
  const x = (c: Code, index: Use, extra: number): Use => c.vector(read(asm, source, index, extra));
  const tail = count % LANES;
  // The last vector is added by itself when it is not full: with zeros in lanes beyond the end.
  const mask = [0, 1, 2, 3].flatMap((lane) => Array<number>(4).fill(lane < tail ? 255 : 0));
  const body = tail === 0 ? vectors : vectors - 1;
  const sumOf = (f: (c: Code, value: Use) => Use): Use => {
    const sum = total(code, body, 4 * LANES, (c, index, extra) => f(c, x(c, index, extra)));
    if (tail === 0) return acrossLanes(code, sum);
    const extra = 4 * LANES * (vectors - 1);
    const last = f(
      code,
      x(code, () => m.i32.const(0), extra),
    );
    const kept = code.vector(m.v128.and(last(), m.v128.const(mask)));
    return acrossLanes(code, floatsOf(code).add(sum, kept));
  };
  const { constant, mul } = floatsOf(code);
  const mean = mul(
    sumOf((_, v) => v),
    constant(1 / count),
  );
  const squares = sumOf((c, v) => {
    const d = floatsOf(c).sub(v, mean);
    return floatsOf(c).mul(d, d);
  });
  const inverse = inverseDeviation(code, squares, count, a.epsilon);
  apply(code, layout, o, (c, v) => floatsOf(c).mul(floatsOf(c).sub(v, mean), inverse));
};

/** Scale and shift of each channel after `normalise`. */
const apply = (code: Code, layout: Layout, o: Operands, normalise: (code: Code, value: Use) => Use): void => {
  const { asm } = code;
  const { m } = asm;
  const one = layout.channels === 1;
  const perPosition = one ? Math.ceil(layout.positions / LANES) : layout.stride / LANES;
  code.loop(one ? 1 : layout.positions, 4 * layout.stride, (outer, pixel) => {
    outer.loop(perPosition, 4 * LANES, (c, index) => {
      const at: Use = () => m.i32.add(pixel(), index());
      const { mul, add } = floatsOf(c);
      const of = (block: number): Use =>
        one
          ? c.vector(m.v128.load32_splat(o.blocks[block]!, 4, m.i32.const(0)))
          : c.vector(load(asm, o.blocks[block]!, index()));
      const v = normalise(c, c.vector(read(asm, o.sources[0]!, at)));
      c.push(write(asm, o.target, at, 0, add(mul(v, of(0)), of(1))()));
    });
  });
};

/** Four channels at a time: lanes never meet. */
const perChannel = (code: Code, a: NormAttrs, layout: Layout, o: Operands): void => {
  const { asm } = code;
  const { m } = asm;
  const source = o.sources[0]!;
  const step = 4 * layout.stride;
  code.loop(layout.stride / LANES, 1, (outer, vector) => {
    const channels = outer.integer(scaled(m, vector(), 4 * LANES));
    const { constant, mul, sub } = floatsOf(outer);
    const x = (c: Code, index: Use, extra: number): Use =>
      c.vector(read(asm, source, () => m.i32.add(channels(), index()), extra));
    const mean = mul(total(outer, layout.positions, step, x), constant(1 / layout.positions));
    const squares = total(outer, layout.positions, step, (c, index, extra) => {
      const d = floatsOf(c).sub(x(c, index, extra), mean);
      return floatsOf(c).mul(d, d);
    });
    const inverse = inverseDeviation(outer, squares, layout.positions, a.epsilon);
    // (x - mean) * inverse * scale + shift as one product and one sum.
    const factor = mul(inverse, outer.vector(load(asm, o.blocks[0]!, channels())));
    const offset = sub(outer.vector(load(asm, o.blocks[1]!, channels())), mul(mean, factor));
    outer.loop(layout.positions, step, (c, index) => {
      const { add } = floatsOf(c);
      const y = add(floatsOf(c).mul(x(c, index, 0), factor), offset);
      c.push(write(asm, o.target, () => m.i32.add(channels(), index()), 0, y()));
    });
  });
};
