/** Writing so that nothing half-written is ever seen, and nothing is left behind by a failure. */
import { basename, dirname, join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import type { Artifact } from '../backends/backend.js';
import { type Diagnostics, fail } from '../diagnostics/index.js';
import type { Capabilities } from './capabilities.js';

type World = Pick<Capabilities, 'files' | 'unique'>;
type Done<A = void> = TE.TaskEither<Diagnostics, A>;

/** Undoes with `undo` what was done when `task` fails; the failure of `task` is the one that counts. */
const orElseUndo =
  (undo: Done<unknown>) =>
  <A>(task: Done<A>): Done<A> =>
    pipe(
      task,
      TE.orElse((diagnostics) => async () => {
        await undo();
        return E.left(diagnostics);
      }),
    );

const siblingOf = (world: World, path: string, what: string): string =>
  join(dirname(path), `.${basename(path)}.${what}-${world.unique()}`);

/** Writes a file under another name and renames it. */
export const writeFileAtomically =
  (world: World) =>
  (path: string, content: Uint8Array | string): Done => {
    const { files } = world;
    const target = resolve(path);
    const temporary = siblingOf(world, target, 'kanc');
    return pipe(
      files.makeFolder(dirname(target)),
      TE.flatMap((made) =>
        pipe(
          files.write(temporary, content),
          TE.flatMap(() => files.rename(temporary, target)),
          orElseUndo(files.remove(made ?? temporary)),
        ),
      ),
    );
  };

/** What every manifest of kanc says of itself; other keys are the targets' own. */
const OwnManifest = t.type({ format: t.literal('kanc-artifact') });

const isOwnManifest = (bytes: Uint8Array): boolean => {
  try {
    return OwnManifest.is(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return false;
  }
};

/** Whether an artifact may be written to the folder: it is absent, empty, or holds an artifact of kanc (K0102). */
export const checkDestination =
  ({ files }: Pick<World, 'files'>) =>
  (folder: string): Done =>
    pipe(
      TE.fromTask<'file' | 'folder' | 'absent', Diagnostics>(files.kindOf(folder)),
      TE.flatMap((kind): Done => {
        if (kind === 'absent') return TE.right(undefined);
        if (kind === 'file') return refuse(folder, 'there is a file of this name');
        return pipe(
          files.list(folder),
          TE.flatMap((names): Done => {
            if (names.length === 0) return TE.right(undefined);
            const foreign = refuse(folder, 'the folder holds other things than an artifact of kanc');
            if (!names.includes('manifest.json')) return foreign;
            return pipe(
              files.read(join(folder, 'manifest.json')),
              TE.flatMap((bytes) => (isOwnManifest(bytes) ? TE.right(undefined) : foreign)),
            );
          }),
        );
      }),
    );

const refuse = (file: string, why: string): Done =>
  TE.fromEither(
    fail('K0102', `no artifact is written here: ${why}`, {
      place: { file },
      hint: 'Choose another folder with -o, or remove this one first.',
    }),
  );

/**
 * Writes all files of an artifact to a temporary folder beside `folder`, and then puts it there in one step. An
 * artifact that was there is replaced, and comes back when that fails.
 */
export const writeArtifact =
  (world: World) =>
  (folder: string, artifact: Artifact): Done => {
    const { files } = world;
    const target = resolve(folder);
    const temporary = siblingOf(world, target, 'kanc');
    const old = siblingOf(world, target, 'old');
    const contents = [...artifact.files];
    const folders = new Set(contents.map(([name]) => dirname(join(temporary, name))));
    const writeAll = pipe(
      [...folders],
      TE.traverseSeqArray((path) => files.makeFolder(path)),
      TE.flatMap(() =>
        TE.traverseSeqArray(([name, content]: (typeof contents)[number]) =>
          files.write(join(temporary, name), content),
        )(contents),
      ),
      TE.map(() => undefined),
    );
    const replace = (exists: boolean): Done =>
      exists
        ? pipe(
            files.rename(target, old),
            TE.flatMap(() => pipe(files.rename(temporary, target), orElseUndo(files.rename(old, target)))),
            TE.flatMap(() => files.remove(old)),
          )
        : files.rename(temporary, target);
    return pipe(
      checkDestination(world)(folder),
      TE.flatMap(() => files.makeFolder(temporary)),
      TE.flatMap((made) =>
        pipe(
          writeAll,
          TE.flatMap(() => TE.fromTask<'file' | 'folder' | 'absent', Diagnostics>(files.kindOf(target))),
          TE.flatMap((kind) => replace(kind === 'folder')),
          orElseUndo(files.remove(made ?? temporary)),
        ),
      ),
    );
  };
