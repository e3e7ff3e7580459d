/** How numbers, strings, types and attribute values are spelled in `.kir` text: exactly, and always the same way. */
import { visibleJson } from '../diagnostics/index.js';
import { type Constant, isConstant, showConstantType } from './constant.js';
import { showElement } from './element.js';
import type { ValueType } from './types.js';

/** Words that stand for values, so that no record tag may look like them. */
export const RESERVED: ReadonlySet<string> = new Set(['true', 'false', 'inf', 'nan', 'const']);

/** Constants of at most this many elements stand where they are used; larger ones in the resource section. */
export const INLINE_LIMIT = 16;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_.]*$/;

export const isIdentifier = (text: string): boolean => IDENTIFIER.test(text);

/** The decimal with the fewest digits that rounds to this f32. */
const shortestF32 = (x: number): string => {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(x.toPrecision(digits));
    if (Math.fround(candidate) === x) return String(candidate);
  }
  return String(Number(x.toPrecision(9)));
};

const showSpecial = (x: number): string | undefined => {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  return Object.is(x, -0) ? '-0' : undefined;
};

/**
 * A number, exactly. A number that is an f32 is written as the short decimal that rounds to it, with the
 * suffix `f`, where that is shorter than the double's own decimal: `0.03f` and not `0.029999999329447746`.
 */
export const showNumber = (x: number): string => {
  const special = showSpecial(x);
  if (special !== undefined) return special;
  const wide = String(x);
  if (Math.fround(x) !== x) return wide;
  const narrow = `${shortestF32(x)}f`;
  return narrow.length < wide.length ? narrow : wide;
};

/** JSON, with everything that could disturb a terminal or hide in an editor written as an escape. */
export const showString = (text: string): string => visibleJson(JSON.stringify(text));

/** Whether a constant is written where it is used. A NaN has bits that no decimal tells. */
export const isInline = (c: Constant): boolean =>
  c.data.length <= INLINE_LIMIT && !(c.element.kind === 'f32' && c.data.some(Number.isNaN));

const showElements = (c: Constant): string => {
  const show = (x: number): string =>
    c.element.kind === 'f32' ? (showSpecial(x) ?? shortestF32(x)) : String(x);
  return Array.from(c.data, show).join(', ');
};

/** A constant: whole when it is small, else by the name that `nameOf` gives it. */
export const showConstant = (c: Constant, nameOf: (c: Constant) => string): string =>
  isInline(c)
    ? `const ${showConstantType(c)} [${showElements(c)}]`
    : `#${nameOf(c)} : ${showConstantType(c)}`;

const tagOf = (fields: ReadonlyArray<readonly [string, unknown]>): string | undefined => {
  const tag = fields.find(([key]) => key === '_tag')?.[1];
  return typeof tag === 'string' && isIdentifier(tag) && !RESERVED.has(tag) ? tag : undefined;
};

/** The fields of a record that have a value, sorted by name. */
export const fieldsOf = (record: object): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(record)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** `key = value` for each field. */
export const showFields = (
  fields: ReadonlyArray<readonly [string, unknown]>,
  show: (value: unknown, key: string) => string,
): string =>
  fields.map(([key, v]) => `${isIdentifier(key) ? key : showString(key)} = ${show(v, key)}`).join(', ');

/** Any attribute value: numbers, strings, booleans, constants, lists and (tagged) records. */
export const showValue = (u: unknown, nameOf: (c: Constant) => string): string => {
  if (typeof u === 'number') return showNumber(u);
  if (typeof u === 'string') return showString(u);
  if (typeof u === 'boolean') return String(u);
  if (isConstant(u)) return showConstant(u, nameOf);
  if (Array.isArray(u)) return `[${u.map((v: unknown) => showValue(v, nameOf)).join(', ')}]`;
  if (typeof u !== 'object' || u === null) return showString(String(u));
  const fields = fieldsOf(u);
  const tag = tagOf(fields);
  const rest = tag === undefined ? fields : fields.filter(([key]) => key !== '_tag');
  return `${tag ?? ''}{${showFields(rest, (v) => showValue(v, nameOf))}}`;
};

/** `u6[n, 784]<uniform{levels = 64, lo = -1, step = 0.03f}>`: element, shape with the batch first, meaning. */
export const showTypeWith = (type: ValueType, nameOf: (c: Constant) => string): string => {
  const shape = ['n', ...type.shape].join(', ');
  const meaning = type.meaning === undefined ? '' : `<${showValue(type.meaning, nameOf)}>`;
  return `${showElement(type.element)}[${shape}]${meaning}`;
};
