/** Dependencies between the folders of src run one way. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const WEB = fileURLToPath(new URL('../web', import.meta.url));

/** What each folder may import from; itself is always allowed. */
const ALLOWED: Readonly<Record<string, ReadonlyArray<string>>> = {
  diagnostics: [],
  numeric: [],
  code: ['numeric'],
  ir: ['code', 'diagnostics', 'numeric'],
  tensor: ['diagnostics', 'numeric'],
  lift: ['diagnostics', 'ir', 'numeric', 'tensor'],
  importers: ['diagnostics', 'ir', 'lift', 'numeric', 'tensor'],
  analyses: ['diagnostics', 'ir', 'numeric'],
  passes: ['analyses', 'diagnostics', 'importers', 'ir', 'numeric'],
  backends: ['analyses', 'code', 'diagnostics', 'ir', 'numeric'],
  view: ['analyses', 'diagnostics', 'ir', 'numeric', 'passes'],
  prove: ['analyses', 'diagnostics', 'ir', 'numeric'],
  search: ['analyses', 'backends', 'diagnostics', 'importers', 'ir', 'numeric', 'passes'],
  driver: [
    'analyses',
    'backends',
    'diagnostics',
    'importers',
    'ir',
    'numeric',
    'passes',
    'prove',
    'search',
    'view',
  ],
  cli: [
    'analyses',
    'backends',
    'diagnostics',
    'driver',
    'importers',
    'ir',
    'numeric',
    'passes',
    'prove',
    'search',
    'tensor',
    'view',
  ],
};

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

const textOf = (file: string): string => readFileSync(join(SRC, file), 'utf8');

const target = (file: string, specifier: string): string =>
  relative(SRC, normalize(join(SRC, dirname(file), specifier))).replace(/\.js$/, '.ts');

/** Files of src that a file imports, for types too. */
const importsOf = (file: string): ReadonlyArray<string> =>
  ts
    .preProcessFile(textOf(file), true, true)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => target(file, fileName));

/** The code of a file: without comments and without what is only text in it. */
const codeOf = (file: string): string =>
  textOf(file)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/`(?:[^`\\]|\\.)*`/g, '``')
    // The loaders of artifacts: strings of JSON.
    .replace(/^export const \w+ = ".*";$/gm, '');

/** What is left of the imports when it runs: those of types alone are gone. */
const valueImportsOf = (file: string): ReadonlyArray<string> =>
  [...codeOf(file).matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm)].map((m) =>
    target(file, m[1] ?? ''),
  );

const folderOf = (file: string): string => file.split('/')[0] ?? '';

/** Groups of files each of which imports, over others or by itself, all of the group (Tarjan 1972). */
const circlesOf = (graph: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const found: string[] = [];
  const order = new Map<string, number>();
  const open: string[] = [];
  /** The first of the open files that can be reached from this one. */
  const visit = (file: string): number => {
    const mine = order.size;
    order.set(file, mine);
    open.push(file);
    let lowest = mine;
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (open.includes(next)) lowest = Math.min(lowest, order.get(next)!);
    }
    if (lowest === mine) {
      const group = open.splice(open.indexOf(file));
      if (group.length > 1) found.push(group.sort().join(' '));
    }
    return lowest;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
};

/** Folders whose files run in browsers. */
const FREE_OF_NODE = [
  'code',
  'ir',
  'numeric',
  'passes',
  'analyses',
  'diagnostics',
  'importers',
  'view',
  'prove',
  'search',
];

const MOST_LINES = 60;

/** What stands above a longer function begins so, and says why it is one. */
const REASON = '// Long:';

const hasReason = (text: string, node: ts.Node): boolean =>
  (ts.getLeadingCommentRanges(text, node.pos) ?? []).some(({ pos }) => text.startsWith(REASON, pos));

/** Functions above the limit, as `file:line: lines`; with a reason, what is in them may be long too. */
const longFunctions = (file: string): ReadonlyArray<string> => {
  const text = textOf(file);
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line + 1;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const first = lineOf(node.getStart(source));
    const lines = lineOf(node.end) - first + 1;
    if (lines <= MOST_LINES || hasReason(text, node)) return;
    if (ts.isFunctionLike(node)) found.push(`${file}:${first}: ${lines}`);
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};

/** Names in a folder that begin alike, as `folder/word-`: with a word and a hyphen, or that word alone. */
const familiesOf = (files: ReadonlyArray<string>): ReadonlyMap<string, number> => {
  const sizes = new Map<string, number>();
  for (const file of files) {
    const [, family = file] = /^(.*?\/?[^/-]+)(?:-[^/]*)?\.ts$/.exec(file) ?? [];
    sizes.set(family, (sizes.get(family) ?? 0) + 1);
  }
  return sizes;
};

describe('folders of src', () => {
  it.each(Object.keys(ALLOWED))('%s imports only from what stands below it', (folder) => {
    const wrong = sources
      .filter((f) => folderOf(f) === folder)
      .flatMap((f) => importsOf(f).map((target) => ({ file: f, target })))
      .filter(({ target }) => folderOf(target) !== folder && !ALLOWED[folder]?.includes(folderOf(target)))
      .map(({ file, target }) => `${file} -> ${target}`);
    expect(wrong).toEqual([]);
  });

  it('all have a rule', () => {
    const folders = new Set(sources.filter((f) => f.includes('/')).map(folderOf));
    expect([...folders].filter((f) => !(f in ALLOWED))).toEqual([]);
  });

  it('keep files to one idea: at most 320 lines', () => {
    const long = sources
      .map((f) => ({ f, lines: textOf(f).split('\n').length }))
      .filter(({ lines }) => lines > 320)
      .map(({ f, lines }) => `${f}: ${lines}`);
    expect(long).toEqual([]);
  });

  it('import in no circle, for types either', () => {
    expect(circlesOf(new Map(sources.map((f) => [f, importsOf(f)])))).toEqual([]);
  });

  it('have a folder rather than more than four files whose names begin alike', () => {
    expect([...familiesOf(sources)].filter(([, size]) => size > 4)).toEqual([]);
  });

  it(`have functions of at most ${MOST_LINES} lines, or a reason beside them`, () => {
    expect(sources.flatMap(longFunctions)).toEqual([]);
  });

  it('are free of Node but for those of backends, the driver and the command line, so that they run in browsers', () => {
    const bound = sources.filter((f) => FREE_OF_NODE.includes(folderOf(f)) && /from 'node:/.test(textOf(f)));
    expect(bound).toEqual([]);
  });

  it('leave files, threads and the machine to driver/node, so that tests can stand in for them', () => {
    const bound = sources.filter(
      (f) =>
        !f.startsWith('driver/node/') &&
        /^import .*from 'node:(?:fs|fs\/promises|os|worker_threads|child_process|process)'/m.test(textOf(f)),
    );
    expect(bound).toEqual([]);
  });

  it('leave the compiler as a function free of Node, with all that it imports, so that it runs in browsers', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const imported of valueImportsOf(file)) visit(imported);
    };
    visit('driver/compile-input.ts');
    expect(reached.size).toBeGreaterThan(100);
    const bound = [...reached].filter((f) => /(?:from|import) 'node:|\bBuffer\.|\bprocess\./.test(codeOf(f)));
    expect(bound).toEqual([]);
  });
});

describe('the playground', () => {
  const PLAYGROUND = fileURLToPath(new URL('../playground/src', import.meta.url));
  const files = readdirSync(PLAYGROUND, { recursive: true, encoding: 'utf8' }).filter((f) =>
    f.endsWith('.ts'),
  );
  const text = (file: string): string => readFileSync(join(PLAYGROUND, file), 'utf8');

  it('runs the compiler in the worker: the page has types of it, and little else', () => {
    const light = /\/(?:diagnostics\/defined|numeric\/activations)\.js$/;
    const heavy = files
      .filter((f) => !f.startsWith('worker/'))
      .flatMap((f) =>
        [...text(f).matchAll(/^import (?!type )[^;]*?from '([^']*\/src\/[^']+)'/gm)].map((m) => m[1] ?? ''),
      )
      .filter((target) => !light.test(target));
    expect(heavy).toEqual([]);
  });

  it('never reads text as HTML, and keeps files to one idea', () => {
    const wrong = files.filter(
      (f) =>
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(text(f)) ||
        text(f).split('\n').length > 320,
    );
    expect(wrong).toEqual([]);
  });
});

describe('web, the pages that kanc writes', () => {
  const pages = readdirSync(WEB, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
  const text = (file: string): string => readFileSync(join(WEB, file), 'utf8');

  it('view takes nothing of src but the model of its page', () => {
    const wrong = pages
      .filter((f) => folderOf(f) === 'view')
      .flatMap((f) => [...text(f).matchAll(/from '(\.\.\/[^']+)'/g)].map((m) => `${f} -> ${m[1]}`))
      .filter((line) => !line.endsWith(' -> ../../src/view/model.js'));
    expect(wrong).toEqual([]);
  });

  it('has no HTML in strings: names from checkpoints are text', () => {
    expect(
      pages.filter((f) => /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(text(f))),
    ).toEqual([]);
  });

  it('keeps files to one idea: at most 320 lines', () => {
    expect(pages.filter((f) => text(f).split('\n').length > 320)).toEqual([]);
  });
});
