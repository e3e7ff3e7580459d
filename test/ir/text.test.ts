/** The text form: parse(print(g)) = g, print(parse(t)) = t, and the same graph gives the same bytes. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import {
  builder,
  type Constant,
  constant,
  constantsOf,
  F32,
  floatType,
  type Graph,
  hashOf,
  int,
  isConstant,
  LEVELS,
  OPS,
  parseGraph,
  printGraph,
  uint,
  valueType,
  verify,
} from '../../src/ir/index.js';
import { showNumber, showString } from '../../src/ir/print-value.js';
import { shortestNames } from '../../src/ir/resources.js';
import { messageOf, rightOf } from '../support/checked.js';
import { arbitraryGraph, kindsIn, randomGraph, textWithResources } from '../support/graphs.js';

const parsed = (text: string): Graph => rightOf(parseGraph(text));

/** A graph with every constant as its bits, so that -0, 0 and all NaN are told apart by toStrictEqual. */
const bitwise = (u: unknown): unknown => {
  if (isConstant(u)) {
    const { data } = u;
    return {
      kind: data.constructor.name,
      element: u.element,
      shape: u.shape,
      bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
    };
  }
  if (Array.isArray(u)) return u.map(bitwise);
  if (typeof u !== 'object' || u === null) return u;
  return Object.fromEntries(Object.entries(u).map(([k, v]) => [k, bitwise(v)]));
};

const singleInput = (name: string, scale: number | Constant): Graph => {
  const b = builder(name, 'float');
  const x = b.input('x', floatType([typeof scale === 'number' ? 2 : scale.shape[0]!]));
  return rightOf(b.build([b.add('y', { kind: 'affine', attrs: { scale, shift: 0 } }, [x])]));
};

describe('round trip', () => {
  it('parse(print(g)) is g, and print(parse(t)) is t', () => {
    fc.assert(
      fc.property(arbitraryGraph(), (graph) => {
        const text = printGraph(graph);
        const again = parsed(text);
        expect(bitwise(again)).toStrictEqual(bitwise(graph));
        expect(printGraph(again)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('the generated graphs hold all ops and pass the verifier', () => {
    const graphs = LEVELS.flatMap((level) =>
      Array.from({ length: 200 }, (_, seed) => randomGraph(level, seed, 8)),
    );
    for (const graph of graphs) expect(verify(graph)).toStrictEqual(E.right(undefined));
    expect([...kindsIn(graphs)].sort()).toStrictEqual(Object.keys(OPS).sort());
  });

  it('holds lists of constants, small ones where they are used and large ones by name', () => {
    const b = builder('sum', 'table');
    const [x, z] = [b.input('x', valueType(uint(1), [2])), b.input('z', valueType(uint(5), [2]))];
    const tables = [
      constant(int(8), [1, 2], Int8Array.of(-1, 2)),
      constant(
        int(8),
        [2, 32],
        Int8Array.from({ length: 64 }, (_, k) => k - 32),
      ),
    ];
    const attrs = { tables, acc: 8, lo: -33, hi: 33, scale: 0.5 };
    const graph = rightOf(b.build([b.add('y', { kind: 'table.sum', attrs }, [x, z])]));
    const text = printGraph(graph);
    expect(text).toMatch(
      /= table\.sum %x, %z \{acc = 8, hi = 33, lo = -33, scale = 0\.5, tables = \[const i8\[1, 2\] \[-1, 2\], #[0-9a-f]{12} : i8\[2, 32\]\]\}/,
    );
    expect(constantsOf(graph)).toHaveLength(2);
    expect(bitwise(parsed(text))).toStrictEqual(bitwise(graph));
    const wrong = text.replace('const i8[1, 2] [-1, 2], ', '');
    expect(messageOf(parseGraph(wrong))).toMatch(/K0303: .*1 tables for 2 operands/);
    expect(messageOf(parseGraph(text.replace('const i8[1, 2] [-1, 2]', '3')))).toMatch(
      /tables: expected int constant of rank 2, found 3/,
    );
  });

  it('writes windows, functions and branches in full', () => {
    const b = builder('image', 'float');
    const x = b.input('x', floatType([2, 3, 3]));
    const window = { kernel: [2, 2], stride: [1, 1], padding: [1, 0], dilation: [1, 2], groups: 1 } as const;
    const beta = constant(F32, [2], Float32Array.of(0, 0.5));
    const gram = {
      _tag: 'polynomial',
      family: 'gram',
      degree: 1,
      squash: 'tanh',
      outer: 'silu',
      beta,
    } as const;
    const weights = constant(F32, [4, 2, 1], new Float32Array(8));
    const op = { kind: 'kan', attrs: { branches: [{ basis: gram, weights, from: 4 }], window } } as const;
    const graph = rightOf(b.build([b.add('y', op, [x])]));
    const text = printGraph(graph);
    expect(text).toContain(
      '{branches = [{basis = polynomial{beta = const f32[2] [0, 0.5], degree = 1, family = "gram", outer = "silu", squash = "tanh"}, from = 4, weights = const f32[4, 2, 1] [0, 0, 0, 0, 0, 0, 0, 0]}], window = {dilation = [1, 2], groups = 1, kernel = [2, 2], padding = [1, 0], stride = [1, 1]}}',
    );
    expect(bitwise(parsed(text))).toStrictEqual(bitwise(graph));
  });

  it('keeps every bit of floats, NaN included', () => {
    const bits = Uint32Array.of(0x7fc00000, 0xffc00001, 0x7f800001, 0x80000000, 0x7f800000, 1);
    const graph = singleInput('bits', constant(F32, [6], new Float32Array(bits.buffer)));
    expect(bitwise(parsed(printGraph(graph)))).toStrictEqual(bitwise(graph));
  });

  it('keeps infinities and -0 in short constants', () => {
    const graph = singleInput('ends', constant(F32, [4], Float32Array.of(-Infinity, -0, Infinity, 0.1)));
    const text = printGraph(graph);
    expect(text).toContain('scale = const f32[4] [-inf, -0, inf, 0.1]');
    expect(bitwise(parsed(text))).toStrictEqual(bitwise(graph));
  });

  it('quotes graph names that are no identifiers', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (name) => {
        const text = printGraph(singleInput(name, 1));
        expect(parsed(text).name).toBe(name);
        expect(/[\p{Cc}\p{Cf}]/u.test(text.replaceAll('\n', ''))).toBe(false);
      }),
    );
  });

  it('is not disturbed by the layout, by comments or by line ends', () => {
    const canonical = textWithResources('table');
    const [structure, resources] = canonical.split('resources {');
    const spread = structure!.replaceAll(' = ', ' // is\r\n =\t').replaceAll(', ', '\n,');
    const text = `// a graph\n${spread}resources {${resources!.replaceAll('\n', '  \r\n')}\n// end`;
    expect(printGraph(parsed(text))).toBe(canonical);
  });
});

describe('numbers and strings', () => {
  it('are exact', () => {
    const back = (text: string): number =>
      text === 'inf' || text === '-inf' || text === 'nan'
        ? Number(text.replace('inf', 'Infinity'))
        : text.endsWith('f')
          ? Math.fround(Number(text.slice(0, -1)))
          : Number(text);
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.float(), fc.integer()), (x) => {
        expect(back(showNumber(x))).toBe(x);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [0, '0'],
    [-0, '-0'],
    [64, '64'],
    [0.5, '0.5'],
    [0.1, '0.1'],
    [Math.fround(0.03), '0.03f'],
    [Math.fround(1e-30), '1e-30f'],
    [Number.NaN, 'nan'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('%d is written %s', (x, text) => {
    expect(showNumber(x)).toBe(text);
  });

  it('strings show nothing that could disturb a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        const text = showString(s);
        expect(JSON.parse(text)).toBe(s);
        expect(/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text)).toBe(false);
      }),
    );
  });
});

describe('constants', () => {
  const large = (fill: number): Constant => constant(int(8), [17], new Int8Array(17).fill(fill));

  it('stand inline up to 16 elements', () => {
    const line = (n: number): string =>
      printGraph(singleInput('n', constant(F32, [n], new Float32Array(n).fill(2))));
    expect(line(16)).not.toContain('resources');
    expect(line(17)).toContain('resources {\n  #');
  });

  it('are written once, sorted, whatever the order of use', () => {
    const b = builder('shared', 'table');
    const map = constant(uint(8), [1, 256], new Uint8Array(256));
    const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 2 } as const;
    const x = b.input('x', valueType(uint(8), [3]));
    const one = b.add('a', { kind: 'recode', attrs: { map, bits: 1, quantizer } }, [x]);
    // The same content in another array.
    const copy = constant(uint(8), [1, 256], new Uint8Array(256));
    const two = b.add('b', { kind: 'recode', attrs: { map: copy, bits: 1, quantizer } }, [x]);
    const graph = rightOf(b.build([one, two]));
    expect(constantsOf(graph)).toHaveLength(1);
    expect(printGraph(graph).match(/sha256-/g)).toHaveLength(1);
  });

  it('have longer names where 12 digits are not enough', () => {
    const hashes = ['a'.repeat(64), `${'a'.repeat(20)}${'b'.repeat(44)}`, 'c'.repeat(64)];
    expect([...shortestNames(hashes).values()]).toStrictEqual([
      'a'.repeat(21),
      `${'a'.repeat(20)}b`,
      'c'.repeat(12),
    ]);
  });

  it('hash their type and shape, not only their bytes', () => {
    const data = new Uint8Array(16);
    const hashes = [
      constant(uint(8), [16], data),
      constant(uint(7), [16], data),
      constant(uint(8), [4, 4], data),
      constant(int(8), [16], new Int8Array(16)),
    ].map(hashOf);
    expect(new Set(hashes).size).toBe(4);
    expect(hashOf(large(1))).not.toBe(hashOf(large(2)));
  });

  it('can be left out of a dump, which is then refused', () => {
    const graph = singleInput('n', constant(F32, [17], new Float32Array(17)));
    const text = printGraph(graph, { resources: false });
    expect(text).toContain('// resources elided');
    expect(messageOf(parseGraph(text, 'dump.kir'))).toMatch(
      /^error K0302: dump\.kir:3:\d+: #[0-9a-f]{12} is not in the resource section\. This is a dump without its constants/,
    );
    const small = singleInput('n', 1);
    expect(printGraph(small, { resources: false })).toBe(printGraph(small));
  });

  it('of 8 MB are printed and read within two seconds', () => {
    const c = constant(
      F32,
      [2 ** 21],
      new Float32Array(2 ** 21).map((_, i) => i * 0.5),
    );
    const graph = singleInput('big', c);
    const start = performance.now();
    const again = parsed(printGraph(graph));
    const elapsed = performance.now() - start;
    expect(constantsOf(again).map(hashOf)).toStrictEqual([hashOf(c)]);
    expect(elapsed).toBeLessThan(2000);
  });
});
