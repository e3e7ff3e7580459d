/**
 * The pass API: what a pass is, for the built-in ones and for those of users alike.
 *
 * A pass is a record with a pure function from a graph to a graph. Its type says the level it takes and the
 * level it gives, so composing passes in a wrong order does not type-check; pipelines that come as text are
 * checked for the same at run time (pipeline.ts).
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import type { Checked } from '../diagnostics/index.js';
import type { Rule } from '../diagnostics/rule.js';
import type { Graph } from '../ir/graph.js';
import type { Level } from '../ir/types.js';
import type { Dataset } from './dataset.js';

/** Something a pass did, or refused and why. Not an error: it goes to the person who reads the log. */
export interface Remark {
  readonly severity: 'note' | 'warning';
  readonly message: string;
  /** The value the remark is about. */
  readonly op?: string;
}

export const note = (message: string, op?: string): Remark => ({
  severity: 'note',
  message,
  ...(op === undefined ? {} : { op }),
});

export const warning = (message: string, op?: string): Remark => ({
  ...note(message, op),
  severity: 'warning',
});

export interface PassResult<L extends Level> {
  readonly graph: Graph<L>;
  readonly remarks: ReadonlyArray<Remark>;
}

/** What a pass may see besides its options and the graph: files that its options name, already read. */
export interface PassContext {
  /** The data behind a path that `files` returned. */
  readonly dataset: (path: string) => Dataset | undefined;
}

/** Description of one option for `kanc passes`. */
export interface OptionHelp {
  readonly name: string;
  readonly help: string;
  readonly default: string;
  /** What is wrong with a value, as a text; for those who take values under another name. */
  readonly accepts?: (value: string) => Rule<unknown>;
}

interface PassBase<O> {
  readonly name: string;
  /** One line, shown by `kanc passes`. */
  readonly summary: string;
  /**
   * Decodes options as a pipeline text gives them, a record of strings. Every option must have a default, so
   * that the empty record decodes.
   */
  readonly options: t.Type<O, unknown, unknown>;
  readonly help: ReadonlyArray<OptionHelp>;
  /** Paths of .npy files that the options name; the driver reads them before the pass runs. */
  readonly files?: (options: O) => ReadonlyArray<string>;
}

/** A pass from one level to another (or to the same). */
export interface LevelPass<From extends Level, To extends Level, O> extends PassBase<O> {
  readonly from: From;
  readonly to: To;
  readonly run: (options: O, context: PassContext) => (graph: Graph<From>) => Checked<PassResult<To>>;
}

/** A pass that holds for every level and keeps it. */
export interface AnyLevelPass<O> extends PassBase<O> {
  readonly from: 'any';
  readonly to: 'same';
  readonly run: (
    options: O,
    context: PassContext,
  ) => <L extends Level>(graph: Graph<L>) => Checked<PassResult<L>>;
}

export const definePass = <From extends Level, To extends Level, O>(
  pass: LevelPass<From, To, O>,
): LevelPass<From, To, O> => pass;

export const defineAnyLevelPass = <O>(pass: AnyLevelPass<O>): AnyLevelPass<O> => pass;

/** One step of a typed pipeline: a pass with its options and context bound. */
export type Step<From extends Level, To extends Level> = (graph: Graph<From>) => Checked<PassResult<To>>;

/** The first step, then the second, with the remarks of both. `tabulate` before `quantize` does not type-check. */
export const andThen =
  <B extends Level, C extends Level>(second: Step<B, C>) =>
  <A extends Level>(first: Step<A, B>): Step<A, C> =>
  (graph) => {
    const middle = first(graph);
    if (E.isLeft(middle)) return middle;
    const last = second(middle.right.graph);
    if (E.isLeft(last)) return last;
    return E.right({
      graph: last.right.graph,
      remarks: [...middle.right.remarks, ...last.right.remarks],
    });
  };

/** For passes that read no files. */
export const NO_CONTEXT: PassContext = { dataset: () => undefined };

/** A result without remarks. */
export const unremarked = <L extends Level>(graph: Checked<Graph<L>>): Checked<PassResult<L>> =>
  withRemarks(graph, []);

export const withRemarks = <L extends Level>(
  graph: Checked<Graph<L>>,
  remarks: ReadonlyArray<Remark>,
): Checked<PassResult<L>> => (E.isLeft(graph) ? graph : E.right({ graph: graph.right, remarks }));
