import { AGAIN, isPage, kindOf, messageOf, pageFor } from '../shared/about.js';
import { isNode } from '../shared/node.js';
import { BUILD_EXPORT, build } from './head.js';

/** What a module can be given as; a caller may give anything. */
export type Source = ArrayBuffer | ArrayBufferView | URL | string | Response | WebAssembly.Module;

export const failure = (message: string, cause?: unknown): Error =>
  new Error(`kanc model: ${message}`, ...(cause === undefined ? [] : [{ cause }]));

/** A module of nothing, and one of a function that uses a vector: what an engine says to them tells what it lacks. */
const EMPTY = [0, 97, 115, 109, 1, 0, 0, 0];
const SIMD = [...EMPTY, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

const compiles = (bytes: ReadonlyArray<number>): Promise<boolean> =>
  WebAssembly.compile(Uint8Array.from(bytes)).then(
    () => true,
    () => false,
  );

/** Why bytes that begin as a module do were not compiled, as far as it can be found out. */
const whyNot = async (name: string, bytes: Uint8Array, error: unknown): Promise<string> => {
  const reason = ` (${messageOf(error)})`;
  if (!(await compiles(EMPTY))) {
    return `WebAssembly is refused here${reason}. Where the page has a Content-Security-Policy, its script-src must have 'wasm-unsafe-eval'`;
  }
  if (!(await compiles(SIMD))) {
    return `this engine has no 128-bit SIMD of WebAssembly, which the model needs${reason}`;
  }
  const size = bytes.length === build.bytes ? '' : `: ${bytes.length} bytes in place of ${build.bytes}`;
  return `${name} is damaged or not whole${size}${reason}; ${AGAIN}`;
};

const compiled = async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> => {
  if (isPage(bytes)) throw failure(`${name} is ${pageFor('model.wasm')}; ${AGAIN}`);
  if (![0, 97, 115, 109].every((byte, k) => bytes[k] === byte)) {
    throw failure(`${name} is no WebAssembly module: ${bytes.length} bytes of something else; ${AGAIN}`);
  }
  return WebAssembly.compile(bytes).catch(async (error) => {
    throw failure(await whyNot(name, bytes, error), error);
  });
};

const unreadable = (name: string, error: unknown): Error =>
  failure(
    `${name} cannot be read: ${messageOf(error)}; put model.wasm there, or say with load({ wasm }) where it is`,
    error,
  );

const bytesOf = async (response: Response, name: string): Promise<Uint8Array<ArrayBuffer>> => {
  if (!response.ok) throw unreadable(name, new Error(`the server answered ${response.status}`));
  const bytes = await response.arrayBuffer().catch((error) => {
    throw unreadable(name, error);
  });
  return new Uint8Array(bytes);
};

/** `again` gives the same response once more: what is in a stream that did not compile is not known any more. */
const fromResponse = async (
  response: Response,
  name: string,
  again: () => Response | Promise<Response>,
): Promise<WebAssembly.Module> => {
  // Servers that send .wasm with another type than application/wasm cannot be streamed from.
  const type = (response.headers.get('content-type') ?? '').split(';')[0]!.trim();
  if (!response.ok || type !== 'application/wasm') return compiled(name, await bytesOf(response, name));
  return WebAssembly.compileStreaming(response).catch(async (error) => {
    if (!(error instanceof WebAssembly.CompileError)) throw unreadable(name, error);
    return compiled(name, await bytesOf(await again(), name));
  });
};

const fromPlace = async (place: URL | string): Promise<WebAssembly.Module> => {
  const isFile = place instanceof URL ? place.protocol === 'file:' : !/^(https?|data|blob):/.test(place);
  const name = String(place);
  if (!isNode() || !isFile) {
    const get = (): Promise<Response> =>
      fetch(place).catch((error) => {
        throw unreadable(name, error);
      });
    return fromResponse(await get(), name, get);
  }
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'node:fs/promises');
  const file = typeof place === 'string' && place.startsWith('file:') ? new URL(place) : place;
  const bytes = await readFile(file).catch((error) => {
    throw unreadable(name, error);
  });
  return compiled(name, bytes);
};

const copyOf = (response: Response, name: string): Response => {
  try {
    return response.clone();
  } catch (error) {
    throw unreadable(name, error);
  }
};

const GIVEN = 'the content of load({ wasm })';

const fromGivenResponse = async (response: Response, name: string): Promise<WebAssembly.Module> => {
  const copy = copyOf(response, name);
  const module = await fromResponse(response, name, () => copy);
  if (!copy.bodyUsed) copy.body?.cancel().catch(() => {});
  return module;
};

/** The module, and its name for messages. */
const moduleFrom = async (wasm: Source): Promise<readonly [WebAssembly.Module, string]> => {
  if (wasm instanceof WebAssembly.Module) return [wasm, GIVEN];
  if (wasm instanceof ArrayBuffer) return [await compiled(GIVEN, new Uint8Array(wasm)), GIVEN];
  if (ArrayBuffer.isView(wasm)) {
    // Memory that is shared is refused by WebAssembly.compile, with its reason.
    const bytes = new Uint8Array(wasm.buffer as ArrayBuffer, wasm.byteOffset, wasm.byteLength);
    return [await compiled(GIVEN, bytes), GIVEN];
  }
  if (typeof Response !== 'undefined' && wasm instanceof Response) {
    const name = wasm.url || GIVEN;
    return [await fromGivenResponse(wasm, name), name];
  }
  if (wasm instanceof URL || typeof wasm === 'string') return [await fromPlace(wasm), String(wasm)];
  throw new TypeError(
    `kanc model: load({ wasm }) takes bytes, a URL, a Response or a WebAssembly.Module, found ${kindOf(wasm)}`,
  );
};

/** The module of this build: an export of model.wasm names it. */
export const moduleOf = async (wasm: Source): Promise<WebAssembly.Module> => {
  const [module, name] = await moduleFrom(wasm);
  const builds = WebAssembly.Module.exports(module).filter((e) => e.name.startsWith(BUILD_EXPORT));
  if (builds.some((e) => e.name === BUILD_EXPORT + build.id)) return module;
  const reason =
    builds.length > 0
      ? 'is model.wasm of another build than the index.js that loads it'
      : 'does not tell its build: it is not the model.wasm that was written with this index.js, or a tool removed exports from it';
  throw failure(`${name} ${reason}; ${AGAIN}`);
};
