/**
 * What a checkpoint is read from: one file, and what lies beside it where a library writes several. Importers
 * touch no disk; they say which names to look for, and whoever has a disk gives the bytes.
 */

import { externalFilesOf, isOnnx } from './containers/onnx/index.js';
import { shardsOf } from './containers/sharded.js';

export interface Source {
  /** As messages speak of it: a path, or any name. */
  readonly file: string;
  /** The name of the file without its folder. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of the `companions` of the file those that are there, by name. */
  readonly beside: ReadonlyMap<string, Uint8Array>;
}

/** pykan's `saveckpt(path)` writes three files; the state is the one with the tensors. */
const PYKAN_PART = /^(.+)_(?:state|config\.ya?ml|cache_data)$/s;

/** The two files of KANELE's truth tables. */
export const KANELE_CONFIG = 'config.json';
export const KANELE_TABLES = 'truth_tables.json';

/** A file of a checkpoint in several files; one of one file is whole. */
const SHARD = /^(.+)-\d{5}-of-(?!00001\.)\d{5}\.(safetensors|bin)$/;

/** The index of a checkpoint in several files, as its writers name it. */
const INDEX = /\.(?:safetensors|bin)\.index\.json$/;

/** What exporters call the file with the larger constants of an ONNX model. */
const ONNX_DATA = /^(.+\.onnx)[._]data$/is;

/** The name of the index that a shard belongs to; undefined for a file that is whole. */
export const indexOf = (name: string): string | undefined => {
  const shard = SHARD.exec(name);
  return shard === null ? undefined : `${shard[1]}.${shard[2]}.index.json`;
};

const folderAndName = (path: string): readonly [string, string] => {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  return [path.slice(0, cut), path.slice(cut)];
};

/** The name of a file without its folder, whichever slashes the path has. */
export const baseName = (path: string): string => folderAndName(path)[1];

/** The path of a file of this name in the folder of another. */
export const pathBeside = (path: string, name: string): string => `${folderAndName(path)[0]}${name}`;

/** The path of the file that holds the network, for any file of a set. */
export const mainFile = (path: string): string => {
  const [folder, name] = folderAndName(path);
  const part = PYKAN_PART.exec(name);
  if (part !== null) return `${folder}${part[1]}_state`;
  const index = indexOf(name);
  if (index !== undefined) return folder + index;
  const model = ONNX_DATA.exec(name)?.[1];
  if (model !== undefined) return folder + model;
  return name === KANELE_CONFIG ? folder + KANELE_TABLES : path;
};

/** The main file of a set of which only the common beginning is given, as it was given to `saveckpt`. */
export const stateOf = (path: string): string => `${path}_state`;

/** The main files in a folder of these names: none, one, or several among which nobody but the user can choose. */
export const mainFiles = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (names.includes(KANELE_TABLES)) return [KANELE_TABLES];
  const withData = new Set(names.map((name) => ONNX_DATA.exec(name)?.[1]));
  return names
    .filter(
      (name) => (name.endsWith('_state') && PYKAN_PART.test(name)) || INDEX.test(name) || withData.has(name),
    )
    .sort();
};

/** Names of files that may belong to a main file and lie in its folder: by its name, or named in it. */
export const companions = (name: string, bytes: Uint8Array): ReadonlyArray<string> => {
  if (isOnnx(bytes)) return externalFilesOf(bytes);
  const shards = shardsOf(bytes);
  if (shards.length > 0) return shards;
  if (name.endsWith('.json')) return [KANELE_CONFIG, KANELE_TABLES].filter((other) => other !== name);
  const stem = PYKAN_PART.exec(name)?.[1] ?? name.replace(/\.[^.]+$/, '');
  return [`${stem}_config.yml`, `${stem}_config.yaml`];
};

/** A source of bytes alone. */
export const sourceOf = (
  bytes: Uint8Array,
  file: string,
  beside: ReadonlyMap<string, Uint8Array> = new Map(),
): Source => ({ file, name: baseName(file), bytes, beside });
