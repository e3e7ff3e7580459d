/** What the tests in Chromium share: where it is, how it is started, and the servers of the example pages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const missing = !existsSync(executablePath);
if (missing && process.env['CI'] === undefined) {
  console.warn(`skipped: no Chromium at ${executablePath}; apt-get install chromium, or set CHROMIUM`);
}

/** In CI the tests run, and fail where there is no Chromium. */
export const skipsBrowser = missing && process.env['CI'] === undefined;

export const FLAGS_OF_ALL = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** WebGPU over SwiftShader. */
export const FLAGS_OF_WEBGPU = [
  ...FLAGS_OF_ALL,
  '--headless=new',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** Starts the server of a folder of examples; resolves with its address. */
export const serve = (example: string): { server: ChildProcess; address: Promise<string> } => {
  const script = fileURLToPath(new URL(`../../examples/${example}/serve.mjs`, import.meta.url));
  const server = spawn(process.execPath, [script, '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const address = new Promise<string>((resolve, reject) => {
    let errors = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    server.stdout?.on('data', (chunk: Buffer) => {
      const found = /http:\S+/.exec(chunk.toString());
      if (found !== null) resolve(found[0]);
    });
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${errors}`)));
  });
  return { server, address };
};

export interface StaticServer {
  readonly address: string;
  readonly close: () => void;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Headers with which a page may share memory with its workers. */
export const ISOLATED: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Serves a folder of static files under a path such as '/some/path/'; `fallback`: sent, as of an app, where a file is missing. */
export const serveFolder = async (
  folder: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  fallback?: string,
): Promise<StaticServer> => {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const asked = join(folder, pathname.slice(path.length) || 'index.html');
    const file = existsSync(asked) || fallback === undefined ? asked : join(folder, fallback);
    if (!pathname.startsWith(path) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      ...headers,
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return { address: `http://127.0.0.1:${bound.port}${path}`, close: () => server.close() };
};
