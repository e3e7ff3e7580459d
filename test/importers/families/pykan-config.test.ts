/** The YAML of pykan: what is read of it, and that nothing in it is done. */
import { resourceUsage } from 'node:process';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { readPykanConfig } from '../../../src/importers/families/pykan/config.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';

const read = (text: string) => readPykanConfig(new TextEncoder().encode(text), 'net_config.yml');

describe('plain values', () => {
  it('are read in either layout of width', () => {
    expect(rightOf(read('width: [[2, 0], [3, 2], [1, 0]]\nmult_arity: 2')).width).toEqual([
      { sum: 2, mult: 0 },
      { sum: 3, mult: 2 },
      { sum: 1, mult: 0 },
    ]);
    expect(rightOf(read('width:\n- 2\n- 5\n')).width).toEqual([
      { sum: 2, mult: 0 },
      { sum: 5, mult: 0 },
    ]);
    const config = rightOf(
      read("symbolic.funs_name.1:\n- - '0'\n  - x^2\n- - 1/x\n  - sgn\nsymbolic_enabled: false\n"),
    );
    expect(config.functions(1)).toEqual([
      ['0', 'x^2'],
      ['1/x', 'sgn'],
    ]);
    expect(config.functions(0)).toBeUndefined();
    expect(config.symbolicEnabled).toBe(false);
  });
});

describe('tags of Python', () => {
  it('construct nothing: numbers of numpy and names of torch are read, and what cannot be is told', () => {
    const config = rightOf(
      read(`width: !!python/tuple
- !!python/tuple [2, 0]
- - !!python/object/apply:numpy.core.multiarray.scalar
    - &id001 !!python/object/apply:numpy.dtype
      args: [i8, false, true]
      state: !!python/tuple [3, <, null, null, null, -1, -1, 0]
    - !!binary |
      BQAAAAAAAAA=
  - 0
mult_arity: !!python/object/apply:os.system ["touch /tmp/never"]
base_fun_name: !!python/object:torch.nn.modules.activation.SiLU {training: true}
symbolic_enabled: true
k: 3
`),
    );
    expect(config.width).toEqual([
      { sum: 2, mult: 0 },
      { sum: 5, mult: 0 },
    ]);
    expect(config.arity).toBeUndefined();
    expect(config.unread).toEqual(['mult_arity']);
    expect(config.base?.activation).toBe('silu');
    expect(config.symbolicEnabled).toBe(true);
    expect(rightOf(read('width: !!python/tuple [!!python/tuple [2, 0], [1, 1]]')).width).toEqual([
      { sum: 2, mult: 0 },
      { sum: 1, mult: 1 },
    ]);
  });
});

describe('hostile text', () => {
  it('K0104: aliases that expand without end', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let k = 1; k < 12; k++) lines.push(`a${k}: &a${k} [${new Array(10).fill(`*a${k - 1}`).join(', ')}]`);
    const started = performance.now();
    expect(codeOf(read(lines.join('\n')))).toBe('K0104');
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('K0104: lists nested without end, text that is no YAML, no record or no text', () => {
    expect(codeOf(read('['.repeat(200000)))).toBe('K0104');
    expect(codeOf(read(`a: ${'['.repeat(100000)}${']'.repeat(100000)}`))).toBe('K0104');
    expect(codeOf(read('width: [1, 2'))).toBe('K0104');
    expect(codeOf(read('a: 1\na: 2'))).toBe('K0104');
    expect(messageOf(read('k: 3\nwidth: 1\nk: 4'))).toContain("'k' stands twice");
    expect(messageOf(read('k: 3\nwidth: }'))).toContain('line 2');
    expect(codeOf(read('- 1\n- 2'))).toBe('K0104');
    expect(codeOf(read(''))).toBe('K0104');
    expect(codeOf(read('a: *unknown'))).toBe('K0104');
    expect(codeOf(readPykanConfig(Uint8Array.of(0xff, 0xfe, 0x00), 'c'))).toBe('K0104');
    expect(messageOf(read('width: [1, \u0007'))).not.toContain('\u0007');
  });

  it('K0113: a file of absurd size', () => {
    expect(codeOf(readPykanConfig(new Uint8Array(2 ** 22 + 1), 'c'))).toBe('K0113');
  });

  const lines = (count: number, line: (k: number) => string): string =>
    Array.from({ length: count }, (_, k) => line(k)).join('\n');

  it.each([
    ['faults on every line', lines(20_000, () => 'grid: 3\n\t]: {')],
    ['another key on every line', lines(60_000, (k) => `key${k}: ${k}`)],
    ['brackets alone', ']'.repeat(290_000)],
    ['the same key on every line', lines(40_000, () => 'grid: 3')],
    ['a list without end', lines(200_000, () => '- 1')],
  ])('is read or refused soon, with little memory: %s', (_, text) => {
    const [before, started] = [resourceUsage().maxRSS, performance.now()];
    const got = read(text);
    expect(performance.now() - started).toBeLessThan(2000);
    // Kilobytes. What the process held before does not count, so this can only be too kind.
    expect(resourceUsage().maxRSS - before).toBeLessThan(160_000);
    expect(E.isRight(got) || got.left.every((d) => ['K0104', 'K0113'].includes(d.code))).toBe(true);
  });

  it('K0113: more words than any network has', () => {
    expect(codeOf(read(lines(200_000, () => '- 1')))).toBe('K0113');
  });

  it('a network of 50,000 edges is read', () => {
    const names = lines(50_000, (k) => `${k % 64 === 0 ? '- - ' : '  - '}'sin'`);
    const config = rightOf(read(`width: [784, 64]\nsymbolic.funs_name.0:\n${names}`));
    expect(config.functions(0)?.length).toBe(782);
  });

  it('numbers that are no counts count as absent, and keys reach no prototype', () => {
    for (const width of [
      '[-1, 2]',
      '[.inf, 2]',
      '[.nan]',
      '[1.5]',
      '"12"',
      '[[1, 2, 3]]',
      '[1e9]',
      '{}',
      'null',
    ]) {
      expect(rightOf(read(`width: ${width}\nk: 3`)).width, width).toBeUndefined();
    }
    for (const arity of ['0', '-1', '1e9', '[[0]]', '[1, 2]']) {
      expect(rightOf(read(`mult_arity: ${arity}`)).arity, arity).toBeUndefined();
    }
    rightOf(read('__proto__: {polluted: 1}\n"constructor": 2'));
    expect('polluted' in {}).toBe(false);
    expect(rightOf(read('<<: {width: [1, 2]}\nk: 3')).width).toBeUndefined();
  });
});

describe('base functions', () => {
  const baseOf = (text: string) => rightOf(read(`base_fun_name: ${text}\nk: 3`)).base;

  it.each([
    ['silu', 'silu'],
    ['Tanh()', 'tanh'],
    ['"GELU(approximate=\'tanh\')"', 'gelu_tanh'],
    ['LeakyReLU(negative_slope=0.01)', 'leaky_relu'],
    ['!!python/object:torch.nn.modules.activation.ELU {alpha: 1.0, training: true}', 'elu'],
    ["!!python/name:torch.nn.functional.softplus ''", 'softplus'],
    ["!!python/name:torch.tanh ''", 'tanh'],
  ])('%s is %s', (text, activation) => {
    expect(baseOf(text)?.activation).toBe(activation);
  });

  it.each([
    ['!!python/object:torch.nn.modules.activation.ELU {alpha: 0.5}', 'with alpha = 0.5'],
    ['LeakyReLU(negative_slope=0.2)', 'LeakyReLU(negative_slope=0.2)'],
    ['!!python/object:mine.Tanh {}', 'mine.Tanh'],
    ["!!python/name:mine.tanh ''", 'the Python function mine.tanh'],
    ["!!python/name:__main__.%3Clambda%3E ''", 'the Python function __main__.<lambda>'],
    ['[silu]', 'no name'],
    ['null', 'no name'],
    ['constructor()', 'constructor()'],
  ])('%s is none of ours, and told as it stands', (text, shown) => {
    expect(baseOf(text)?.activation).toBeUndefined();
    expect(baseOf(text)?.shown).toContain(shown);
  });
});
