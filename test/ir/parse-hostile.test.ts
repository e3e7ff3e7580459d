/** Text that is damaged or means harm: the resource section, and what would take time, memory or the stack. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { parseGraph, printGraph } from '../../src/ir/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomGraph, textWithResources } from '../support/graphs.js';

/** A name that no constant here has. */
const HASH = '6b6dc92f9d2dd7a8d0b1a5a0b9b6c1d3';

const HEAD = 'kir 1\ngraph @g level quantized (%x : f32[n, 2]) -> (f32[n, 2]) {\n';
const graphOf = (...lines: string[]): string => `${HEAD}${lines.map((l) => `  ${l}\n`).join('')}}\n`;
const AFFINE = '%y : f32[n, 2] = affine %x {scale = 1, shift = 0}';

describe('the resource section', () => {
  const good = textWithResources('table');
  const line = good.split('\n').find((l) => l.startsWith('  #')) ?? '';
  const [, name, hash, data] = /#(\w+) : .* sha256-(\w+) base64 (.*)$/.exec(line) ?? [];

  it('is there', () => {
    expect(name).toHaveLength(12);
    expect(parseGraph(good)._tag).toBe('Right');
  });

  const flipped = (data ?? '').replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
  const wrong: ReadonlyArray<readonly [string, string, string]> = [
    ['data that was changed', good.replace(data!, flipped), `as written`],
    ['data cut off', good.replace(data!, data!.slice(0, -4)), 'characters of data. Expected'],
    ['data too long', good.replace(data!, `${data}AAAA`), 'characters of data. Expected'],
    [
      'data that is not base64',
      good.replace(data!, `*${data!.slice(1)}`),
      'has a character that is not base64',
    ],
    ['data with a hole', good.replace(data!, `${data!.slice(0, 4)} ${data!.slice(5)}`), 'not base64'],
    ['another hash', good.replace(hash!, `${name}${'0'.repeat(52)}`), 'as written'],
    [
      'a name that is not the hash',
      good.replace(`sha256-${hash}`, `sha256-${'0'.repeat(64)}`),
      'is not the start of its hash',
    ],
    ['no hash', good.replace(`sha256-${hash}`, ''), 'is not followed by its data'],
    ['a name given twice', good.replace(line, `${line}\n${line}`), 'is given twice'],
    [
      'another type at the use',
      good.replace(new RegExp(`#${name} : ([iu]\\d+|f32)`), `#${name} : i3`),
      'is used as i3',
    ],
    ['no entry', good.replace(`${line}\n`, ''), 'is not in the resource section'],
  ];
  it.each(wrong)('%s', (_, text, message) => {
    expect(text).not.toBe(good);
    const shown = messageOf(parseGraph(text));
    expect(shown).toContain(message);
    expect(shown).toMatch(/^error K0302: line \d+:\d+: .*#/);
  });
});

describe('hostile text', () => {
  const LONG = 2_000_000;
  it.each([
    ['open brackets', `${HEAD}%y : f32[n, 2] = affine %x {scale = ${'['.repeat(LONG)}`],
    ['open records', `${HEAD}%y : f32[n, 2] = affine %x {scale = ${'{a = '.repeat(LONG / 5)}`],
    ['blanks', ' '.repeat(LONG)],
    ['a long word', 'k'.repeat(LONG)],
    ['a long number', `kir ${'9'.repeat(LONG)}`],
    ['a long string', `kir 1 graph @"${'\\'.repeat(LONG)}`],
    ['a long comment', `//${'x'.repeat(LONG)}`],
    ['many undefined values', `${HEAD}%y : f32[n, 2] = affine ${'%name,'.repeat(LONG / 6)} %name`],
    ['many faults', graphOf(...Array<string>(LONG / 50).fill(AFFINE), 'return %y')],
    [
      'a small text that asks for memory',
      `${graphOf(AFFINE, 'return %y')}resources {\n#${HASH} : f32[536870911] sha256-${HASH}${HASH} base64 AAAA\n}`,
    ],
  ])('%s: refused at once', (_, text) => {
    const start = performance.now();
    expect(codeOf(parseGraph(text))).toMatch(/^K030[12]$/);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('never throws on text that was damaged anywhere', () => {
    const texts = [1, 7, 12, 19].map((seed) => printGraph(randomGraph('table', seed, 6)));
    const bit = fc.constantFrom(
      '',
      ' ',
      '{',
      '}',
      '[',
      '<>',
      '#',
      '%',
      '"',
      '-',
      '1',
      'n',
      'const ',
      '\u0000',
      '{a = ',
    );
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), fc.nat(30), bit, (text, where, length, insert) => {
        const at = where % text.length;
        const result = parseGraph(text.slice(0, at) + insert + text.slice(at + length));
        // What is still a graph prints to text that reads back.
        if (E.isRight(result)) rightOf(parseGraph(printGraph(result.right)));
      }),
      { numRuns: 3000 },
    );
  });
});
