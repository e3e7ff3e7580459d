/** What the files of a project are for, by their names and contents: people drop whole folders. */
import * as E from 'fp-ts/lib/Either.js';
import { readArrayFile } from '../../../src/importers/containers/array-file.js';
import { isNpy, type NpyArray } from '../../../src/importers/containers/npy/index.js';
import { importSource } from '../../../src/importers/import.js';
import { baseName, companions, KANELE_CONFIG, mainFiles, sourceOf } from '../../../src/importers/source.js';
import type { Role, Roles } from '../shared/protocol.js';

export interface ReadFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Layers' outputs of examples of kanc, formats that no importer reads, notes: nothing to compile. */
const ASIDE = /^golden_|^meta\.json$|^vectors_.*\.txt$|\.(?:md|png|py|csv)$/i;

/** By content; archives of arrays by their name, as checkpoints are archives too. */
const holdsArray = ({ name, bytes }: ReadFile): boolean => isNpy(bytes) || /\.npz$/i.test(name);

const isArchitecture = ({ name, bytes }: ReadFile): boolean => {
  if (!name.endsWith('.json') || bytes.length > 1e6) return false;
  try {
    const data: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return (
      typeof data === 'object' &&
      data !== null &&
      'layers' in data &&
      Array.isArray(data.layers) &&
      data.layers.every((layer) => typeof layer === 'object')
    );
  } catch {
    return false;
  }
};

const ONNX = /\.onnx$/i;

/** The likeliest first: what libraries write, then anything else, so that the importers tell what is wrong with it. */
const likelihood = (name: string): number => {
  const order = [/\.(?:pt|pth)$/i, /\.safetensors$/i, /\.(?:bin|ckpt)$/i, ONNX];
  const found = order.findIndex((pattern) => pattern.test(name));
  return found < 0 ? order.length : found;
};

/** Whether the file is a network by itself: else a graph that was exported beside it tells more. */
const isNetwork = ({ name, bytes }: ReadFile): boolean =>
  E.isRight(importSource(sourceOf(bytes, baseName(name))));

const checkpointOf = (files: ReadonlyArray<ReadFile>): string | undefined => {
  const names = files.map(({ name }) => name);
  const [ofSet] = mainFiles(names);
  if (ofSet !== undefined) return ofSet;
  const others = files.filter((f) => !holdsArray(f) && !isArchitecture(f) && f.name !== KANELE_CONFIG);
  const likely = others.filter(({ name }) => !ASIDE.test(name));
  const [first, ...more] = [...(likely.length > 0 ? likely : others)].sort(
    (a, b) => likelihood(a.name) - likelihood(b.name),
  );
  const graph = more.find(({ name }) => ONNX.test(name));
  if (first === undefined || graph === undefined) return first?.name;
  return files.some(isArchitecture) || isNetwork(first) ? first.name : graph.name;
};

interface Candidate {
  readonly name: string;
  readonly array: NpyArray;
}

const isLabels = ({ name, array }: Candidate): boolean =>
  /label|target|(?:^|[_-])y(?:[_.-]|$)/i.test(name) ||
  (array.shape.length === 1 && !array.dtype.startsWith('f'));

const samplesOf = ({ array }: Candidate): number => array.shape[0] ?? 0;

/** Data by what names say, and by what fits: as many labels as samples. */
const rolesOfData = (arrays: ReadonlyArray<Candidate>): Roles => {
  const inputs = arrays.filter((c) => !isLabels(c));
  const named = (pattern: RegExp): Candidate | undefined => inputs.find(({ name }) => pattern.test(name));
  const tested =
    named(/test|val|eval/i) ?? inputs.find(({ name }) => !/calib|train/i.test(name)) ?? inputs[0];
  const calibrating = named(/calib|train/i) ?? tested;
  const fitting = arrays
    .filter((c) => isLabels(c) && tested !== undefined && samplesOf(c) === samplesOf(tested))
    .sort((a, b) => Number(/calib|train/i.test(a.name)) - Number(/calib|train/i.test(b.name)));
  const roles: Record<string, Role> = {};
  if (fitting[0] !== undefined) roles[fitting[0].name] = 'labels';
  if (tested !== undefined) roles[tested.name] = 'inputs';
  // One file of inputs serves for both.
  if (calibrating !== undefined && calibrating !== tested) roles[calibrating.name] = 'calibration';
  return roles;
};

/** Names that a main file has for others, by their names without folders: folders are dropped as their files. */
const companionsOf = ({ name, bytes }: ReadFile): ReadonlyMap<string, string> =>
  new Map(companions(baseName(name), bytes).map((other) => [baseName(other), other]));

/** Files beside a checkpoint by the names that it has for them. */
export const besideOf = (
  checkpoint: ReadFile,
  files: ReadonlyArray<ReadFile>,
): Readonly<Record<string, Uint8Array>> => {
  const known = companionsOf(checkpoint);
  return Object.fromEntries(files.map(({ name, bytes }) => [known.get(baseName(name)) ?? name, bytes]));
};

/** A role for every file. */
export const rolesOf = (files: ReadonlyArray<ReadFile>): Roles => {
  const checkpoint = checkpointOf(files);
  const main = files.find((f) => f.name === checkpoint);
  const beside = main === undefined ? new Map<string, string>() : companionsOf(main);
  const arrays = files.flatMap((file): ReadonlyArray<Candidate> => {
    const { name, bytes } = file;
    if (!holdsArray(file) || ASIDE.test(name)) return [];
    const array = readArrayFile(bytes);
    return E.isLeft(array) ? [] : [{ name, array: array.right }];
  });
  const ofData = rolesOfData(arrays);
  const architecture = files.find(
    (f) => f.name !== checkpoint && !beside.has(baseName(f.name)) && isArchitecture(f),
  );
  return Object.fromEntries(
    files.map((file): readonly [string, Role] => {
      const { name } = file;
      if (name === checkpoint) return [name, 'checkpoint'];
      if (beside.has(baseName(name))) return [name, 'beside'];
      if (file === architecture) return [name, 'architecture'];
      return [name, ofData[name] ?? 'unused'];
    }),
  );
};
