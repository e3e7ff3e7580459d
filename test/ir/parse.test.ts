/** Wrong text: the code, the line and column, and what the message says. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { DiagnosticCode } from '../../src/diagnostics/index.js';
import { parseGraph } from '../../src/ir/index.js';
import { messageOf } from '../support/checked.js';

/** A name that no constant here has. */
const HASH = '6b6dc92f9d2dd7a8d0b1a5a0b9b6c1d3';

const HEAD = 'kir 1\ngraph @g level quantized (%x : f32[n, 2]) -> (f32[n, 2]) {\n';
const graphOf = (...lines: string[]): string => `${HEAD}${lines.map((l) => `  ${l}\n`).join('')}}\n`;
const AFFINE = '%y : f32[n, 2] = affine %x {scale = 1, shift = 0}';
const UNIFORM = 'uniform{levels = 4, lo = 0, step = 1}';

type Case = readonly [what: string, text: string, code: DiagnosticCode, place: string, message: string];

const CASES: ReadonlyArray<Case> = [
  ['nothing', '', 'K0301', '1:1', "found the end of the text. Expected 'kir'"],
  ['another language', 'module { }', 'K0301', '1:1', "found 'module'. Expected 'kir'"],
  [
    'another version',
    'kir 2\n',
    'K0301',
    '1:5',
    'this is version 2 of the format. Expected version 1. A newer',
  ],
  ['no version', 'kir x\n', 'K0301', '1:5', "found 'x'. Expected the version of the format, 1"],
  ['a wrong level', HEAD.replace('quantized', 'quantised'), 'K0301', '2:16', "Did you mean 'quantized'?"],
  ['a graph without a name', 'kir 1\ngraph level', 'K0301', '2:7', "found 'level'. Expected '@'"],
  ['an open string', 'kir 1\ngraph @"g\n', 'K0301', '2:8', 'a string does not end on its line'],
  ['a wrong escape', 'kir 1\ngraph @"\\q" level', 'K0301', '2:8', 'Expected a string in JSON notation'],
  ['no batch', 'kir 1\ngraph @g level float (%x : f32[2])', 'K0301', '2:32', "Expected 'n', the batch"],
  [
    'no element type',
    'kir 1\ngraph @g level float (%x : f64[n])',
    'K0301',
    '2:28',
    "found 'f64'. Expected an element type",
  ],
  [
    'a dimension below 0',
    'kir 1\ngraph @g level float (%x : f32[n, -2])',
    'K0301',
    '2:35',
    "found '-2'. Expected a dimension",
  ],
  [
    'a huge dimension',
    HEAD.replace('2]', '99999999999]'),
    'K0301',
    '2:32',
    'has too many elements. Expected at most 2147483647',
  ],
  ['a product too large', HEAD.replace('2]', '99999, 99999]'), 'K0301', '2:32', 'has too many elements'],
  [
    'a misspelt op',
    graphOf('%y : f32[n, 2] = afine %x {}', 'return %y'),
    'K0301',
    '3:20',
    "there is no op 'afine'. Did you mean 'affine'?",
  ],
  [
    'an unknown op',
    graphOf('%y : f32[n, 2] = sort %x', 'return %y'),
    'K0301',
    '3:20',
    "there is no op 'sort'. Expected one of activate, add",
  ],
  [
    'an undefined value',
    graphOf(AFFINE.replace('affine %x', 'affine %z'), 'return %y'),
    'K0301',
    '3:27',
    '%z is not defined before this',
  ],
  [
    'a use before its definition',
    graphOf(AFFINE.replace('%x', '%late1'), AFFINE.replace('%y', '%late'), 'return %y'),
    'K0301',
    '3:27',
    '%late1 is not defined before this',
  ],
  [
    'a value used by itself',
    graphOf(AFFINE.replace('%x', '%y'), 'return %y'),
    'K0301',
    '3:27',
    '%y is not defined',
  ],
  ['a name taken twice', graphOf(AFFINE, AFFINE, 'return %y'), 'K0301', '4:3', '%y is defined twice'],
  ['an undefined result', graphOf(AFFINE, 'return %why'), 'K0301', '4:10', '%why is not defined'],
  [
    'too many results',
    graphOf(AFFINE, 'return %y, %x'),
    'K0301',
    '4:3',
    '2 value(s) are returned. Expected 1',
  ],
  [
    'a result of another type',
    graphOf(
      '%y : u2[n, 2]<uniform{levels = 4, lo = 0, step = 1}> = quantize %x {bits = 2, nan = "zero", quantizer = <>}',
      'return %y',
    ),
    'K0301',
    '4:10',
    '%y has the type u2[n, 2]<uniform{levels = 4, lo = 0, step = 1}>. Expected f32[n, 2]',
  ],
  [
    'no return',
    graphOf(AFFINE),
    'K0301',
    '4:1',
    "found '}'. Expected an op, '%name : type = ...', or 'return'",
  ],
  [
    'a wrong type',
    graphOf(AFFINE.replace('2]', '3]'), 'return %y'),
    'K0301',
    '3:8',
    '%y is written with the type f32[n, 3]. Expected f32[n, 2], which affine gives',
  ],
  [
    'an attribute twice',
    graphOf('%y : f32[n, 2] = affine %x {scale = 1, scale = 1}'),
    'K0301',
    '3:42',
    "'scale' is given twice",
  ],
  [
    'an attribute missing',
    graphOf('%y : f32[n, 2] = affine %x {scale = 1}', 'return %y'),
    'K0303',
    '3:20',
    'shift',
  ],
  [
    'an attribute unknown',
    graphOf('%y : f32[n, 2] = affine %x {scale = 1, shift = 0, skip = 2}', 'return %y'),
    'K0303',
    '3:20',
    "unknown key 'skip' (known: scale, shift)",
  ],
  [
    'an attribute of another kind',
    graphOf('%y : f32[n, 2] = affine %x {scale = "one", shift = 0}', 'return %y'),
    'K0303',
    '3:20',
    'scale',
  ],
  [
    'no prototype',
    graphOf('%y : f32[n, 2] = affine %x {__proto__ = {scale = 1, shift = 0}}', 'return %y'),
    'K0303',
    '3:20',
    'malformed',
  ],
  [
    'a constant of the wrong length',
    graphOf('%y : f32[n, 2] = affine %x {scale = const f32[3] [1, 2, 3], shift = 0}', 'return %y'),
    'K0303',
    '3:20',
    'scale has 3 elements for 2 features',
  ],
  [
    'elements missing',
    graphOf('%y : f32[n, 2] = affine %x {scale = const f32[2] [1], shift = 0}'),
    'K0301',
    '3:44',
    '1 elements are given for a constant of type f32[2]. Expected 2',
  ],
  [
    'an element that does not fit',
    graphOf('%y : f32[n, 2] = gather %x {indices = const u8[2] [1, 256]}'),
    'K0301',
    '3:57',
    '256 is not a value of u8[2]',
  ],
  [
    'a fraction in an integer',
    graphOf('%y : f32[n, 2] = gather %x {indices = const u8[1] [0.5]}'),
    'K0301',
    '3:54',
    '0.5 is not a value of u8[1]',
  ],
  [
    'an f32 that overflows',
    graphOf('%y : f32[n, 2] = affine %x {scale = const f32[2] [1, 1e39], shift = 0}'),
    'K0301',
    '3:56',
    'is not a value of f32[2]',
  ],
  [
    'a number that overflows',
    graphOf('%y : f32[n, 2] = affine %x {scale = 1e999, shift = 0}'),
    'K0301',
    '3:39',
    '1e999 is too large. Infinity is written inf',
  ],
  [
    'an f32 suffix that overflows',
    graphOf('%y : f32[n, 2] = affine %x {scale = 1e39f, shift = 0}'),
    'K0301',
    '3:39',
    '1e39f is too large',
  ],
  [
    'an infinite attribute',
    graphOf('%y : f32[n, 2] = affine %x {scale = inf, shift = 0}', 'return %y'),
    'K0303',
    '3:20',
    'scale',
  ],
  [
    'no number',
    graphOf('%y : f32[n, 2] = affine %x {scale = 0x10, shift = 0}'),
    'K0301',
    '3:39',
    "found '0x10'. Expected a number",
  ],
  [
    'a leading zero',
    graphOf('%y : f32[n, 2] = affine %x {scale = 01, shift = 0}'),
    'K0301',
    '3:39',
    "found '01'",
  ],
  [
    'a bare word',
    graphOf('%q : u2[n, 2] = quantize %x {nan = zero}'),
    'K0301',
    '3:38',
    'A string is written in quotes: "zero"',
  ],
  [
    'a list that does not end',
    graphOf('%y : f32[n, 2] = kan %x {branches = [{} }'),
    'K0301',
    '3:43',
    "found '}'. Expected ',' or ']'",
  ],
  [
    'as the type says, without a meaning',
    graphOf('%q : u2[n, 2] = quantize %x {bits = 2, nan = "zero", quantizer = <>}', 'return %q'),
    'K0301',
    '3:68',
    'the type says nothing here',
  ],
  [
    'a malformed meaning',
    graphOf(
      `%q : u2[n, 2]<uniform{levels = 1, lo = 0, step = 1}> = quantize %x {bits = 2, nan = "zero", quantizer = ${UNIFORM}}`,
      'return %q',
    ),
    'K0303',
    '3:17',
    'the meaning of the type is malformed',
  ],
  [
    'another meaning',
    graphOf(
      `%q : u2[n, 2]<uniform{levels = 4, lo = 0, step = 2}> = quantize %x {bits = 2, nan = "zero", quantizer = ${UNIFORM}}`,
      'return %q',
    ),
    'K0301',
    '3:8',
    'Expected u2[n, 2]<uniform{levels = 4, lo = 0, step = 1}>, which quantize gives',
  ],
  [
    'a quantizer with a step of 0',
    graphOf(
      '%q : u2[n, 2]<uniform{levels = 4, lo = 0, step = 0}> = quantize %x {bits = 2, nan = "zero", quantizer = <>}',
      'return %q',
    ),
    'K0303',
    '3:58',
    'step must be positive',
  ],
  [
    'more behind the end',
    `${graphOf(AFFINE, 'return %y')}resources {\n}\n}`,
    'K0301',
    '8:1',
    "found '}'. Expected the end of the text",
  ],
  [
    'another section',
    `${graphOf(AFFINE, 'return %y')}weights {}`,
    'K0301',
    '6:1',
    "found 'weights'. Expected 'resources' or the end",
  ],
  [
    'a reference without a resource',
    graphOf(`%y : f32[n, 2] = gather %x {indices = #${HASH} : u8[18]}`, 'return %y'),
    'K0302',
    '3:41',
    'is not in the resource section',
  ],
  [
    'a name without a type',
    graphOf(`%y : f32[n, 2] = gather %x {indices = #${HASH}}`),
    'K0301',
    '3:74',
    "found '}'. Expected ':'",
  ],
  ['hidden characters', 'kir 1\ngraph @\u202eg level', 'K0301', '2:8', 'Expected the name of the graph'],
];

describe('wrong text', () => {
  it.each(CASES)('%s', (_, text, code, place, message) => {
    const shown = messageOf(parseGraph(text, 'a.kir'));
    expect(shown).toContain(message);
    expect(shown).toMatch(new RegExp(`^error ${code}: a\\.kir:${place}[:,]`));
  });

  it('tells several faults of names and types at once, in order', () => {
    const result = parseGraph(
      graphOf('%a : f32[n, 2] = afine %x', '%b : f32[n, 2] = gather %nowhere {indices = 1}', 'return %c'),
    );
    expect(E.isLeft(result) ? result.left.map((d) => `${d.code} line ${d.place.line}`) : []).toStrictEqual([
      'K0301 line 3',
      'K0303 line 4',
      'K0301 line 4',
      'K0301 line 5',
    ]);
  });
});
