/** Replacing a folder removes it: only artifacts of kanc are replaced, and nothing that stands in them is lost. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnostic } from '../../src/diagnostics/index.js';
import { writeArtifact, writeFileAtomically } from '../../src/driver/atomic.js';
import type { Files } from '../../src/driver/capabilities.js';
import { checkDestination, checkFile, checkFolder, checkSweepFolder } from '../../src/driver/destination.js';
import { sha256Of } from '../../src/driver/node/hash.js';
import { nodeDisk } from '../../src/driver/node/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kanc-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (...parts: ReadonlyArray<string>): string => join(folder, ...parts);
const artifact = {
  files: new Map([
    [
      'manifest.json',
      JSON.stringify({
        format: 'kanc-artifact',
        code: { name: 'net' },
        files: { 'a.txt': sha256Of('a'), 'lib/b.txt': sha256Of('b') },
      }),
    ],
    ['a.txt', 'a'],
    ['lib/b.txt', 'b'],
  ]),
};
const write = (target: string) => writeArtifact(nodeDisk)(target, artifact)();

describe('a folder is no destination', () => {
  it('without a name', async () => {
    expect(messageOf(await checkDestination(nodeDisk)('')())).toMatch(/K0801: option --out: .*empty/);
  });

  it('where the process or its user stands in it', async () => {
    mkdirSync(path('home', 'me', 'work'), { recursive: true });
    const check = checkDestination({ ...nodeDisk, occupied: () => [path('home', 'me')] });
    expect(messageOf(await check(path('home', 'me'))())).toContain('K0102');
    expect(messageOf(await check(path('home', '..', 'home'))())).toMatch(/K0102.*lies in it/);
    expect(codeOf(await check(path('home', 'me', 'work'))())).toBe('ok');
    expect(codeOf(await check(path('home', 'm'))())).toBe('ok');
    symlinkSync(path('home'), path('link'));
    expect(codeOf(await check(path('link', 'me'))())).toBe('K0102');
    expect(codeOf(await check(path('link'))())).toBe('K0102');
  });

  it('and neither are the current folder of this process and the root', async () => {
    expect(codeOf(await checkDestination(nodeDisk)('.')())).toBe('K0102');
    expect(messageOf(await checkDestination({ ...nodeDisk, occupied: () => [] })(sep)())).toContain('root');
  });

  it('where it cannot be seen whether it exists', async () => {
    const denied = TE.left([diagnostic('K0101', 'permission is denied')] as const);
    const files: Files = { ...nodeDisk.files, kindOf: () => denied };
    expect(codeOf(await checkDestination({ ...nodeDisk, files })(path('out'))())).toBe('K0101');
    writeFileSync(path('file'), '');
    expect(codeOf(await nodeDisk.files.kindOf(path('file', 'x'))())).toBe('K0101');
    expect(rightOf(await nodeDisk.files.kindOf(path('absent'))())).toBe('absent');
  });

  it('where no folder can be made beside it, and leaves nothing', async () => {
    const made: string[] = [];
    const files: Files = {
      ...nodeDisk.files,
      makeFolder: (target) => {
        made.push(target);
        return TE.left([
          diagnostic('K0102', 'cannot be made: the disk is full', { place: { file: target } }),
        ]);
      },
    };
    const full = await checkDestination({ ...nodeDisk, files })(path('a', 'b', 'out'))();
    // The name that was given, and not that of the folder that was tried.
    expect(messageOf(full)).toBe(`error K0102: ${path('a', 'b', 'out')}: cannot be made: the disk is full.`);
    expect(made).toHaveLength(1);
    expect(dirname(made[0]!)).toBe(folder);
    expect(codeOf(await checkDestination(nodeDisk)(path('a', 'b', 'out'))())).toBe('ok');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that is told by the name of a temporary one when writing fails later', async () => {
    const files: Files = {
      ...nodeDisk.files,
      write: (file) => TE.left([diagnostic('K0102', 'the disk is full', { place: { file } })]),
    };
    const full = await writeArtifact({ ...nodeDisk, files })(path('out'), artifact)();
    expect(messageOf(full)).toBe(`error K0102: ${path('out', 'manifest.json')}: the disk is full.`);
    const file = await writeFileAtomically({ ...nodeDisk, files })(path('x.npy'), 'x')();
    expect(messageOf(file)).toBe(`error K0102: ${path('x.npy')}: the disk is full.`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['notes.txt', 'lib/notes.txt', 'data/x.npy'])('where %s lies beside the artifact', async (name) => {
    expect(codeOf(await write(path('out')))).toBe('ok');
    mkdirSync(path('out', 'data'));
    if (name !== 'data/x.npy') rmSync(path('out', 'data'), { recursive: true });
    writeFileSync(path('out', name), 'precious');
    const refused = messageOf(await write(path('out')));
    expect(refused).toContain('K0102');
    expect(refused).toContain(name.startsWith('data') ? "'data/'" : `'${name}'`);
    expect(readFileSync(path('out', name), 'utf8')).toBe('precious');
    rmSync(path('out', name.startsWith('data') ? 'data' : name), { recursive: true });
    expect(codeOf(await write(path('out')))).toBe('ok');
  });

  it('where a folder has the name of a file of the artifact', async () => {
    await write(path('out'));
    rmSync(path('out', 'a.txt'));
    mkdirSync(path('out', 'a.txt'));
    expect(messageOf(await write(path('out')))).toContain("'a.txt/'");
  });
});

describe('what kanc did not write is not replaced', () => {
  it('a file that was changed after it was written', async () => {
    await write(path('out'));
    writeFileSync(path('out', 'lib', 'b.txt'), 'mine');
    expect(messageOf(await write(path('out')))).toMatch(
      /K0102: .*'lib\/b.txt', which is not as kanc wrote it/,
    );
    expect(readFileSync(path('out', 'lib', 'b.txt'), 'utf8')).toBe('mine');
  });

  it('a file that a manifest of somebody else names', async () => {
    mkdirSync(path('out', 'src'), { recursive: true });
    writeFileSync(path('out', 'src', 'main.c'), 'precious');
    for (const hash of [1, '', sha256Of('other')]) {
      writeFileSync(
        path('out', 'manifest.json'),
        JSON.stringify({ format: 'kanc-artifact', files: { 'src/main.c': hash } }),
      );
      expect(codeOf(await write(path('out')))).toBe('K0102');
    }
    expect(readFileSync(path('out', 'src', 'main.c'), 'utf8')).toBe('precious');
  });

  it('and what make and synth leave there is', async () => {
    await write(path('out'));
    mkdirSync(path('out', 'build', 'verilated'), { recursive: true });
    const made = ['net.o', 'testbench', 'sim.log', 'verilated/Vtb___024root.cpp', 'verilated/verilated.o'];
    for (const name of made) writeFileSync(path('out', 'build', name), '');
    writeFileSync(path('out', 'synth.json'), JSON.stringify({ tool: 'Yosys', flow: 'synth', source: '' }));
    expect(codeOf(await write(path('out')))).toBe('ok');
    expect(readdirSync(path('out')).sort()).toEqual(['a.txt', 'lib', 'manifest.json']);
  });

  it.each(['build/my.bit', 'build/other.o', 'build/verilated/notes.txt', 'synth.json'])(
    '%s is of somebody else',
    async (name) => {
      await write(path('out'));
      mkdirSync(path('out', 'build', 'verilated'), { recursive: true });
      writeFileSync(path('out', name), 'mine');
      expect(messageOf(await write(path('out')))).toContain(`'${name}'`);
      expect(readFileSync(path('out', name), 'utf8')).toBe('mine');
    },
  );
});

describe('the folder of an artifact', () => {
  it('takes no other files: the next compilation could not replace it', async () => {
    await write(path('out'));
    const page = await writeFileAtomically(nodeDisk)(path('out', 'view.html'), 'x')();
    expect(messageOf(page)).toMatch(/K0102: .*view.html: is not written: the folder .*out holds an artifact/);
    expect(codeOf(await checkFolder(nodeDisk, '-o x')(path('out'))())).toBe('K0102');
    expect(codeOf(await write(path('out')))).toBe('ok');
  });

  it('takes none in folders of its own either, such as build, nor another artifact', async () => {
    await write(path('out'));
    const refused = /K0102: .*: is not written: the folder .*out holds an artifact/;
    for (const inner of [path('out', 'lib'), path('out', 'new', 'deep')]) {
      expect(messageOf(await checkDestination(nodeDisk)(join(inner, 'a'))())).toMatch(refused);
      expect(messageOf(await checkFolder(nodeDisk, '-o x')(inner)())).toMatch(refused);
      expect(messageOf(await checkFile(nodeDisk)(join(inner, 'y.npy'))())).toMatch(refused);
      expect(messageOf(await writeFileAtomically(nodeDisk)(join(inner, 'y.npy'), 'x')())).toMatch(refused);
    }
    expect(codeOf(await write(path('out')))).toBe('ok');
  });

  it('is not looked for where others keep what cannot be read', async () => {
    mkdirSync(path('theirs', 'mine'), { recursive: true });
    writeFileSync(path('theirs', 'manifest.json'), '{}');
    const { files } = nodeDisk;
    const secret: Files = {
      ...files,
      readFound: (name) => TE.left([diagnostic('K0101', 'permission is denied', { place: { file: name } })]),
    };
    const disk = { ...nodeDisk, files: secret };
    expect(codeOf(await writeFileAtomically(disk)(path('theirs', 'mine', 'y.npy'), 'x')())).toBe('ok');
    expect(codeOf(await writeFileAtomically(disk)(path('theirs', 'y.npy'), 'x')())).toBe('K0101');
  });

  it('is told from that of a checkpoint, and from others with a manifest', async () => {
    mkdirSync(path('model'));
    writeFileSync(path('model', 'kan_state'), '');
    expect(messageOf(await checkSweepFolder(nodeDisk)(path('model'))())).toMatch(
      /K0102: .*files of a checkpoint/,
    );
    mkdirSync(path('page'));
    writeFileSync(path('page', 'manifest.json'), '{"name": "a web application"}');
    expect(codeOf(await checkSweepFolder(nodeDisk)(path('page'))())).toBe('ok');
    expect(codeOf(await writeFileAtomically(nodeDisk)(path('page', 'x.html'), 'x')())).toBe('ok');
  });
});

describe('a file that is to be written', () => {
  it('is looked at before: its name, its folder, what stands there already', async () => {
    const check = checkFile(nodeDisk);
    expect(codeOf(await check(undefined)())).toBe('ok');
    expect(codeOf(await check(path('new', 'y.npy'))())).toBe('ok');
    expect(readdirSync(folder)).toEqual([]);
    expect(messageOf(await check('')())).toContain('K0801: the name of the file to write is empty');
    expect(messageOf(await check(folder)())).toMatch(/K0102: .*: cannot be written: it is a folder/);
    writeFileSync(path('y.npy'), 'old');
    expect(codeOf(await check(path('y.npy'))())).toBe('ok');
    expect(codeOf(await check(path('y.npy', 'z'))())).toBe('K0101');
    expect(readFileSync(path('y.npy'), 'utf8')).toBe('old');
  });
});

describe('a link to an artifact', () => {
  it('stays, and the artifact is replaced', async () => {
    await write(path('out'));
    symlinkSync(path('out'), path('link'));
    expect(codeOf(await write(path('link')))).toBe('ok');
    expect(readdirSync(folder).sort()).toEqual(['link', 'out']);
  });
});
