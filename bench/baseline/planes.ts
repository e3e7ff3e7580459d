/** All planes of a layer: every pixel and channel is expanded once, however many windows hold it. */
import { scaled } from '../../src/backends/wasm/asm.js';
import type { Code, Use } from './code.js';
import type { ExpansionPlace } from './expand.js';
import type { Part } from './layer.js';
import { LANES, type Layout, type Operands, read, splatOf, store } from './storage.js';

export interface Planes {
  readonly operands: Operands;
  readonly parts: ReadonlyArray<Part>;
  readonly input: Layout;
  /** Bytes of a row of coefficients: what the offsets of shifted functions count in. */
  readonly rowBytes: number;
  /** Addresses of the blocks of the bases, in their order. */
  readonly bases: ReadonlyArray<number>;
}

export const expandAll = (code: Code, planes: Planes): void => {
  let address = planes.operands.scratch;
  let block = 0;
  for (const part of planes.parts) {
    const bases = part.branches.map((branch) => {
      const blocks = planes.bases.slice(block, block + branch.expansion.blocks.length);
      block += blocks.length;
      return { ...branch, blocks };
    });
    expandPart(code, planes, part, bases, address);
    address += part.planes * part.planeBytes;
  }
};

type Placed = Part['branches'][number] & { readonly blocks: ReadonlyArray<number> };

const expandPart = (
  code: Code,
  { operands, input, rowBytes }: Planes,
  part: Part,
  bases: ReadonlyArray<Placed>,
  address: number,
): void => {
  const { asm } = code;
  const { m } = asm;
  const source = operands.sources[0]!;
  const first = 4 * part.from;
  /** Where the values of a branch go, for the inputs `offset` bytes from the first of the pixel. */
  const placeOf = (c: Code, b: Placed, write: Use, offset: Use, number: number): ExpansionPlace => {
    const at = c.integer(m.i32.add(write(), offset()));
    const put = (plane: number, value: Use): void =>
      c.push(store(asm, address + (b.plane + plane) * part.planeBytes, at(), value()));
    return {
      store: put,
      storeRows: (rows) =>
        put(b.expansion.values, c.vector(m.i32x4.mul(rows(), m.i32x4.splat(m.i32.const(rowBytes))))),
      blocks: b.blocks,
      number,
    };
  };
  // Channels that are all read lie side by side over all pixels.
  const whole = part.channels === input.channels;
  const floats = whole ? input.positions * input.stride : part.channels;
  code.loop(whole ? 1 : input.positions, 1, (perPixel, pixel) => {
    const from = perPixel.integer(scaled(m, pixel(), 4 * input.stride));
    const write = perPixel.integer(m.i32.add(asm.input(), scaled(m, pixel(), 4 * part.stride)));
    perPixel.loop(Math.ceil(floats / LANES), 4 * LANES, (c, offset) => {
      const x = c.vector(read(asm, source, () => m.i32.add(from(), offset()), first));
      for (const b of bases) {
        if (!b.expansion.perInput) b.expansion.emit(c, placeOf(c, b, write, offset, 0), x, offset);
      }
    });
    for (const b of bases.filter(({ expansion }) => expansion.perInput)) {
      for (let i = 0; i < part.channels; i++) {
        const offset: Use = () => m.i32.const(4 * i);
        const x = perPixel.vector(splatOf(asm, source, from, first + 4 * i));
        b.expansion.emit(perPixel, placeOf(perPixel, b, write, offset, i), x, offset);
      }
    }
  });
};
