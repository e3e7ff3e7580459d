/**
 * The TextMate grammar on sample files. The tokenizer below knows what the grammar uses of TextMate: at every place the
 * first pattern that matches earliest, `captures`, `include` of the repository, and `begin` / `end` on one line.
 * Patterns are Oniguruma's; these use only what JavaScript reads the same way.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { OPS } from '../../src/ir/ops/index.js';

const EDITORS = new URL('../../editors/', import.meta.url);
const FIXTURES = new URL('../ir/fixtures/', import.meta.url);

const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, EDITORS), 'utf8'));

interface Rule {
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly include?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: ReadonlyArray<Rule>;
}

const RuleCodec: t.Type<Rule> = t.recursion('Rule', () =>
  t.partial({
    name: t.string,
    match: t.string,
    begin: t.string,
    end: t.string,
    include: t.string,
    captures: t.record(t.string, t.type({ name: t.string })),
    patterns: t.readonlyArray(RuleCodec),
  }),
);
const GrammarCodec = t.type({
  scopeName: t.string,
  patterns: t.readonlyArray(RuleCodec),
  repository: t.record(t.string, RuleCodec),
});

const file = json('kir.tmLanguage.json');
if (!GrammarCodec.is(file)) throw new Error('kir.tmLanguage.json is no grammar');
const grammar = file;

/** The rules of a list with what it includes in place. */
const flat = (rules: ReadonlyArray<Rule>): ReadonlyArray<Rule> =>
  rules.flatMap((rule) => {
    const included = rule.include === undefined ? undefined : grammar.repository[rule.include.slice(1)];
    if (rule.include !== undefined && included === undefined) throw new Error(`no ${rule.include}`);
    const it = included ?? rule;
    return it.match === undefined && it.begin === undefined ? flat(it.patterns ?? []) : [it];
  });

const RULES = flat(grammar.patterns);

interface Token {
  readonly text: string;
  readonly scope: string;
}

/** Tokens of one line; text that no rule takes has the scope ''. */
const tokens = (line: string): ReadonlyArray<Token> => {
  const found: Token[] = [];
  let at = 0;
  while (at < line.length) {
    let best: { rule: Rule; match: RegExpExecArray } | undefined;
    for (const rule of RULES) {
      const pattern = new RegExp(rule.match ?? rule.begin ?? '', 'dg');
      pattern.lastIndex = at;
      const match = pattern.exec(line);
      if (match !== null && (best === undefined || match.index < best.match.index)) best = { rule, match };
    }
    if (best === undefined) break;
    const { rule, match } = best;
    if (match.index > at) found.push({ text: line.slice(at, match.index), scope: '' });
    let end = match.index + match[0].length;
    if (rule.end !== undefined) {
      const close = /^(?:[^"\\]|\\.)*"?/.exec(line.slice(end))?.[0] ?? '';
      found.push({ text: match[0] + close, scope: rule.name ?? '' });
      end += close.length;
    } else if (rule.captures === undefined) {
      found.push({ text: match[0], scope: rule.name ?? '' });
    } else {
      for (const [k, { name }] of Object.entries(rule.captures)) {
        const text = match[Number(k)];
        if (text !== undefined) found.push({ text, scope: name });
      }
    }
    at = end;
  }
  if (at < line.length) found.push({ text: line.slice(at), scope: '' });
  return found;
};

const scopeOf = (line: string, text: string): string | undefined =>
  tokens(line).find((token) => token.text === text)?.scope;

describe('the grammar of .kir', () => {
  const samples = readdirSync(FIXTURES).filter((name) => name.endsWith('.kir'));

  it.each(samples)('takes every word of %s', (name) => {
    const lines = readFileSync(new URL(name, FIXTURES), 'utf8').split('\n');
    const bare = lines.flatMap((line) =>
      tokens(line).filter(({ scope, text }) => scope === '' && /\S/.test(text)),
    );
    expect(bare).toEqual([]);
  });

  it('tells the parts of an op apart', () => {
    const line =
      '  %a0 : i16[n, 3]<scaled{hi = 367, lo = -368, scale = 0.03f}> = table.edge %q {acc = 16, nan = "zero", table = #0d53570cb7d5 : i8[4, 8, 2]}';
    expect(scopeOf(line, '%a0')).toBe('variable.other.kir');
    expect(scopeOf(line, 'i16')).toBe('storage.type.kir');
    expect(scopeOf(line, 'scaled')).toBe('entity.name.tag.kir');
    expect(scopeOf(line, '-368')).toBe('constant.numeric.kir');
    expect(scopeOf(line, '0.03f')).toBe('constant.numeric.kir');
    expect(scopeOf(line, 'table.edge')).toBe('support.function.op.kir');
    expect(scopeOf(line, 'acc')).toBe('variable.parameter.attribute.kir');
    expect(scopeOf(line, '"zero"')).toBe('string.quoted.double.kir');
    expect(scopeOf(line, '#0d53570cb7d5')).toBe('entity.name.constant.kir');
  });

  it.each(Object.keys(OPS))('knows %s as an op', (kind) => {
    expect(scopeOf(`  %y : f32[n, 2] = ${kind} %x, %z {a = 1}`, kind)).toBe('support.function.op.kir');
  });

  it('knows heads, results, comments and resources', () => {
    const head = 'graph @"a b" level table (%x : u8[n, 4]) -> (f32[n, 2]) {';
    expect(scopeOf(head, '@"a b"')).toBe('entity.name.function.kir');
    expect(scopeOf(head, 'table')).toBe('constant.language.level.kir');
    expect(scopeOf('  return %y', 'return')).toBe('keyword.control.kir');
    expect(scopeOf('// resources elided', '// resources elided')).toBe('comment.line.double-slash.kir');
    const hash = '0'.repeat(64);
    const entry = `  #000000000000 : i8[4, 8, 2] sha256-${hash} base64 AAAA=`;
    expect(scopeOf(entry, `sha256-${hash}`)).toBe('string.unquoted.hash.kir');
    expect(scopeOf(entry, 'AAAA=')).toBe('string.unquoted.base64.kir');
  });
});

describe('the extension', () => {
  const Manifest = t.type({
    contributes: t.type({
      languages: t.array(t.type({ id: t.string, extensions: t.array(t.string), configuration: t.string })),
      grammars: t.array(t.type({ language: t.string, scopeName: t.string, path: t.string })),
    }),
  });

  it('names files that are there', () => {
    const manifest = json('package.json');
    if (!Manifest.is(manifest)) throw new Error('package.json contributes no language');
    const { languages, grammars } = manifest.contributes;
    expect(languages[0]?.extensions).toEqual(['.kir']);
    expect(grammars[0]).toMatchObject({ language: languages[0]?.id, scopeName: grammar.scopeName });
    for (const path of [languages[0]?.configuration, grammars[0]?.path]) {
      expect(existsSync(new URL(path ?? 'missing', EDITORS))).toBe(true);
    }
    json('language-configuration.json');
  });
});
