/** Codecs for the options of targets, which come as text: `--target-options name=value,...`. */
import * as t from 'io-ts';

/** An integer in [lo, hi], as a number or as its text. */
export const integerText = (lo: number, hi: number): t.Type<number, number, unknown> => {
  const read = (u: unknown): number | undefined => {
    const n = typeof u === 'string' && /^-?\d+$/.test(u) ? Number(u) : u;
    return typeof n === 'number' && Number.isInteger(n) && n >= lo && n <= hi ? n : undefined;
  };
  return new t.Type<number, number, unknown>(
    `integer in [${lo}, ${hi}]`,
    (u): u is number => typeof u === 'number' && read(u) !== undefined,
    (u, c) => {
      const n = read(u);
      return n === undefined ? t.failure(u, c) : t.success(n);
    },
    t.identity,
  );
};

/** A truth value, or the text `true` or `false`. */
export const booleanText: t.Type<boolean, boolean, unknown> = new t.Type<boolean, boolean, unknown>(
  'true or false',
  (u): u is boolean => typeof u === 'boolean',
  (u, c) => {
    if (u === true || u === 'true') return t.success(true);
    return u === false || u === 'false' ? t.success(false) : t.failure(u, c);
  },
  t.identity,
);

/** One of some words: in messages `auto, fused or layers`. */
export const choiceText = <const C extends readonly [string, ...string[]]>(
  ...choices: C
): t.Type<C[number], C[number], unknown> => {
  const is = (u: unknown): u is C[number] => choices.some((choice) => choice === u);
  const [last, ...others] = [...choices].reverse();
  return new t.Type<C[number], C[number], unknown>(
    others.length === 0 ? `${last}` : `${others.reverse().join(', ')} or ${last}`,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  );
};
