/** Options of passes: declared once, giving the codec that reads them from a pipeline text and their help. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Rule } from '../diagnostics/index.js';
import type { OptionHelp } from './pass.js';

/** One option: its default and how it is read, both as text. */
export interface OptionSpec<A> {
  readonly help: string;
  readonly default: string;
  /** What is expected, when the text is wrong. */
  readonly parse: (text: string) => Rule<A>;
}

type Values<S> = { readonly [K in keyof S]: S[K] extends OptionSpec<infer A> ? A : never };

export interface Options<O> {
  /** Decodes a record of strings; absent options take their defaults, unknown ones are errors. */
  readonly codec: t.Type<O, unknown, unknown>;
  readonly help: ReadonlyArray<OptionHelp>;
}

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === 'object' && u !== null && !Array.isArray(u);

export const declareOptions = <S extends Readonly<Record<string, OptionSpec<unknown>>>>(
  spec: S,
): Options<Values<S>> => {
  const names = Object.keys(spec);
  const codec = new t.Type<Values<S>, unknown, unknown>(
    'options',
    (u): u is Values<S> => isRecord(u) && names.every((name) => name in u),
    (u, c) => {
      if (!isRecord(u)) return t.failure(u, c, 'options are a record');
      const unknown = Object.keys(u).find((name) => !names.includes(name));
      if (unknown !== undefined) {
        return t.failure(u, c, `there is no option '${unknown}' (there are: ${names.join(', ') || 'none'})`);
      }
      const values: Record<string, unknown> = {};
      for (const [name, option] of Object.entries(spec)) {
        const given = u[name] ?? option.default;
        if (typeof given !== 'string') return t.failure(u, c, `option '${name}' is given as text`);
        const value = option.parse(given);
        if (E.isLeft(value)) {
          return t.failure(u, c, `option '${name}': expected ${value.left}, found '${given}'`);
        }
        values[name] = value.right;
      }
      return t.success(asValues<S>(values));
    },
    t.identity,
  );
  return {
    codec,
    help: Object.entries(spec).map(([name, o]) => ({
      name,
      help: o.help,
      default: o.default,
      accepts: o.parse,
    })),
  };
};

/**
 * The record built above has, for every key of the spec, what that key's parser returned: exactly `Values<S>`.
 * TypeScript cannot follow a mapped type through a loop over its keys, so it is told here, once.
 */
const asValues = <S>(values: Readonly<Record<string, unknown>>): Values<S> => values as Values<S>;

export const textOption = (help: string, fallback = ''): OptionSpec<string> => ({
  help,
  default: fallback,
  parse: E.right,
});

export const integerOption = (
  help: string,
  lo: number,
  hi: number,
  fallback: number,
): OptionSpec<number> => ({
  help,
  default: String(fallback),
  parse: (text) => {
    const n = Number(text);
    return /^-?\d+$/.test(text) && n >= lo && n <= hi ? E.right(n) : E.left(`an integer from ${lo} to ${hi}`);
  },
});

export const numberOption = (help: string, lo: number, hi: number, fallback: number): OptionSpec<number> => ({
  help,
  default: String(fallback),
  parse: (text) => {
    const n = Number(text);
    return text.trim() !== '' && n >= lo && n <= hi ? E.right(n) : E.left(`a number from ${lo} to ${hi}`);
  },
});

/** One number or several, with commas between them: a list in double quotes in a pipeline text. */
export const numbersOption = (
  help: string,
  lo: number,
  hi: number,
  fallback: number,
): OptionSpec<ReadonlyArray<number>> => {
  const one = numberOption(help, lo, hi, fallback);
  return {
    help,
    default: one.default,
    parse: (text) => {
      const numbers = text.split(',').map(one.parse);
      const values = numbers.flatMap((n) => (E.isRight(n) ? [n.right] : []));
      return values.length === numbers.length
        ? E.right(values)
        : E.left(`a number from ${lo} to ${hi}, or several with commas between them`);
    },
  };
};

export const choiceOption = <const C extends string>(
  help: string,
  choices: readonly [C, ...C[]],
): OptionSpec<C> => ({
  help,
  default: choices[0],
  parse: (text) => {
    const hit = choices.find((c) => c === text);
    return hit === undefined ? E.left(`one of ${choices.join(', ')}`) : E.right(hit);
  },
});

/** Either `auto`, the default, or what another option takes. */
const orAuto = ({ help, parse }: OptionSpec<number>): OptionSpec<number | 'auto'> => ({
  help,
  default: 'auto',
  parse: (text) =>
    text === 'auto' ? E.right(text) : E.mapLeft((expected: string) => `auto or ${expected}`)(parse(text)),
});

export const autoIntegerOption = (help: string, lo: number, hi: number): OptionSpec<number | 'auto'> =>
  orAuto(integerOption(help, lo, hi, lo));

export const autoNumberOption = (help: string, lo: number, hi: number): OptionSpec<number | 'auto'> =>
  orAuto(numberOption(help, lo, hi, lo));

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A number of bytes such as 4MB or 512KiB. */
export const bytesOption = (help: string, fallback: string): OptionSpec<number> => ({
  help,
  default: fallback,
  parse: (text) => {
    const parts = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
    const unit = UNITS[parts?.[2] ?? '?'];
    const bytes = Math.floor(Number(parts?.[1]) * (unit ?? Number.NaN));
    return bytes > 0 ? E.right(bytes) : E.left('a size such as 4MB or 512KiB');
  },
});
