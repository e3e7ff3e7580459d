/** How `.kir` text is coloured. */
import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { tags } from '@lezer/highlight';

interface LineState {
  /** The next word is that of an op. */
  readonly expectsOp: boolean;
}

/** The grammar of docs/ir.md, token by token. */
const token = (stream: StringStream, state: { line: LineState }): string | null => {
  if (stream.eatSpace()) return null;
  if (stream.match('//')) {
    stream.skipToEnd();
    return 'comment';
  }
  if (stream.match(/^%[A-Za-z_][\w.]*/)) return 'value';
  if (stream.match(/^#[0-9a-f]+/)) return 'resource';
  if (stream.match(/^@[A-Za-z_][\w.]*/)) return 'graph';
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
  if (stream.match(/^-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?f?|inf\b)/i)) return 'number';
  if (stream.match(/^(?:[ui]\d+|f32)(?=\[)/)) return 'type';
  if (state.line.expectsOp && stream.match(/^[A-Za-z_][\w.]*/)) {
    state.line = { expectsOp: false };
    return 'op';
  }
  if (stream.match(/^[A-Za-z_][\w.]*(?=\s*=)/)) return 'property';
  if (stream.match(/^(?:kir|graph|level|return|resources|float|quantized|table(?!\.)|const)\b/))
    return 'keyword';
  if (stream.match(/^(?:true|false|nan)\b/)) return 'number';
  if (stream.match(/^[A-Za-z_][\w.]*(?=\{)/)) return 'tag';
  if (stream.match(/^[A-Za-z_][\w.]*/)) return 'word';
  if (stream.match(/^= (?=[a-z][\w.]* %)/)) {
    state.line = { expectsOp: true };
    return 'punctuation';
  }
  stream.next();
  return 'punctuation';
};

const language = StreamLanguage.define<{ line: LineState }>({
  name: 'kir',
  startState: () => ({ line: { expectsOp: false } }),
  copyState: ({ line }) => ({ line }),
  token,
  tokenTable: {
    comment: tags.comment,
    value: tags.variableName,
    resource: tags.labelName,
    graph: tags.definition(tags.variableName),
    string: tags.string,
    number: tags.number,
    type: tags.typeName,
    op: tags.function(tags.variableName),
    keyword: tags.keyword,
    property: tags.propertyName,
    tag: tags.className,
    word: tags.name,
    punctuation: tags.punctuation,
  },
});

/** Colours are variables of the page, so that both themes have theirs. */
const style = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: tags.variableName, color: 'var(--kir-value)' },
  { tag: tags.labelName, color: 'var(--kir-resource)' },
  { tag: tags.definition(tags.variableName), color: 'var(--kir-value)', fontWeight: '600' },
  { tag: tags.string, color: 'var(--kir-string)' },
  { tag: tags.number, color: 'var(--kir-number)' },
  { tag: tags.typeName, color: 'var(--kir-type)' },
  { tag: tags.function(tags.variableName), color: 'var(--kir-op)', fontWeight: '600' },
  { tag: tags.keyword, color: 'var(--kir-keyword)' },
  { tag: tags.propertyName, color: 'var(--kir-property)' },
  { tag: tags.className, color: 'var(--kir-type)' },
  { tag: tags.punctuation, color: 'var(--quiet)' },
]);

export const kir: Extension = [language, syntaxHighlighting(style)];
