/**
 * The commands of all pages of documentation, run as they stand there and in the order of the page, in a folder that is like
 * a checkout with a network and data of one's own in it. A page whose commands fail tells its readers what is not true.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../support/tools.js';
import { type Block, blocksOf, isCommands, kancCalls } from './blocks.js';
import { giveFiles, readPage, root } from './given.js';

const PAGES = [
  'README.md',
  'examples/custom-pass/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const SLOW = process.env['KANC_SLOW_DOCS'] !== undefined;
const TIMEOUT = 600_000;

const folder = mkdtempSync(join(tmpdir(), 'kanc-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Programs that stand for those of the reader's path: `npx kanc` is this checkout, which is built already. */
const PROGRAMS = {
  kanc: `exec "${process.execPath}" "${root}bin/kanc.js" "$@"`,
  npx: `case "$1" in kanc) shift; exec kanc "$@";; tsx) cd "${root}"; exec node_modules/.bin/tsx "\${@:2}";; esac; echo "npx $1?" >&2; exit 1`,
  npm: `cd "${root}"; case "$*" in "run build") test -f dist/cli/main.js;; *) exec "$NPM" "$@";; esac`,
};

const bin = join(folder, 'bin');

beforeAll(() => {
  mkdirSync(bin);
  for (const [name, script] of Object.entries(PROGRAMS)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
});

/** A folder as a reader of the page has it: the shipped examples, files of their own, and kanc as a package. */
const readersFolder = (page: string): string => {
  const place = mkdtempSync(join(folder, 'page-'));
  symlinkSync(join(root, 'examples'), join(place, 'examples'));
  mkdirSync(join(place, 'node_modules'));
  symlinkSync(root, join(place, 'node_modules', 'kanc'));
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  giveFiles(page, place);
  return place;
};

const npm = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((part) => join(part, 'npm'))
  .find((path) => existsSync(path));

const start = (place: string, program: string, args: ReadonlyArray<string>): string | undefined => {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: place,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, NPM: npm ?? 'npm' },
  });
  return status === 0 ? undefined : `status ${status}\n${stdout.slice(-2000)}${stderr.slice(-4000)}`;
};

/** What went wrong with a block; undefined when nothing did. */
const runBlock = (place: string, block: Block): string | undefined => {
  const { marker, text } = block;
  if (marker?.kind === 'file') {
    writeFileSync(join(place, marker.text), `${text}\n`);
    return undefined;
  }
  if (marker?.kind === 'run') {
    // Imports stand first in a module, wherever the block has them.
    writeFileSync(join(place, 'block.mjs'), `${marker.text}\n${text}\n`);
    return start(place, process.execPath, ['block.mjs']);
  }
  const left = marker?.kind === 'not run' || (marker?.kind === 'slow' && !SLOW);
  return isCommands(block) && !left ? start(place, 'bash', ['-euo', 'pipefail', '-c', text]) : undefined;
};

const toolsMissing = missingTools({
  bash: 'bash',
  make: 'make',
  python3: 'python3',
  gcc: 'gcc',
  'g++': 'g++',
  iverilog: 'iverilog',
  yosys: 'yosys',
});

describe.skipIf(toolsMissing || process.platform === 'win32')('the commands of', () => {
  it.each(PAGES)(
    '%s',
    (page) => {
      const place = readersFolder(page);
      for (const block of blocksOf(readPage(page))) {
        const failure = runBlock(place, block);
        expect(failure, `${page}:${block.line}\n${block.text}\n${failure}`).toBe(undefined);
      }
    },
    TIMEOUT,
  );
});

describe('options that pages name', () => {
  const known = new Map<string, string>();
  const help = (command: string): string => {
    const text =
      known.get(command) ??
      spawnSync(process.execPath, [join(root, 'bin', 'kanc.js'), command, '--help'], { encoding: 'utf8' })
        .stdout;
    known.set(command, text);
    return text;
  };

  it.each(PAGES)('exist: %s', (page) => {
    const calls = blocksOf(readPage(page)).flatMap(({ text }) => kancCalls(text));
    for (const { command, options } of calls) {
      for (const option of options) {
        expect(help(command), `kanc ${command} ${option}`).toMatch(new RegExp(`${option}\\b`));
      }
    }
  });
});
