/** Element by element: sums, affine maps and activations that do not follow a layer. */
import * as E from 'fp-ts/lib/Either.js';
import { roundUp } from '../../src/backends/wasm/storage.js';
import { channel, type PerChannel } from '../../src/ir/constant.js';
import type { UnivariateFunction } from '../../src/ir/ops/activate.js';
import type { ValueType } from '../../src/ir/types.js';
import { type Code, floatsOf, type Use } from './code.js';
import type { Tail } from './layer.js';
import { ACTIVATION_CODE } from './math.js';
import {
  type Kernel,
  kernel,
  LANES,
  type Layout,
  layoutOf,
  load,
  type Piece,
  read,
  write,
} from './storage.js';

/** One number for every channel, to the end of the last vector. */
export const channelBlock = (p: PerChannel, { channels }: Layout): Float32Array =>
  Float32Array.from({ length: roundUp(channels, LANES) }, (_, c) => (c < channels ? channel(p, c) : 0));

/** A function of every element; undefined where there is no vector code for it. */
export const activationCode = (f: UnivariateFunction, layout: Layout): Tail['activation'] => {
  if (f._tag === 'activation') {
    const made = ACTIVATION_CODE[f.activation];
    return made === undefined ? undefined : { blocks: [], emit: (code, x) => made(code, x) };
  }
  if (f._tag === 'expression') return undefined;
  const { slope } = f;
  return {
    blocks: typeof slope === 'number' ? [] : [channelBlock(slope, layout)],
    emit: (code, x, blocks, c) => {
      const { constant, mul } = floatsOf(code);
      const { m } = code.asm;
      const factor: Use =
        typeof slope === 'number'
          ? constant(slope)
          : () => load(code.asm, blocks[0]! + 4 * c, m.i32.const(0));
      const below = mul(x, factor);
      return code.vector(m.v128.bitselect(x(), below(), m.f32x4.ge(x(), constant(0)())));
    },
  };
};

/** Every vector of a value, with the channel of its first element where that is known: code for each vector of channels. */
const perVector = (
  layout: Layout,
  operands: (code: Code, inputs: ReadonlyArray<Use>, channel: number) => Use,
): Piece => {
  const perPosition = layout.channels === 1 ? 1 : layout.stride / LANES;
  return (code, o) => {
    const { asm } = code;
    const steps = layout.channels === 1 ? Math.ceil(layout.positions / LANES) : layout.positions;
    code.loop(steps, 4 * LANES * perPosition, (c, index) => {
      for (let v = 0; v < perPosition; v++) {
        const at = 4 * LANES * v;
        const inputs = o.sources.map((s) => c.vector(read(asm, s, index, at)));
        const y = operands(c, inputs, LANES * v);
        c.push(write(asm, o.target, index, at, y()));
      }
    });
  };
};

/** The same for functions that do not ask for the channel: one loop over everything. */
const flat = (layout: Layout, operands: (code: Code, inputs: ReadonlyArray<Use>) => Use): Piece =>
  perVector(
    { ...layout, channels: 1, positions: layout.positions * layout.stride, stride: 1 },
    (code, inputs) => operands(code, inputs),
  );

export const addKernel = (type: ValueType): Kernel =>
  kernel(flat(layoutOf(type), (code, [a, b]) => floatsOf(code).add(a!, b!)));

export const activateKernel = (f: UnivariateFunction, type: ValueType): E.Either<string, Kernel> => {
  const layout = layoutOf(type);
  const made = activationCode(f, layout);
  if (made === undefined) return E.left('there is no vector code for the activation');
  const shared = f._tag !== 'prelu' || typeof f.slope === 'number';
  const emit: Piece = (code, o) =>
    shared
      ? flat(layout, (c, [x]) => made.emit(c, x!, o.blocks, 0))(code, o)
      : perVector(layout, (c, [x], at) => made.emit(c, x!, o.blocks, at))(code, o);
  return E.right(kernel(emit, made.blocks));
};

export const affineKernel = (scale: PerChannel, shift: PerChannel, type: ValueType): Kernel => {
  const layout = layoutOf(type);
  const one = layout.channels === 1;
  return kernel(
    (code, o) =>
      perVector(layout, (c, [x], at) => {
        const { mul, add, constant } = floatsOf(c);
        const of = (p: PerChannel, block: number): Use =>
          one ? constant(channel(p, 0)) : () => load(c.asm, o.blocks[block]! + 4 * at, c.asm.m.i32.const(0));
        return add(mul(x!, of(scale, 0)), of(shift, 1));
      })(code, o),
    [channelBlock(scale, layout), channelBlock(shift, layout)],
  );
};
