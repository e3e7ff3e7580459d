/**
 * Which files of a folder kanc wrote itself: those whose content has the hash that the manifest tells, and what its
 * Makefiles and `kanc synth` put beside them. Nothing else is ever removed.
 */
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Diagnostics, fail, printable } from '../diagnostics/index.js';
import { type Capabilities, MOST_BYTES } from './capabilities.js';
import { sha256Of } from './node/hash.js';

type World = Pick<Capabilities, 'files'>;
type Done<A> = TE.TaskEither<Diagnostics, A>;

/** What every manifest of kanc says of itself; other keys are the targets' own. */
const OwnManifest = t.intersection([
  t.type({ format: t.literal('kanc-artifact'), files: t.record(t.string, t.string) }),
  t.partial({ code: t.type({ name: t.string }), design: t.type({ name: t.string }) }),
]);

export interface Ownership {
  /** The files that the manifest lists, with the hash of what kanc wrote. */
  readonly files: ReadonlyMap<string, string>;
  /** What its Makefile makes. */
  readonly builds: ReadonlySet<string>;
}

const MANIFEST = 'manifest.json';

/** What `make` of each target leaves, but for what Verilator writes. */
const buildsOf = ({ code, design }: t.TypeOf<typeof OwnManifest>): ReadonlyArray<string> => [
  ...(code === undefined ? [] : ['testbench', `${code.name}.o`, 'size.o']),
  ...(design === undefined ? [] : [`${design.name}_test`]),
  ...['sim.vvp', 'sim.log', 'verilate.log', 'synth.log', 'stat.txt'],
];

const VERILATED = /^build\/verilated\/(?:lib)?(?:Vtb|verilated)[\w.-]*$/;

const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
};

/** Undefined for what is no manifest of kanc. */
const ownershipOf = (manifest: Uint8Array): Ownership | undefined => {
  const data = parsed(manifest);
  return OwnManifest.is(data)
    ? {
        files: new Map(Object.entries(data.files)),
        builds: new Set(buildsOf(data).map((name) => `build/${name}`)),
      }
    : undefined;
};

/** What belongs to the artifact in a folder; undefined where there is none. */
export const ownershipIn =
  ({ files }: World) =>
  (folder: string): Done<Ownership | undefined> => {
    const path = join(folder, MANIFEST);
    return pipe(
      files.kindOf(path),
      TE.flatMap((kind) =>
        kind !== 'file' ? TE.right(undefined) : files.readFound(path, MOST_BYTES.manifest),
      ),
      TE.map((bytes) => (bytes === undefined ? undefined : ownershipOf(bytes))),
    );
  };

/** What `kanc synth` writes. */
const SYNTHESIS = 'synth.json';
const Synthesis = t.type({ tool: t.string, flow: t.string, source: t.string });

/** What is not ours in a file, as the end of a sentence; undefined where it is ours. */
const strange = ({ files }: World, root: string, own: Ownership, name: string): Done<string | undefined> => {
  if (name === MANIFEST || own.builds.has(name) || VERILATED.test(name)) return TE.right(undefined);
  const hash = own.files.get(name);
  if (hash === undefined && name !== SYNTHESIS) return TE.right('does not belong to the artifact');
  return pipe(
    files.readFound(join(root, name), MOST_BYTES.artifact),
    TE.map((content) => {
      const isOurs = hash === undefined ? Synthesis.is(parsed(content)) : sha256Of(content) === hash;
      return isOurs ? undefined : 'is not as kanc wrote it';
    }),
  );
};

const isFolderOf = ({ files, builds }: Ownership, folder: string): boolean =>
  folder === 'build/verilated/' || [...files.keys(), ...builds].some((name) => name.startsWith(folder));

/** The first entry below `root` that kanc did not write, and what is the matter with it. */
export const foreignEntry = (
  world: World,
  root: string,
  own: Ownership,
  prefix = '',
): Done<string | undefined> => {
  const lookAt = (entry: string): Done<string | undefined> => {
    const name = prefix + entry;
    const found = (path: string, why: string): string => `'${printable(path, 100)}', which ${why}`;
    return pipe(
      world.files.kindOf(join(root, name)),
      TE.flatMap((kind): Done<string | undefined> => {
        if (kind === 'folder') {
          return isFolderOf(own, `${name}/`)
            ? foreignEntry(world, root, own, `${name}/`)
            : TE.right(found(`${name}/`, 'does not belong to the artifact'));
        }
        if (kind !== 'file') return TE.right(found(name, 'is no file that kanc wrote'));
        return pipe(
          strange(world, root, own, name),
          TE.map((why) => (why === undefined ? undefined : found(name, why))),
        );
      }),
    );
  };
  return pipe(
    world.files.list(join(root, prefix)),
    TE.flatMap((entries) => async () => {
      for (const entry of [...entries].sort()) {
        const result = await lookAt(entry)();
        if (E.isLeft(result) || result.right !== undefined) return result;
      }
      return E.right(undefined);
    }),
  );
};

/** The folder, or the nearest one around it, that holds an artifact; undefined where none does. */
const artifactAround = (world: World, folder: string): Done<string | undefined> =>
  pipe(
    ownershipIn(world)(folder),
    TE.flatMap((own) => {
      if (own !== undefined) return TE.right(folder);
      const outer = dirname(folder);
      if (outer === folder) return TE.right(undefined);
      // What lies further out may be nobody's business: a manifest.json that cannot be read is none of ours.
      return pipe(
        artifactAround(world, outer),
        TE.orElse(() => TE.right<Diagnostics, string | undefined>(undefined)),
      );
    }),
  );

/**
 * K0102 where a folder is that of an artifact or lies in one: other files do not belong there, and the next compilation
 * could not replace it any more. `folder`: its absolute path without symbolic links; `shown`: what the user named.
 */
export const checkNoArtifact =
  (world: World) =>
  (folder: string, shown: string): Done<void> =>
    pipe(
      artifactAround(world, folder),
      TE.flatMapEither((artifact) =>
        artifact === undefined
          ? E.right(undefined)
          : fail(
              'K0102',
              `is not written: the folder ${printable(artifact)} holds an artifact of kanc, which is replaced as a whole`,
              {
                place: { file: shown },
                expected: 'a place outside of artifacts',
                hint: 'Choose another folder.',
              },
            ),
      ),
    );
