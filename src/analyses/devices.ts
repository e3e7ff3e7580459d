/**
 * What FPGAs hold, and whether a design fits. Numbers are those of the manufacturers' overviews:
 * AMD DS180 (7 series), AMD DS891 (Zynq UltraScale+), Lattice FPGA-DS-02012 (ECP5), Lattice FPGA-DS-02029 (iCE40 LP/HX).
 */
export interface Device {
  /** What `--device` takes. */
  readonly name: string;
  readonly title: string;
  /** Look-up tables, and of how many inputs. */
  readonly luts: number;
  readonly lutInputs: 4 | 6;
  readonly registers: number;
  /** Multipliers of at least 18 x 18 bits. */
  readonly multipliers: number;
  /** Bits of block memory. */
  readonly memory: number;
  /**
   * Pins for signals of the user in the largest package, of general banks (transceivers have others). Not yet checked
   * against the documents of `source`.
   */
  readonly pins: number;
  readonly source: string;
}

const KBIT = 1024;

export const DEVICES: ReadonlyArray<Device> = [
  {
    name: 'xc7a35t',
    title: 'Artix-7 35T',
    luts: 20800,
    lutInputs: 6,
    registers: 41600,
    multipliers: 90,
    memory: 50 * 36 * KBIT,
    pins: 250,
    source: 'AMD DS180',
  },
  {
    name: 'xc7a100t',
    title: 'Artix-7 100T',
    luts: 63400,
    lutInputs: 6,
    registers: 126800,
    multipliers: 240,
    memory: 135 * 36 * KBIT,
    pins: 300,
    source: 'AMD DS180',
  },
  {
    name: 'ecp5-25',
    title: 'ECP5-25',
    luts: 24288,
    lutInputs: 4,
    registers: 24288,
    multipliers: 28,
    memory: 56 * 18 * KBIT,
    pins: 197,
    source: 'Lattice FPGA-DS-02012',
  },
  {
    name: 'ecp5-85',
    title: 'ECP5-85',
    luts: 83640,
    lutInputs: 4,
    registers: 83640,
    multipliers: 156,
    memory: 208 * 18 * KBIT,
    pins: 365,
    source: 'Lattice FPGA-DS-02012',
  },
  {
    name: 'xczu7ev',
    title: 'Zynq UltraScale+ ZU7EV',
    luts: 230400,
    lutInputs: 6,
    registers: 460800,
    multipliers: 1728,
    memory: 312 * 36 * KBIT,
    pins: 464,
    source: 'AMD DS891',
  },
  {
    name: 'ice40-hx8k',
    title: 'iCE40 HX8K',
    luts: 7680,
    lutInputs: 4,
    registers: 7680,
    multipliers: 0,
    memory: 32 * 4 * KBIT,
    pins: 206,
    source: 'Lattice FPGA-DS-02029',
  },
];

export const findDevice = (name: string): Device | undefined => DEVICES.find((d) => d.name === name);

/** What a design takes; LUTs by how many inputs they have. */
export interface Need {
  readonly luts6: number;
  readonly luts4: number;
  readonly registers: number;
  readonly multipliers?: number;
  /** Bits of block memory. */
  readonly memory?: number;
  /** Bits of all ports. */
  readonly pins?: number;
}

export interface Fit {
  readonly device: Device;
  readonly fits: boolean;
  /** The fullest resource, and how full it would be: 1 is all of it. */
  readonly tightest: 'LUTs' | 'registers' | 'multipliers' | 'memory';
  readonly share: number;
  /** Bits of ports against pins, where ports are known. It is no part of `fits`: most designs stand inside others. */
  readonly pins?: { readonly wanted: number; readonly there: number; readonly enough: boolean };
}

export const fitOf = (need: Need, device: Device): Fit => {
  const share = (wanted: number, there: number): number =>
    wanted === 0 ? 0 : there === 0 ? Number.POSITIVE_INFINITY : wanted / there;
  const shares = [
    ['LUTs', share(device.lutInputs === 6 ? need.luts6 : need.luts4, device.luts)],
    ['registers', share(need.registers, device.registers)],
    ['multipliers', share(need.multipliers ?? 0, device.multipliers)],
    ['memory', share(need.memory ?? 0, device.memory)],
  ] as const;
  const [tightest, most] = shares.reduce((a, b) => (b[1] > a[1] ? b : a));
  const { pins } = need;
  return {
    device,
    fits: most <= 1,
    tightest,
    share: most,
    ...(pins === undefined
      ? {}
      : { pins: { wanted: pins, there: device.pins, enough: pins <= device.pins } }),
  };
};

export const fitsOf = (need: Need): ReadonlyArray<Fit> => DEVICES.map((device) => fitOf(need, device));
