/** The programs of the page about exports are files that can be run, and all of these are shown. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf } from './blocks.js';
import { readPage, root } from './given.js';

const FOLDER = join(root, 'examples', 'export');

const shown = blocksOf(readPage('docs/exporting.md')).filter(({ language }) => language === 'python');

describe('programs of docs/exporting.md', () => {
  it.each(shown.map((block) => [block.marker?.text ?? `line ${block.line}`, block] as const))(
    '%s is the file',
    (name, { marker, text }) => {
      expect(marker?.kind).toBe('file');
      expect(`${text}\n`).toBe(readFileSync(join(FOLDER, name), 'utf8'));
    },
  );

  it('are all of examples/export but the models', () => {
    const programs = readdirSync(FOLDER).filter(
      (name) => name.endsWith('.py') && !name.endsWith('_model.py'),
    );
    expect(shown.map(({ marker }) => marker?.text).sort()).toEqual(programs.sort());
  });

  it('are short enough to be read', () => {
    for (const { text, marker } of shown)
      expect(text.split('\n').length, marker?.text).toBeLessThanOrEqual(14);
  });
});
