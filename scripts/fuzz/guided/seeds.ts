/** Files that reach what others do not, kept in the repository: what a run starts from, and what tests read again. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

const Kept = t.type({ kind: t.string, files: t.readonlyArray(t.string) });

export interface Seeds {
  readonly kind: string;
  readonly files: ReadonlyArray<Uint8Array>;
}

const folderOf = (corpus: string): string => join(corpus, 'readers');

const nameOf = (kind: string): string => `${kind.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`;

const readSeeds = (path: string): Seeds => {
  const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const kept = Kept.decode(json);
  if (E.isLeft(kept)) throw new Error(`${path} holds no files of a reader`);
  return {
    kind: kept.right.kind,
    files: kept.right.files.map((text) => Uint8Array.from(Buffer.from(text, 'base64'))),
  };
};

/** The files of every kind. */
export const keptSeeds = (corpus: string): ReadonlyArray<Seeds> => {
  const folder = folderOf(corpus);
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => readSeeds(join(folder, name)))
    : [];
};

export const writeSeeds = (corpus: string, { kind, files }: Seeds): void => {
  const folder = folderOf(corpus);
  mkdirSync(folder, { recursive: true });
  const lines = files.map((bytes) => Buffer.from(bytes).toString('base64'));
  writeFileSync(join(folder, nameOf(kind)), `${JSON.stringify({ kind, files: lines }, null, 1)}\n`);
};
