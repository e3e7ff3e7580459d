/** Parses types and attribute values of `.kir` text into syntax, which parse.ts gives its meaning. */
import { type Constant, constant, elementCount, MAX_ELEMENTS, showConstantType } from '../constant.js';
import { allocate, type ElementType, parseElement } from '../element.js';
import { RESERVED } from '../print-value.js';
import { DEPTH_LIMIT } from '../resources.js';
import { type Cursor, showToken, type Token } from './lexer.js';

/** An attribute value as written, with the offset where it starts. */
export type Syntax = { readonly at: number } & (
  | { readonly _tag: 'plain'; readonly value: number | string | boolean | Constant }
  | { readonly _tag: 'reference'; readonly name: string; readonly type: ConstantType }
  | { readonly _tag: 'list'; readonly items: ReadonlyArray<Syntax> }
  | { readonly _tag: 'record'; readonly tag: string | undefined; readonly fields: Fields }
  /** `<>`: as the type says. */
  | { readonly _tag: 'as-type' }
);

export type Fields = ReadonlyMap<string, Syntax>;

export interface ConstantType {
  readonly element: ElementType;
  readonly shape: ReadonlyArray<number>;
}

export interface TypeSyntax extends ConstantType {
  readonly meaning: Syntax | undefined;
  readonly at: number;
}

/** Fails at a token that is not what the grammar wants there. */
export const unexpected = (cursor: Cursor, token: Token, expected: string): undefined => {
  const unclosed = token.kind === 'unknown' && token.text === '"';
  return cursor.fail({
    code: 'K0301',
    message: unclosed ? 'a string does not end on its line' : `found ${showToken(token)}`,
    offset: token.start,
    expected,
  });
};

export const isSign = (token: Token, sign: string): boolean =>
  token.kind === 'punctuation' && token.text === sign;

/** Takes the sign, or fails. */
export const takeSign = (cursor: Cursor, sign: string): true | undefined => {
  const token = cursor.take();
  return isSign(token, sign) || unexpected(cursor, token, `'${sign}'`);
};

/** Takes the sign if it is next. */
export const skipSign = (cursor: Cursor, sign: string): boolean => {
  if (!isSign(cursor.peek(), sign)) return false;
  cursor.take();
  return true;
};

/** `item, item, ... close`, where the opening sign is taken already. */
export const takeList = <A>(
  cursor: Cursor,
  close: string,
  item: () => A | undefined,
): ReadonlyArray<A> | undefined => {
  const items: A[] = [];
  if (skipSign(cursor, close)) return items;
  for (;;) {
    const next = item();
    if (next === undefined) return undefined;
    items.push(next);
    if (skipSign(cursor, close)) return items;
    const token = cursor.take();
    if (!isSign(token, ',')) return unexpected(cursor, token, `',' or '${close}'`);
  }
};

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?(f?)$/;

/** Takes a number: a decimal, `inf`, `-inf` or `nan`; the suffix `f` rounds it to f32. */
const takeNumber = (cursor: Cursor): number | undefined => {
  const token = cursor.take();
  if (token.text === 'inf' && token.kind === 'word') return Number.POSITIVE_INFINITY;
  if (token.text === '-inf') return Number.NEGATIVE_INFINITY;
  if (token.text === 'nan' && token.kind === 'word') return Number.NaN;
  // No number that a program prints is longer, and the check must not run over megabytes.
  const found = token.kind === 'number' && token.text.length <= 400 ? NUMBER.exec(token.text) : null;
  if (found === null) return unexpected(cursor, token, 'a number');
  const narrow = found[1] === 'f';
  const wide = Number(narrow ? token.text.slice(0, -1) : token.text);
  const value = narrow ? Math.fround(wide) : wide;
  return Number.isFinite(value)
    ? value
    : cursor.fail({
        code: 'K0301',
        message: `${token.text} is too large`,
        offset: token.start,
        hint: 'Infinity is written inf.',
      });
};

const takeDimension = (cursor: Cursor): number | undefined => {
  const token = cursor.take();
  const value = token.kind === 'number' && /^[0-9]{1,16}$/.test(token.text) ? Number(token.text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : unexpected(cursor, token, 'a dimension (a whole number)');
};

const takeElement = (cursor: Cursor): ElementType | undefined => {
  const token = cursor.take();
  const element = token.kind === 'word' ? parseElement(token.text) : undefined;
  return element ?? unexpected(cursor, token, 'an element type: f32, u1 to u32 or i1 to i32');
};

/** Checks that the product of a shape can be counted, before anything is allocated by it. */
const checkSize = (cursor: Cursor, at: number, shape: ReadonlyArray<number>): true | undefined => {
  const size = elementCount(shape);
  return (
    (Number.isSafeInteger(size) && size <= MAX_ELEMENTS) ||
    cursor.fail({
      code: 'K0301',
      message: `the shape [${shape.join(', ')}] has too many elements`,
      offset: at,
      expected: `at most ${MAX_ELEMENTS}`,
    })
  );
};

/** `i8[784, 64, 64]` */
export const takeConstantType = (cursor: Cursor): ConstantType | undefined => {
  const at = cursor.peek().start;
  const element = takeElement(cursor);
  if (element === undefined || !takeSign(cursor, '[')) return undefined;
  const shape = takeList(cursor, ']', () => takeDimension(cursor));
  return shape !== undefined && checkSize(cursor, at, shape) ? { element, shape } : undefined;
};

/** `u6[n, 784]<uniform{...}>` */
export const takeType = (cursor: Cursor): TypeSyntax | undefined => {
  const at = cursor.peek().start;
  const element = takeElement(cursor);
  if (element === undefined || !takeSign(cursor, '[')) return undefined;
  const batch = cursor.take();
  if (batch.text !== 'n') return unexpected(cursor, batch, "'n', the batch, as the first dimension");
  const shape: number[] = [];
  while (skipSign(cursor, ',')) {
    const dimension = takeDimension(cursor);
    if (dimension === undefined) return undefined;
    shape.push(dimension);
  }
  if (!takeSign(cursor, ']') || !checkSize(cursor, at, shape)) return undefined;
  if (!skipSign(cursor, '<')) return { element, shape, meaning: undefined, at };
  const meaning = takeValue(cursor, 0);
  return meaning !== undefined && takeSign(cursor, '>') ? { element, shape, meaning, at } : undefined;
};

/** `const f32[3] [1, 2, 3]`, the word `const` taken already. */
const takeInline = (cursor: Cursor): Constant | undefined => {
  const at = cursor.offset();
  const type = takeConstantType(cursor);
  if (type === undefined || !takeSign(cursor, '[')) return undefined;
  const offsets: number[] = [];
  const values = takeList(cursor, ']', () => {
    offsets.push(cursor.peek().start);
    return takeNumber(cursor);
  });
  if (values === undefined) return undefined;
  if (values.length !== elementCount(type.shape)) {
    return cursor.fail({
      code: 'K0301',
      message: `${values.length} elements are given for a constant of type ${showConstantType(type)}`,
      offset: at,
      expected: `${elementCount(type.shape)}`,
    });
  }
  const data = allocate(type.element, values.length);
  data.set(values);
  const lost =
    type.element.kind === 'f32'
      ? values.findIndex((v, i) => Number.isFinite(v) && !Number.isFinite(data[i]))
      : values.findIndex((v, i) => !Object.is(v, data[i]));
  return lost < 0
    ? constant(type.element, type.shape, data)
    : cursor.fail({
        code: 'K0301',
        message: `${values[lost]} is not a value of ${showConstantType(type)}`,
        offset: offsets[lost]!,
      });
};

/** `key = value, ... }`, the brace taken already. */
export const takeFields = (cursor: Cursor, depth: number): Fields | undefined => {
  const fields = new Map<string, Syntax>();
  const done = takeList(cursor, '}', () => {
    const key = cursor.take();
    if (key.kind !== 'word') return unexpected(cursor, key, 'the name of an attribute');
    if (fields.has(key.text)) {
      return cursor.fail({ code: 'K0301', message: `'${key.text}' is given twice`, offset: key.start });
    }
    if (!takeSign(cursor, '=')) return undefined;
    const value = takeValue(cursor, depth);
    if (value === undefined) return undefined;
    fields.set(key.text, value);
    return key;
  });
  return done === undefined ? undefined : fields;
};

export const takeString = (cursor: Cursor): string | undefined => {
  const token = cursor.take();
  try {
    const value: unknown = JSON.parse(token.text);
    if (typeof value === 'string') return value;
  } catch {
    // JSON.parse has no other way to say that an escape is wrong.
  }
  return unexpected(cursor, token, 'a string in JSON notation');
};

/** Any attribute value. */
export const takeValue = (cursor: Cursor, depth: number): Syntax | undefined => {
  const token = cursor.peek();
  const at = token.start;
  if (depth > DEPTH_LIMIT) {
    return cursor.fail({
      code: 'K0301',
      message: `values are nested more than ${DEPTH_LIMIT} deep`,
      offset: at,
    });
  }
  const plain = (value: number | string | boolean | Constant | undefined): Syntax | undefined =>
    value === undefined ? undefined : { _tag: 'plain', value, at };
  const record = (tag: string | undefined): Syntax | undefined => {
    if (!takeSign(cursor, '{')) return undefined;
    const fields = takeFields(cursor, depth + 1);
    return fields === undefined ? undefined : { _tag: 'record', tag, fields, at };
  };
  if (token.kind === 'string') return plain(takeString(cursor));
  if (token.kind === 'number' || token.text === 'inf' || token.text === 'nan')
    return plain(takeNumber(cursor));
  if (isSign(token, '{')) return record(undefined);
  cursor.take();
  if (token.kind === 'hash') {
    const type = takeSign(cursor, ':') && takeConstantType(cursor);
    return type === undefined ? undefined : { _tag: 'reference', name: token.text, type, at };
  }
  if (isSign(token, '[')) {
    const items = takeList(cursor, ']', () => takeValue(cursor, depth + 1));
    return items === undefined ? undefined : { _tag: 'list', items, at };
  }
  if (isSign(token, '<')) return takeSign(cursor, '>') && { _tag: 'as-type', at };
  if (token.kind !== 'word') return unexpected(cursor, token, 'a value');
  if (token.text === 'const') return plain(takeInline(cursor));
  if (token.text === 'true' || token.text === 'false') return plain(token.text === 'true');
  if (RESERVED.has(token.text)) return unexpected(cursor, token, 'a value');
  if (isSign(cursor.peek(), '{')) return record(token.text);
  return cursor.fail({
    code: 'K0301',
    message: `found ${showToken(token)}`,
    offset: at,
    expected: 'a value',
    hint: `A string is written in quotes: "${token.text.slice(0, 40)}".`,
  });
};
