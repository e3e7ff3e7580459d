/** Mean or largest over windows of an image. */
import { repeat, scaled } from '../../src/backends/wasm/asm.js';
import type { PoolAttrs } from '../../src/ir/ops/pool.js';
import type { ValueType } from '../../src/ir/types.js';
import { floatsOf, nested, type Use } from './code.js';
import { type Kernel, kernel, LANES, layoutOf, read, write } from './storage.js';
import { ENTRY, windowList } from './window-list.js';

/** Four channels of a pixel at a time. */
export const poolKernel = (a: PoolAttrs, source: ValueType, target: ValueType): Kernel => {
  const [input, output] = [layoutOf(source), layoutOf(target)];
  const list = windowList(a.window, source.shape);
  const area = a.window.kernel[0] * a.window.kernel[1];
  return kernel(
    (code, o) => {
      const { asm } = code;
      const { m } = asm;
      const [starts, entries] = [o.blocks[0]!, o.blocks[1]!];
      for (let v = 0; v < Math.ceil(output.stride / LANES); v++) {
        code.loop(output.positions, 1, (c, position) => {
          const result = asm.v128();
          const entry = asm.i32();
          const end = c.integer(m.i32.load(starts + 4, 4, scaled(m, position(), 4)));
          c.push(entry.set(m.i32.load(starts, 4, scaled(m, position(), 4))));
          const start = a.reduce === 'max' ? Number.NEGATIVE_INFINITY : 0;
          c.push(result.set(m.f32x4.splat(m.f32.const(start))));
          const body = nested(asm, (tap) => {
            const pixel = scaled(m, m.i32.load(entries, 4, entry.get()), input.stride);
            const x = tap.vector(read(asm, o.sources[0]!, () => pixel, 4 * LANES * v));
            const { add, greatest } = floatsOf(tap);
            tap.push(result.set((a.reduce === 'max' ? greatest : add)(result.get, x)()));
          });
          const loop = repeat(asm, entry, ENTRY, end, body);
          c.push(list.someEmpty ? m.if(m.i32.ne(entry.get(), end()), loop) : loop);
          const { mul, constant } = floatsOf(c);
          const y: Use = a.reduce === 'max' ? result.get : mul(result.get, constant(1 / area));
          const to = scaled(m, position(), 4 * output.stride);
          c.push(write(asm, o.target, () => to, 4 * LANES * v, y()));
        });
      }
    },
    [list.starts, list.entries],
  );
};
