/** The reference of all ops in docs/ir.md, written from their definitions. */

import { left, right } from 'fp-ts/lib/Either.js';
import type { Rule } from '../src/diagnostics/index.js';
import { type Field, fieldsOfRecord } from '../src/ir/codec.js';
import { OPS, type OpKind } from '../src/ir/ops/index.js';
import { LEVELS } from '../src/ir/types.js';

/** The order of the page: what networks are made of, the way to codes and back, tables. */
export const PAGE_ORDER: ReadonlyArray<OpKind> = [
  'kan',
  'activate',
  'affine',
  'norm',
  'add',
  'multiply',
  'pool',
  'concat',
  'gather',
  'reshape',
  'softmax',
  'observe',
  'quantize',
  'recode',
  'decode',
  'table.edge',
  'table.basis',
  'table.sum',
  'table.norm',
  'requantize',
  'bucketize',
  'dequantize',
];

const WIDTH = 120;

/** Breaks a line between words; what hangs below the first is indented as it is. */
const wrapped = (line: string): ReadonlyArray<string> => {
  const bullet = /^( *- )/.exec(line)?.[1] ?? '';
  // Four blanks are a block of code.
  if (line.length <= WIDTH || (bullet === '' && line.startsWith('    '))) return [line];
  const indent = ' '.repeat(bullet.length);
  const lines: string[] = [];
  let current = bullet;
  let isFirst = true;
  // Code in backticks stays on one line, so that it can be searched for.
  for (const word of line.slice(bullet.length).match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    if (!isFirst && current.length + 1 + word.length > WIDTH) {
      lines.push(current);
      current = `${indent}${word}`;
    } else {
      current += `${isFirst ? '' : ' '}${word}`;
    }
    isFirst = false;
  }
  return [...lines, current];
};

/** Records that have a place of their own on the page. */
const NAMED: Readonly<Record<string, string>> = { quantizer: 'a quantizer', window: 'a window' };

/** Names of codecs of records and of lists of them are their whole structure: too long to show. */
const typeText = ({ name, type }: Field): string => {
  const item = /^ReadonlyArray<(.*)>$/.exec(type)?.[1];
  if (item !== undefined) return item.includes('{') ? 'list of records' : `list: ${item}`;
  if (type.includes('{')) return NAMED[name] ?? 'record';
  return type.replace(/^\((.*)\)$/, '$1').replace(/\|/g, '\\|');
};

const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  centred: ReadonlySet<number>,
): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(3, ...rows.map((row) => row[c]?.length ?? 0)));
  const pad = (text: string, c: number): string => {
    const room = (widths[c] ?? 0) - text.length;
    return centred.has(c)
      ? `${' '.repeat(Math.floor(room / 2))}${text}${' '.repeat(Math.ceil(room / 2))}`
      : text + ' '.repeat(room);
  };
  const line = (row: ReadonlyArray<string>): string => `| ${row.map(pad).join(' | ')} |`;
  const rule = widths.map((w, c) => (centred.has(c) ? `:${'-'.repeat(w - 2)}:` : '-'.repeat(w)));
  const [head = [], ...body] = rows;
  return [line(head), `| ${rule.join(' | ')} |`, ...body.map(line)];
};

/** The table of all ops. */
export const opTable = (): string => {
  const rows = PAGE_ORDER.map((kind) => {
    const { levels, operands, doc } = OPS[kind];
    return [
      `\`${kind}\``,
      ...LEVELS.map((level) => (levels.includes(level) ? 'x' : '')),
      operands === 'several' ? '1 or more' : String(operands),
      doc.does,
    ];
  });
  return table([['op', ...LEVELS, 'operands', 'does'], ...rows], new Set([1, 2, 3])).join('\n');
};

/** The attributes of an op, from its codec. */
export const attributesOf = (kind: OpKind): ReadonlyArray<Field> => fieldsOfRecord(OPS[kind].attrs) ?? [];

const attributeTable = (kind: OpKind): ReadonlyArray<string> => {
  const fields = attributesOf(kind);
  if (fields.length === 0) return [];
  const rows = [...fields]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((field) => [`\`${field.name}${field.optional ? '?' : ''}\``, typeText(field)]);
  return ['', ...table([['attribute', 'type'], ...rows], new Set())];
};

const section = (kind: OpKind): string => {
  const { levels, doc } = OPS[kind];
  return [
    `### ${kind} \u2014 ${levels.join(', ')}`,
    '',
    ...doc.text.flatMap(wrapped),
    ...attributeTable(kind),
  ].join('\n');
};

/** A section for each op. */
export const opSections = (): string => PAGE_ORDER.map(section).join('\n\n');

/** Puts the parts into the page, between the comments that name them. A sentence says what is missing where one is. */
export const withReference = (page: string): Rule<string> => {
  const parts = { ops: opTable(), reference: opSections() };
  let text = page;
  for (const [name, part] of Object.entries(parts)) {
    const [start, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) return left(`docs/ir.md has no part between '${start}' and '${end}'`);
    text = `${text.slice(0, from + start.length)}\n\n${part}\n\n${text.slice(to)}`;
  }
  return right(text);
};
