/** Artifacts inside of projects of others: packages of CommonJS, and tools that rewrite code. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uint } from '../../../src/ir/element.js';
import { valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, network, tableBuilder, uniform } from './random.js';
import { emit } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'kanc-project-'));
const path = (...parts: ReadonlyArray<string>): string => join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Prints how many numbers one thread gives, and two. */
const APP = `
import { load, loadPool } from './model/index.js';
async function main() {
  const input = new Uint8Array(4000).fill(7);
  const model = await load();
  const pool = await loadPool({ threads: 2 });
  const [one, two] = [model.predict(input), await pool.predict(input, 1000)];
  pool.close();
  console.log(one.length, two.length, one.every((v, k) => v === two[k]));
}
main().catch((error) => console.log('FAILED', String(error)));
`;
const EXPECTED = '10000 10000 true\n';

const node = (args: ReadonlyArray<string>): string => {
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    // Nothing of the test runner: options and loaders that it has set.
    env: { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' },
  });
  return stdout + stderr;
};

beforeAll(async () => {
  const r = randomOf(5);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [4], uniform(256)));
  const graph = network(r, b, x, edgeOp(r, 4, 256, 5, 8), 16);
  mkdirSync(path('model'));
  for (const [name, content] of rightOf(await emit(graph)).files) writeFileSync(path('model', name), content);
  // What `npm init` writes.
  writeFileSync(path('package.json'), '{ "name": "app", "type": "commonjs" }');
  writeFileSync(path('app.ts'), APP);
  writeFileSync(path('app.mjs'), APP);
});

describe('an artifact in a project', () => {
  it('of CommonJS is a module still', () => {
    expect(node(['app.mjs'])).toBe(EXPECTED);
  });

  it('is a package that can be depended on, with types and all of its files', () => {
    mkdirSync(path('node_modules', 'digits'), { recursive: true });
    for (const name of ['index.js', 'index.d.ts', 'package.json', 'model.wasm', 'model-worker.js']) {
      copyFileSync(path('model', name), path('node_modules', 'digits', name));
    }
    writeFileSync(
      path('uses.mjs'),
      "import { load } from 'digits'; console.log((await load()).predict(new Uint8Array(4)).length, import.meta.resolve('digits/model.wasm').endsWith('model.wasm'));",
    );
    expect(node(['uses.mjs'])).toBe('10 true\n');
  });

  it('runs under tsx, which puts helpers into functions', () => {
    const tsx = dirname(createRequire(import.meta.url).resolve('tsx/package.json'));
    expect(node([join(tsx, 'dist', 'cli.mjs'), 'app.ts'])).toBe(EXPECTED);
  });

  it.each([true, false])('runs as a bundle of esbuild: keepNames %s', (keepNames) => {
    const out = path(`out-${keepNames}`);
    buildSync({
      entryPoints: [path('app.ts')],
      outfile: join(out, 'out.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      keepNames,
      minify: keepNames,
      logLevel: 'error',
    });
    copyFileSync(path('model', 'model.wasm'), join(out, 'model.wasm'));
    expect(node([join(out, 'out.mjs')])).toBe(EXPECTED);
  });
});
