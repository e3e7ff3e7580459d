/**
 * Builds the playground: a folder of static files with relative URLs, for any web host and any path on it.
 *
 *     node scripts/build-playground.mjs [folder]      (default: playground/dist)
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'playground');

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The files of the examples that the page offers: the list is where the page has it. */
const exampleFiles = () => {
  const text = readFileSync(join(source, 'src/page/examples.ts'), 'utf8');
  return [...new Set([...text.matchAll(/'((?:models|data)\/[^']+)'/g)].map(([, path]) => path))];
};

const bundle = (folder, minify) =>
  build({
    entryPoints: { main: join(source, 'src/page/main.ts'), worker: join(source, 'src/worker/main.ts') },
    outdir: folder,
    bundle: true,
    // What both sides use, the plots and binaryen are files of their own, fetched when they are needed.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify,
    legalComments: 'linked',
    define: { KANC_VERSION: JSON.stringify(version) },
    // binaryen asks for it in Node only.
    external: ['node:module'],
    logLevel: 'warning',
    // Large chunks are told in docs/playground.md.
    logOverride: { 'large-output-file': 'silent' },
  });

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => path.split(sep).join('/'))
    .sort();

/** The service worker, with the list of what it keeps and a version that changes with any of it. */
const writeServiceWorker = (folder) => {
  const files = filesIn(folder).filter((path) => !path.endsWith('.LEGAL.txt'));
  const hash = createHash('sha256');
  for (const path of files)
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(folder, path)));
  const head = `const VERSION = '${hash.digest('hex').slice(0, 16)}';\nconst FILES = ${JSON.stringify(['./', ...files])};\n`;
  writeFileSync(
    join(folder, 'service-worker.js'),
    head + readFileSync(join(source, 'service-worker.js'), 'utf8'),
  );
};

/** Writes the playground to a folder, which is replaced. */
export const buildPlayground = async (folder, { minify = true } = {}) => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await bundle(folder, minify);
  for (const name of ['index.html', 'style.css', 'icon.svg']) {
    cpSync(join(source, name), join(folder, name));
  }
  // Before the examples: those are kept when they are chosen.
  writeServiceWorker(folder);
  for (const path of exampleFiles()) {
    const to = join(folder, 'examples', path);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(root, 'examples', path), to);
  }
  return filesIn(folder).map((path) => ({ path, bytes: statSync(join(folder, path)).size }));
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = resolve(process.argv[2] ?? join(root, 'playground/dist'));
  const files = await buildPlayground(folder);
  const largest = files
    .filter(({ path }) => /\.(?:js|css|html)$/.test(path))
    .sort((a, b) => b.bytes - a.bytes);
  for (const { path, bytes } of largest.slice(0, 8))
    console.log(`${(bytes / 1000).toFixed(0).padStart(8)} kB  ${path}`);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(
    `${relative(process.cwd(), folder)}: ${files.length} files, ${(total / 1e6).toFixed(1)} MB with the examples`,
  );
}
