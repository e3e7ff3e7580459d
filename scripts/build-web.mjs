/**
 * Bundles the pages that kanc writes: web/<page>/main.ts and style.css to dist/web/<page>.js and .css, and what the
 * licences of bundled packages ask for to dist/web/NOTICES.txt. With a folder as argument writes there instead.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? join(root, 'dist', 'web');

const PAGES = ['view'];

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  // Files have no charset of their own once they are in a page.
  charset: 'ascii',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

/** The folder of the package that a bundled file belongs to. */
const packageOf = (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];

const noticeOf = (folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const file = readdirSync(join(root, folder)).find((f) => /^licen[cs]e/i.test(f));
  const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
};

const packages = new Set();
mkdirSync(out, { recursive: true });
for (const page of PAGES) {
  const folder = `web/${page}`;
  const script = await build({
    ...shared,
    entryPoints: [`${folder}/main.ts`],
    outfile: join(out, `${page}.js`),
    format: 'iife',
    target: 'es2022',
    tsconfig: 'web/tsconfig.json',
  });
  for (const input of Object.keys(script.metafile.inputs)) {
    const found = packageOf(input);
    if (found !== undefined) packages.add(found);
  }
  if (existsSync(join(root, folder, 'style.css'))) {
    await build({ ...shared, entryPoints: [`${folder}/style.css`], outfile: join(out, `${page}.css`) });
  }
}
const notices = [...packages].sort().map(noticeOf);
writeFileSync(join(out, 'NOTICES.txt'), notices.join(`\n${'-'.repeat(72)}\n\n`));
