/** Damage to files: what storage, networks and attackers do to bytes, as data that shrinks. */
import * as fc from 'fast-check';
import { match } from 'ts-pattern';

/** A place in a file, near its start or end: that is where headers and directories lie. */
export interface Place {
  readonly from: 'start' | 'end' | 'any';
  readonly at: number;
}

export type Edit =
  | { readonly kind: 'flip'; readonly place: Place; readonly bit: number }
  | { readonly kind: 'set'; readonly place: Place; readonly byte: number }
  | { readonly kind: 'word'; readonly place: Place; readonly bytes: 2 | 4 | 8; readonly value: bigint }
  | { readonly kind: 'truncate'; readonly place: Place }
  | { readonly kind: 'remove'; readonly place: Place; readonly count: number }
  | { readonly kind: 'repeat'; readonly place: Place; readonly count: number; readonly times: number }
  | { readonly kind: 'insert'; readonly place: Place; readonly text: string }
  /** Bytes of another file. */
  | { readonly kind: 'splice'; readonly place: Place; readonly donor: Place; readonly count: number }
  /** The decimal number at the place or behind it becomes another. */
  | { readonly kind: 'number'; readonly place: Place; readonly text: string };

const place: fc.Arbitrary<Place> = fc.record({
  from: fc.constantFrom('start' as const, 'end' as const, 'any' as const, 'any' as const),
  at: fc.nat(2 ** 20),
});

const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '17',
  '255',
  '65536',
  '2147483647',
  '4294967296',
  '9007199254740993',
  '99999999999999999999',
  '1e308',
  '1e999',
  'NaN',
  '-0',
  '0.5',
  '0x1p-3',
];

const WORDS = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const TOKENS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '&a',
  '*a',
  '- ',
  '\n',
  '%x',
  '#',
  'const f32[1] [0]',
  'null',
  'true',
  '"__proto__"',
  '!!js/function',
  '\u0000',
  'é\ud83d\ude00',
  '[[[[[[[[',
];

/** Edits; `words` are further tokens to insert. */
export const editsWith = (words: ReadonlyArray<string>): fc.Arbitrary<Edit> =>
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), place, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('set' as const), place, byte: fc.nat(255) }),
    fc.record({
      kind: fc.constant('word' as const),
      place,
      bytes: fc.constantFrom(2 as const, 4 as const, 8 as const),
      value: fc.constantFrom(...WORDS),
    }),
    fc.record({ kind: fc.constant('truncate' as const), place }),
    fc.record({ kind: fc.constant('remove' as const), place, count: fc.integer({ min: 1, max: 64 }) }),
    fc.record({
      kind: fc.constant('repeat' as const),
      place,
      count: fc.integer({ min: 1, max: 64 }),
      // Large files take a thousand times as long as small ones.
      times: fc.oneof(
        { weight: 56, arbitrary: fc.integer({ min: 1, max: 4 }) },
        { weight: 7, arbitrary: fc.constant(1000) },
        { weight: 1, arbitrary: fc.constant(20_000) },
      ),
    }),
    fc.record({
      kind: fc.constant('insert' as const),
      place,
      text: fc.constantFrom(...TOKENS, ...NUMBERS, ...words),
    }),
    fc.record({
      kind: fc.constant('splice' as const),
      place,
      donor: place,
      count: fc.integer({ min: 1, max: 512 }),
    }),
    fc.record({ kind: fc.constant('number' as const), place, text: fc.constantFrom(...NUMBERS) }),
  );

export const edits: fc.Arbitrary<Edit> = editsWith([]);

/** How far from an end `start` and `end` reach. */
const NEAR = 512;

const indexOf = ({ from, at }: Place, length: number): number => {
  if (length === 0) return 0;
  const near = Math.min(NEAR, length);
  if (from === 'any') return at % length;
  return from === 'start' ? at % near : length - 1 - (at % near);
};

const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const replaced = (bytes: Uint8Array, at: number, count: number, by: Uint8Array): Uint8Array =>
  joined(bytes.subarray(0, at), by, bytes.subarray(at + count));

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

const withNumber = (bytes: Uint8Array, from: number, text: string): Uint8Array => {
  let start = from;
  while (start < bytes.length && !isDigit(bytes[start])) start++;
  let end = start;
  while (isDigit(bytes[end])) end++;
  return start === bytes.length ? bytes : replaced(bytes, start, end - start, new TextEncoder().encode(text));
};

const wordOf = (value: bigint, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, k) => Number((value >> BigInt(8 * k)) & 255n));

/** The bytes after one edit; `donor` is where splices come from. */
export const edited = (bytes: Uint8Array, edit: Edit, donor: Uint8Array): Uint8Array => {
  const at = indexOf(edit.place, bytes.length);
  return match(edit)
    .with({ kind: 'flip' }, ({ bit }) => replaced(bytes, at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << bit))))
    .with({ kind: 'set' }, ({ byte }) => replaced(bytes, at, 1, Uint8Array.of(byte)))
    .with({ kind: 'word' }, ({ bytes: count, value }) => replaced(bytes, at, count, wordOf(value, count)))
    .with({ kind: 'truncate' }, () => bytes.slice(0, at))
    .with({ kind: 'remove' }, ({ count }) => replaced(bytes, at, count, new Uint8Array(0)))
    .with({ kind: 'repeat' }, ({ count, times }) => {
      const piece = bytes.subarray(at, at + count);
      return replaced(bytes, at, 0, joined(...Array.from({ length: times }, () => piece)));
    })
    .with({ kind: 'insert' }, ({ text }) => replaced(bytes, at, 0, new TextEncoder().encode(text)))
    .with({ kind: 'splice' }, ({ donor: where, count }) => {
      const from = indexOf(where, donor.length);
      return replaced(bytes, at, count, donor.subarray(from, from + count));
    })
    .with({ kind: 'number' }, ({ text }) => withNumber(bytes, at, text))
    .exhaustive();
};
