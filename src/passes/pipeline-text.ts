/** Pipelines as text: `calibrate{data=calib.npy},quantize{act=6,table=8},tabulate{form=auto},fold,dce`. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';

export interface PassCall {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

/** Values with other characters than these are quoted. */
const BARE = /^[A-Za-z0-9_./:+%@~-]+$/;

export const showPipeline = (calls: ReadonlyArray<PassCall>): string =>
  calls
    .map(({ name, options }) => {
      const entries = Object.entries(options);
      if (entries.length === 0) return name;
      return `${name}{${entries.map(([k, v]) => `${k}=${BARE.test(v) ? v : JSON.stringify(v)}`).join(',')}}`;
    })
    .join(',');

type Token = { readonly kind: 'word' | 'string' | 'sign'; readonly text: string; readonly column: number };

const TOKEN = /\s*(?:([A-Za-z0-9_./:+%@~-]+)|("(?:[^"\\]|\\.)*")|([{},=]))/y;

const tokenize = (text: string): Checked<ReadonlyArray<Token>> => {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const m = TOKEN.exec(text);
    if (m === null) {
      const column = from + 1 + (text.slice(from).length - text.slice(from).trimStart().length);
      return fail(
        'K0502',
        `character ${JSON.stringify(text[column - 1] ?? '')} at column ${column} of the pipeline`,
        {
          expected: 'a pass name, an option, or one of { } , =',
          hint: 'Values with other characters are written in double quotes.',
        },
      );
    }
    const kind = m[1] !== undefined ? 'word' : m[2] !== undefined ? 'string' : 'sign';
    tokens.push({
      kind,
      text: m[1] ?? m[2] ?? m[3] ?? '',
      column: TOKEN.lastIndex - m[0].trimStart().length + 1,
    });
  }
  return E.right(tokens);
};

/** Reads a pipeline text. An empty text is the empty pipeline. */
export const parsePipeline = (text: string): Checked<ReadonlyArray<PassCall>> => {
  const lexed = tokenize(text);
  if (E.isLeft(lexed)) return lexed;
  const tokens = lexed.right;
  if (tokens.length === 0) return E.right([]);
  let at = 0;
  const found = (): string => {
    const token = tokens[at];
    return token === undefined ? 'the end of the text' : `'${token.text}' at column ${token.column}`;
  };
  const wrong = (expected: string): Checked<never> =>
    fail('K0502', `the pipeline has ${found()}`, { expected });
  const sign = (s: string): boolean => {
    if (tokens[at]?.kind !== 'sign' || tokens[at]?.text !== s) return false;
    at++;
    return true;
  };

  const calls: PassCall[] = [];
  do {
    const name = tokens[at];
    if (name?.kind !== 'word') return wrong('the name of a pass');
    at++;
    const options = new Map<string, string>();
    if (sign('{') && !sign('}')) {
      do {
        const key = tokens[at];
        if (key?.kind !== 'word') return wrong('the name of an option');
        at++;
        if (!sign('=')) return wrong(`= after option ${key.text}`);
        const value = tokens[at];
        if (value === undefined || value.kind === 'sign') return wrong(`a value for option ${key.text}`);
        at++;
        if (options.has(key.text)) {
          return fail('K0502', `option ${key.text} of pass ${name.text} is given twice`);
        }
        const read = value.kind === 'word' ? E.right(value.text) : unquote(value.text);
        if (E.isLeft(read)) return read;
        options.set(key.text, read.right);
      } while (sign(','));
      if (!sign('}')) return wrong(', or } after an option');
    }
    calls.push({ name: name.text, options: Object.fromEntries(options) });
  } while (sign(','));
  return at === tokens.length ? E.right(calls) : wrong(', between passes');
};

const unquote = (text: string): Checked<string> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? E.right(value) : fail('K0502', `${text} is not a string`);
  } catch {
    return fail('K0502', `${text} has an escape that JSON strings do not have`);
  }
};
