/** What `run`, `eval` and `print` take: a checkpoint, a `.kir` file or an artifact, told apart by what they hold. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type ArtifactManifest, parseArtifactManifest } from '../backends/artifact-manifest.js';
import { at, type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { type Assumption, AssumptionCodec, type ImportOptions } from '../importers/family.js';
import { importSource } from '../importers/import.js';
import type { Source } from '../importers/source.js';
import type { Graph } from '../ir/graph.js';
import { parseGraph } from '../ir/parse.js';
import { verify } from '../ir/verify.js';
import { type Capabilities, MOST_BYTES } from './capabilities.js';
import { loadSource } from './checkpoint-files.js';
import { checkFacts } from './manifest-facts.js';
import { sha256Of } from './node/hash.js';

export interface ArtifactFiles {
  readonly folder: string;
  readonly manifest: ArtifactManifest;
  /** All files that the manifest names, as it names them, and the manifest. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export type Model =
  /** Float as it was trained, or a table graph where the checkpoint is a network of integers. */
  | {
      readonly _tag: 'checkpoint';
      readonly graph: Graph;
      readonly file: string;
      readonly assumptions: ReadonlyArray<Assumption>;
    }
  | { readonly _tag: 'graph'; readonly graph: Graph; readonly file: string }
  | { readonly _tag: 'artifact'; readonly artifact: ArtifactFiles };

type World = Pick<Capabilities, 'files'>;

/** `.kir` text begins with its version, after comments at most. */
const isKir = (bytes: Uint8Array): boolean =>
  /^(?:\s|\/\/[^\n]*\n)*kir \d/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 4096)));

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A graph from text, verified: text may come from anywhere. */
const graphFromText = (text: string, file: string): E.Either<Diagnostics, Graph> =>
  pipe(
    parseGraph(text, file),
    E.flatMap((graph) =>
      pipe(
        verify(graph),
        at({ file }),
        E.map(() => graph),
      ),
    ),
  );

export const loadModel =
  (world: World) =>
  (path: string, options: ImportOptions): TE.TaskEither<Diagnostics, Model> =>
    pipe(
      isArtifact(world)(path),
      TE.flatMap(
        (artifact): TE.TaskEither<Diagnostics, Model> =>
          artifact
            ? pipe(
                TE.fromEither(withoutImport(options, path)),
                TE.flatMap(() => loadArtifact(world)(path)),
                TE.map((artifact) => ({ _tag: 'artifact', artifact })),
              )
            : pipe(
                loadSource(world, 'artifact')(path),
                TE.flatMapEither((source) => modelFromSource(source, options)),
              ),
      ),
    );

/** Whether a path is a folder with a manifest. */
const isArtifact =
  ({ files }: World) =>
  (path: string): TE.TaskEither<Diagnostics, boolean> =>
    pipe(
      files.kindOf(path),
      TE.flatMap((kind) =>
        kind === 'folder' ? files.kindOf(join(path, 'manifest.json')) : TE.right('absent'),
      ),
      TE.map((manifest) => manifest !== 'absent'),
    );

/** Options about a checkpoint say nothing about what was read from it before: K0801, rather than no effect. */
const withoutImport = (options: ImportOptions, file: string): Checked<void> =>
  Object.values(options).every((value) => value === undefined)
    ? E.right(undefined)
    : fail('K0801', 'options that say how to read a checkpoint have no effect on a program', {
        place: { file },
        expected: 'a checkpoint with them, or a program without',
        hint: 'Give them to kanc compile or kanc import, which read the checkpoint.',
      });

const modelFromSource = (
  source: Source,
  options: ImportOptions,
): Checked<Exclude<Model, { readonly _tag: 'artifact' }>> => {
  const { file, bytes } = source;
  return isKir(bytes)
    ? pipe(
        withoutImport(options, file),
        E.flatMap(() => graphFromText(textOf(bytes), file)),
        E.map((graph) => ({ _tag: 'graph', graph, file }) as const),
      )
    : pipe(
        importSource(source, options),
        E.map(({ graph, assumptions }) => ({ _tag: 'checkpoint', graph, file, assumptions }) as const),
      );
};

/** The graph in a file that was read already, with those beside it. */
export const graphFromSource = (source: Source, options: ImportOptions): Checked<Graph> =>
  pipe(
    modelFromSource(source, options),
    E.map(({ graph }) => graph),
  );

const Assumptions = t.array(AssumptionCodec);

/** What had to be assumed to read the network; of an artifact what its compilation had to assume. */
export const assumptionsOf = (model: Model): ReadonlyArray<Assumption> => {
  if (model._tag === 'graph') return [];
  if (model._tag === 'checkpoint') return model.assumptions;
  const told = model.artifact.manifest.extra['assumptions'];
  return Assumptions.is(told) ? told : [];
};

/** Checks every file that the manifest names against its hash (K0603). */
const checkFiles = ({ manifest, files, folder }: ArtifactFiles): Checked<void> => {
  for (const [name, hash] of Object.entries(manifest.files)) {
    const content = files.get(name);
    if (content === undefined) return fail('K0603', `${name} is missing`, { place: { file: folder } });
    if (sha256Of(content) !== hash) {
      return fail('K0603', `${name} is not the file that the manifest was written for`, {
        place: { file: folder },
        hint: 'It was changed or damaged after kanc wrote it: compile the model again.',
      });
    }
  }
  return E.right(undefined);
};

const firstPart = (name: string): string => name.split('/')[0] ?? name;

/** Whether a name leads to no other folder than those of the artifact. */
const isInside = (name: string): boolean =>
  name.split('/').every((part) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(part));

/** The contents of files in a folder. K0113 where they have more than `most` bytes together. */
const readWithin =
  (files: Capabilities['files'], folder: string, most: number) =>
  (names: ReadonlyArray<string>): TE.TaskEither<Diagnostics, ReadonlyMap<string, Uint8Array>> =>
  async () => {
    const contents = new Map<string, Uint8Array>();
    let left = most;
    for (const name of names) {
      const content = await files.readFound(join(folder, name), left)();
      if (E.isLeft(content)) return content;
      left -= content.right.length;
      contents.set(name, content.right);
    }
    return E.right(contents);
  };

/** Reads an artifact's folder, and checks that its files are those that the manifest was written for (K0603). */
export const loadArtifact =
  ({ files }: World) =>
  (folder: string): TE.TaskEither<Diagnostics, ArtifactFiles> =>
    pipe(
      files.list(folder),
      TE.filterOrElse(
        (names) => names.includes('manifest.json'),
        () => notAnArtifact(folder),
      ),
      TE.bindTo('names'),
      TE.bind('bytes', () => files.readFound(join(folder, 'manifest.json'), MOST_BYTES.manifest)),
      TE.bind('manifest', ({ bytes }) =>
        TE.fromEither(at({ file: folder })(parseArtifactManifest(textOf(bytes)))),
      ),
      TE.bind('contents', ({ names, manifest }) =>
        pipe(
          // Names out of a file: only those that stay in the folder are opened.
          Object.keys(manifest.files).filter((name) => isInside(name) && names.includes(firstPart(name))),
          readWithin(files, folder, MOST_BYTES.artifact),
        ),
      ),
      TE.map(({ manifest, bytes, contents }) => ({
        folder,
        manifest,
        files: new Map([['manifest.json', bytes], ...contents]),
      })),
      TE.tap((artifact) => TE.fromEither(checkFiles(artifact))),
    );

const notAnArtifact = (folder: string): Diagnostics => {
  const failure = fail('K0603', 'the folder has no manifest.json', {
    place: { file: folder },
    expected: 'a folder that kanc compile has written',
  });
  return failure._tag === 'Left' ? failure.left : failure.right;
};

/** The graph of an artifact, from its model.kir; K0603 where the manifest tells something else of it. */
export const artifactGraph = ({ files, folder, manifest }: ArtifactFiles): Checked<Graph> => {
  const kir = files.get('model.kir');
  return kir === undefined
    ? fail('K0603', 'the artifact has no model.kir', { place: { file: folder } })
    : pipe(
        graphFromText(textOf(kir), join(folder, 'model.kir')),
        E.tap((graph) => at({ file: folder })(checkFacts(manifest, graph))),
      );
};

/** The graph of a model, of whatever kind it is. */
export const loadGraph =
  (world: World) =>
  (path: string, options: ImportOptions): TE.TaskEither<Diagnostics, Graph> =>
    pipe(
      loadModel(world)(path, options),
      TE.flatMapEither((model) =>
        model._tag === 'artifact' ? artifactGraph(model.artifact) : E.right(model.graph),
      ),
    );
