/**
 * The header of an .npy file is a Python dict literal. Numpy writes three keys and a small part of the literal
 * syntax; exactly this part is read here.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';

export interface NpyHeader {
  /** As it stands: byte order and type, such as `<f4`. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: ReadonlyArray<number>;
}

type Token = { readonly kind: 'text' | 'int' | 'bool' | 'mark' | 'end'; readonly text: string };

type Value = string | boolean | ReadonlyArray<number>;

/** Python 2 wrote long integers with an L. */
const TOKEN = /[ \t\r\n]*(?:'([^'\\]*)'|"([^"\\]*)"|(\d+)L?|(True|False)|([{}(),:]))/y;

/** All tokens of the text, or undefined at the first thing that is none. */
const tokenize = (text: string): ReadonlyArray<Token> | undefined => {
  const body = text.trimEnd();
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const match = TOKEN.exec(body);
    if (match === null) return undefined;
    const [, single, double, int, bool, mark] = match;
    if (single !== undefined || double !== undefined)
      tokens.push({ kind: 'text', text: single ?? double ?? '' });
    else if (int !== undefined) tokens.push({ kind: 'int', text: int });
    else if (bool !== undefined) tokens.push({ kind: 'bool', text: bool });
    else tokens.push({ kind: 'mark', text: mark ?? '' });
  }
  return tokens;
};

const END: Token = { kind: 'end', text: '' };

/** The dict as a map, or undefined when the text is not such a dict or has a key twice. */
const parseDict = (text: string): ReadonlyMap<string, Value> | undefined => {
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  let next = 0;
  const peek = (): Token => tokens[next] ?? END;
  const accept = (mark: string): boolean => {
    const found = peek().kind === 'mark' && peek().text === mark;
    if (found) next++;
    return found;
  };

  const tuple = (): Value | undefined => {
    const items: number[] = [];
    let comma = true;
    while (!accept(')')) {
      const token = peek();
      if (!comma || token.kind !== 'int') return undefined;
      next++;
      items.push(Number(token.text));
      comma = accept(',');
    }
    // (3) is an integer in Python, (3,) is a tuple.
    return items.length === 1 && !comma ? undefined : items;
  };

  const value = (): Value | undefined => {
    if (accept('(')) return tuple();
    const token = peek();
    next++;
    if (token.kind === 'text') return token.text;
    return token.kind === 'bool' ? token.text === 'True' : undefined;
  };

  if (!accept('{')) return undefined;
  const dict = new Map<string, Value>();
  let comma = true;
  while (!accept('}')) {
    const key = peek();
    if (!comma || key.kind !== 'text' || dict.has(key.text)) return undefined;
    next++;
    if (!accept(':')) return undefined;
    const found = value();
    if (found === undefined) return undefined;
    dict.set(key.text, found);
    comma = accept(',');
  }
  return next === tokens.length ? dict : undefined;
};

/** Parses the header text of an .npy file; K0111 when it is not what numpy writes for a plain array. */
export const parseNpyHeader = (text: string): Checked<NpyHeader> => {
  const dict = parseDict(text);
  const descr = dict?.get('descr');
  const fortranOrder = dict?.get('fortran_order');
  const shape = dict?.get('shape');
  if (
    dict?.size !== 3 ||
    typeof descr !== 'string' ||
    typeof fortranOrder !== 'boolean' ||
    typeof shape !== 'object'
  ) {
    return fail('K0111', 'The header of the .npy file is malformed or describes a structured array', {
      expected: "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} with a plain type",
    });
  }
  return E.right({ descr, fortranOrder, shape });
};
