/** Programs that the measurements of hardware call, and Markdown tables. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program and gives what it writes; throws with its messages when it fails or is missing. */
export const run = (tool: string, args: ReadonlyArray<string>, cwd: string, input?: Uint8Array): Buffer => {
  const { error, status, stdout, stderr } = spawnSync(tool, args, {
    cwd,
    input: input ?? new Uint8Array(0),
    maxBuffer: 2 ** 30,
  });
  if (error !== undefined) throw new Error(`${tool}: ${error.message}`);
  if (status !== 0)
    throw new Error(`${tool} ${args.join(' ')}: status ${status}\n${stderr}${stdout}`.slice(0, 2000));
  return stdout;
};

/** `kanc` of this checkout, which `npm run build` made. */
export const kanc = (...args: ReadonlyArray<string>): string =>
  run(process.execPath, [join(root, 'bin/kanc.js'), ...args], root).toString();

/** Works in a folder that is removed afterwards. */
export const inFolder = <A>(work: (folder: string) => A): A => {
  const folder = mkdtempSync(join(tmpdir(), 'kanc-hardware-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const write = (folder: string, files: Readonly<Record<string, Uint8Array | string>>): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
};

/** A Markdown table: the first column is text, the others are figures. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string | number>>,
): string => {
  const cells = [head, ...rows].map((row) =>
    row.map((c) => (typeof c === 'number' ? c.toLocaleString('en-US') : c)),
  );
  const widths = head.map((_, k) => Math.max(3, ...cells.map((row) => row[k]?.length ?? 0)));
  const line = (row: ReadonlyArray<string>): string =>
    `| ${row.map((c, k) => (k === 0 ? c.padEnd(widths[k]!) : c.padStart(widths[k]!))).join(' | ')} |`;
  const rule = `| ${widths.map((w, k) => (k === 0 ? '-'.repeat(w) : `${'-'.repeat(w - 1)}:`)).join(' | ')} |`;
  return [line(cells[0]!), rule, ...cells.slice(1).map(line), ''].join('\n');
};

/** How much less or more than the first a figure is, in percent. */
export const less = (first: number, figure: number): string => {
  if (figure === first) return '';
  const percent = 100 * (1 - figure / first);
  return `${percent < 0 ? '+' : '-'}${Math.abs(percent).toFixed(1)} %`;
};
