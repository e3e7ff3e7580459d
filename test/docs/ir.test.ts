/** docs/ir.md says what the op definitions say. */
import { readFileSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { attributesOf, PAGE_ORDER, withReference } from '../../scripts/ir-reference.js';
import { OPS } from '../../src/ir/ops/index.js';
import { NORM_GROUP_LIMIT } from '../../src/numeric/integer-norm.js';

const page = readFileSync(new URL('../../docs/ir.md', import.meta.url), 'utf8');

describe('docs/ir.md', () => {
  it('is what `npm run docs:ir` writes', () => {
    const made = withReference(page);
    expect(isLeft(made) ? made.left : made.right).toBe(page);
  });

  it('has every op', () => {
    expect([...PAGE_ORDER].sort()).toEqual(Object.keys(OPS).sort());
  });

  it.each(PAGE_ORDER)('explains every attribute of %s', (kind) => {
    const text = OPS[kind].doc.text.join('\n');
    const silent = attributesOf(kind).filter(({ name }) => !new RegExp(`\`${name}[?{\`]`).test(text));
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('states the limits of norms as they are', () => {
    expect(page).toContain(`groups have up to 2^${Math.log2(NORM_GROUP_LIMIT)} elements`);
    expect(page).not.toContain('2^15 elements');
  });
});
