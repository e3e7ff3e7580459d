/**
 * The tokens of `.kir` text, made on demand. Everything is scanned by plain loops: a regular expression over
 * a hostile run of millions of characters could exhaust the stack of the engine.
 */
import { type Diagnostic, type DiagnosticCode, diagnostic } from '../../diagnostics/index.js';

/**
 * `value` is %name, `hash` is #digits (both without the sign in `text`), `word` an identifier, `punctuation`
 * one of the signs below, `unknown` anything else.
 */
export type TokenKind = 'word' | 'value' | 'hash' | 'number' | 'string' | 'punctuation' | 'unknown' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What is wrong with the text, and where. */
export interface Fault {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly offset: number;
  readonly expected?: string;
  readonly hint?: string;
  /** The value whose definition is at fault. */
  readonly op?: string;
}

/** Reads tokens one after the other, and remembers the first fault. */
export interface Cursor {
  readonly text: string;
  readonly peek: () => Token;
  readonly take: () => Token;
  /** Where the last token taken ends. */
  readonly offset: () => number;
  /** Goes on at an offset, after something that was read without the lexer. */
  readonly jump: (offset: number) => void;
  /**
   * Remembers the first fault. From then on every token is the end of the text, so that all loops of the
   * parser stop. Returns undefined, which is what parsing functions return when they fail.
   */
  readonly fail: (fault: Fault) => undefined;
  readonly fault: () => Fault | undefined;
}

const PUNCTUATION = new Set(['{', '}', '(', ')', '[', ']', ',', ':', '=', '<', '>', '@', '->']);

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isWordStart = (c: number): boolean => (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const isWordPart = (c: number): boolean => isWordStart(c) || isDigit(c) || c === 46;
const isHex = (c: number): boolean => isDigit(c) || (c >= 97 && c <= 102);
/** What may stand in a number; that it is one is checked afterwards. */
const isNumberPart = (c: number): boolean => isWordPart(c) || c === 43 || c === 45;

/** The first offset from `at` on whose character is not one of these. */
const skipWhile = (text: string, at: number, accept: (c: number) => boolean): number => {
  let end = at;
  while (end < text.length && accept(text.charCodeAt(end))) end++;
  return end;
};

const skipBlank = (text: string, start: number): number => {
  for (let at = start; ; ) {
    at = skipWhile(text, at, (c) => c === 32 || c === 10 || c === 13 || c === 9);
    if (!text.startsWith('//', at)) return at;
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end;
  }
};

/** The offset behind a string that opens at `start`, or undefined when its line ends first. */
const endOfString = (text: string, start: number): number | undefined => {
  for (let at = start + 1; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 10) return undefined;
    if (c === 92) at++;
    else if (c === 34) return at + 1;
  }
  return undefined;
};

const tokenAt = (text: string, start: number): Token => {
  const token = (kind: TokenKind, end: number, skip = 0): Token => ({
    kind,
    text: text.slice(start + skip, end),
    start,
    end,
  });
  if (start >= text.length) return token('end', start);
  const c = text.charCodeAt(start);
  const next = text.charCodeAt(start + 1);
  if (isWordStart(c)) return token('word', skipWhile(text, start, isWordPart));
  if (c === 37 && isWordStart(next)) return token('value', skipWhile(text, start + 1, isWordPart), 1);
  if (c === 35 && isHex(next)) return token('hash', skipWhile(text, start + 1, isHex), 1);
  if (text.startsWith('->', start)) return token('punctuation', start + 2);
  if (isDigit(c) || c === 45) return token('number', skipWhile(text, start + 1, isNumberPart));
  if (c === 34) {
    const end = endOfString(text, start);
    return end === undefined ? token('unknown', start + 1) : token('string', end);
  }
  const sign = String.fromCodePoint(text.codePointAt(start) ?? 0);
  return token(PUNCTUATION.has(sign) ? 'punctuation' : 'unknown', start + sign.length);
};

export const cursorOf = (text: string): Cursor => {
  let at = 0;
  let ahead: Token | undefined;
  let first: Fault | undefined;
  const peek = (): Token => {
    if (first !== undefined) return { kind: 'end', text: '', start: first.offset, end: first.offset };
    ahead ??= tokenAt(text, skipBlank(text, at));
    return ahead;
  };
  const jump = (offset: number): void => {
    at = offset;
    ahead = undefined;
  };
  return {
    text,
    peek,
    take: () => {
      const token = peek();
      jump(token.end);
      return token;
    },
    offset: () => at,
    jump,
    fail: (fault) => {
      first ??= fault;
      return undefined;
    },
    fault: () => first,
  };
};

/** A token as messages name it. */
export const showToken = (token: Token): string => {
  if (token.kind === 'end') return 'the end of the text';
  const sign = token.kind === 'value' ? '%' : token.kind === 'hash' ? '#' : '';
  const shown = token.text.length > 40 ? `${token.text.slice(0, 40)}...` : token.text;
  return token.kind === 'string' ? shown : `'${sign}${shown}'`;
};

/** A fault as a diagnostic, with its line and column. */
export const diagnose = (text: string, fault: Fault, file?: string): Diagnostic => {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < fault.offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return diagnostic(fault.code, fault.message, {
    place: {
      ...(file === undefined ? {} : { file }),
      ...(fault.op === undefined ? {} : { op: fault.op }),
      line,
      column: fault.offset - start + 1,
    },
    ...(fault.expected === undefined ? {} : { expected: fault.expected }),
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  });
};
