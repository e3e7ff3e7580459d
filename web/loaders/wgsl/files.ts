import { AGAIN, isPage, kindOf, messageOf, pageFor } from '../shared/about.js';
import { isNode } from '../shared/node.js';
import { failure } from './device.js';
import { program } from './head.js';

/** What a file can be given as; a caller may give anything. */
export type Source = ArrayBuffer | ArrayBufferView | URL | string | Response;

interface Content {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Fails with the code files where a file cannot be had. */
const contentOf = async (from: Source, what: 'wgsl' | 'bin'): Promise<Content> => {
  const name = `the content of load({ ${what} })`;
  if (from instanceof ArrayBuffer) return { name, bytes: new Uint8Array(from) };
  if (ArrayBuffer.isView(from)) {
    return { name, bytes: new Uint8Array(from.buffer, from.byteOffset, from.byteLength) };
  }
  // No path has line breaks: this is the module itself.
  if (what === 'wgsl' && typeof from === 'string' && from.includes('\n')) {
    return { name, bytes: new TextEncoder().encode(from) };
  }
  const isPlace = from instanceof URL || typeof from === 'string';
  if (!isPlace && (typeof Response === 'undefined' || !(from instanceof Response))) {
    throw new TypeError(
      `kanc model: load({ ${what} }) takes bytes, a URL or a Response, found ${kindOf(from)}`,
    );
  }
  const place = isPlace ? String(from) : from.url || name;
  try {
    if (isPlace && isNode() && !/^(https?|data|blob):/.test(place)) {
      const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:fs/promises');
      return { name: place, bytes: await readFile(place.startsWith('file:') ? new URL(place) : place) };
    }
    const response = isPlace ? await fetch(from) : from;
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return { name: place, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch (error) {
    throw failure('files', `${place} cannot be read: ${messageOf(error)}`);
  }
};

/** Fails where a file is not of the build that this one belongs to. `found`: the build that it names. */
const belongs = ({ name, bytes }: Content, file: string, length: number, found: string | undefined): void => {
  const wrong = (reason: string): Error => failure('files', `${name} is ${reason}; ${AGAIN}`);
  if (found === program.build && bytes.length === length) return;
  if (isPage(bytes)) throw wrong(pageFor(file));
  const size = `${bytes.length} bytes in place of ${length}`;
  if (found === program.build) throw wrong(`not as it was written: ${size}`);
  // The end of model.bin, where its build stands, may be what is missing.
  const cut = file === 'model.bin' && bytes.length < length ? `, or not whole: ${size}` : '';
  throw wrong(`${file} of another build than the index.js that loads it${cut}`);
};

/** The module and the constants of this build: model.wgsl names it in a comment, model.bin in its last bytes. */
export const filesOf = async (wgsl: Source, bin: Source) => {
  const [text, data] = await Promise.all([contentOf(wgsl, 'wgsl'), contentOf(bin, 'bin')]);
  const source = new TextDecoder().decode(text.bytes);
  belongs(text, 'model.wgsl', program.bytes.wgsl, source.match(/^\/\/ build ([0-9a-f]+)$/m)?.[1]);
  const mark = data.bytes.subarray(-program.build.length / 2);
  const build = Array.from(mark, (byte) => byte.toString(16).padStart(2, '0')).join('');
  belongs(data, 'model.bin', program.bytes.bin, build);
  return { source, constants: data.bytes };
};
