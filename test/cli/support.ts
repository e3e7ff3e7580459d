/** Runs the command line in this process, with its streams captured and a folder for what it writes. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { main } from '../../src/cli/main.js';
import type { Capabilities } from '../../src/driver/capabilities.js';
import { nodeCapabilities } from '../../src/driver/node/index.js';
import { type WritableNpyArray, writeNpy } from '../../src/importers/containers/npy/index.js';

const node = nodeCapabilities();

export interface Result {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface Workplace {
  readonly folder: string;
  /** A path in the folder. */
  readonly path: (...parts: ReadonlyArray<string>) => string;
  readonly kanc: (argv: ReadonlyArray<string>, changes?: Partial<Capabilities>) => Promise<Result>;
  /** Writes a file into the folder and gives its path. */
  readonly put: (name: string, content: Uint8Array | string) => string;
  readonly putNpy: (name: string, array: WritableNpyArray) => string;
  readonly read: (...parts: ReadonlyArray<string>) => string;
  readonly list: (...parts: ReadonlyArray<string>) => ReadonlyArray<string>;
}

/** A folder that is removed when the tests of the file are done. */
export const workplace = (): Workplace => {
  const folder = mkdtempSync(join(tmpdir(), 'kanc-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (...parts: ReadonlyArray<string>): string => join(folder, ...parts);
  const put = (name: string, content: Uint8Array | string): string => {
    writeFileSync(path(name), content);
    return path(name);
  };
  return {
    folder,
    path,
    put,
    putNpy: (name, array) => put(name, writeNpy(array)),
    read: (...parts) => readFileSync(path(...parts), 'utf8'),
    list: (...parts) => (existsSync(path(...parts)) ? readdirSync(path(...parts)).sort() : []),
    kanc: async (argv, changes = {}) => {
      let [out, err] = ['', ''];
      const terminal = {
        out: (text: string): void => {
          out += text;
        },
        err: (text: string): void => {
          err += text;
        },
        // As at a terminal: what comes and goes there is left out.
        live: true,
        progress: (): void => {},
      };
      const exit = await main(argv, { ...node, terminal, crashFolder: folder, ...changes });
      return { exit, out, err };
    },
  };
};

const examples = new URL('../../examples/', import.meta.url).pathname;

export const model = (name: string, file = 'model.safetensors'): string =>
  join(examples, 'models', name, file);

export const data = (set: string, file: string): string => join(examples, 'data', set, file);

/** The smallest example: 2 inputs, 5 hidden values, 1 output. */
export const REGRESSION = model('efficient-kan-regression');
/** 13 inputs, 3 classes. */
export const WINE = model('efficient-kan-wine');

/** A safetensors file of f32 tensors. */
export const safetensors = (
  header: Readonly<Record<string, unknown>>,
  content: ReadonlyArray<number>,
): Uint8Array => {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + 4 * content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, json.length, true);
  bytes.set(json, 8);
  for (const [i, x] of content.entries()) view.setFloat32(8 + json.length + 4 * i, x, true);
  return bytes;
};
