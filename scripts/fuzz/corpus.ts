/** Findings on disk: a folder for each, with all that it takes to run it again. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { sha256Of } from '../../src/driver/node/hash.js';
import { readNpy, type WritableNpyArray, writeNpy } from '../../src/importers/index.js';
import { type Graph, parseGraph, printGraph, sizeOf, type Tensor } from '../../src/ir/index.js';
import type { Dataset } from '../../src/passes/index.js';
import type { Case, Outcome } from './compare.js';

/** The same bug with other numbers, names and places. */
export const fingerprint = (message: string): string =>
  message
    .replace(/%[\w.]+/g, '%v')
    .replace(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|-?Infinity|NaN/g, '#')
    .slice(0, 160);

const Kept = t.type({ pipeline: t.string, samples: t.number, seed: t.number, message: t.string });

export interface KeptCase {
  readonly given: Case;
  readonly input: Tensor | undefined;
}

const arrayOf = (tensor: Tensor): WritableNpyArray => {
  const shape = [tensor.batch, ...tensor.type.shape];
  return tensor.data instanceof Uint8Array
    ? { dtype: 'u1', shape, data: tensor.data }
    : { dtype: 'f4', shape, data: Float32Array.from(tensor.data) };
};

/** A folder in the corpus for a finding, named by what it is. */
export const folderFor = (corpus: string, kind: string, message: string): string => {
  const folder = join(
    corpus,
    `${kind}-${sha256Of(new TextEncoder().encode(fingerprint(message))).slice(0, 10)}`,
  );
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** Writes the network, its data, the inputs that differ, and the table graph where the compiler came so far. */
export const keepCase = (
  corpus: string,
  { graph, pipeline, data, samples, seed }: Case,
  outcome: Extract<Outcome, { _tag: 'wrong' }>,
): string => {
  const { message, table, input } = outcome;
  const folder = folderFor(corpus, 'network', message);
  writeFileSync(join(folder, 'network.kir'), printGraph(graph));
  writeFileSync(
    join(folder, 'case.json'),
    `${JSON.stringify({ pipeline, samples, seed, message }, null, 2)}\n`,
  );
  if (data !== undefined) {
    const { shape, data: values } = data.array;
    writeFileSync(
      join(folder, 'calib.npy'),
      writeNpy({ dtype: 'f4', shape, data: Float32Array.from(values) }),
    );
  }
  if (table !== undefined) writeFileSync(join(folder, 'table.kir'), printGraph(table));
  if (input !== undefined) writeFileSync(join(folder, 'inputs.npy'), writeNpy(arrayOf(input)));
  return folder;
};

const must = <A>(read: E.Either<unknown, A>, what: string): A => {
  if (E.isLeft(read)) throw new Error(`${what} cannot be read`);
  return read.right;
};

const npyIn = (folder: string, name: string): Dataset['array'] | undefined => {
  const file = join(folder, name);
  return existsSync(file) ? must(readNpy(readFileSync(file)), file) : undefined;
};

const inputsFor = (graph: Graph, array: Dataset['array'] | undefined): Tensor | undefined => {
  const type = graph.inputs[0]?.type;
  if (array === undefined || type === undefined) return undefined;
  const { data } = array;
  const held = data instanceof Uint8Array || data instanceof Float32Array ? data : Float32Array.from(data);
  return { type, batch: held.length / sizeOf(type), data: held };
};

export const readCase = (folder: string): KeptCase => {
  const json: unknown = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
  const { pipeline, samples, seed } = must(Kept.decode(json), 'case.json');
  const graph = must(parseGraph(readFileSync(join(folder, 'network.kir'), 'utf8')), 'network.kir');
  const calib = npyIn(folder, 'calib.npy');
  const data = calib === undefined ? undefined : { path: 'calib.npy', array: calib };
  return {
    given: { graph, pipeline, data, samples, seed },
    input: inputsFor(graph, npyIn(folder, 'inputs.npy')),
  };
};

/** The folders of one kind in the corpus. */
export const keptIn = (corpus: string, kind: 'network' | 'parser'): ReadonlyArray<string> =>
  existsSync(corpus)
    ? readdirSync(corpus)
        .filter((name) => name.startsWith(`${kind}-`))
        .sort()
        .map((name) => join(corpus, name))
    : [];
