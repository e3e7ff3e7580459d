/** Links between pages: they lead somewhere, in a checkout and in the package that is installed from a registry. */
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { readPage, root } from './given.js';

const run = (tool: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(tool, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

const Packed = t.array(t.type({ files: t.array(t.type({ path: t.string })) }));

/** The files of the package. */
const packed = (): ReadonlySet<string> => {
  const told: unknown = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts'));
  if (!Packed.is(told)) throw new Error('npm pack tells something else');
  return new Set(told.flatMap(({ files }) => files.map(({ path }) => path)));
};

const files = packed();
const pages = [...files].filter((path) => path.endsWith('.md'));

/** Where the links of a page lead that leave neither the project nor, by an anchor alone, the page. */
const targetsOf = (page: string): ReadonlyArray<{ readonly file: string; readonly anchor: string }> =>
  [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', anchor = ''] = link.split('#');
    return [{ file: file === '' ? page : normalize(join(dirname(page), file)), anchor }];
  });

/** The anchors that a page's headings get. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replace(/ /g, '-'),
    ),
  );

describe('links of', () => {
  it.each(pages)('%s', (page) => {
    for (const { file, anchor } of targetsOf(page)) {
      const path = join(root, file);
      expect(existsSync(path), `${page} -> ${file}`).toBe(true);
      const inPackage = statSync(path).isDirectory()
        ? [...files].some((other) => other.startsWith(`${file.replace(/\/$/, '')}/`))
        : files.has(file);
      expect(inPackage, `${page} -> ${file}, in the package`).toBe(true);
      if (anchor !== '') expect([...anchorsOf(file)]).toContain(anchor);
    }
  });

  it('there are some', () => {
    expect(pages).toContain('README.md');
    expect(pages.flatMap(targetsOf).length).toBeGreaterThan(40);
  });
});
