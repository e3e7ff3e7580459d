/** What people may see of a running pipeline: printed graphs, dumped files, remarks, a table of times. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail, printable } from '../diagnostics/index.js';
import { writeFileAtomically } from '../driver/atomic.js';
import type { Capabilities } from '../driver/capabilities.js';
import { checkFolder, contains } from '../driver/destination.js';
import type { PassRemark, Timing } from '../driver/run-passes.js';
import type { Graph } from '../ir/graph.js';
import { graphText } from '../ir/graph-text.js';
import { printGraph } from '../ir/print.js';
import type { PassEvent } from '../passes/pipeline.js';
import type { NamedPass } from '../passes/registry.js';
import type { PassFlags } from './flags/index.js';

export interface Observer {
  /** The graph before the first pass; `origin` says where it is from, as the name of a dump. */
  readonly onStart: (graph: Graph, origin: string) => void;
  readonly onPass: (event: PassEvent) => void;
  /** Writes the dumps of all that was seen so far. */
  readonly flush: TE.TaskEither<Diagnostics, void>;
}

/** `--print-ir-after` names passes that there are, or `all`. */
export const checkPrinted = (flags: PassFlags, passes: ReadonlyArray<NamedPass>): Checked<void> => {
  const known = passes.map((p) => p.name);
  const wrong = flags.printIrAfter?.find((name) => name !== 'all' && !known.includes(name));
  return wrong === undefined
    ? E.right(undefined)
    : fail('K0501', `there is no pass '${printable(wrong, 60)}'`, {
        place: { option: '--print-ir-after' },
        expected: `all, or one of ${known.join(', ')}`,
      });
};

/**
 * Whether dumps can be written (K0102), before anything is compiled. `artifact`: where that is going to be, as an absolute path
 * without symbolic links: it would not be written where dumps lie already.
 */
export const checkDumps = (
  world: Capabilities,
  { dumpIr }: PassFlags,
  artifact?: string,
): TE.TaskEither<Diagnostics, void> =>
  dumpIr === undefined
    ? TE.right(undefined)
    : pipe(
        checkFolder(world, '--dump-ir dumps')(dumpIr),
        TE.flatMapEither((folder) =>
          artifact === undefined || !contains(artifact, folder)
            ? E.right(undefined)
            : fail('K0102', 'no dumps are written here: the artifact is, which has a folder to itself', {
                place: { file: dumpIr },
                hint: 'Choose another folder, such as --dump-ir dumps.',
              }),
        ),
      );

export const observer = (world: Capabilities, flags: PassFlags): Observer => {
  const dumps: { readonly file: string; readonly graph: Graph }[] = [];
  const dump = (index: number, name: string, graph: Graph): void => {
    if (flags.dumpIr === undefined) return;
    const file = `${String(index).padStart(2, '0')}-${name.replace(/[^A-Za-z0-9._-]/g, '_')}.kir`;
    dumps.push({ file: join(flags.dumpIr, file), graph });
  };
  const wanted = (name: string): boolean =>
    flags.printIrAfter === undefined
      ? flags.printChanged === true
      : flags.printIrAfter.includes('all') || flags.printIrAfter.includes(name);
  return {
    onStart: (graph, origin) => dump(0, origin, graph),
    onPass: ({ index, name, after, changed }) => {
      dump(index, name, after);
      world.terminal.progress(`kanc: ${name} done`);
      if (!wanted(name) || (flags.printChanged === true && !changed)) return;
      world.terminal.err(`// after ${name}\n${printGraph(after, { resources: false })}`);
    },
    flush: pipe(
      TE.fromIO(() => dumps.splice(0)),
      // Printed here and one by one: the text of a large graph is larger than the graph.
      TE.flatMap(
        TE.traverseSeqArray(({ file, graph }) =>
          pipe(
            TE.fromEither(graphText(graph)),
            TE.flatMap((text) => writeFileAtomically(world)(file, text)),
          ),
        ),
      ),
      TE.map(() => undefined),
    ),
  };
};

/** Runs a task and then writes the dumps, whatever became of the task. */
export const flushing =
  (seen: Observer) =>
  <A>(task: TE.TaskEither<Diagnostics, A>): TE.TaskEither<Diagnostics, A> =>
  async () => {
    const result = await task().catch(async (error: unknown) => {
      await seen.flush();
      throw error;
    });
    const flushed = await seen.flush();
    return E.isLeft(result) || E.isRight(flushed) ? result : flushed;
  };

export const showRemarks = (remarks: ReadonlyArray<PassRemark>, all: boolean): string =>
  remarks
    .filter((r) => all || r.severity === 'warning')
    .map((r) => `${r.severity}: ${r.pass}${r.op === undefined ? '' : ` %${r.op}`}: ${printable(r.message)}\n`)
    .join('');

export const showTimings = (timings: ReadonlyArray<Timing>): string => {
  const total = timings.reduce((sum, t) => sum + t.milliseconds, 0);
  const rows = [...timings, { step: 'total', milliseconds: total }];
  const width = Math.max(...rows.map((r) => r.step.length));
  return rows.map((r) => `${r.step.padEnd(width)} ${r.milliseconds.toFixed(1).padStart(9)} ms\n`).join('');
};
