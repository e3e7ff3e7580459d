/** Whether designs fit devices: logic and pins are told apart. */
import { describe, expect, it } from 'vitest';
import { findDevice, fitOf } from '../../src/analyses/devices.js';
import { fitText } from '../../src/cli/costs/hardware.js';

const device = findDevice('xc7a35t')!;
const need = { luts6: 2080, luts4: 4000, registers: 100 };

describe('pins', () => {
  it('are told where ports are known, and do not decide', () => {
    expect(fitOf(need, device).pins).toBeUndefined();
    const few = fitOf({ ...need, pins: 250 }, device);
    expect(few).toMatchObject({ fits: true, pins: { wanted: 250, there: 250, enough: true } });
    expect(fitText(few)).toBe(
      'Artix-7 35T: fits, 10.00 % of its LUTs; ports have 250 bits of at most 250 pins',
    );
    const many = fitOf({ ...need, pins: 251 }, device);
    expect(many).toMatchObject({ fits: true, pins: { enough: false } });
    expect(fitText(many)).toContain('must be inside a larger design');
  });
});
