/** What yosys says of a module: LUTs and registers of a series 7 device, and transistors of static CMOS. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { longestPath, NetlistCodec } from '../../src/analyses/netlist-depth.js';
import {
  flowOf,
  NETLIST,
  parseClock,
  parseStat,
  type Resources,
  resourcesOf,
  STAT,
  scriptOf,
} from '../../src/driver/yosys.js';
import { inFolder, run, write } from './tools.js';

export interface Mapped extends Resources {
  /** LUTs one after another on the longest path, and blocks of carry chains there. */
  readonly depth: { readonly luts: number; readonly carries: number };
}

/** `synth_xilinx -flatten`, with multiplications in LUTs unless `dsp`. */
export const mapped = (source: string, top: string, dsp = true): Mapped =>
  inFolder((folder) => {
    write(folder, { 'model.v': source });
    const { command } = flowOf(undefined);
    const script = scriptOf({ command: dsp ? command : `${command} -nodsp` }, ['model.v'], top);
    run('yosys', ['-q', '-p', script], folder);
    const netlist: unknown = JSON.parse(readFileSync(join(folder, NETLIST), 'utf8'));
    const depth = NetlistCodec.is(netlist) ? longestPath(netlist, top) : undefined;
    if (depth === undefined) throw new Error('no path was found');
    return { ...resourcesOf(parseStat(readFileSync(join(folder, STAT), 'utf8'))), depth };
  });

/** Transistors by `stat -tech cmos`, of gates of at most two inputs, multiplexers and plain flip-flops. */
export const transistors = (source: string, top: string): number =>
  inFolder((folder) => {
    write(folder, { 'model.v': source });
    const script = [
      'read_verilog model.v',
      `synth -flatten -top ${top}`,
      'dfflegalize -cell $_DFF_P_ x',
      'abc -g cmos4',
      'opt_clean',
      'tee -o stat.txt stat -tech cmos',
    ].join('; ');
    run('yosys', ['-q', '-p', script], folder);
    const found = /Estimated number of transistors: +(\d+)(\+?)/.exec(
      readFileSync(join(folder, 'stat.txt'), 'utf8'),
    );
    if (found === null || found[2] === '+') throw new Error('yosys does not know all cells as transistors');
    return Number(found[1]);
  });

/** MHz of a module without ports of many bits, placed and routed on an iCE40 HX8K. */
export const placedClock = (source: string, harness: string): number =>
  inFolder((folder) => {
    write(folder, { 'model.v': source, 'harness.v': harness });
    run(
      'yosys',
      [
        '-q',
        '-p',
        'read_verilog model.v; read_verilog harness.v; synth_ice40 -top harness -json netlist.json',
      ],
      folder,
    );
    const args = ['-c', 'nextpnr-ice40 --hx8k --package ct256 --json netlist.json --freq 1 --seed 1 2>&1'];
    return parseClock(run('sh', args, folder).toString()) ?? Number.NaN;
  });
