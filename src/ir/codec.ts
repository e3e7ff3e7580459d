/**
 * io-ts codecs that the op definitions share. An op's attributes are described once, by a codec: it is their
 * type, their validator (for `.kir` text and for graphs that user passes make) and what the printer walks.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { printable } from '../diagnostics/index.js';
import { type Constant, isConstant, type PerChannel } from './constant.js';
import type { ElementType } from './element.js';

/** A number that is neither NaN nor infinite (plain `t.number` takes both). */
export const Finite = new t.Type<number, number, unknown>(
  'finite number',
  (u): u is number => typeof u === 'number' && Number.isFinite(u),
  (u, c) => (typeof u === 'number' && Number.isFinite(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

/** An integer in [lo, hi]. */
export const integer = (lo: number, hi: number): t.Type<number, number, unknown> => {
  const is = (u: unknown): u is number => typeof u === 'number' && Number.isInteger(u) && u >= lo && u <= hi;
  return new t.Type<number, number, unknown>(
    `integer in [${lo}, ${hi}]`,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  );
};

/** A constant of the element kind and rank. */
export const constantOf = (kind: ElementType['kind'], rank: number): t.Type<Constant, Constant, unknown> => {
  const is = (u: unknown): u is Constant =>
    isConstant(u) && u.element.kind === kind && u.shape.length === rank;
  return new t.Type<Constant, Constant, unknown>(
    `${kind} constant of rank ${rank}`,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  );
};

/** A finite number that f32 holds exactly: what a backend multiplies with is then what the interpreter does. */
const FiniteF32 = new t.Type<number, number, unknown>(
  'finite f32 number',
  (u): u is number => Finite.is(u) && Math.fround(u) === u,
  (u, c) => (Finite.is(u) && Math.fround(u) === u ? t.success(u) : t.failure(u, c)),
  t.identity,
);

/** One number for every channel, or a rank-1 constant with one per channel. */
export const perChannelOf = (kind: ElementType['kind']): t.Type<PerChannel, PerChannel, unknown> =>
  t.union([kind === 'f32' ? FiniteF32 : integer(-(2 ** 31), 2 ** 32 - 1), constantOf(kind, 1)]);

/** A key of a record as documentation shows it. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
}

const fields = new WeakMap<t.Mixed, ReadonlyArray<Field>>();

/** The keys of a codec that `record` made, in the order of its declaration; undefined for other codecs. */
export const fieldsOfRecord = (codec: t.Mixed): ReadonlyArray<Field> | undefined => fields.get(codec);

/**
 * A record with exactly these keys: unlike `t.type`, which keeps unknown keys, and `t.strict`, which drops
 * them, an unknown key is an error, so that a misspelt attribute is told and not ignored.
 */
export const record = <R extends t.Props, P extends t.Props>(
  required: R,
  optional: P,
): t.Type<t.TypeOfProps<R> & t.TypeOfPartialProps<P>, unknown, unknown> => {
  const known = new Set([...Object.keys(required), ...Object.keys(optional)]);
  const codec = t.intersection([t.type(required), t.partial(optional)]);
  const onlyKnown = (u: unknown): boolean =>
    typeof u === 'object' && u !== null && Object.keys(u).every((key) => known.has(key));
  const made: t.Type<t.TypeOf<typeof codec>, unknown, unknown> = new t.Type(
    codec.name,
    (u): u is t.TypeOf<typeof codec> => codec.is(u) && onlyKnown(u),
    (u, c) => {
      const result = codec.validate(u, c);
      if (E.isLeft(result) || typeof u !== 'object' || u === null) return result;
      const unknown = Object.keys(u).find((key) => !known.has(key));
      return unknown === undefined
        ? result
        : t.failure(u, c, `unknown key '${unknown}' (known: ${[...known].join(', ')})`);
    },
    codec.encode,
  );
  const field =
    (optional: boolean) =>
    ([name, of]: readonly [string, t.Mixed]): Field => ({ name, type: of.name, optional });
  fields.set(made, [
    ...Object.entries(required).map(field(false)),
    ...Object.entries(optional).map(field(true)),
  ]);
  return made;
};

/** Most characters of a found value that are shown: it may be a whole file. */
const SHOWN_FOUND = 60;

const showFound = (u: unknown): string => {
  if (isConstant(u)) return `a ${u.element.kind} constant of rank ${u.shape.length}`;
  if (u === undefined) return 'nothing';
  if (typeof u === 'object' && u !== null) return Array.isArray(u) ? 'a list' : 'a record';
  return printable(JSON.stringify(u) ?? String(u), SHOWN_FOUND);
};

const showError = (e: t.ValidationError): string => {
  const path = e.context
    .map((c) => c.key)
    .filter((key) => key !== '' && !/^\d+$/.test(key))
    .join('.');
  if (e.message !== undefined) return path === '' ? e.message : `${path}: ${e.message}`;
  const wanted = e.context.at(-1)?.type.name ?? 'another value';
  return `${path === '' ? 'value' : path}: expected ${wanted}, found ${showFound(e.value)}`;
};

/** The first few validation errors as text: path, what was expected, what was found. */
export const showErrors = (errors: t.Errors): string => errors.slice(0, 3).map(showError).join('; ');

/** The first validation error alone: for data whose other errors mostly follow from it. */
export const showFirstError = (errors: t.Errors): string => errors.slice(0, 1).map(showError).join('');
