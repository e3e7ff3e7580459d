/** Folders, networks and numbers of strangers: what is wrong with them is told, soon, and in one line. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { InternalError } from '../../src/diagnostics/index.js';
import { lackOfMemory } from '../../src/driver/crash.js';
import { nodeFiles } from '../../src/driver/node/files.js';
import { data, safetensors, WINE, workplace } from './support.js';

const { kanc, path, put, putNpy, read } = workplace();
const CALIB = ['--calib', data('wine', 'calib_inputs.npy'), '--quant', 'act=3,hidden=3,table=4'];
const TARGETS = ['wasm', 'c', 'verilog', 'hls', 'wgsl'] as const;

beforeAll(async () => {
  for (const target of TARGETS) {
    const made = await kanc(['compile', WINE, ...CALIB, '--target', target, '-o', path(target)]);
    expect(made.err).not.toContain('error');
  }
}, 120_000);

/** A copy of an artifact. */
const copyOf = (target: string): string => {
  rmSync(path('copy'), { recursive: true, force: true });
  cpSync(path(target), path('copy'), { recursive: true });
  return path('copy');
};

describe('pipes, devices and links in folders', () => {
  it.each(['manifest.json', 'model.kir', 'model.wasm'])('%s of an artifact', async (name) => {
    for (const make of [
      (file: string) => execFileSync('mkfifo', [file]),
      (file: string) => symlinkSync('/dev/zero', file),
    ]) {
      const folder = copyOf('wasm');
      rmSync(join(folder, name));
      make(join(folder, name));
      for (const command of ['verify', 'print', 'report']) {
        const { exit, err } = await kanc([command, folder]);
        expect([exit, err]).toEqual([1, expect.stringMatching(/^error K0101: .*pipe or a device/)]);
      }
    }
  });

  it('of a checkpoint, of a sweep and of a destination', async () => {
    mkdirSync(path('pipes'));
    for (const name of ['kan_state', 'points-1-of-1.jsonl', 'manifest.json']) {
      execFileSync('mkfifo', [path('pipes', name)]);
    }
    const runs = [
      ['import', '--describe', path('pipes', 'kan')],
      ['sweep', 'merge', path('pipes'), '-o', path('merged')],
      ['compile', WINE, ...CALIB, '-o', path('pipes')],
    ];
    for (const argv of runs) {
      const { exit, err } = await kanc(argv);
      expect([exit, err]).toEqual([1, expect.stringMatching(/^error K010[12]: /)]);
    }
  });
});

describe('numbers of manifests', () => {
  it.each(TARGETS)('are those of model.kir: %s', async (target) => {
    const text = read(target, 'manifest.json');
    const changes: ReadonlyArray<readonly [RegExp, string]> = [
      [/"channels": \d+/, '"channels": 1000000000'],
      [/("buffers"[\s\S]*?"length": )\d+/, '$11000000000'],
      [/("values"[\s\S]*?"length": )\d+/, '$11000000000'],
      [/("values"[\s\S]*?"start": )0/, '$11000000000'],
      [/("inputs": \[)\s*3,/, '$1 1000000000,'],
      [/("input": \{[\s\S]*?"shape": \[\s*)13/, '$11000000000'],
      [/("output": \{[\s\S]*?"shape": \[\s*)3/, '$11000000000'],
      [/("raw": \{[\s\S]*?"shape": \[\s*)3/, '$11000000000'],
      [/("levels": )0/, '$1255'],
    ];
    const applying = changes.filter(([from]) => from.test(text));
    expect(applying.length).toBeGreaterThan(3);
    for (const [from, to] of applying) {
      const folder = copyOf(target);
      writeFileSync(join(folder, 'manifest.json'), text.replace(from, to));
      const { exit, err } = await kanc(['verify', folder, '--samples', '10']);
      expect([exit, err], String(from)).toEqual([1, expect.stringMatching(/^error K0603: .*model\.kir/)]);
    }
  });

  it('whichever command reads them', async () => {
    const folder = copyOf('c');
    const text = read('c', 'manifest.json').replace(/"channels": \d+/g, '"channels": 1000000000');
    writeFileSync(join(folder, 'manifest.json'), text);
    const x = data('wine', 'test_inputs.npy');
    for (const argv of [
      ['run', folder, '--input', x, '--output', path('y.npy')],
      ['run', folder, '--input', x, '--output', path('y.npy'), '--raw'],
      ['eval', folder, '--data', x, '--labels', data('wine', 'test_labels.npy')],
      ['verify', folder],
      ['verify', folder, '--prove'],
      ['report', folder],
      ['print', folder],
    ]) {
      const { exit, err } = await kanc(argv);
      expect([exit, err], argv[0]).toEqual([1, expect.stringMatching(/^error K0603: .*not 1000000000/)]);
    }
  });

  it('and those of points are used for nothing but to be told', async () => {
    const sweep = ['--grid', 'act=3,4,form=edge', '--refit', '0', '--jobs', '1', '-o', path('sweep')];
    expect((await kanc(['sweep', WINE, ...CALIB.slice(0, 2), ...sweep])).exit).toBe(0);
    const text = read('sweep', 'points-1-of-1.jsonl');
    for (const [name, points, said] of [
      ['points-1-of-1.jsonl', 1e9, /999999998 of 1000000000 points are missing.*shards 1\/1 again/],
      ['points-2-of-999999999.jsonl', 1e9, /shards 1\/999999999, 3\/999999999, .* and \d+ more again/],
      ['points-1-of-1.jsonl', 1e300, /K0905.*header/],
    ] as const) {
      rmSync(path('points'), { recursive: true, force: true });
      mkdirSync(path('points'));
      put(join('points', name), text.replace(/"points":\d+/, `"points":${points}`));
      const { exit, err } = await kanc(['sweep', 'merge', path('points'), '-o', path('merged')]);
      expect([exit, err]).toEqual([1, expect.stringMatching(said)]);
    }
  });
});

/** A `.kir` of a value that is put behind itself `n` times. */
const doubled = (n: number): string =>
  [
    'kir 1',
    `graph @m level float (%x : f32[n, 1]) -> (f32[n, ${2 ** n}]) {`,
    ...Array.from({ length: n }, (_, k) => {
      const from = k === 0 ? '%x' : `%c${k}`;
      return `  %c${k + 1} : f32[n, ${2 ** (k + 1)}] = concat ${from}, ${from}`;
    }),
    `  return %c${n}`,
    '}',
    '',
  ].join('\n');

describe('values of .kir', () => {
  it('have the limit of importers, each and together', async () => {
    const x = putNpy('x.npy', { shape: [1, 1], dtype: 'f4', data: Float32Array.of(1) });
    const many = doubled(28).replace(
      'return %c28',
      '%d : f32[n, 268435456] = affine %c28 {scale = 1, shift = 0}\n  return %d',
    );
    const huge = 'f32[n, 2147483647]';
    const input = `kir 1
graph @m level float (%x : ${huge}) -> (${huge}) {
  %c : ${huge} = affine %x {scale = 1, shift = 0}
  return %c
}
`;
    for (const [name, text, op] of [
      ['one.kir', doubled(29), '%c29'],
      ['many.kir', many, '%d'],
      ['input.kir', input, '%x'],
    ] as const) {
      for (const argv of [
        ['run', put(name, text), '--input', x, '--output', path('y.npy')],
        ['view', path(name), '-o', path('v.html')],
        ['opt', path(name), '--passes', 'dce'],
      ]) {
        const { exit, err } = await kanc(argv);
        expect([exit, err]).toEqual([1, expect.stringMatching(`^error K0113: .*${name}, op ${op}: `)]);
      }
    }
  });

  it('make batches smaller, and give the same results', async () => {
    const inputs = Float32Array.from({ length: 300 }, (_, k) => k);
    const x = putNpy('many.npy', { shape: [300, 1], dtype: 'f4', data: inputs });
    const { exit, err } = await kanc([
      'run',
      put('wide.kir', doubled(17)),
      '--input',
      x,
      '--output',
      path('y.npy'),
    ]);
    expect([exit, err]).toEqual([0, expect.stringContaining('f4[300, 131072]')]);
    const bytes = rightBytes(path('y.npy'));
    const floats = new Float32Array(bytes.slice(bytes.length - 4 * 300 * 131072).buffer);
    for (const s of [0, 150, 299]) expect(floats[s * 131072 + 7]).toBe(s);
    rmSync(path('y.npy'));
  });
});

const rightBytes = (file: string): Uint8Array => Uint8Array.from(readFileSync(file));

describe('names of tensors with ends of lines', () => {
  const layer = {
    'a\nlayers.0.grid': [2, 12],
    'a\nlayers.0.base_weight': [2, 2],
    'a\nlayers.0.spline_weight': [2, 2, 8],
  };
  const file = (shapes: Readonly<Record<string, ReadonlyArray<number>>>): Uint8Array => {
    let at = 0;
    const values: number[] = [];
    const header = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const size = shape.reduce((n, d) => n * d, 1);
        for (let j = 0; j < size; j++) values.push(shape[1] === 12 ? (j % 12) - 6 : 0.5);
        at += 4 * size;
        return [name, { dtype: 'F32', shape, data_offsets: [at - 4 * size, at] }];
      }),
    );
    return safetensors(header, values);
  };

  it('are recognised like others', async () => {
    const { exit, out } = await kanc(['import', '--describe', put('newline.safetensors', file(layer))]);
    expect([exit, out]).toEqual([0, expect.stringContaining('family: efficient-kan')]);
  });

  it('are told in one line', async () => {
    const strange = put('strange.safetensors', file({ ...layer, '\n::stop-commands::x\n\u009b1m': [2] }));
    const runs = [
      ['import', '--describe', strange],
      ['import', '--draft-arch', strange],
      ['compile', strange, '-o', path('never')],
      ['import', '--describe', strange, '--ignore-tensors', '--json'],
      ['import', '--describe', strange, '--ignore-tensors'],
    ];
    for (const argv of runs) {
      const { out, err } = await kanc(argv);
      expect(`${out}${err}`).not.toMatch(/^\s*::/m);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(`${out}${err}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });
});

describe('samples and threads', () => {
  it('beyond memory are wrong usage', async () => {
    const { exit, err } = await kanc(['verify', path('wasm'), '--samples', '1000000000']);
    expect([exit, err]).toEqual([
      2,
      expect.stringMatching(/K0801: option --samples: .*at most \d+ for this input/),
    ]);
    expect(
      (await kanc(['sweep', WINE, ...CALIB.slice(0, 2), '--jobs', '1000000', '-o', path('s')])).exit,
    ).toBe(2);
  });
});

describe('memory that does not suffice', () => {
  it('is no bug', async () => {
    const tell = (error: unknown) =>
      kanc(['import', WINE], { files: { ...nodeFiles, read: () => () => Promise.reject(error) } });
    for (const error of [
      new RangeError('Array buffer allocation failed'),
      new RangeError('Invalid typed array length: 13000000000'),
      new Error('Aborted(RangeError: WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory)'),
      new Error('outer', { cause: Object.assign(new Error('spawn'), { code: 'ENOMEM' }) }),
    ]) {
      const { exit, err } = await tell(error);
      expect([exit, err]).toEqual([1, expect.stringMatching(/^error K0906: the memory does not suffice/)]);
    }
    for (const error of [new RangeError('Invalid typed array length: -1'), new InternalError('x')]) {
      expect(lackOfMemory(error)).toBeUndefined();
    }
  });
});
