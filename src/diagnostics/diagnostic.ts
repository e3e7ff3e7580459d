/**
 * Diagnostics are data: what was found, where, what was expected, what to try.
 *
 * Every failure that a person can cause (a wrong file, a wrong option, an ill-ordered pipeline) is one of
 * these values in the left of an Either. Exceptions are left for our own bugs.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { DiagnosticCode } from './catalog.js';

/** Where a diagnostic points. All parts are optional; the ones that are known are printed, outermost first. */
export interface Place {
  readonly file?: string;
  readonly tensor?: string;
  readonly op?: string;
  readonly pass?: string;
  readonly option?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
}

export interface Diagnostic {
  readonly _tag: 'Diagnostic';
  /** Stable code; `kanc explain CODE` tells more. */
  readonly code: DiagnosticCode;
  /** What was found, as a sentence without the place. */
  readonly message: string;
  readonly place: Place;
  /** What would have been right. */
  readonly expected?: string;
  /** What to try next. */
  readonly hint?: string;
  /** What a program that was run has said, of several lines. */
  readonly output?: string;
}

/** At least one diagnostic. */
export type Diagnostics = readonly [Diagnostic, ...Diagnostic[]];

/** The result of anything that a person's input can make fail. */
export type Checked<A> = E.Either<Diagnostics, A>;

export interface DiagnosticParts {
  readonly place?: Place;
  readonly expected?: string;
  readonly hint?: string;
  readonly output?: string;
}

export const diagnostic = (
  code: DiagnosticCode,
  message: string,
  parts: DiagnosticParts = {},
): Diagnostic => ({
  _tag: 'Diagnostic',
  code,
  message,
  place: parts.place ?? {},
  ...(parts.expected === undefined ? {} : { expected: parts.expected }),
  ...(parts.hint === undefined ? {} : { hint: parts.hint }),
  ...(parts.output === undefined || parts.output.trim() === '' ? {} : { output: parts.output }),
});

/** A failed result with one diagnostic. */
export const fail = (
  code: DiagnosticCode,
  message: string,
  parts: DiagnosticParts = {},
): E.Either<Diagnostics, never> => E.left([diagnostic(code, message, parts)]);

/** Adds parts of a place to every diagnostic that does not have them yet (a caller knows the file, a callee the tensor). */
export const at =
  (place: Place) =>
  <A>(result: Checked<A>): Checked<A> =>
    E.mapLeft((diagnostics: Diagnostics): Diagnostics => {
      const [first, ...rest] = diagnostics;
      const place1 = (d: Diagnostic): Diagnostic => ({ ...d, place: { ...place, ...d.place } });
      return [place1(first), ...rest.map(place1)];
    })(result);

const showPlace = (place: Place): string => {
  const position =
    place.line === undefined ? '' : `:${place.line}${place.column === undefined ? '' : `:${place.column}`}`;
  const parts = [
    place.file === undefined
      ? position === ''
        ? []
        : [`line ${position.slice(1)}`]
      : [`${place.file}${position}`],
    place.pass === undefined ? [] : [`pass ${place.pass}`],
    place.op === undefined ? [] : [`op %${place.op}`],
    place.tensor === undefined ? [] : [`tensor ${place.tensor}`],
    place.option === undefined ? [] : [`option ${place.option}`],
  ].flat();
  return parts.length === 0 ? '' : `${parts.join(', ')}: `;
};

/** Lines that begin with a mark: nothing in them can be taken for a line of ours, nor for a command to a build server. */
const showOutput = (output: string): string =>
  output
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `\n  | ${printable(line)}`)
    .join('');

/**
 * One line for a person, and below it what a program has said. Names out of untrusted files are made printable here, so
 * that a checkpoint can write neither control characters nor lines of its own to a terminal.
 */
export const showDiagnostic = (d: Diagnostic): string => {
  const sentences = [
    `${showPlace(d.place)}${d.message}`,
    ...(d.expected === undefined ? [] : [`Expected ${d.expected}`]),
    ...(d.hint === undefined ? [] : [d.hint]),
  ].map((s) => (/[.!?]$/.test(s) ? s : `${s}.`));
  const said = d.output === undefined ? '' : showOutput(d.output);
  return `error ${d.code}: ${printable(sentences.join(' '))}${said}`;
};

/** Replaces control characters, ends of lines among them, and cuts overlong text: for names that come out of files. */
export const printable = (text: string, limit = 2000): string => {
  const clean = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\ufffd');
  return clean.length <= limit ? clean : `${clean.slice(0, limit)}...`;
};

/** JSON with everything that could disturb a terminal or hide in an editor written as an escape. */
export const visibleJson = (json: string): string =>
  json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) =>
    // Ends of lines between values are those of the text, in strings they are escapes already.
    c === '\n'
      ? c
      : Array.from(
          { length: c.length },
          (_, k) => `\\u${c.charCodeAt(k).toString(16).padStart(4, '0')}`,
        ).join(''),
  );

/**
 * A broken invariant of kanc itself. Thrown, never returned: the command line writes a reproducer and exits 3.
 */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}

/** States an invariant; a false condition is our own bug. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

/** Edit distance (insertions, deletions, substitutions), by rows. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
};

/** The word closest to `text`, if less than a third of the letters differ; none for very long text. */
export const nearest = (text: string, words: ReadonlyArray<string>): string | undefined => {
  if (text.length > 40) return undefined;
  const best = words
    .filter((word) => word.length <= 40)
    .map((word) => ({ word, d: distance(text.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.d - b.d)[0];
  return best !== undefined && best.d <= best.word.length / 3 ? best.word : undefined;
};
