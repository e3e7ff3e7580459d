/**
 * yosys: that of the machine, or the one of npm, which runs in this process; what is asked of it and of nextpnr, and what
 * they say.
 */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import type { Device } from '../analyses/devices.js';
import { type Diagnostics, diagnostic, fail } from '../diagnostics/index.js';
import { type Capabilities, MOST_BYTES } from './capabilities.js';

type World = Pick<Capabilities, 'files' | 'tools' | 'importPackage'>;

export interface Yosys {
  /** Its name and version. */
  readonly version: string;
  /** Runs a script on source files; gives the text of files that the script wrote. K0608 with what yosys says. */
  readonly run: (
    script: string,
    sources: ReadonlyMap<string, Uint8Array | string>,
    results: ReadonlyArray<string>,
  ) => TE.TaskEither<Diagnostics, ReadonlyMap<string, string>>;
}

const PACKAGE = '@yowasp/yosys';

/** The yosys on the PATH before the package of npm; K0608 where there is neither. */
export const yosysOf = (world: World): TE.TaskEither<Diagnostics, Yosys> => {
  const found = world.tools.run('yosys', ['-V'], { cwd: '.' });
  return found === undefined
    ? fromPackage(world)
    : TE.right(onPath(world, versionOf(new TextDecoder().decode(found.stdout))));
};

const versionOf = (text: string): string => /Yosys [0-9][^\s]*/.exec(text)?.[0] ?? 'Yosys';

/** Nobody but the machine, for want of memory, or a person ends it by a signal. */
const ENDED = /was ended by SIG\w+$/;

const refused = (log: string): Diagnostics => [
  diagnostic('K0608', 'yosys stopped', {
    hint: ENDED.test(log)
      ? 'It needs time and memory for large networks: docs/targets-verilog.md has figures. Fewer bits and smaller layers help.'
      : 'Please report this with the artifact.',
    output: /^ERROR: .*$/m.exec(log)?.[0] ?? log.trim().slice(-500),
  }),
];

const onPath = ({ files, tools }: World, version: string): Yosys => ({
  version,
  run: (script, sources, results) =>
    pipe(
      TE.fromEither(tools.scratch()),
      TE.tap((folder) => TE.fromEither(tools.write(folder, sources))),
      TE.flatMap((folder) => {
        const result = tools.run('yosys', ['-q', '-p', script], { cwd: folder });
        if (result?.status !== 0) return TE.left(refused(result?.stderr ?? ''));
        return pipe(
          results,
          TE.traverseArray((name) =>
            pipe(
              files.readFound(join(folder, name), MOST_BYTES.toolOutput),
              TE.map((bytes) => [name, new TextDecoder().decode(bytes)] as const),
            ),
          ),
        );
      }),
      TE.map((read) => new Map(read)),
    ),
});

/** The part of `@yowasp/yosys` that is used: arguments and files in, files out. */
type RunYosys = (...args: ReadonlyArray<unknown>) => unknown;

const isFunction = (u: unknown): u is RunYosys => typeof u === 'function';

const YosysModule = t.type({
  runYosys: new t.Type<RunYosys, RunYosys, unknown>(
    'function',
    isFunction,
    (u, c) => (isFunction(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  ),
});

const Written = t.record(t.string, t.unknown);

const fromPackage = ({ importPackage }: World): TE.TaskEither<Diagnostics, Yosys> =>
  pipe(
    importPackage(PACKAGE),
    TE.flatMapEither((module) =>
      YosysModule.is(module)
        ? E.right(inProcess(module.runYosys))
        : fail('K0608', 'there is no yosys', {
            hint: `Install it (Debian: apt-get install yosys), or put it into this folder with npm: npm install ${PACKAGE}`,
          }),
    ),
  );

const inProcess = (runYosys: RunYosys): Yosys => ({
  version: `Yosys of ${PACKAGE}`,
  run: (script, sources, results) => {
    const log: Uint8Array[] = [];
    const collect = (bytes: Uint8Array | null): void => {
      if (bytes !== null) log.push(bytes);
    };
    return pipe(
      TE.tryCatch(
        async (): Promise<unknown> =>
          runYosys(['-q', '-p', script], Object.fromEntries(sources), { stdout: collect, stderr: collect }),
        (): Diagnostics => refused(log.map((bytes) => new TextDecoder().decode(bytes)).join('')),
      ),
      TE.map((written) => {
        const files = Written.is(written) ? written : {};
        return new Map(results.map((name) => [name, asText(files[name])]));
      }),
    );
  },
});

const asText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : content instanceof Uint8Array
      ? new TextDecoder().decode(content)
      : '';

export interface Flow {
  /** As it is told with results. */
  readonly command: string;
  /** The program that places and routes, with the arguments that choose the device; absent where there is none. */
  readonly place?: { readonly program: string; readonly args: ReadonlyArray<string> };
}

/** The flow of a device; without one that of series 7. */
export const flowOf = (device: Device | undefined): Flow => {
  switch (device?.name) {
    case 'ice40-hx8k':
      return {
        command: 'synth_ice40',
        place: { program: 'nextpnr-ice40', args: ['--hx8k', '--package', 'ct256'] },
      };
    case 'ecp5-25':
    case 'ecp5-85':
      return {
        command: 'synth_ecp5',
        place: { program: 'nextpnr-ecp5', args: [`--${device.name.slice(5)}k`] },
      };
    case 'xczu7ev':
      return { command: 'synth_xilinx -flatten -family xcup' };
    default:
      return { command: 'synth_xilinx -flatten' };
  }
};

export const STAT = 'stat.txt';
export const NETLIST = 'netlist.json';

export const scriptOf = (flow: Flow, sources: ReadonlyArray<string>, top: string): string =>
  [
    ...sources.map((s) => `read_verilog ${s}`),
    `${flow.command} -top ${top}`,
    `tee -o ${STAT} stat`,
    `write_json ${NETLIST}`,
  ].join('; ');

/** Cells by kind, as `stat` lists them last. */
export const parseStat = (text: string): Readonly<Record<string, number>> => {
  const block = text.slice(text.lastIndexOf('Number of cells:'));
  const cells: Record<string, number> = {};
  for (const [, kind, count] of block.matchAll(/^ +(\S+) +(\d+) *$/gm)) {
    if (kind !== undefined && !kind.endsWith(':')) cells[kind] = Number(count);
  }
  return cells;
};

export interface Resources {
  /** Those of shift registers and inverters included. */
  readonly luts: number;
  readonly lutsBySize: Readonly<Record<string, number>>;
  readonly registers: number;
  /** LUTs that are shift registers. */
  readonly shiftRegisters: number;
  /** Blocks of carry chains. Positions that only pass a bit on are in no count of LUTs. */
  readonly carries: number;
  readonly multipliers: number;
  readonly memories: number;
}

const count = (cells: Readonly<Record<string, number>>, kinds: RegExp): number =>
  Object.entries(cells).reduce((n, [kind, k]) => (kinds.test(kind) ? n + k : n), 0);

export const resourcesOf = (cells: Readonly<Record<string, number>>): Resources => {
  const sized = Object.entries(cells).flatMap(([kind, k]): ReadonlyArray<readonly [string, number]> => {
    if (kind === 'INV') return [['LUT1', k]];
    if (kind === 'SB_LUT4') return [['LUT4', k]];
    return /^LUT\d$/.test(kind) ? [[kind, k]] : [];
  });
  const lutsBySize: Record<string, number> = {};
  for (const [kind, k] of sized) lutsBySize[kind] = (lutsBySize[kind] ?? 0) + k;
  // A carry block of ECP5 is two LUTs.
  const inCarries = 2 * count(cells, /^CCU2C$/);
  const shiftRegisters = count(cells, /^SRL/);
  return {
    luts: sized.reduce((n, [, k]) => n + k, 0) + shiftRegisters + inCarries,
    lutsBySize: Object.fromEntries(Object.entries(lutsBySize).sort(([a], [b]) => (a < b ? -1 : 1))),
    registers: count(cells, /^(FD|LD|SB_DFF|TRELLIS_FF)/),
    shiftRegisters,
    carries: count(cells, /^(CARRY4|CARRY8|SB_CARRY|CCU2C)$/),
    multipliers: count(cells, /^(DSP48|SB_MAC16|MULT18X18)/),
    memories: count(cells, /^(RAMB|SB_RAM|DP16KD|URAM)/),
  };
};

/** MHz of the slowest clock, as nextpnr says it last. */
export const parseClock = (log: string): number | undefined => {
  const found = [...log.matchAll(/Max frequency for clock\s+'[^']*': ([\d.]+) MHz/g)].at(-1)?.[1];
  return found === undefined ? undefined : Number(found);
};

/**
 * The module between shift registers, so that it can be placed on devices of any number of pins: all paths begin and end
 * at registers.
 */
export const harnessText = (
  module: string,
  inputs: ReadonlyArray<number>,
  outputs: ReadonlyArray<number>,
): string => {
  const ports = (widths: ReadonlyArray<number>, letter: string, bus: string): ReadonlyArray<string> => {
    let from = 0;
    return widths.map((width, k) => {
      from += width;
      return `    .${letter}${k}(${bus}[${from - 1}:${from - width}]),`;
    });
  };
  const sum = (widths: ReadonlyArray<number>): number => widths.reduce((a, b) => a + b, 0);
  const [iw, ow] = [sum(inputs) + 1, sum(outputs) + 1];
  return `module harness (input wire clk, input wire rst, input wire si, output wire so);
  reg [${iw - 1}:0] in;
  reg [${ow - 1}:0] out;
  wire [${ow - 1}:0] results;
  wire ready;
  assign so = out[${ow - 1}];
  ${module} dut (
    .clk(clk),
    .rst(rst),
    .in_valid(in[${iw - 1}]),
    .in_ready(ready),
${ports(inputs, 'x', 'in').join('\n')}
    .out_valid(results[${ow - 1}]),
${ports(outputs, 'y', 'results').join('\n')}
    .out_ready(1'b1)
  );
  always @(posedge clk) begin
    in <= {in[${iw - 2}:0], si};
    out <= si & ready ? results : {out[${ow - 2}:0], 1'b0};
  end
endmodule
`;
};
