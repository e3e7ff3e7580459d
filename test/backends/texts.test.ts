/** The text of loaders is that of their sources: `npm run loaders` writes it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { textsModule } from '../../scripts/loaders.js';

it('src/backends/texts.ts is what web/loaders says', () => {
  const file = fileURLToPath(new URL('../../src/backends/texts.ts', import.meta.url));
  expect(readFileSync(file, 'utf8') === textsModule(), 'run npm run loaders').toBe(true);
});
