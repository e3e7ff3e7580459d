/** Parses the resource section: its long lines are found by `indexOf` and decoded in place. */
import {
  type Constant,
  constant,
  elementCount,
  hashOf,
  isLittleEndian,
  showConstantType,
} from '../constant.js';
import { allocate, bytesOf, type TypedArray } from '../element.js';
import { base64Length, decodeBase64 } from '../resources-base64.js';
import type { Cursor, Token } from './lexer.js';
import { type ConstantType, skipSign, takeConstantType, takeSign, unexpected } from './values.js';

/** The constants of the section by the names under which the graph uses them. */
export type ResourceTable = ReadonlyMap<string, Constant>;

/** Sticky: matches at `lastIndex` only. Blanks are bounded, so that it cannot run far. */
const HEADER = /[ \t]{0,16}sha256-([0-9a-f]{64})[ \t]{1,16}base64[ \t]{1,16}/y;

/** Where the text of the line that holds `offset` ends, blanks at its end left out. */
const endOfLine = (text: string, offset: number): number => {
  const newline = text.indexOf('\n', offset);
  let end = newline < 0 ? text.length : newline;
  while (end > offset && ' \t\r'.includes(text[end - 1]!)) end--;
  return end;
};

const swapBytes = (data: TypedArray): void => {
  const bytes = new Uint8Array(data.buffer);
  const width = data.BYTES_PER_ELEMENT;
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
};

const takeData = (cursor: Cursor, name: Token, type: ConstantType): Constant | undefined => {
  const damaged = (message: string, offset: number, expected?: string): undefined =>
    cursor.fail({
      code: 'K0302',
      message,
      offset,
      ...(expected === undefined ? {} : { expected }),
    });
  HEADER.lastIndex = cursor.offset();
  const hash = HEADER.exec(cursor.text)?.[1];
  if (hash === undefined) {
    return damaged(
      `#${name.text} is not followed by its data`,
      cursor.offset(),
      'sha256-<64 lower-case hexadecimal digits> base64 <data> on the same line',
    );
  }
  const start = HEADER.lastIndex;
  if (!hash.startsWith(name.text))
    return damaged(`#${name.text} is not the start of its hash ${hash}`, name.start);
  const end = endOfLine(cursor.text, start);
  // Compared before anything is allocated: a small file must not ask for much memory.
  const count = elementCount(type.shape);
  const wanted = base64Length(count * bytesOf(type.element));
  if (end - start !== wanted) {
    return damaged(
      `#${name.text} has ${end - start} characters of data`,
      start,
      `${wanted} for ${showConstantType(type)}`,
    );
  }
  const data = allocate(type.element, count);
  const wrong = decodeBase64(cursor.text, start, new Uint8Array(data.buffer));
  if (wrong >= 0) return damaged(`#${name.text} has a character that is not base64`, wrong);
  if (!isLittleEndian) swapBytes(data);
  const result = constant(type.element, type.shape, data);
  if (hashOf(result) !== hash) {
    return damaged(
      `the data of #${name.text} has the hash ${hashOf(result)}`,
      name.start,
      `${hash}, as written`,
    );
  }
  cursor.jump(end);
  return result;
};

/** `resources { #name : type sha256-... base64 ... }`; nothing when the text ends before it. */
export const takeResources = (cursor: Cursor): ResourceTable | undefined => {
  const table = new Map<string, Constant>();
  if (cursor.peek().kind === 'end') return table;
  const word = cursor.take();
  if (word.text !== 'resources') return unexpected(cursor, word, "'resources' or the end of the text");
  if (!takeSign(cursor, '{')) return undefined;
  while (!skipSign(cursor, '}')) {
    const name = cursor.take();
    if (name.kind !== 'hash') return unexpected(cursor, name, "a resource, '#' with its hash, or '}'");
    if (table.has(name.text)) {
      return cursor.fail({
        code: 'K0302',
        message: `#${name.text} is given twice`,
        offset: name.start,
      });
    }
    const type = takeSign(cursor, ':') && takeConstantType(cursor);
    const found = type === undefined ? undefined : takeData(cursor, name, type);
    if (found === undefined) return undefined;
    table.set(name.text, found);
  }
  return table;
};
