/** Dependencies between the folders of src run one way. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const WEB = fileURLToPath(new URL('../web', import.meta.url));

/** What each folder may import from; itself is always allowed. */
const ALLOWED: Readonly<Record<string, ReadonlyArray<string>>> = {
  diagnostics: [],
  numeric: [],
  ir: ['diagnostics', 'numeric'],
  importers: ['diagnostics', 'ir', 'numeric'],
  analyses: ['diagnostics', 'ir', 'numeric'],
  passes: ['analyses', 'diagnostics', 'importers', 'ir', 'numeric'],
  backends: ['analyses', 'diagnostics', 'ir', 'numeric'],
  view: ['analyses', 'diagnostics', 'ir', 'numeric', 'passes'],
  driver: ['analyses', 'backends', 'diagnostics', 'importers', 'ir', 'numeric', 'passes', 'view'],
  cli: ['analyses', 'backends', 'diagnostics', 'driver', 'importers', 'ir', 'numeric', 'passes', 'view'],
};

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

const importsOf = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)].map((m) =>
    relative(SRC, normalize(join(SRC, dirname(file), m[1] ?? ''))),
  );

/** The code of a file: without comments and without what is only text in it. */
const codeOf = (file: string): string =>
  readFileSync(join(SRC, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/`(?:[^`\\]|\\.)*`/g, '``')
    // The loaders of artifacts: strings of JSON.
    .replace(/^export const \w+ = ".*";$/gm, '');

/** What is left of the imports when it runs: those of types alone are gone. */
const valueImportsOf = (file: string): ReadonlyArray<string> =>
  [...codeOf(file).matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm)].map((m) =>
    relative(SRC, normalize(join(SRC, dirname(file), m[1] ?? ''))),
  );

const folderOf = (file: string): string => file.split('/')[0] ?? '';

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
      .map((f) => ({ f, lines: readFileSync(join(SRC, f), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 320)
      .map(({ f, lines }) => `${f}: ${lines}`);
    expect(long).toEqual([]);
  });

  it('leave the IR, the numerics and the passes free of Node, so that they run in browsers', () => {
    const bound = sources.filter(
      (f) =>
        ['ir', 'numeric', 'passes', 'analyses', 'diagnostics', 'importers', 'view'].includes(folderOf(f)) &&
        /from 'node:/.test(readFileSync(join(SRC, f), 'utf8')),
    );
    expect(bound).toEqual([]);
  });

  it('leave files, threads and the machine to node*.ts of the driver, so that tests can stand in for them', () => {
    const bound = sources.filter(
      (f) =>
        !/^driver\/node[^/]*\.ts$/.test(f) &&
        /^import .*from 'node:(?:fs|fs\/promises|os|worker_threads|child_process|process)'/m.test(
          readFileSync(join(SRC, f), 'utf8'),
        ),
    );
    expect(bound).toEqual([]);
  });

  it('leave the compiler as a function free of Node, with all that it imports, so that it runs in browsers', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const target of valueImportsOf(file)) visit(target.replace(/\.js$/, '.ts'));
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
    const light = /\/(?:driver\/defined|numeric\/activations)\.js$/;
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
