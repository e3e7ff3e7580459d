/**
 * `npx tsx bench/hardware/native.ts [model ...]`: every shipped network as a C program and as an HLS design. C programs are
 * built by gcc and clang, with the sanitizers for addresses and undefined behaviour, run their golden vectors, and are
 * sized for x86-64 and a Cortex-M4; designs are simulated by g++ and clang++ likewise. Needs `npm run build`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as t from 'io-ts';
import { CASES, type Case } from '../cases.js';
import { inFolder, kanc, run, table } from './tools.js';

/** Bytes of constants up to which sanitizers are used: compilers take minutes and gigabytes over more. */
const MOST_SANITIZED = 8 * 2 ** 20;

const CManifest = t.type({ code: t.type({ name: t.string, constants: t.number }) });
const HlsManifest = t.type({
  design: t.type({ architecture: t.string, estimate: t.record(t.string, t.number) }),
});

const manifestIn = <A>(codec: t.Type<A, unknown, unknown>, folder: string): A => {
  const data: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  if (!codec.is(data)) throw new Error('not the manifest that was expected');
  return data;
};

const compile = ({ model, file, options }: Case, target: string, out: string): void => {
  // Static, so that the sizes of object files tell the memory.
  const memory = target === 'c' ? ['--target-options', 'scratch=static'] : [];
  kanc('compile', `examples/models/${model}/${file}`, '--target', target, '-o', out, ...memory, ...options);
};

/** The golden vectors that passed. */
const passed = (said: Buffer): number => Number(/^PASS\D*(\d+)/m.exec(said.toString())?.[1]);

/** Bytes of text and bss. */
const sizeOf = (
  tools: string,
  flags: ReadonlyArray<string>,
  name: string,
  folder: string,
): readonly [number, number] => {
  run(`${tools}gcc`, ['-std=c99', '-Os', ...flags, '-c', '-o', 'sized.o', `${name}.c`], folder);
  const [text, , bss] = run(`${tools}size`, ['sized.o'], folder)
    .toString()
    .split('\n')[1]!
    .trim()
    .split(/\s+/)
    .map(Number);
  return [text!, bss!];
};

const SANITIZE = '-fsanitize=address,undefined -fno-sanitize-recover=all';

const inC = (c: Case): ReadonlyArray<string | number> =>
  inFolder((folder) => {
    const out = join(folder, 'c');
    compile(c, 'c', out);
    const { name, constants } = manifestIn(CManifest, out).code;
    const sanitized = constants <= MOST_SANITIZED;
    const vectors = ['gcc', 'clang'].map((cc) => {
      run('make', ['-s', 'clean'], out);
      return passed(run('make', ['-s', 'test', `CC=${cc}`, `CFLAGS=-O1 ${sanitized ? SANITIZE : ''}`], out));
    });
    const [x86, bss] = sizeOf('', [], name, out);
    const [m4, m4Bss] = sizeOf('arm-none-eabi-', ['-mcpu=cortex-m4', '-mthumb', '-ffreestanding'], name, out);
    return [c.name, Math.min(...vectors), sanitized ? 'yes' : 'no', x86, bss, m4, m4Bss];
  });

const inHls = (c: Case): ReadonlyArray<string | number> =>
  inFolder((folder) => {
    const out = join(folder, 'hls');
    compile(c, 'hls', out);
    const { architecture, estimate } = manifestIn(HlsManifest, out).design;
    compile(c, 'c', join(folder, 'c'));
    const sanitized = manifestIn(CManifest, join(folder, 'c')).code.constants <= MOST_SANITIZED;
    const vectors = ['g++', 'clang++'].map((cxx) => {
      run('make', ['-s', 'clean'], out);
      return passed(run('make', ['-s', 'csim', `CXX=${cxx}`, ...(sanitized ? ['SANITIZE=1'] : [])], out));
    });
    const { luts, latency, interval } = estimate;
    const figures = architecture === 'unrolled' ? [`${luts} LUTs`, '', 1] : ['', latency ?? 0, interval ?? 0];
    return [c.name, architecture, Math.min(...vectors), sanitized ? 'yes' : 'no', ...figures];
  });

const wanted = process.argv.slice(2);
const cases = CASES.filter(({ model }) => wanted.length === 0 || wanted.includes(model));
const rows = <A>(what: string, make: (c: Case) => A): ReadonlyArray<A> =>
  cases.map((c) => {
    const started = performance.now();
    const row = make(c);
    console.error(`${what}: ${c.name}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    return row;
  });

console.log(
  table(['C', 'vectors', 'sanitizers', 'x86-64 text', 'bss', 'Cortex-M4 text', 'bss'], rows('C', inC)),
);
console.log(
  table(
    ['HLS', 'architecture', 'vectors', 'sanitizers', 'estimate', 'clocks', 'interval'],
    rows('HLS', inHls),
  ),
);
