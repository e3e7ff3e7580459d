/**
 * `npx tsx bench/verify-wgsl.ts [--samples 2000] [model ...]`: compiles the shipped models to
 * WebGPU and compares every value with the interpreter, on the probes of `kanc verify`. Takes many minutes on a software
 * adapter. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gpuEnvironment } from '../test/support/gpu/dawn.js';
import { CASES, root } from './cases.js';

const kanc = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ['bin/kanc.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: gpuEnvironment(),
  });

const argv = process.argv.slice(2);
const flagOf = (flag: string, otherwise: string): string => {
  const at = argv.indexOf(flag);
  return at < 0 ? otherwise : (argv.splice(at, 2)[1] ?? otherwise);
};
const samples = flagOf('--samples', '2000');
const folder = mkdtempSync(join(tmpdir(), 'kanc-verify-'));
let failures = 0;
try {
  for (const { name, model, file, options } of CASES.filter(
    (c) => argv.length === 0 || argv.includes(c.model),
  )) {
    const out = join(folder, model);
    const started = performance.now();
    const compiled = kanc([
      'compile',
      `examples/models/${model}/${file}`,
      '--target',
      'wgsl',
      ...options,
      '-o',
      out,
    ]);
    const verified = compiled.status === 0 ? kanc(['verify', out, '--samples', samples]) : compiled;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    if (verified.status !== 0) failures++;
    const said = verified.status === 0 ? verified.stdout.trim().split('\n').at(-1) : verified.stderr.trim();
    console.log(`${name}: ${said} (${seconds} s)`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
