/** The page around a model: hostile names stay data. */
import { describe, expect, it } from 'vitest';
import type { ViewModel } from '../../src/view/model.js';
import { viewPage } from '../../src/view/page.js';

const HOSTILE = '</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\u2028"\'&';

const model: ViewModel = {
  format: 2,
  kanc: 'test',
  name: HOSTILE,
  file: HOSTILE,
  kind: 'checkpoint',
  pipeline: HOSTILE,
  steps: [],
  layers: [],
  tables: [],
  costs: {
    forms: [],
    layers: [],
    total: { name: 'total', size: '', costs: {} },
    ratios: { of: 'compiled', bitOps: {} },
  },
};

describe('the page', () => {
  const page = viewPage(model, { script: 'const a = "</script><!--";', style: 'body{}' });

  it('has no element that a name has made', () => {
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<!--');
    expect(page).toContain('<title>&#60;/script&#62;');
  });

  it('gives the model back as it was', () => {
    const json = /id="model">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
    expect(JSON.parse(json)).toEqual(model);
  });

  it('may fetch nothing', () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/(?:src|href)="?https?:/);
  });
});
