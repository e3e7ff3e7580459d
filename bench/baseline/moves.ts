/** Values in another order: products of picked features, permutations, values side by side. */
import * as E from 'fp-ts/lib/Either.js';
import type { MultiplyAttrs } from '../../src/ir/ops/multiply.js';
import type { ValueType } from '../../src/ir/types.js';
import { type Kernel, kernel, LANES, layoutOf, read, scalarOf, write, writeScalar } from './storage.js';

/** Products of two features: scalars, code for each. */
export const multiplyKernel = (a: MultiplyAttrs, source: ValueType): Kernel =>
  kernel((code, o) => {
    const { m } = code.asm;
    const features = layoutOf(source).channels;
    const value = (i: number) =>
      i === features ? m.f32.const(1) : scalarOf(code.asm, o.sources[0]!, () => m.i32.const(0), 4 * i);
    a.left.data.forEach((left: number, n: number) => {
      code.push(
        writeScalar(
          code.asm,
          o.target,
          () => m.i32.const(0),
          4 * n,
          m.f32.mul(value(left), value(a.right.data[n]!)),
        ),
      );
    });
  });

/** Element `order[j]` of the source to place j, both counted in memory. */
export const permuteKernel = (order: ReadonlyArray<readonly [from: number, to: number]>): Kernel =>
  kernel(
    (code, o) => {
      const { m } = code.asm;
      code.loop(order.length, 8, (c, index) => {
        const from = c.integer(m.i32.load(o.blocks[0]!, 4, index()));
        const to = c.integer(m.i32.load(o.blocks[0]! + 4, 4, index()));
        c.push(writeScalar(c.asm, o.target, to, 0, scalarOf(c.asm, o.sources[0]!, from)));
      });
    },
    [Int32Array.from(order.flatMap(([from, to]) => [4 * from, 4 * to]))],
  );

/** Values of features one after another. */
export const concatKernel = (types: ReadonlyArray<ValueType>): E.Either<string, Kernel> => {
  const layouts = types.map(layoutOf);
  if (layouts.some((l) => l.positions > 1)) return E.left('images side by side are not supported');
  return E.right(
    kernel((code, o) => {
      const { asm } = code;
      let at = 0;
      for (const [k, layout] of layouts.entries()) {
        // In order, so that what is written past the end of one is overwritten by the next.
        const base = at;
        code.loop(Math.ceil(layout.channels / LANES), 4 * LANES, (c, index) => {
          const x = read(asm, o.sources[k]!, index);
          c.push(write(asm, o.target, index, 4 * base, x));
        });
        at += layout.channels;
      }
    }),
  );
};
