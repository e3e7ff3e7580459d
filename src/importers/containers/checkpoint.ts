/**
 * What a container holds before anything of it is chosen. Training scripts keep several dicts of tensors in one file
 * (the network, an averaged copy, another network): each is a part, with a path. Tensors are read when they are wanted.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Modules } from './modules.js';
import type { FileTensor, TensorFile } from './tensor.js';

/** A Python object of which only the class is known, and that has tensors in it. */
export interface Opaque {
  readonly path: string;
  /** The path of the dict or list that it stands in. */
  readonly parent: string;
  /** Its class, as the file names it. */
  readonly type: string;
  readonly tensors: number;
}

/** A dict of tensors. */
export interface Part {
  /** The keys that lead to it, joined by dots; empty for the file itself. */
  readonly path: string;
  readonly names: ReadonlyArray<string>;
  /** Whether a tensor has two or more dimensions: without one it is a record of numbers and no network. */
  readonly matrices: boolean;
  /** What the modules tell that the tensors are of, where the file holds them as a whole. */
  readonly modules?: Modules;
}

/** A tensor that is to be read, and the name that it gets. */
export interface Wanted {
  readonly part: Part;
  readonly name: string;
  readonly as: string;
}

export interface Checkpoint {
  readonly container: TensorFile['container'];
  /** In file order; at least one. */
  readonly parts: ReadonlyArray<Part>;
  readonly opaque: ReadonlyArray<Opaque>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Diagnostics name tensors by what they are read as. */
  readonly read: (wanted: ReadonlyArray<Wanted>) => Checked<ReadonlyMap<string, FileTensor>>;
}

const isMatrix = ({ shape }: FileTensor): boolean => shape.length >= 2;

/** A checkpoint of tensors that were read already, all of them in one dict. */
export const checkpointOf = (file: TensorFile): Checkpoint => ({
  container: file.container,
  parts: [{ path: '', names: [...file.tensors.keys()], matrices: [...file.tensors.values()].some(isMatrix) }],
  opaque: [],
  metadata: file.metadata,
  read: (wanted) =>
    E.right(
      new Map(
        wanted.flatMap(({ name, as }) => {
          const tensor = file.tensors.get(name);
          return tensor === undefined ? [] : [[as, tensor] as const];
        }),
      ),
    ),
});

/** Names of a part with its path before them. */
export const within = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
