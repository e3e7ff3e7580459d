/**
 * `npx tsx bench/hardware/kanele.ts`: KANELE's networks re-emitted, simulated over the 1,000 vectors that come with them in
 * Icarus Verilog and Verilator, and synthesized; and what don't-cares from data spare and cost. Needs `npm run build`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type NpyArray, readNpy, writeNpy } from '../../src/importers/containers/npy/index.js';
import { inFolder, kanc, root, run, table } from './tools.js';

const Synthesis = t.type({ luts: t.number, registers: t.number });
const Manifest = t.type({ rtl: t.type({ latency: t.number }) });
const Evaluation = t.type({ accuracy: t.number });

const decoded = <A>(codec: t.Type<A, unknown, unknown>, json: string): A => {
  const data: unknown = JSON.parse(json);
  if (!codec.is(data)) throw new Error(`not as expected: ${json.slice(0, 200)}`);
  return data;
};

const arrayOf = (bytes: Uint8Array): NpyArray => {
  const read = readNpy(bytes);
  if (E.isLeft(read)) throw new Error('not an .npy file');
  return read.right;
};

interface Vectors {
  readonly inputs: Uint8Array;
  readonly outputs: ReadonlyArray<number>;
  readonly features: number;
  readonly results: number;
}

const VECTORS = 1000;

const vectorsOf = (name: string): Vectors => {
  const numbers = (file: string): number[] =>
    readFileSync(join(root, 'examples/models', name, file), 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
  const [inputs, outputs] = [numbers('vectors_in.txt'), numbers('vectors_out.txt')];
  return {
    inputs: Uint8Array.from(inputs),
    outputs,
    features: inputs.length / VECTORS,
    results: outputs.length / VECTORS,
  };
};

/** Some of the vectors as inputs for kanc. */
const putVectors = (file: string, { inputs, features }: Vectors, from: number, to: number): string => {
  const data = inputs.slice(from * features, to * features);
  writeFileSync(file, writeNpy({ shape: [to - from, features], dtype: 'u1', data }));
  return file;
};

interface Measured {
  readonly luts: number;
  readonly registers: number;
  readonly latency: number;
}

const synthesized = (out: string): Measured => ({
  ...decoded(Synthesis, kanc('synth', out, '--json')),
  latency: decoded(Manifest, readFileSync(join(out, 'manifest.json'), 'utf8')).rtl.latency,
});

const passes = (out: string, samples: number): void => {
  for (const goal of ['test', 'verilate']) {
    const said = run('make', ['-s', goal], out).toString();
    if (!said.includes(`PASS: ${samples} vectors twice`)) throw new Error(`${goal}: ${said}`);
  }
};

/** Of other vectors than those that the don't-cares come from: how many have all integers right, and the largest. */
const agreement = (
  folder: string,
  out: string,
  v: Vectors,
  from: number,
): { readonly exact: number; readonly argmax: number } => {
  const given = putVectors(join(folder, 'rest.npy'), v, from, VECTORS);
  const file = join(folder, 'raw.npy');
  kanc('run', out, '--input', given, '--output', file, '--raw');
  const { data } = arrayOf(readFileSync(file));
  let [exact, argmax] = [0, 0];
  for (let s = from; s < VECTORS; s++) {
    const wanted = v.outputs.slice(s * v.results, (s + 1) * v.results);
    const found = Array.from(data.subarray((s - from) * v.results, (s - from + 1) * v.results), Number);
    const largest = (row: ReadonlyArray<number>): number => row.indexOf(Math.max(...row));
    if (wanted.every((w, o) => w === found[o])) exact++;
    if (largest(wanted) === largest(found)) argmax++;
  }
  return { exact: exact / (VECTORS - from), argmax: argmax / (VECTORS - from) };
};

/** KANELE's RTL in the same flow: ghdl --synth, then yosys 0.23 as here; latency as its scripts have it. */
const THEIRS = {
  'kanele-wine': { luts: 829, registers: 550, latency: 6 },
  'kanele-drybean': { luts: 586, registers: 416, latency: 6 },
} as const;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const rows: (string | number)[][] = [];
const seenRows: (string | number)[][] = [];
for (const name of ['kanele-wine', 'kanele-drybean'] as const) {
  const v = vectorsOf(name);
  const theirs = THEIRS[name];
  rows.push([`${name}, KANELE's RTL`, theirs.luts, theirs.registers, theirs.latency]);
  inFolder((folder) => {
    const all = putVectors(join(folder, 'all.npy'), v, 0, VECTORS);
    const half = putVectors(join(folder, 'half.npy'), v, 0, VECTORS / 2);
    const compile = (out: string, samples: string, options: string): string => {
      const from = ['--sample-inputs', samples, '--target-options', options];
      kanc('compile', `examples/models/${name}`, '--target', 'verilog', '-o', out, ...from);
      return out;
    };
    for (const pipeline of [3, 4]) {
      const out = compile(
        join(folder, `p${pipeline}`),
        all,
        `pipeline=${pipeline},vectors=${VECTORS},vectors-from=samples`,
      );
      passes(out, VECTORS);
      const { luts, registers, latency } = synthesized(out);
      rows.push([`${name}, pipeline=${pipeline}`, luts, registers, latency]);
    }
    const out = compile(join(folder, 'seen'), half, `dont-cares=data,vectors=${VECTORS / 2}`);
    passes(out, VECTORS / 2);
    const { luts, registers } = synthesized(out);
    const { exact, argmax } = agreement(folder, out, v, VECTORS / 2);
    seenRows.push([
      `${name}, 500 vectors`,
      luts,
      registers,
      `${percent(exact)} exact, ${percent(argmax)} same class`,
    ]);
  });
}
console.log(table(['network', 'LUT', 'FF', 'stages'], rows));
for (const quant of ['act=4,hidden=4,table=4', 'act=6,hidden=6,table=6']) {
  inFolder((folder) => {
    const data = (file: string): string => `examples/data/wine/${file}.npy`;
    for (const cares of ['proven', 'data']) {
      const out = join(folder, cares);
      const how = ['--quant', quant, '--target-options', `dont-cares=${cares}`];
      kanc(
        'compile',
        'examples/models/efficient-kan-wine/model.safetensors',
        '--calib',
        data('calib_inputs'),
        '--target',
        'verilog',
        '-o',
        out,
        ...how,
      );
      const { luts, registers } = synthesized(out);
      const { accuracy } = decoded(
        Evaluation,
        kanc('eval', out, '--data', data('test_inputs'), '--labels', data('test_labels'), '--json'),
      );
      seenRows.push([
        `efficient-kan-wine, ${quant}, ${cares}`,
        luts,
        registers,
        `${percent(accuracy)} of test samples`,
      ]);
    }
  });
}
console.log(table(["don't-cares from data", 'LUT', 'FF', 'kept'], seenRows));
