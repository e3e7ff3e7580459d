/** Maps of codes that are arithmetic, sixteen bytes at a time: a multiplication, an addition and a shift of 16-bit lanes. */
import type { RecodeAttrs } from '../../../ir/ops/recode.js';
import { type Asm, addressIn, type Expr, loadVector, storeVector } from '../asm.js';
import type { Kernel, KernelBase } from '../kernel.js';
import { roundUp } from '../storage.js';
import { elementRounds } from './elementwise/rounds.js';

/** (code * factor + term) >> shift, which fits 16 unsigned bits before the shift. */
export interface LinearMap {
  readonly factor: number;
  readonly term: number;
  readonly shift: number;
}

/**
 * A linear map that gives `map` at every code. With u = 2^shift, code c asks that
 * map[c] u <= c factor + term < (map[c] + 1) u. Two of these bound the factor, and a factor then the term.
 */
export const linearMap = (map: ArrayLike<number>): LinearMap | undefined => {
  const last = map.length - 1;
  for (let shift = 15; shift >= 0; shift--) {
    const factor = factorOf(map, 2 ** shift);
    if (factor === undefined) continue;
    let [least, most] = [0, 0xffff - last * factor];
    for (let c = 0; c <= last; c++) {
      least = Math.max(least, map[c]! * 2 ** shift - c * factor);
      most = Math.min(most, (map[c]! + 1) * 2 ** shift - 1 - c * factor);
    }
    if (least <= most) return { factor, term: least, shift };
  }
  return undefined;
};

/** A factor in the middle of those that no two codes exclude. */
const factorOf = (map: ArrayLike<number>, unit: number): number | undefined => {
  let [least, most] = [0, 0xffff];
  for (let c = 0; c < map.length; c++) {
    for (let d = c + 1; d < map.length; d++) {
      const rise = (map[d]! - map[c]!) * unit;
      least = Math.max(least, (rise - unit + 1) / (d - c));
      most = Math.min(most, (rise + unit - 1) / (d - c));
    }
  }
  const middle = Math.round((Math.ceil(least) + Math.floor(most)) / 2);
  return least <= middle && middle <= most ? middle : undefined;
};

/** Codes in 16-bit lanes through a map. */
export const applyLinear = (asm: Asm, { factor, term, shift }: LinearMap, codes: Expr): Expr => {
  const { i16x8, i32 } = asm.m;
  const splat = (value: number): Expr => i16x8.splat(i32.const(value));
  return i16x8.shr_u(i16x8.add(i16x8.mul(codes, splat(factor)), splat(term)), i32.const(shift));
};

const LANES = 16;

/** Undefined where channels have maps of their own, or the map is not linear. */
export const recodeLinear = (base: KernelBase, { map }: RecodeAttrs): Kernel | undefined => {
  const linear = map.shape[0] === 1 ? linearMap(map.data) : undefined;
  return linear === undefined
    ? undefined
    : {
        ...base,
        result: 'u8',
        reach: roundUp(base.length, LANES),
        blocks: [],
        emit: (asm, bound) => {
          const { m } = asm;
          const codes = asm.v128();
          return elementRounds(asm, { ...base, channels: 1 }, LANES, (index) => [
            codes.set(loadVector(asm, addressIn(asm, bound.source, index))),
            storeVector(
              asm,
              { pointer: index, offset: bound.target },
              m.i8x16.narrow_i16x8_u(
                applyLinear(asm, linear, m.i16x8.extend_low_i8x16_u(codes.get())),
                applyLinear(asm, linear, m.i16x8.extend_high_i8x16_u(codes.get())),
              ),
            ),
          ]);
        },
        summary: { op: 'recode', form: 'linear map', inputs: base.length, outputs: base.length },
      };
};
