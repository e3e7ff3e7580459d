/** Text that is damaged or means harm: the resource section, and what would take time, memory or the stack. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { parseGraph, printGraph, verify } from '../../src/ir/index.js';
import { MOST_OF_VALUE } from '../../src/ir/verify.js';
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

  const ALL = 2 ** 31 - 1;
  /** As large as a value may be. */
  const MOST = MOST_OF_VALUE;
  const uniform = (lo: string): string => `<uniform{levels = 4, lo = ${lo}, step = 1}>`;
  const scaled = '<scaled{hi = 0, lo = 0, scale = 1}>';
  const listed = (rows: number, width: number): string =>
    `<thresholds{levels = 2, thresholds = const f32[${rows}, ${width}] [${Array<number>(rows * width)
      .fill(0)
      .join(', ')}], values = const f32[1, 2] [0, 1]}>`;
  const window = (kernel: string, padding: string): string =>
    `window = {dilation = [1, 1], groups = 1, kernel = ${kernel}, padding = ${padding}, stride = [1, 1]}`;
  /** One op on the inputs %a, %b, ... of these types. */
  const one = (types: ReadonlyArray<string>, result: string, op: string): string => {
    const inputs = types.map((type, k) => `%${'abcd'[k]} : ${type}`).join(', ');
    return `kir 1\ngraph @g level table (${inputs}) -> (${result}) {\n  %y : ${result} = ${op}\n  return %y\n}\n`;
  };

  it.each([
    [
      'windows that make 2^34 places',
      one(
        ['f32[n, 1, 1, 1]'],
        'f32[n, 1, 131071, 131071]',
        `pool %a {reduce = "max", ${window('[1, 1]', '[65535, 65535]')}}`,
      ),
      /has too many elements/,
    ],
    [
      'windows that make 2^34 places, said to be few',
      one(
        ['f32[n, 1, 1, 1]'],
        'f32[n, 1, 1, 1]',
        `pool %a {reduce = "max", ${window('[1, 1]', '[65535, 65535]')}}`,
      ),
      /131071x131071 windows of 1 outputs are more than/,
    ],
    [
      'a kernel of 2^32 places',
      one(
        ['i8[n, 1, 1, 1]<scaled{hi = 1, lo = 0, scale = 1}>'],
        'i32[n, 1, 65536, 65536]',
        `pool %a {reduce = "mean", ${window('[65535, 65535]', '[65535, 65535]')}}`,
      ),
      /has too many elements/,
    ],
    [
      'a layer of 2^31 taps',
      one(
        ['u1[n, 1, 65535, 65535]'],
        `i8[n, 1, 1, 1]${scaled}`,
        `table.edge %a {acc = 8, hi = 0, lo = 0, scale = 1, table = const i8[1, 2, 1] [0, 0], ${window('[65535, 65535]', '[0, 0]')}}`,
      ),
      /has too many elements|tables for 1 inputs/,
    ],
    [
      'a shape whose product overflows',
      one(['f32[n, 4]'], 'f32[n, 4]', `reshape %a {shape = [${Array(80).fill(ALL).join(', ')}]}`),
      /does not hold the 4 elements/,
    ],
    [
      'a scale for each of 2^31 channels',
      one(
        ['i8[n, 2, 1000000000]<scaled{hi = 0, lo = 0, scale = const f32[2] [1, 2]}>'],
        'i8[n, 2000000000]',
        'reshape %a {shape = [2000000000]}',
      ),
      /the meaning of 2000000000 channels is more than a type can hold/,
    ],
    [
      'quantizers that differ, for 2^31 channels',
      one(
        [`u2[n, 1000000000]${uniform('0')}`, `u2[n, 1000000000]${uniform('1')}`],
        'u2[n, 2000000000]',
        'concat %a, %b {}',
      ),
      /the meaning of 2000000000 channels is more than a type can hold/,
    ],
    [
      'thresholds for 2^28 channels',
      one(
        [`u2[n, 100000000]${uniform('0')}`, `u2[n, 1]${listed(1, 3)}`.replace('levels = 2', 'levels = 4')],
        'u2[n, 100000001]',
        'concat %a, %b {}',
      ),
      /is more than a type can hold|expected \[1 or 1, 4\]/,
    ],
    [
      'rows of thresholds that are wider than the levels, picked many times',
      one(
        [`u1[n, 2]${listed(2, 40000)}`],
        'u1[n, 10000]',
        `gather %a {indices = const u8[10000] [${Array(10000).fill(1).join(', ')}]}`,
      ),
      /the meaning of 10000 channels is more than a type can hold/,
    ],
    [
      'a quantizer that does not fit its type, joined with one that does',
      one([`u1[n, 1]${listed(1, 1)}`, `u1[n, 3]${listed(3, 5)}`], 'u1[n, 4]', 'concat %a, %b {}'),
      /thresholds are \[3, 5\], expected \[1 or 3, 1\]/,
    ],
    [
      'a basis table of no functions for 2^31 inputs',
      one(
        [`u1[n, ${ALL}]`],
        `i8[n, 1]${scaled}`,
        `table.basis %a {acc = 8, basis = const u8[1, 0] [], coefficients = const i8[${ALL}, 0, 1] [], frac = const u8[1, 2] [0, 0], hi = 0, lo = 0, scale = 1, shift = 0, span = const u8[1, 2] [0, 0]}`,
      ),
      /basis has 0 values for 0 functions/,
    ],
    [
      'a layer of no functions for 2^31 inputs',
      one(
        [`f32[n, ${ALL}]`],
        'f32[n, 1]',
        `kan %a {branches = [{basis = rbf{centers = const f32[0] [], width = 1}, weights = const f32[${ALL}, 0, 1] []}]}`,
      ),
      /0 basis functions/,
    ],
    [
      'a layer of no outputs for 2^28 inputs',
      one(
        [`u1[n, ${MOST}]`],
        `i8[n, 0]${scaled}`,
        `table.edge %a {acc = 8, hi = 0, lo = 0, scale = 1, table = const i8[${MOST}, 2, 0] []}`,
      ),
      /the shape \[0\] is not made of positive integers/,
    ],
  ])('%s: refused before memory or time is spent', (_, text, message) => {
    const start = performance.now();
    const graph = parseGraph(text);
    expect(messageOf(E.isLeft(graph) ? graph : verify(graph.right))).toMatch(message);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each([
    [
      'a sum of shared tables of 2^28 elements',
      one(
        [`u1[n, ${MOST}]`],
        `i8[n, ${MOST}]${scaled}`,
        'table.sum %a {acc = 8, hi = 0, lo = 0, scale = 1, tables = [const i8[1, 2] [0, 0]]}',
      ),
    ],
    [
      'a pool of 2^28 elements',
      one(
        [`f32[n, 1, ${MOST}, 1]`],
        `f32[n, 1, ${MOST}, 1]`,
        `pool %a {reduce = "max", ${window('[1, 1]', '[0, 0]')}}`,
      ),
    ],
    [
      'an activation of 2^28 elements',
      one([`f32[n, ${MOST}]`], `f32[n, ${MOST}]`, 'activate %a {function = activation{activation = "silu"}}'),
    ],
    [
      'a reshape of 2^28 elements',
      one([`f32[n, ${MOST}]`], `f32[n, 1, ${MOST}]`, `reshape %a {shape = [1, ${MOST}]}`),
    ],
    [
      'a layer of one slab for 200,000 inputs',
      one(
        ['u12[n, 200000]'],
        `i8[n, 1]${scaled}`,
        `table.edge %a {acc = 8, hi = 0, lo = 0, scale = 1, slabs = const u1[200000] [${Array(200000).fill(0).join(', ')}], table = const i1[1, 4096, 1] [${Array(4096).fill(0).join(', ')}]}`,
      ),
    ],
  ])('%s takes no time', (_, text) => {
    const start = performance.now();
    expect(codeOf(verify(rightOf(parseGraph(text))))).toBe('ok');
    expect(performance.now() - start).toBeLessThan(1000);
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
