/**
 * The part of the loader that gets the module: from a file, a server or the caller. What is not the module of this build is told
 * as what it is. Backslashes are those of a template: doubled.
 */
import { ABOUT_FILES } from '../shared/loader-text.js';
import { BUILD_EXPORT } from './build.js';

/** A module of nothing, and one of a function that uses a vector: what an engine says to them tells what it lacks. */
const EMPTY = [0, 97, 115, 109, 1, 0, 0, 0];
const SIMD = [
  ...EMPTY,
  ...[1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
];

/** Around it is `build`: the id of the build, and the bytes of its module. */
export const LOADER_MODULE = `
const isNode = () => typeof process !== 'undefined' && process.versions?.node !== undefined;

const failure = (message, cause) =>
  new Error('kanc model: ' + message, ...(cause === undefined ? [] : [{ cause }]));

const told = (error) => error?.message ?? String(error);

${ABOUT_FILES}

const compiles = (bytes) => WebAssembly.compile(Uint8Array.from(bytes)).then(() => true, () => false);

/** Why bytes that begin as a module do were not compiled, as far as it can be found out. */
const whyNot = async (name, bytes, error) => {
  const reason = ' (' + told(error) + ')';
  if (!(await compiles(${JSON.stringify(EMPTY)}))) {
    return (
      'WebAssembly is refused here' + reason +
      ". Where the page has a Content-Security-Policy, its script-src must have 'wasm-unsafe-eval'"
    );
  }
  if (!(await compiles(${JSON.stringify(SIMD)}))) {
    return 'this engine has no 128-bit SIMD of WebAssembly, which the model needs' + reason;
  }
  const size = bytes.length === build.bytes ? '' : ': ' + bytes.length + ' bytes in place of ' + build.bytes;
  return name + ' is damaged or not whole' + size + reason + '; ' + AGAIN;
};

const compiled = async (name, bytes) => {
  if (isPage(bytes)) throw failure(name + ' is ' + pageFor('model.wasm') + '; ' + AGAIN);
  if (![0, 97, 115, 109].every((byte, k) => bytes[k] === byte)) {
    throw failure(name + ' is no WebAssembly module: ' + bytes.length + ' bytes of something else; ' + AGAIN);
  }
  return WebAssembly.compile(bytes).catch(async (error) => {
    throw failure(await whyNot(name, bytes, error), error);
  });
};

const unreadable = (name, error) =>
  failure(name + ' cannot be read: ' + told(error) + '; put model.wasm there, or say with load({ wasm }) where it is', error);

const bytesOf = async (response, name) => {
  if (!response.ok) throw unreadable(name, new Error('the server answered ' + response.status));
  const bytes = await response.arrayBuffer().catch((error) => {
    throw unreadable(name, error);
  });
  return new Uint8Array(bytes);
};

/** \`again\` gives the same response once more: what is in a stream that did not compile is not known any more. */
const fromResponse = async (response, name, again) => {
  // Servers that send .wasm with another type than application/wasm cannot be streamed from.
  const type = (response.headers.get('content-type') ?? '').split(';')[0].trim();
  if (!response.ok || type !== 'application/wasm') return compiled(name, await bytesOf(response, name));
  return WebAssembly.compileStreaming(response).catch(async (error) => {
    if (!(error instanceof WebAssembly.CompileError)) throw unreadable(name, error);
    return compiled(name, await bytesOf(await again(), name));
  });
};

const fromPlace = async (place) => {
  const isFile = place instanceof URL ? place.protocol === 'file:' : !/^(https?|data|blob):/.test(place);
  const name = String(place);
  if (!isNode() || !isFile) {
    const get = () => fetch(place).catch((error) => {
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

const copyOf = (response, name) => {
  try {
    return response.clone();
  } catch (error) {
    throw unreadable(name, error);
  }
};

const GIVEN = 'the content of load({ wasm })';

/** The module, and its name for messages. */
const moduleFrom = async (wasm) => {
  if (wasm instanceof WebAssembly.Module) return [wasm, GIVEN];
  if (wasm instanceof ArrayBuffer) return [await compiled(GIVEN, new Uint8Array(wasm)), GIVEN];
  if (ArrayBuffer.isView(wasm)) {
    return [await compiled(GIVEN, new Uint8Array(wasm.buffer, wasm.byteOffset, wasm.byteLength)), GIVEN];
  }
  if (typeof Response !== 'undefined' && wasm instanceof Response) {
    const name = wasm.url || GIVEN;
    const copy = copyOf(wasm, name);
    const module = await fromResponse(wasm, name, () => copy);
    if (!copy.bodyUsed) copy.body?.cancel().catch(() => {});
    return [module, name];
  }
  if (wasm instanceof URL || typeof wasm === 'string') return [await fromPlace(wasm), String(wasm)];
  throw new TypeError(
    'kanc model: load({ wasm }) takes bytes, a URL, a Response or a WebAssembly.Module, found ' + kindOf(wasm),
  );
};

/** The module of this build: an export of model.wasm names it. */
const moduleOf = async (wasm) => {
  const [module, name] = await moduleFrom(wasm);
  const mark = '${BUILD_EXPORT}';
  const builds = WebAssembly.Module.exports(module).filter((e) => e.name.startsWith(mark));
  if (builds.some((e) => e.name === mark + build.id)) return module;
  throw failure(
    name +
      (builds.length > 0
        ? ' is model.wasm of another build than the index.js that loads it; '
        : ' does not tell its build: it is not the model.wasm that was written with this index.js, or a tool removed exports from it; ') +
      AGAIN,
  );
};
`;
