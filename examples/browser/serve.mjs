/**
 * Compiles the Fashion-MNIST example and serves the page: `node examples/browser/serve.mjs [port]`.
 * Any static web server does; this one is here so that the example needs nothing else.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const artifact = join(mkdtempSync(join(tmpdir(), 'kanc-page-')), 'fashion');
const compiled = spawnSync(
  process.execPath,
  [
    'bin/kanc.js',
    'compile',
    'examples/models/efficient-kan-fashion/model.pt',
    '--target',
    'wasm',
    '--input-dtype',
    'u8',
    '--input-mean',
    '0.5',
    '--input-std',
    '0.5',
    '--calib',
    'examples/data/fashion-mnist/calib_images.npy',
    '-o',
    artifact,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.npy': 'application/octet-stream',
};
const FOLDERS = [
  ['/artifact/', artifact],
  ['/data/', join(root, 'examples/data/fashion-mnist')],
  ['/', join(root, 'examples/browser')],
];

/** The file behind a request path; undefined for anything outside the three folders. */
const fileOf = (path) => {
  const [prefix, folder] = FOLDERS.find(([p]) => path.startsWith(p));
  const file = normalize(join(folder, path.slice(prefix.length) || 'index.html'));
  return file.startsWith(folder + sep) && existsSync(file) ? file : undefined;
};

const server = createServer((request, response) => {
  const file = fileOf(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' });
  createReadStream(file).pipe(response);
});
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    rmSync(join(artifact, '..'), { recursive: true, force: true });
    process.exit(0);
  });
}
