/** RTL artifacts from the command line: compile, simulate, synthesize, report. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Tools } from '../../src/driver/capabilities.js';
import { nodeTools } from '../../src/driver/node/tools.js';
import { missingTools } from '../support/tools.js';
import { data, model, REGRESSION, WINE, workplace } from './support.js';

const { kanc, path } = workplace();
const DRYBEAN = model('kanele-drybean', 'truth_tables.json');

/** yosys as it would answer for a module of three LUTs, one register and a carry block. */
const answering = (status = 0): Tools => ({
  ...nodeTools,
  run: (tool, args, { cwd }) => {
    if (tool !== 'yosys') return undefined;
    if (args[0] === '-V') {
      return { status: 0, stdout: Buffer.from('Yosys 0.99 (git sha1 0)\n'), stderr: '' };
    }
    const stat = 'Number of cells: 5\n     CARRY4 1\n     FDRE 1\n     LUT2 1\n     LUT6 2\n';
    writeFileSync(join(cwd, 'stat.txt'), stat);
    writeFileSync(join(cwd, 'netlist.json'), '{"modules": {}}');
    return { status, stdout: new Uint8Array(0), stderr: status === 0 ? '' : 'ERROR: no such module\n' };
  },
});

beforeAll(async () => {
  const done = await kanc(['compile', DRYBEAN, '--target', 'verilog', '-o', path('rtl')]);
  expect([done.exit, done.err]).toEqual([0, expect.any(String)]);
});

describe('kanc synth', () => {
  it('tells LUTs, registers and whether they fit; report tells them again', async () => {
    const before = await kanc(['report', path('rtl')]);
    expect(before.out).toMatch(/Artix-7 35T: fits/);
    for (const device of ['Artix-7 100T', 'ECP5-25', 'ECP5-85', 'ZU7EV'])
      expect(before.out).toContain(device);
    expect(before.out).toContain('synthesis: none of this module yet');
    const { exit, out } = await kanc(['synth', path('rtl'), '--device', 'xc7a35t'], { tools: answering() });
    expect(exit).toBe(0);
    expect(out).toMatch(/Yosys 0\.99.*\n.*LUTs: 3 \(1 LUT2, 2 LUT6\)\n.*registers: 1\n/);
    expect(out).toMatch(/Artix-7 35T: fits/);
    expect((await kanc(['report', path('rtl')])).out).toMatch(/synthesis: LUTs: 3/);
    const { out: json } = await kanc(['report', path('rtl'), '--json']);
    expect(json).toContain('"lutsBySize":{"LUT2":1,"LUT6":2}');
  });

  it('says beforehand that a large design takes long, and by what yosys was ended', async () => {
    const digits = [model('efficient-kan-digits'), '--calib', data('digits', 'calib_inputs.npy')];
    const bits = ['--quant', 'act=4,hidden=4,table=4'];
    await kanc(['compile', ...digits, ...bits, '--target', 'verilog', '-o', path('large')]);
    const large = await kanc(['synth', path('large')], { tools: answering() });
    expect([large.exit, large.err]).toEqual([0, expect.stringMatching(/^note: \d{4,} LUTs.*hours/)]);
    expect((await kanc(['synth', path('rtl')], { tools: answering() })).err).not.toContain('hours');
    const killed: Tools = {
      ...nodeTools,
      run: (tool, args, options) =>
        args[0] === '-V'
          ? answering().run(tool, args, options)
          : nodeTools.run('sh', ['-c', 'kill -9 $$'], options),
    };
    const ended = await kanc(['synth', path('rtl')], { tools: killed });
    expect([ended.exit, ended.err]).toEqual([1, expect.stringMatching(/K0608.*ended by SIGKILL/s)]);
    expect(ended.err).not.toContain('report this');
  });

  it('says what is missing or wrong', async () => {
    const none = {
      tools: { ...nodeTools, run: () => undefined },
      importPackage: () => async () => ({ _tag: 'Right', right: undefined }) as const,
    };
    const missing = await kanc(['synth', path('rtl')], none);
    expect([missing.exit, missing.err]).toEqual([1, expect.stringMatching(/K0608.*apt-get install yosys/s)]);
    const stopped = await kanc(['synth', path('rtl')], { tools: answering(1) });
    expect([stopped.exit, stopped.err]).toEqual([1, expect.stringMatching(/K0608.*no such module/s)]);
    const device = await kanc(['synth', path('rtl'), '--device', 'xc7'], { tools: answering() });
    expect([device.exit, device.err]).toEqual([2, expect.stringContaining('xc7a35t')]);
    await kanc(['compile', REGRESSION, '-o', path('wasm')]);
    const other = await kanc(['synth', path('wasm')], { tools: answering() });
    expect([other.exit, other.err]).toEqual([1, expect.stringContaining('--target verilog')]);
  });
});

describe('--target-options', () => {
  it.each([
    ['c', 'scratch=caller,pack=false'],
    ['hls', 'architecture=folded,reuse=2'],
    ['verilog', 'pipeline=0,chain=4'],
    ['wasm', 'singleFile=true'],
    ['wgsl', 'schedule=layers,bindingBytes=65536'],
  ])('%s takes %s', async (target, options) => {
    const out = path(`options-${target}`);
    const { exit, err } = await kanc([
      'compile',
      REGRESSION,
      '-o',
      out,
      '--target',
      target,
      '--target-options',
      options,
    ]);
    expect([exit, err]).toEqual([0, expect.any(String)]);
    const manifest = readFileSync(join(out, 'manifest.json'), 'utf8');
    for (const part of options.split(',')) {
      const [name, value] = part.split('=');
      expect(manifest).toContain(`"${name}": "${value}"`);
    }
  });

  it.each([
    ['schedule', /not of the form name=value/],
    ['pipeline=2', /pipeline/],
    ['schedule=fused,schedule=fused', /given twice/],
    ['bindingBytes=12', /bindingBytes/],
    ['schedule=quick', /schedule: expected auto, fused or layers, found "quick"/],
  ])('refuses %s', async (options, message) => {
    const done = await kanc([
      'compile',
      REGRESSION,
      '-o',
      path('no'),
      '--target',
      'wgsl',
      '--target-options',
      options,
    ]);
    expect([done.exit, done.err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe.skipIf(missingTools({ iverilog: 'iverilog' }))('simulated RTL', () => {
  it("takes don't-cares from data, keeps its integers there, and knows no others", async () => {
    const calib = ['--calib', data('wine', 'calib_inputs.npy')];
    const bits = ['--quant', 'act=4,hidden=4,table=4'];
    const options = ['--target-options', 'dont-cares=data'];
    const out = path('wine');
    expect(
      (await kanc(['compile', WINE, ...calib, ...bits, '--target', 'verilog', ...options, '-o', out])).exit,
    ).toBe(0);
    const same = await kanc(['verify', out, '--data', data('wine', 'calib_inputs.npy'), '--json']);
    expect(JSON.parse(same.out)).toMatchObject({ mismatches: 0 });
    const undefinedOnes = await kanc(['verify', out]);
    expect([undefinedOnes.exit, undefinedOnes.err]).toEqual([2, expect.stringContaining('--sample-inputs')]);
    const test = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];
    const { out: said } = await kanc(['eval', out, ...test, '--json']);
    expect(JSON.parse(said)).toMatchObject({ engine: 'verilog', samples: 72 });
  });

  it('says what is missing', async () => {
    const { exit, err } = await kanc(['verify', path('rtl')], {
      tools: { ...nodeTools, run: () => undefined },
    });
    expect([exit, err]).toEqual([1, expect.stringContaining('apt-get install iverilog')]);
  });
});

it.skipIf(missingTools({ yosys: 'yosys' }))(
  'yosys maps DryBean to fewer LUTs than KANELE takes',
  async () => {
    const { out } = await kanc(['synth', path('rtl'), '--json']);
    const { luts } = JSON.parse(out);
    // 586 are KANELE's in this flow, by yosys 0.23.
    expect(luts).toBeLessThanOrEqual(410);
  },
);
