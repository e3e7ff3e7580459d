/**
 * `npx tsx bench/prove.ts [--targets wasm,c,hls,wgsl,verilog] [--seconds 600] [model ...]`: compiles the shipped models and
 * those of ../shared/models that are there, runs `kanc verify --prove` on each artifact, and prints the table of
 * docs/proofs.md. `--seconds`: after which a proof is given up. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as t from 'io-ts';
import { gpuEnvironment } from '../test/support/gpu/dawn.js';
import { CASES, type Case, root } from './cases.js';

const Report = t.type({
  milliseconds: t.number,
  stages: t.type({ proved: t.number, sampled: t.number }),
  compared: t.number,
  mismatches: t.number,
  findings: t.array(t.type({ value: t.string, op: t.string, claim: t.string })),
});

const argv = process.argv.slice(2);
const flagOf = (flag: string, otherwise: string): string => {
  const at = argv.indexOf(flag);
  return at < 0 ? otherwise : (argv.splice(at, 2)[1] ?? otherwise);
};
const targets = flagOf('--targets', 'wasm,c,hls,wgsl,verilog').split(',');
const seconds = Number(flagOf('--seconds', '600'));

const WIDE = '../shared/models/efficient-kan-fashion-wide';
const pixels = CASES.find((c) => c.model === 'efficient-kan-fashion')?.options ?? [];
const wide: ReadonlyArray<Case & { readonly folder: string }> = existsSync(join(root, WIDE))
  ? [
      {
        name: 'efficient-kan-fashion-wide',
        model: 'efficient-kan-fashion-wide',
        file: 'model.safetensors',
        options: pixels,
        folder: WIDE,
      },
    ]
  : [];
const cases = [...CASES.map((c) => ({ ...c, folder: `examples/models/${c.model}` })), ...wide].filter(
  (c) => argv.length === 0 || argv.includes(c.model),
);

const kanc = (args: ReadonlyArray<string>, limit: number) =>
  spawnSync(process.execPath, ['bin/kanc.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: gpuEnvironment(),
    timeout: 1000 * limit,
    // A process that waits for a tool does not hear of SIGTERM before that has ended.
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 28,
  });

const firstLine = (text: string): string => text.trim().split('\n').at(0) ?? '';

/** A cell for the table, and whether nothing is wrong. */
const prove = (out: string): readonly [string, boolean] => {
  const { status, stdout, stderr, error } = kanc(['verify', out, '--prove', '--json'], seconds);
  if (error !== undefined) return [`more than ${seconds} s`, true];
  const report: unknown = stdout === '' ? undefined : JSON.parse(stdout);
  if (!Report.is(report)) return [firstLine(stderr), false];
  const { stages, milliseconds, compared, mismatches, findings } = report;
  const ops = [...new Set(findings.filter((f) => f.claim === 'sampled').map((f) => f.op))];
  const sampled = stages.sampled === 0 ? '' : `, ${stages.sampled} sampled (${ops.join(', ')})`;
  const wrong = mismatches === 0 ? '' : `, ${mismatches} MISMATCHES`;
  const cell = `${stages.proved} proved${sampled}${wrong} | ${compared.toLocaleString('en-US')} | ${(milliseconds / 1000).toFixed(1)} s`;
  return [cell, status === 0];
};

const folder = mkdtempSync(join(tmpdir(), 'kanc-prove-'));
let failures = 0;
try {
  console.log('| model | target | stages | results | time |\n| --- | --- | --- | ---: | ---: |');
  for (const target of targets) {
    for (const { name, folder: place, file, options } of cases) {
      const out = join(folder, target);
      const compiled = kanc(['compile', join(place, file), '--target', target, ...options, '-o', out], 600);
      const [cell, right] =
        compiled.status === 0 ? prove(out) : [`not compiled: ${firstLine(compiled.stderr)} | | `, true];
      if (!right) failures++;
      console.log(`| ${name} | ${target} | ${cell} |`);
      rmSync(out, { recursive: true, force: true });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
