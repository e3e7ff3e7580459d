/** docs/playground.md tells the sizes that a visitor loads: those of the page as it is built. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readPage } from './given.js';

/** A row such as "| `chunks/chart` | 252 kB | 85 kB | ... |". */
const ROW = /^\| `([\w./]+)` +\| +([\d,]+) kB \| +([\d,]+) kB \|/gm;

const number = (text: string): number => Number(text.replaceAll(',', ''));

const folder = mkdtempSync(join(tmpdir(), 'kanc-sizes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/playground.md', () => {
  it('tells the sizes of what is loaded, within five percent', async () => {
    const { buildPlayground } = await import('../../scripts/build-playground.mjs');
    const files = await buildPlayground(folder);
    const rows = [...readPage('docs/playground.md').matchAll(ROW)];
    expect(rows.length).toBeGreaterThan(3);
    for (const [, name = '', told = '', zipped = ''] of rows) {
      const found = files.find(
        ({ path }) => path === name || (path.startsWith(`${name}-`) && path.endsWith('.js')),
      );
      expect(found, name).toBeDefined();
      const bytes = readFileSync(join(folder, found?.path ?? ''));
      const near = (size: number, text: string): number =>
        Math.abs(size / 1000 - number(text)) / number(text);
      expect(near(bytes.length, told), `${name}: ${bytes.length} bytes`).toBeLessThan(0.05);
      const gzip = gzipSync(bytes).length;
      expect(near(gzip, zipped), `${name}: ${gzip} bytes zipped`).toBeLessThan(0.05);
    }
  });
});
