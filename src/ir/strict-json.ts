/**
 * JSON of which every reader makes the same value. JSON.parse keeps the last of equal keys without a word, so that a
 * file with two says one thing to kanc and may say another to who wrote or checked it. Libraries that find them parse by
 * recursion or are ten times slower than JSON.parse; what is added to it here is one look over a text known to be valid.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { HOLDS, printable, type Rule } from '../diagnostics/index.js';

/** Codecs recurse; no format that kanc reads comes near. */
const MAX_DEPTH = 512;

/** The keys of an open object; undefined for an array. */
type Level = Set<string> | undefined;

const keyOf = (json: string, start: number, end: number): string => {
  const raw = json.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  const key: unknown = JSON.parse(json.slice(start, end + 1));
  return typeof key === 'string' ? key : raw;
};

/** The keys and the depth of valid JSON. */
const checkKeys = (json: string): Rule<void> => {
  const levels: Level[] = [];
  let atKey = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
      const keys = levels.at(-1);
      if (atKey && keys !== undefined) {
        const key = keyOf(json, start, i);
        if (keys.has(key))
          return E.left(`the key ${printable(JSON.stringify(key), 100)} stands twice in one object`);
        keys.add(key);
      }
      atKey = false;
    } else if (c === '{' || c === '[') {
      if (levels.length === MAX_DEPTH) return E.left(`it nests more than ${MAX_DEPTH} deep`);
      levels.push(c === '{' ? new Set() : undefined);
      atKey = c === '{';
    } else if (c === '}' || c === ']') {
      levels.pop();
    } else if (c === ',') {
      atKey = levels.at(-1) !== undefined;
    }
  }
  return HOLDS;
};

/** The value of a JSON text, or what is wrong with it: no JSON, a key that stands twice in one object, too deep. */
export const parseJson = (text: string): Rule<unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The one way in which JSON.parse tells that something is wrong.
    return E.left(
      `it is not JSON: ${printable(error instanceof Error ? error.message : String(error), 200)}`,
    );
  }
  return pipe(
    checkKeys(text),
    E.map(() => value),
  );
};
