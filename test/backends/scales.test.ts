/** What READMEs tell of the last integers, and the integers that make them comparable. */
import { describe, expect, it } from 'vitest';
import { comparingFactors, scalesText } from '../../src/backends/shared/scales.js';
import { constant } from '../../src/ir/constant.js';
import { F32, int, uint } from '../../src/ir/element.js';
import type { Scaled } from '../../src/ir/quantizer.js';
import { valueType } from '../../src/ir/types.js';

const name = (k: number): string => `y${k}`;
const scaled = (scale: Scaled['scale'], count: number) =>
  valueType(int(16), [count], { _tag: 'scaled', scale, lo: -100, hi: 100 });
const f32 = (...values: number[]) => constant(F32, [values.length], Float32Array.from(values));

describe('the scales of results', () => {
  it('that are one, or alike', () => {
    for (const text of [scalesText(scaled(0.5, 3), name), scalesText(scaled(f32(0.5, 0.5, 0.5), 3), name)]) {
      expect(text).toContain('times 0.5');
      expect(text).toContain('the largest integer is the largest result');
    }
    expect(scalesText(scaled(0.5, 1), name)).not.toContain('largest');
  });

  it('that differ', () => {
    const text = scalesText(scaled(f32(0.5, 0.25, 1), 3), name);
    expect(text).toContain('0.5, 0.25, 1');
    expect(text).toContain('need not be the largest');
    expect(text).toContain('16384, 8192, 32768');
  });

  it('that are too many for a list', () => {
    const many = f32(...Array.from({ length: 100 }, (_, k) => 1 + k));
    expect(scalesText(scaled(many, 100), name)).toContain('manifest.json');
  });

  it('of codes, and of integers without a meaning', () => {
    const uniform = { _tag: 'uniform', lo: -1, step: f32(0.5, 0.25), levels: 16 } as const;
    expect(scalesText(valueType(uint(4), [2], uniform), name)).toContain(
      'step: from the first on, 0.5, 0.25',
    );
    expect(scalesText(valueType(int(16), [2]), name)).toContain('no scale');
  });

  it('as integers keep the order of what is further apart than they are exact', () => {
    const scales = [0.09671851, 0.10874268, 0.15444323];
    const factors = comparingFactors(scales);
    for (let a = -60; a <= 60; a++) {
      for (let b = -60; b <= 60; b++) {
        const [x, y] = [a * scales[0]!, b * scales[2]!];
        if (Math.abs(x - y) < 0.01) continue;
        expect(Math.sign(a * factors[0]! - b * factors[2]!)).toBe(Math.sign(x - y));
      }
    }
  });
});
