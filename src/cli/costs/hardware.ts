/** Figures of hardware as text, for `kanc synth` and `kanc report`. */
import type { Fit } from '../../analyses/devices.js';
import type { Json } from '../../backends/backend.js';
import { printable } from '../../diagnostics/index.js';
import type { HardwareReport } from '../../driver/cost-report.js';
import type { Synthesis } from '../../driver/synth.js';
import { showPercent } from '../show.js';

/** Whether a design fits a device, in one line. */
export const fitText = ({ device, fits, tightest, share, pins }: Fit): string => {
  const logic = Number.isFinite(share)
    ? `${device.title}: ${fits ? 'fits' : 'does not fit'}, ${showPercent(share)} of its ${tightest}`
    : `${device.title}: does not fit, it has no ${tightest}`;
  if (pins === undefined) return logic;
  return pins.enough
    ? `${logic}; ports have ${pins.wanted} bits of at most ${pins.there} pins`
    : `${logic}; ports have ${pins.wanted} bits and the part at most ${pins.there} pins, so that it must be inside a larger design`;
};

/** A synthesis, a fact a line. */
export const synthesisLines = (s: Synthesis): ReadonlyArray<string> => {
  const sizes = Object.entries(s.lutsBySize).map(([size, count]) => `${count} ${size}`);
  const shifts = s.shiftRegisters === 0 ? [] : [`${s.shiftRegisters} as shift registers`];
  const { longestPath: path, placement } = s;
  return [
    `${printable(s.tool, 60)}, ${printable(s.flow, 60)}`,
    `LUTs: ${s.luts} (${[...sizes, ...shifts].join(', ')})`,
    `registers: ${s.registers}`,
    `carry blocks: ${s.carries}, multipliers: ${s.multipliers}, memory blocks: ${s.memories}`,
    ...(path === null
      ? []
      : [`longest path: ${path.luts} LUTs and ${path.carries} carry blocks one after another`]),
    ...(placement === undefined
      ? []
      : [
          placement.clock === null
            ? `placed clock: none, ${printable(placement.note ?? '', 200)}`
            : `placed clock: ${placement.clock} MHz (${placement.tool}, ${placement.device}, between shift registers)`,
        ]),
  ];
};

export const synthesisJson = (s: Synthesis): Json => ({
  ...s,
  lutsBySize: { ...s.lutsBySize },
  cells: { ...s.cells },
  longestPath: s.longestPath === null ? null : { ...s.longestPath },
  device: s.device ?? null,
  placement: s.placement === undefined ? null : { ...s.placement, note: s.placement.note ?? null },
});

/** An RTL artifact, a fact a line. */
export const hardwareLines = ({ rtl, fits, synthesis }: HardwareReport): ReadonlyArray<string> => [
  `hardware: module ${rtl.module}, ${rtl.edges} edges, latency ${rtl.latency} clock cycles, don't-cares ${printable(rtl.dontCares, 60)}`,
  `estimate, before any synthesis: ${rtl.luts} LUTs of six inputs or ${rtl.luts4} of four, ${rtl.registers} bits of registers`,
  ...fits.map((fit) => `estimate: ${fitText(fit)}`),
  ...(synthesis === undefined
    ? ['synthesis: none of this module yet; `kanc synth` makes one']
    : synthesisLines(synthesis).map((line) => `synthesis: ${line}`)),
];

export const hardwareJson = ({ rtl, fits, synthesis }: HardwareReport): Json => ({
  rtl: { ...rtl, outputs: rtl.outputs.map((o) => ({ ...o })) },
  estimates: fits.map(({ device, fits: itFits, tightest, share, pins }) => ({
    device: device.name,
    fits: itFits,
    tightest,
    share: Number.isFinite(share) ? share : null,
    pins: pins === undefined ? null : { ...pins },
  })),
  synthesis: synthesis === undefined ? null : synthesisJson(synthesis),
});
