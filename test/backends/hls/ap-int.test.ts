/** The stand-in for ap_int.h against BigInt: random widths and values, every operator, with widths and signs of results. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apHeader } from '../../../src/backends/hls/ap-operators.js';
import { type Random, randomOf } from '../../support/random.js';
import { missingTools, runTool, usableFlags } from '../../support/tools.js';
import { sanitizersOf, writeFiles } from '../c/support.js';

interface Kind {
  readonly width: number;
  readonly signed: boolean;
}

const nameOf = ({ width, signed }: Kind): string => `ap_${signed ? 'int' : 'uint'}<${width}>`;

/** What assigning any integer to a type gives: its lowest bits, as the type reads them. */
const assigned = ({ width, signed }: Kind, v: bigint): bigint =>
  signed ? BigInt.asIntN(width, v) : BigInt.asUintN(width, v);

/** Operands beside each other: an unsigned one has a bit more where the other is signed. */
const common = (a: Kind, b: Kind): number =>
  Math.max(a.width + (b.signed && !a.signed ? 1 : 0), b.width + (a.signed && !b.signed ? 1 : 0));

/** The documented type of each result. */
const RESULTS: Readonly<Record<string, (a: Kind, b: Kind) => Kind>> = {
  '+': (a, b) => ({ width: common(a, b) + 1, signed: a.signed || b.signed }),
  '-': (a, b) => ({ width: common(a, b) + 1, signed: true }),
  '*': (a, b) => ({ width: a.width + b.width, signed: a.signed || b.signed }),
  '/': (a, b) => ({ width: a.width + (b.signed ? 1 : 0), signed: a.signed || b.signed }),
  '%': (a, b) => ({ width: Math.min(a.width, b.width + (!b.signed && a.signed ? 1 : 0)), signed: a.signed }),
  '&': (a, b) => ({ width: common(a, b), signed: a.signed || b.signed }),
  '|': (a, b) => ({ width: common(a, b), signed: a.signed || b.signed }),
  '^': (a, b) => ({ width: common(a, b), signed: a.signed || b.signed }),
};

const VALUES: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
};

const COMPARISONS: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Ends of the range, small numbers, and any others. */
const anyValue = (r: Random, kind: Kind): bigint => {
  const any = (BigInt(r.whole(0, 2 ** 32 - 1)) << 32n) | BigInt(r.whole(0, 2 ** 32 - 1));
  const picked = r.pick([
    any,
    any,
    any,
    0n,
    1n,
    -1n,
    1n << BigInt(kind.width - 1),
    (1n << BigInt(kind.width - 1)) - 1n,
  ]);
  return assigned(kind, picked);
};

const literal = (v: bigint): string => (v < 0n ? `(long long)(-${-v - 1n}LL - 1)` : `${v}ULL`);

interface Case {
  readonly code: string;
  readonly expected: string;
}

const shown = (kind: Kind, v: bigint): string => `${kind.width} ${kind.signed ? 1 : 0} ${v}`;

const casesOf = (r: Random, a: Kind, b: Kind): ReadonlyArray<Case> => {
  const [x, y] = [anyValue(r, a), anyValue(r, b)];
  const operands = `const ${nameOf(a)} a = ${literal(x)}; const ${nameOf(b)} b = ${literal(y)};`;
  const made = (expression: string, kind: Kind, v: bigint): Case => ({
    code: `{ ${operands} show(${expression}); (void)a; (void)b; }`,
    expected: shown(kind, v),
  });
  const cases: Case[] = [];
  for (const [op, type] of Object.entries(RESULTS)) {
    const kind = type(a, b);
    if (kind.width > 64 || ((op === '/' || op === '%') && y === 0n)) continue;
    cases.push(made(`a ${op} b`, kind, assigned(kind, VALUES[op]!(x, y))));
  }
  for (const [op, holds] of Object.entries(COMPARISONS)) {
    cases.push(made(`ap_uint<1>(a ${op} b)`, { width: 1, signed: false }, holds(x, y) ? 1n : 0n));
  }
  cases.push(made(`${nameOf(b)}(a)`, b, assigned(b, x)));
  const by = r.whole(0, a.width + 2);
  cases.push(made(`a << ${by}`, a, assigned(a, x << BigInt(by))));
  cases.push(made(`a >> ${by}`, a, assigned(a, x >> BigInt(by))));
  cases.push(made(`a << -${by}`, a, assigned(a, x >> BigInt(by))));
  cases.push(made(`a >> ap_uint<7>(${by})`, a, assigned(a, x >> BigInt(by))));
  for (const op of ['+', '-', '*', '&', '|', '^']) {
    const v = assigned(a, VALUES[op]!(x, y));
    cases.push({ code: `{ ${operands} ${nameOf(a)} t = a; t ${op}= b; show(t); }`, expected: shown(a, v) });
  }
  const low = r.whole(0, a.width - 1);
  const high = r.whole(low, a.width - 1);
  const count = BigInt(high - low + 1);
  const part = BigInt.asUintN(Number(count), x >> BigInt(low));
  const mask = ((1n << count) - 1n) << BigInt(low);
  const patched = assigned(a, (x & ~mask) | ((y << BigInt(low)) & mask));
  cases.push({
    code: `{ ${operands} ${nameOf(a)} t = a; show(ap_uint<64>(t.range(${high}, ${low}))); (void)b; }`,
    expected: shown({ width: 64, signed: false }, part),
  });
  cases.push({
    code: `{ ${operands} ${nameOf(a)} t = a; t(${high}, ${low}) = b.to_uint64(); show(t); show(ap_uint<1>(t[${low}])); }`,
    expected: `${shown(a, patched)}\n${shown({ width: 1, signed: false }, (patched >> BigInt(low)) & 1n)}`,
  });
  const step = assigned(a, x + 1n);
  cases.push({
    code: `{ ${operands} ${nameOf(a)} t = a; ++t; show(t); t--; show(t); (void)b; }`,
    expected: `${shown(a, step)}\n${shown(a, x)}`,
  });
  return cases;
};

/** Operands of native types count as ap types of their width. */
const nativeCases = (r: Random): ReadonlyArray<Case> =>
  (['int', 'unsigned', 'short', 'signed char', 'unsigned char', 'bool'] as const).flatMap((type) => {
    const b: Kind = {
      width: { int: 32, unsigned: 32, short: 16, 'signed char': 8, 'unsigned char': 8, bool: 1 }[type],
      signed: type === 'int' || type === 'short' || type === 'signed char',
    };
    const a: Kind = { width: r.whole(1, 24), signed: r.chance(0.5) };
    const [x, y] = [anyValue(r, a), anyValue(r, b)];
    const operands = `const ${nameOf(a)} a = ${literal(x)}; const ${type} b = (${type})${literal(y)};`;
    return ['+', '-', '*'].map((op) => {
      const kind = RESULTS[op]!(a, b);
      return { code: `{ ${operands} show(a ${op} b); }`, expected: shown(kind, VALUES[op]!(x, y)) };
    });
  });

const programOf = (cases: ReadonlyArray<Case>): string => `#include "kanc_ap_int.h"
#include <cstdio>
template <int W> void show(const ap_int<W> &v) { std::printf("%d 1 %lld\\n", W, (long long)v.to_int64()); }
template <int W> void show(const ap_uint<W> &v) { std::printf("%d 0 %llu\\n", W, (unsigned long long)v.to_uint64()); }
${Array.from({ length: Math.ceil(cases.length / 50) }, (_, k) => {
  const part = cases.slice(50 * k, 50 * (k + 1)).map((c) => `    ${c.code}`);
  return `static void part${k}() {\n${part.join('\n')}\n}`;
}).join('\n')}
int main() {
${Array.from({ length: Math.ceil(cases.length / 50) }, (_, k) => `    part${k}();`).join('\n')}
    return 0;
}
`;

describe.skipIf(missingTools({ 'g++': 'g++', 'clang++': 'clang' }))('kanc_ap_int.h', () => {
  it.each([
    ['g++', 1, () => usableFlags('g++', ['-fsanitize=undefined', '-fno-sanitize-recover=all'])],
    ['clang++', 2, () => sanitizersOf('clang++')],
  ] as const)('computes as BigInt does, with %s', (cxx, seed, sanitize) => {
    const r = randomOf(seed);
    const kind = (): Kind => ({
      width: r.pick([r.whole(1, 64), r.whole(1, 32), r.whole(1, 9), 32, 64]),
      signed: r.chance(0.5),
    });
    const cases = [
      ...Array.from({ length: 22 }, () => casesOf(r, kind(), kind())).flat(),
      ...Array.from({ length: 10 }, () => nativeCases(r)).flat(),
    ];
    const folder = writeFiles(
      new Map([
        ['kanc_ap_int.h', apHeader()],
        ['test.cpp', programOf(cases)],
      ]),
    );
    const flags = ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O0', ...sanitize()];
    runTool(cxx, [...flags, '-o', 'test', 'test.cpp'], { cwd: folder });
    const lines = runTool(join(folder, 'test'), [], { cwd: folder }).toString().trimEnd().split('\n');
    const expected = cases.flatMap((c) => c.expected.split('\n').map((line) => `${c.code}: ${line}`));
    const codes = cases.flatMap((c) => c.expected.split('\n').map(() => c.code));
    expect(lines.map((line, k) => `${codes[k]}: ${line}`)).toEqual(expected);
    expect(cases.length).toBeGreaterThan(650);
  });
});
