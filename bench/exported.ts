/**
 * Networks of a folder, each exported as model.onnx with goldens and meta.json: which of them compile, what the layers
 * give against the goldens, and what quantization costs. `npx tsx bench/exported.ts FOLDER [--write docs/graphs.md]` after
 * `npm run build`. meta.json names calibration data and a labelled test set beside the networks.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { readNpy } from '../src/importers/containers/npy/index.js';

const KANC = fileURLToPath(new URL('../bin/kanc.js', import.meta.url));

const Meta = t.type({
  library: t.string,
  cls: t.string,
  calib: t.string,
  test_x: t.string,
  test_y: t.string,
});

const Score = t.union([t.type({ accuracy: t.number }), t.type({ rmse: t.number })]);

interface Row {
  readonly name: string;
  readonly library: string;
  readonly cells: ReadonlyArray<string>;
}

const kanc = (
  ...args: ReadonlyArray<string>
): { readonly ok: boolean; readonly out: string; readonly err: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [KANC, ...args], { encoding: 'utf8' });
  return { ok: status === 0, out: stdout, err: stderr };
};

const numbersOf = (file: string): ReadonlyArray<number> => {
  const array = readNpy(readFileSync(file));
  return E.isLeft(array) ? [] : Array.from(array.right.data, Number);
};

/** The largest deviation from the goldens, relative to the largest of them. */
const deviation = (folder: string, work: string): string => {
  const found = join(work, 'found.npy');
  const ran = kanc(
    'run',
    join(folder, 'model.onnx'),
    '--input',
    join(folder, 'golden_inputs.npy'),
    '--output',
    found,
  );
  if (!ran.ok) return '-';
  const [a, b] = [numbersOf(found), numbersOf(join(folder, 'golden_outputs.npy'))];
  const scale = b.reduce((n, v) => Math.max(n, Math.abs(v)), 0);
  const worst = b.reduce((n, v, i) => Math.max(n, Math.abs(v - (a[i] ?? Number.NaN))), 0);
  return (worst / scale).toExponential(0);
};

const score = (model: string, x: string, y: string): string => {
  const evaluated = kanc('eval', model, '--data', x, '--labels', y, '--json');
  const decoded = evaluated.ok ? Score.decode(JSON.parse(evaluated.out)) : undefined;
  if (decoded === undefined || E.isLeft(decoded)) return '-';
  const { right } = decoded;
  return 'accuracy' in right ? `${(100 * right.accuracy).toFixed(1)} %` : `RMSE ${right.rmse.toPrecision(4)}`;
};

const measure = (root: string, name: string): Row => {
  const folder = join(root, name);
  const meta = Meta.decode(JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')));
  if (E.isLeft(meta)) throw new Error(`${name}: meta.json lacks a field`);
  const { library, calib, test_x: x, test_y: y } = meta.right;
  const work = mkdtempSync(join(tmpdir(), 'kanc-exported-'));
  try {
    const model = join(folder, 'model.onnx');
    const artifact = join(work, 'artifact');
    const compiled = kanc('compile', model, '--calib', join(root, calib), '-o', artifact);
    if (!compiled.ok) {
      const why = /K0\d+/.exec(compiled.err)?.[0] ?? 'failed';
      const node = /op %?([^:]+): (\w+ '[^']*')/.exec(compiled.err)?.[2] ?? '';
      return { name, library, cells: [`refused: ${why}${node === '' ? '' : `, ${node}`}`, '', '', ''] };
    }
    const verified = kanc('verify', artifact, '--samples', '32');
    const [dx, dy] = [join(root, x), join(root, y)];
    const mismatches = /(\d+) mismatches/.exec(verified.out)?.[1] ?? '-';
    return {
      name,
      library,
      cells: [deviation(folder, work), score(model, dx, dy), score(artifact, dx, dy), mismatches],
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

const table = (rows: ReadonlyArray<Row>): string =>
  [
    '| network | library | off the goldens | float | compiled, 8 bits | mismatches of 32 samples |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...rows.map(
      ({ name, library, cells }) => `| ${name} | ${library.replaceAll('|', ' ')} | ${cells.join(' | ')} |`,
    ),
  ].join('\n');

const MARKS = ['<!-- generated: exported -->', '<!-- end: exported -->'] as const;

const [root, flag, target] = process.argv.slice(2);
if (root === undefined) throw new Error('usage: bench/exported.ts FOLDER [--write FILE]');
const names = readdirSync(root, { withFileTypes: true })
  .filter((e) => e.isDirectory() && readdirSync(join(root, e.name)).includes('meta.json'))
  .map((e) => e.name)
  .sort();
const rows: Row[] = [];
for (const name of names) {
  const row = measure(root, name);
  rows.push(row);
  console.log(name, row.cells.join(' | '));
}
if (flag === '--write' && target !== undefined) {
  const text = readFileSync(target, 'utf8');
  const [from, to] = MARKS.map((mark) => text.indexOf(mark));
  if (from === undefined || to === undefined || from < 0 || to < 0) throw new Error(`${target} has no marks`);
  writeFileSync(target, `${text.slice(0, from + MARKS[0].length)}\n\n${table(rows)}\n\n${text.slice(to)}`);
}
