/** Names from outside never reach code as they are; numbers and floats read back as themselves. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { c } from '../../../src/backends/c/index.js';
import {
  commentText,
  decimalLiteral,
  floatLiteral,
  literal,
  numberLines,
} from '../../../src/backends/cpp/code.js';
import { identifier, isReservedForFiles, programName } from '../../../src/backends/cpp/names.js';
import { type HlsOptions, hls } from '../../../src/backends/hls/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { missingTools, runTool } from '../../support/tools.js';
import { writeFiles } from '../c/support.js';
import { covering, graphsFor } from './graphs.js';

describe('identifiers', () => {
  it('are identifiers, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(identifier(name)).toMatch(/^[A-Za-z][A-Za-z0-9_]{0,45}$/);
      }),
    );
  });

  it.each([
    ['fashion_mnist', 'fashion_mnist'],
    ['my net', 'my_net'],
    ['été "x"', 'e_te_x'],
    ['', 'model'],
    ['*/ int x; /*', 'int_x'],
    ['int', 'int_model'],
    ['Golden', 'Golden_model'],
    ['9lives', 'model_9lives'],
    ['__a__b', 'a_b'],
    // Files that projects have beside those of the model, headers of the library, names of generated values and stages.
    ['trace', 'trace_model'],
    ['kanc_hls', 'kanc_hls_model'],
    ['stdint', 'stdint_model'],
    ['v0_t', 'v0_t_model'],
    ['s12_order', 's12_order_model'],
    ['v8', 'v8_model'],
    ['vgg', 'vgg'],
    // Local names, types and macros of generated code and of the libraries that it includes; targets of CMake.
    ['raw', 'raw_model'],
    ['x_t', 'x_t_model'],
    ['time_t', 'time_t_model'],
    ['e3', 'e3_model'],
    ['std', 'std_model'],
    ['EOF', 'EOF_model'],
    ['fd_set', 'fd_set_model'],
    ['test', 'test_model'],
  ])('%j becomes %s', (name, expected) => {
    expect(identifier(name)).toBe(expected);
  });
});

describe('names of files, with something behind them in code', () => {
  it.each(['data', 'first', 'MNIST', 'raw', 'x_t', 'std', 'v8', 'EOF', 'time_t'])('%s is kept', (name) => {
    expect(identifier(name, isReservedForFiles)).toBe(name);
  });

  it.each(['golden', 'testbench', 'Test', 'size', 'math', 'string', 'int', 'NUL', 'com1', 'all'])(
    '%s is that of another file, a header, a target or a word',
    (name) => {
      expect(identifier(name, isReservedForFiles)).toBe(`${name}_model`);
    },
  );
});

describe('names that are asked for', () => {
  it('are kept or refused, with one that can be', () => {
    expect(rightOf(programName('net', 'graph'))).toBe('net');
    expect(rightOf(programName(undefined, 'my net'))).toBe('my_net');
    expect(rightOf(programName('first', 'graph', isReservedForFiles))).toBe('first');
    for (const name of ['first', 'my net', '9lives', '', 'a'.repeat(41)]) {
      const refused = programName(name, 'graph');
      expect(codeOf(refused)).toBe('K0801');
      const hint = /name=(\w+) can be/.exec(JSON.stringify(refused))?.[1];
      expect(rightOf(programName(hint, 'graph'))).toBe(hint);
    }
    expect(messageOf(programName('first', 'graph'))).toContain('have that name');
  });
});

/** Identifiers of C, without comments, texts and numbers. */
const identifiersIn = (text: string): ReadonlySet<string> => {
  const code = text.replace(/\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, ' ');
  return new Set(code.match(/(?<![\w.])[A-Za-z_]\w*/g));
};

const NEUTRAL = 'zzz';

const projects = async (): Promise<ReadonlyArray<ReadonlyMap<string, Uint8Array | string>>> => {
  const graphs = covering(graphsFor('HLS', 120, 1, 8), 24);
  const forms: ReadonlyArray<HlsOptions> = [
    {},
    { architecture: 'folded', interface: 'vector' },
    { architecture: 'unrolled', interface: 'axis' },
  ];
  const made = graphs.flatMap((graph) => [
    ...forms.map((form) => hls.emit({ name: NEUTRAL, ...form }, { version: 'test' })(graph)),
    ...(['static', 'caller'] as const).map((scratch) =>
      c.emit({ name: NEUTRAL, scratch }, { version: 'test' })(graph),
    ),
  ]);
  const results = await Promise.all(made.map((make) => make()));
  return results.flatMap((result) => (E.isRight(result) ? [result.right.files] : []));
};

describe('what stands beside a name', () => {
  it('in generated code, no network can be called', { timeout: 60_000 }, async () => {
    const found = new Set<string>();
    for (const files of await projects()) {
      for (const [file, text] of files) {
        if (!/\.(c|h|cpp)$/.test(file) || typeof text !== 'string') continue;
        for (const name of identifiersIn(text)) found.add(name);
      }
    }
    const others = [...found].filter((name) => !/^_|zzz/i.test(name));
    expect(others.length).toBeGreaterThan(200);
    expect(others.filter((name) => identifier(name) === name)).toEqual([]);
  });

  it('in C, nothing is called as what is made of a name', { timeout: 60_000 }, async () => {
    const made = /^(\w+?)_(predict|predict_raw|scratch|inputs|outputs|build|has_floats|scratch_bytes)$/i;
    const [of, others] = [new Set<string>(), new Set<string>()];
    for (const files of await projects()) {
      if (!files.has('zzz.c')) continue;
      for (const [file, text] of files) {
        if (!/\.[ch]$/.test(file) || typeof text !== 'string') continue;
        for (const name of identifiersIn(text)) {
          const owner = made.exec(name)?.[1];
          if (owner !== undefined) (owner.toLowerCase() === NEUTRAL ? of : others).add(owner);
        }
      }
    }
    expect(of.size).toBeGreaterThan(0);
    expect([...others].filter((name) => !isReservedForFiles(name))).toEqual([]);
  });

  it.skipIf(missingTools({ 'g++': 'g++' }))(
    'in headers, no function can be called',
    { timeout: 60_000 },
    async () => {
      const [files] = await projects();
      const folder = writeFiles(files ?? new Map());
      const headers = ['-x', 'c++', '-std=gnu++17', '-DKANC_OWN_AP_INT', 'zzz_test.cpp'];
      const said = ['-E', '-dM'].map((way) =>
        runTool('g++', [...(way === '-dM' ? ['-E', way] : [way]), ...headers], { cwd: folder }).toString(),
      );
      const names = [...identifiersIn(said.join('\n'))].filter((name) => /^[A-Za-z]\w*$/.test(name));
      expect(names.length).toBeGreaterThan(1000);
      const declared = names.map((name) => `void ${identifier(name)}(int *, long *);`);
      writeFileSync(join(folder, 'declared.cpp'), `#include "zzz_test.cpp"\n${declared.join('\n')}\n`);
      runTool('g++', ['-std=gnu++17', '-fsyntax-only', '-DKANC_OWN_AP_INT', 'declared.cpp'], { cwd: folder });
    },
  );
});

describe('comments', () => {
  it('cannot be left, continued on the next line or reordered', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(commentText(text)).toMatch(/^[A-Za-z0-9_.,:;<>=()[\] +?-]*$/);
      }),
    );
    expect(commentText('a */ int b; /* \\')).toBe('a ?? int b; ?? ?');
  });
});

/** What a C compiler makes of a hexadecimal literal. */
const readHex = (text: string): number => {
  const match = /^(-?)0x1(?:\.([0-9a-f]+))?p(-?\d+)f$/.exec(text);
  if (match === null) return Number.parseFloat(text);
  const [, sign, digits = '', exponent] = match;
  const fraction = digits === '' ? 0 : Number.parseInt(digits, 16) / 16 ** digits.length;
  return (sign === '-' ? -1 : 1) * (1 + fraction) * 2 ** Number(exponent);
};

describe('numbers', () => {
  it('floats read back as themselves, in both spellings', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(readHex(floatLiteral(x))).toBe(x);
        expect(Math.fround(Number.parseFloat(decimalLiteral(x)))).toBe(x);
      }),
      { numRuns: 2000 },
    );
  });

  it('integers have literals of their own type', () => {
    expect(literal(-(2 ** 31))).toBe('(-2147483647 - 1)');
    expect(literal(2 ** 31)).toBe('2147483648u');
    expect(numberLines(Int32Array.of(-(2 ** 31), 5))).toEqual(['(-2147483647 - 1), 5,']);
    const lines = numberLines(Int8Array.from({ length: 300 }, (_, k) => (k % 256) - 128));
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    expect(lines.join(' ').split(', ').length).toBe(300);
  });
});
