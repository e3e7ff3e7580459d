/** Writing so that nothing half-written is ever seen, and nothing is left behind by a failure. */
import { basename, dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Artifact } from '../backends/backend.js';
import type { Diagnostics } from '../diagnostics/index.js';
import type { Capabilities } from './capabilities.js';
import { checkDestination, fileTarget, toldAs } from './destination.js';

type World = Pick<Capabilities, 'files' | 'unique' | 'occupied' | 'removeOnInterrupt'>;
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

/** Removes the folders, innermost first, as far as they are still empty: others may have put files there. */
const unmake =
  ({ files }: World, made: ReadonlyArray<string>): Done<unknown> =>
  async () => {
    for (const folder of [...made].reverse()) {
      const removed = await files.removeEmpty(folder)();
      if (E.isLeft(removed)) return removed;
    }
    return E.right(undefined);
  };

/**
 * Makes `folder`, runs `write`, which fills `temporary` and then gives it its name, and leaves nothing behind when
 * that fails or is interrupted.
 */
const withTemporary = (world: World, folder: string, temporary: string, write: Done): Done =>
  pipe(
    world.files.makeFolder(folder),
    TE.flatMap((made) => {
      const parents = made.filter((path) => path !== temporary);
      return orElseUndo(
        pipe(
          world.files.remove(temporary),
          TE.flatMap(() => unmake(world, parents)),
        ),
      )(write);
    }),
    (task) => async () => {
      const forget = world.removeOnInterrupt(temporary);
      return task().finally(forget);
    },
  );

/**
 * Writes a file under another name and renames it. Devices and pipes are written to as they are. K0102 in the folder of an
 * artifact, but for what belongs to it.
 */
export const writeFileAtomically =
  (world: World, where: 'anywhere' | 'outside of artifacts' = 'outside of artifacts') =>
  (path: string, content: Uint8Array | string): Done => {
    const { files } = world;
    return pipe(
      fileTarget(world, where)(path),
      TE.flatMap((target) => {
        const temporary = siblingOf(world, target, 'kanc');
        const write = pipe(
          files.write(temporary, content),
          TE.flatMap(() => files.rename(temporary, target)),
        );
        return pipe(
          files.kindOf(target),
          TE.flatMap((kind) =>
            kind === 'other'
              ? files.write(target, content)
              : withTemporary(world, dirname(target), temporary, write),
          ),
          TE.mapLeft(toldAs(temporary, path)),
        );
      }),
    );
  };

/**
 * Writes all files of an artifact to a temporary folder beside `folder`, and then puts it there in one step. An
 * artifact that was there is replaced, and comes back when that fails.
 */
export const writeArtifact =
  (world: World) =>
  (folder: string, artifact: Artifact): Done =>
    pipe(
      checkDestination(world)(folder),
      TE.flatMap((target) => {
        const temporary = siblingOf(world, target, 'kanc');
        const write = pipe(
          writeAll(world, temporary, artifact),
          TE.flatMap(() => world.files.kindOf(target)),
          TE.flatMap((kind) => putInPlace(world, temporary, target, kind === 'folder')),
        );
        return pipe(withTemporary(world, temporary, temporary, write), TE.mapLeft(toldAs(temporary, folder)));
      }),
    );

const writeAll = ({ files }: World, folder: string, artifact: Artifact): Done => {
  const contents = [...artifact.files];
  const folders = new Set(contents.map(([name]) => dirname(join(folder, name))));
  return pipe(
    [...folders],
    TE.traverseSeqArray((path) => files.makeFolder(path)),
    TE.flatMap(() =>
      TE.traverseSeqArray(([name, content]: (typeof contents)[number]) =>
        files.write(join(folder, name), content),
      )(contents),
    ),
    TE.map(() => undefined),
  );
};

/** An interruption between the two renames leaves both artifacts whole, under names with a dot. */
const putInPlace = (world: World, temporary: string, target: string, exists: boolean): Done => {
  const { files } = world;
  if (!exists) return files.rename(temporary, target);
  const old = siblingOf(world, target, 'old');
  return pipe(
    files.rename(target, old),
    TE.flatMap(() => pipe(files.rename(temporary, target), orElseUndo(files.rename(old, target)))),
    TE.flatMap(() => files.remove(old)),
  );
};
