/** The words of expressions. */

export type Token =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'name'; readonly text: string; readonly at: number }
  | { readonly kind: 'sign'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number };

/** Names hold a hyphen where a function does: before anything but a parenthesis it is a minus. */
const WORD =
  /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|((?:is-nan|is-inf)(?=\s*\()|[A-Za-z][A-Za-z0-9_]*)|([-+*/(),;=]))/y;

/** The tokens of a text, with an end; the place of the first character that is none. */
export const tokensOf = (text: string): ReadonlyArray<Token> | number => {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    WORD.lastIndex = at;
    const found = WORD.exec(text);
    if (found === null) return at;
    const [whole, number, name, sign] = found;
    const start = at + whole.length - whole.trimStart().length;
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number), at: start });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at: start });
    else tokens.push({ kind: 'sign', text: sign ?? '', at: start });
    at += whole.length;
  }
  tokens.push({ kind: 'end', at });
  return tokens;
};
