/** The code of layers that are taken apart by pixels (edge-spread.ts). */
import { type Asm, type Expr, loadVector, repeat, rounds, scaled, storeVector } from '../asm.js';
import type { Bound } from '../kernel.js';
import { storageBytes } from '../storage.js';
import { accumulatorInMemory } from './accumulators.js';
import { type EdgeCode, layerCode } from './edge-emit.js';
import { OUTPUTS, type Spread } from './edge-spread-plan.js';

/** The sums of all pixels, tile by tile. */
export const emitSpread = (asm: Asm, bound: Bound, code: EdgeCode, s: Spread): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { tiling } = code;
  const { height, width, channels, frame } = s.geometry;
  const layer = layerCode(asm, bound, code);
  const from = layer.source;
  const [origin, rowEnd, target, constants] = [asm.i32(), asm.i32(), asm.i32(), asm.i32()];
  const pixel = channels * storageBytes(code.source.storage);
  const first = (frame[0] * (width + 2 * frame[1]) + frame[1]) * s.pixelBytes;
  return [
    ...layer.once,
    ...rounds(asm, tiling.tiles, 1, (t) => [
      ...layer.enter(t),
      constants.set(scaled(m, t(), 2 * tiling.tile)),
      target.set(m.i32.add(m.i32.const(bound.scratch + first), scaled(m, t(), 2 * tiling.tile))),
      origin.set(from._tag === 'fixed' ? m.i32.const(0) : asm.input()),
      ...rounds(asm, height, 1, () => [
        rowEnd.set(m.i32.add(origin.get(), m.i32.const(width * pixel))),
        repeat(asm, origin, pixel, rowEnd.get, [
          ...layer.at({
            codes: { pointer: origin.get, offset: from._tag === 'fixed' ? from.address : 0 },
            constants: { pointer: constants.get, offset: bound.blocks[0]! },
            target: { pointer: target.get, offset: 0 },
            valid: tiling.tile,
          }),
          target.set(m.i32.add(target.get(), m.i32.const(s.pixelBytes))),
        ]),
        target.set(m.i32.add(target.get(), m.i32.const(2 * frame[1] * s.pixelBytes))),
      ]),
    ]),
  ];
};

/** Taps that are loaded together: V8 loads all of a stretch of code before it adds. */
const TOGETHER = 12;

/** The accumulators of all positions from the spread sums. */
export const emitSums = (
  asm: Asm,
  bound: Bound,
  s: Spread,
  width: number,
  bytes: number,
  kept: number,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const [record, pixel, starts, target] = [asm.i32(), asm.i32(), asm.i32(), asm.i32()];
  const words = bound.blocks[4]!;
  const sum = asm.v128();
  const partial = accumulatorInMemory(asm, kept);
  const tapOffset = (place: number): number =>
    (s.geometry.offsets[place]! / s.geometry.channels) * s.pixelBytes + 2 * place * s.outputs;
  const taps = Array.from({ length: s.places }, (_, place) => tapOffset(place));
  const vectors = s.outputs / OUTPUTS;
  const chunk = [4, 3, 2, 1].find((n) => vectors % n === 0)!;
  const vector = (k: number, at: () => Expr): ReadonlyArray<Expr> => {
    const tap = (offset: number): Expr =>
      loadVector(asm, {
        pointer: () => m.i32.add(pixel.get(), at()),
        offset: bound.scratch + offset + 16 * k,
      });
    const start = (): Expr =>
      loadVector(asm, { pointer: () => m.i32.add(starts.get(), at()), offset: bound.blocks[5]! + 16 * k });
    const groups = Array.from({ length: Math.ceil(taps.length / TOGETHER) }, (_, n) =>
      taps.slice(n * TOGETHER, (n + 1) * TOGETHER),
    );
    const steps = groups.map((group, n) => {
      const value = [n === 0 ? start() : partial.get(), ...group.map(tap)].reduce(m.i16x8.add);
      return n === groups.length - 1 ? sum.set(value) : partial.set(value);
    });
    const to = (offset: number, value: Expr): Expr =>
      storeVector(
        asm,
        {
          pointer: () => m.i32.add(target.get(), scaled(m, at(), bytes / 2)),
          offset: (bytes / 2) * 16 * k + offset,
        },
        value,
      );
    return [
      ...steps,
      ...(bytes === 2
        ? [to(0, sum.get())]
        : [to(0, m.i32x4.extend_low_i16x8_s(sum.get())), to(16, m.i32x4.extend_high_i16x8_s(sum.get()))]),
    ];
  };
  return [
    record.set(m.i32.const(words)),
    target.set(m.i32.const(bound.target)),
    repeat(asm, record, 8, () => m.i32.const(words + 8 * s.geometry.starts.length), [
      pixel.set(m.i32.load(0, 4, record.get())),
      starts.set(m.i32.load(4, 4, record.get())),
      ...rounds(asm, vectors / chunk, 16 * chunk, (at) =>
        Array.from({ length: chunk }, (_, k) => vector(k, at)).flat(),
      ),
      target.set(m.i32.add(target.get(), m.i32.const(width * bytes))),
    ]),
  ];
};
