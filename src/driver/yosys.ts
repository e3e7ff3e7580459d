/** yosys: that of the machine, or the one of npm, which runs in this process. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Diagnostics, diagnostic, fail } from '../diagnostics/index.js';
import { type Capabilities, MOST_BYTES } from './capabilities.js';

type World = Pick<Capabilities, 'files' | 'tools' | 'importPackage'>;

export interface Yosys {
  /** Its name and version. */
  readonly version: string;
  /** Runs a script on source files; gives the text of files that the script wrote. K0608 with what yosys says. */
  readonly run: (
    script: string,
    sources: ReadonlyMap<string, Uint8Array | string>,
    results: ReadonlyArray<string>,
  ) => TE.TaskEither<Diagnostics, ReadonlyMap<string, string>>;
}

const PACKAGE = '@yowasp/yosys';

/** The yosys on the PATH before the package of npm; K0608 where there is neither. */
export const yosysOf = (world: World): TE.TaskEither<Diagnostics, Yosys> => {
  const found = world.tools.run('yosys', ['-V'], { cwd: '.' });
  return found === undefined
    ? fromPackage(world)
    : TE.right(onPath(world, versionOf(new TextDecoder().decode(found.stdout))));
};

const versionOf = (text: string): string => /Yosys [0-9][^\s]*/.exec(text)?.[0] ?? 'Yosys';

/** Nobody but the machine, for want of memory, or a person ends it by a signal. */
const ENDED = /was ended by SIG\w+$/;

const refused = (log: string): Diagnostics => [
  diagnostic('K0608', 'yosys stopped', {
    hint: ENDED.test(log)
      ? 'It needs time and memory for large networks: docs/targets-verilog.md has figures. Fewer bits and smaller layers help.'
      : 'Please report this with the artifact.',
    output: /^ERROR: .*$/m.exec(log)?.[0] ?? log.trim().slice(-500),
  }),
];

const onPath = ({ files, tools }: World, version: string): Yosys => ({
  version,
  run: (script, sources, results) =>
    pipe(
      TE.fromEither(tools.scratch()),
      TE.tap((folder) => TE.fromEither(tools.write(folder, sources))),
      TE.flatMap((folder) => {
        const result = tools.run('yosys', ['-q', '-p', script], { cwd: folder });
        if (result?.status !== 0) return TE.left(refused(result?.stderr ?? ''));
        return pipe(
          results,
          TE.traverseArray((name) =>
            pipe(
              files.readFound(join(folder, name), MOST_BYTES.toolOutput),
              TE.map((bytes) => [name, new TextDecoder().decode(bytes)] as const),
            ),
          ),
        );
      }),
      TE.map((read) => new Map(read)),
    ),
});

/** The part of `@yowasp/yosys` that is used: arguments and files in, files out. */
type RunYosys = (...args: ReadonlyArray<unknown>) => unknown;

const isFunction = (u: unknown): u is RunYosys => typeof u === 'function';

const YosysModule = t.type({
  runYosys: new t.Type<RunYosys, RunYosys, unknown>(
    'function',
    isFunction,
    (u, c) => (isFunction(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  ),
});

const Written = t.record(t.string, t.unknown);

const fromPackage = ({ importPackage }: World): TE.TaskEither<Diagnostics, Yosys> =>
  pipe(
    importPackage(PACKAGE),
    TE.flatMapEither((module) =>
      YosysModule.is(module)
        ? E.right(inProcess(module.runYosys))
        : fail('K0608', 'there is no yosys', {
            hint: `Install it (Debian: apt-get install yosys), or put it into this folder with npm: npm install ${PACKAGE}`,
          }),
    ),
  );

const inProcess = (runYosys: RunYosys): Yosys => ({
  version: `Yosys of ${PACKAGE}`,
  run: (script, sources, results) => {
    const log: Uint8Array[] = [];
    const collect = (bytes: Uint8Array | null): void => {
      if (bytes !== null) log.push(bytes);
    };
    return pipe(
      TE.tryCatch(
        async (): Promise<unknown> =>
          runYosys(['-q', '-p', script], Object.fromEntries(sources), { stdout: collect, stderr: collect }),
        (): Diagnostics => refused(log.map((bytes) => new TextDecoder().decode(bytes)).join('')),
      ),
      TE.map((written) => {
        const files = Written.is(written) ? written : {};
        return new Map(results.map((name) => [name, asText(files[name])]));
      }),
    );
  },
});

const asText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : content instanceof Uint8Array
      ? new TextDecoder().decode(content)
      : '';
