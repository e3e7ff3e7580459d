/**
 * What the driver may do to the world: a record, bound once at the edge (node/index.ts) and passed down, so that
 * everything else is values, and tests can let a disk fail.
 */
import type * as T from 'fp-ts/lib/Task.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Checked, Diagnostics } from '../diagnostics/index.js';
import type { NamedPass } from '../passes/registry.js';
import type { Study } from '../search/study.js';
import type { Try } from '../search/trial.js';
import type { Sha256 } from './hash.js';

/** `other`: a device or a pipe. */
export type FileKind = 'file' | 'folder' | 'other' | 'absent';

/** Failures are K0101 for reading and K0102 for writing, with the path. */
export interface Files {
  /** What the user named: a file, or a pipe or device such as /dev/stdin, which is waited for. */
  readonly read: (path: string) => TE.TaskEither<Diagnostics, Uint8Array>;
  /** What kanc found by itself: a regular file of at most `most` bytes (K0113), and nothing else (K0101). */
  readonly readFound: (path: string, most: number) => TE.TaskEither<Diagnostics, Uint8Array>;
  /** `absent` is said only of what is known not to be there: a path that may not be looked at is a failure. */
  readonly kindOf: (path: string) => TE.TaskEither<Diagnostics, FileKind>;
  /** The absolute path without symbolic links, as far as it exists. */
  readonly resolve: (path: string) => TE.TaskEither<Diagnostics, string>;
  /** Names in a folder, in no order. */
  readonly list: (folder: string) => TE.TaskEither<Diagnostics, ReadonlyArray<string>>;
  readonly write: (path: string, content: Uint8Array | string) => TE.TaskEither<Diagnostics, void>;
  /** To the end of a file, which is made where there is none; all at once, and on the disk when the task is done. */
  readonly append: (path: string, content: string) => TE.TaskEither<Diagnostics, void>;
  /** With its parents; gives the folders that did not exist before, outermost first. Makes all or none. */
  readonly makeFolder: (path: string) => TE.TaskEither<Diagnostics, ReadonlyArray<string>>;
  readonly rename: (from: string, to: string) => TE.TaskEither<Diagnostics, void>;
  /** A file, or a folder with all that is in it; nothing where there is nothing. */
  readonly remove: (path: string) => TE.TaskEither<Diagnostics, void>;
  /** A folder if nothing is in it; fails where something is. */
  readonly removeEmpty: (folder: string) => TE.TaskEither<Diagnostics, void>;
}

/** What a program of the machine left. */
export interface ToolResult {
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Programs of the machine, such as compilers. */
export interface Tools {
  /** Runs a program and waits for it; undefined where there is none of that name. */
  readonly run: (
    tool: string,
    args: ReadonlyArray<string>,
    options: { readonly cwd: string; readonly input?: Uint8Array },
  ) => ToolResult | undefined;
  /** A new folder for what lies between steps; it is removed when the process ends. */
  readonly scratch: () => Checked<string>;
  /** Files into such a folder, by relative path. */
  readonly write: (folder: string, files: ReadonlyMap<string, Uint8Array | string>) => Checked<void>;
}

export interface Terminal {
  /** Results, on standard output. */
  readonly out: (text: string) => void;
  /** Messages, on standard error. */
  readonly err: (text: string) => void;
  /** Whether people see `progress`; where they do not, what they are to know of long work goes to `err`. */
  readonly live: boolean;
  /** One line about long work that replaces the one before; seen where it is live only. An empty text removes it. */
  readonly progress: (text: string) => void;
}

/** Something that tries configurations of one study, and what ends it. */
export interface Trials {
  readonly attempt: Try;
  readonly close: () => Promise<void>;
}

export interface Capabilities {
  readonly files: Files;
  readonly terminal: Terminal;
  readonly tools: Tools;
  /** Milliseconds from any origin. */
  readonly now: () => number;
  /** A name part that no other process uses now. */
  readonly unique: () => string;
  /** Folders that are never replaced, nor any folder around them: where the process runs, the user's home. */
  readonly occupied: () => ReadonlyArray<string>;
  /** Removes a file or folder, with all in it, if the process is interrupted before the result is called. */
  readonly removeOnInterrupt: (path: string) => () => void;
  /** The exports of a JavaScript module. */
  readonly importModule: (path: string) => TE.TaskEither<Diagnostics, unknown>;
  /** What graphics devices come from: a GPU object, as browsers have it in `navigator`. K0606 where there is none. */
  readonly gpu: TE.TaskEither<Diagnostics, unknown>;
  /** The exports of a package that is installed beside the user's files or beside kanc; undefined where it is not. */
  readonly importPackage: (name: string) => TE.TaskEither<Diagnostics, unknown>;
  /** The passes that need no plugin; a task, so that commands without passes do not load them. */
  readonly passes: T.Task<ReadonlyArray<NamedPass>>;
  /** Where the files are put that reproduce a bug of kanc. */
  readonly crashFolder: string;
  /** Threads that this machine runs at once. */
  readonly threads: () => number;
  /** A task, so that only commands that search load what they need. */
  readonly trials: (study: Study, threads: number) => T.Task<Trials>;
  readonly sha256: Sha256;
  /** The text of a file that `npm run build` puts beside kanc, such as `web/view.js`. K0101 where it is missing. */
  readonly asset: (name: string) => TE.TaskEither<Diagnostics, string>;
  /** The version of kanc. */
  readonly version: string;
}

const MIB = 2 ** 20;

export const MOST_BYTES = {
  /** manifest.json of an artifact: it tells values and layers, no tables. */
  manifest: 64 * MIB,
  /** All files of an artifact together. */
  artifact: 1024 * MIB,
  /** Files of a checkpoint that lie beside the one that was named, or in the folder that was. */
  checkpoint: 1024 * MIB,
  /** Points of a sweep, some hundred bytes each. */
  points: 256 * MIB,
  /** What synthesis found. */
  synthesis: 16 * MIB,
  /** What tools wrote into a folder of their own. */
  toolOutput: 1024 * MIB,
  /** A module with passes. */
  plugin: 64 * MIB,
  /** What the build puts beside kanc. */
  asset: 64 * MIB,
} as const;
