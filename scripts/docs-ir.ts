/** Writes the generated parts of docs/ir.md: `npm run docs:ir`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { withReference } from './ir-reference.js';

const file = new URL('../docs/ir.md', import.meta.url);
const page = withReference(readFileSync(file, 'utf8'));
if (isLeft(page)) {
  console.error(page.left);
  process.exitCode = 1;
} else {
  writeFileSync(file, page.right);
}
