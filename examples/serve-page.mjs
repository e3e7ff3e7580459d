/** What the example pages share: compiles the Fashion-MNIST example, and serves folders. Any static web server does. */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** A folder for what is compiled, removed when the server is stopped. */
const scratch = mkdtempSync(join(tmpdir(), 'kanc-page-'));
const clean = () => rmSync(scratch, { recursive: true, force: true });

/** Compiles for a target; gives the folder of the artifact. */
export const compileFashion = (target) => {
  const artifact = join(scratch, target);
  const pixels = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];
  const compiled = spawnSync(
    process.execPath,
    [
      ...['bin/kanc.js', 'compile', 'examples/models/efficient-kan-fashion/model.pt', '--target', target],
      ...['--calib', 'examples/data/fashion-mnist/calib_images.npy', ...pixels, '-o', artifact],
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (compiled.status !== 0) {
    clean();
    process.exit(compiled.status ?? 1);
  }
  return artifact;
};

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.wgsl': 'text/wgsl',
  '.bin': 'application/octet-stream',
  '.npy': 'application/octet-stream',
};

/** Serves folders by the prefixes of request paths, the longest first, on the port of the command line (8080). */
export const serveFolders = (folders) => {
  /** The file behind a request path; undefined for anything outside of the folders. */
  const fileOf = (path) => {
    const [prefix, folder] = folders.find(([p]) => path.startsWith(p));
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
      clean();
      process.exit(0);
    });
  }
};
