/** The readers of readers.ts as one module in which every block counts how often it runs. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Target } from '../readers.js';
import { COUNTERS, instrumented, type Numbering, numbering } from './instrument.js';

/** Of these the blocks count: the compiler's own, and the parsers of others that read files. */
const COUNTED = /[\\/]src[\\/].*\.ts$|[\\/]node_modules[\\/](?:yaml|@bufbuild[\\/]protobuf)[\\/].*\.js$/;

const counting = (numbers: Numbering): Plugin => ({
  name: 'counters',
  setup: (b) => {
    b.onLoad({ filter: COUNTED }, ({ path }) => ({
      contents: instrumented(readFileSync(path, 'utf8'), path, numbers),
      loader: 'js',
    }));
  },
});

export interface GuidedReaders {
  readonly targets: ReadonlyArray<Target>;
  /** How often each block ran since the counters were cleared, modulo 256. */
  readonly counters: Uint8Array;
  readonly words: ReadonlyArray<string>;
}

/** More than the blocks there are. */
const MOST = 2 ** 17;

const isModule = (u: unknown): u is { readonly targets: () => ReadonlyArray<Target> } =>
  typeof u === 'object' && u !== null && 'targets' in u && typeof u.targets === 'function';

export const guidedReaders = async (): Promise<GuidedReaders> => {
  const counters = new Uint8Array(MOST);
  Object.defineProperty(globalThis, COUNTERS, { value: counters, configurable: true });
  const numbers = numbering();
  const entry = fileURLToPath(new URL('../readers.ts', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'kanc-guided-'));
  try {
    const outfile = join(folder, 'readers.mjs');
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      // The module looks for its files beside itself.
      define: { 'import.meta.url': JSON.stringify(pathToFileURL(entry).href) },
      // For what is no ES module and asks for parts of Node.
      banner: {
        js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
      },
      plugins: [counting(numbers)],
      logLevel: 'error',
    });
    const module: unknown = await import(pathToFileURL(outfile).href);
    if (!isModule(module)) throw new Error('the bundle has no readers');
    if (numbers.next > MOST) throw new Error(`${numbers.next} blocks are more than ${MOST}`);
    return {
      targets: module.targets(),
      counters: counters.subarray(0, numbers.next),
      words: [...numbers.words],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
