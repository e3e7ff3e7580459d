/** The built-in passes, and what a pass looks like when only its name is known. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { showErrors } from '../ir/codec.js';
import { type Graph, isLevel } from '../ir/graph.js';
import type { Level } from '../ir/types.js';
import { calibrate } from './calibrate.js';
import { dce } from './dce.js';
import { dedupe } from './dedupe.js';
import { fold } from './fold.js';
import { input } from './input.js';
import { narrow } from './narrow.js';
import type { AnyLevelPass, LevelPass, OptionHelp, PassContext, PassResult } from './pass.js';
import { prune } from './prune.js';
import { quantize } from './quantize.js';
import { tabulate } from './tabulate/index.js';

/** A pass whose options were decoded from text. */
export interface BoundPass {
  readonly files: ReadonlyArray<string>;
  readonly run: (context: PassContext) => (graph: Graph) => Checked<PassResult<Level>>;
}

/** A pass in a registry: its types are checked when it runs instead of when it is composed. */
export interface NamedPass {
  readonly name: string;
  readonly summary: string;
  readonly help: ReadonlyArray<OptionHelp>;
  readonly from: Level | 'any';
  readonly to: Level | 'same';
  readonly bind: (options: Readonly<Record<string, string>>) => Checked<BoundPass>;
}

const wrongLevel = (name: string, from: Level, graph: Graph): Checked<never> =>
  fail('K0504', `the pass takes a ${from} graph, but the graph before it is ${graph.level}`, {
    place: { pass: name },
    hint:
      graph.level === 'table'
        ? 'Tables cannot be turned back: put the pass earlier in the pipeline.'
        : 'The order of levels is float (calibrate, quantize), quantized (tabulate), table.',
  });

/** A pass without its function. */
type Described<O> = Omit<AnyLevelPass<O>, 'from' | 'to' | 'run'> & Pick<NamedPass, 'from' | 'to'>;

type Runner = (graph: Graph) => Checked<PassResult<Level>>;

const named = <O>(pass: Described<O>, runner: (options: O, context: PassContext) => Runner): NamedPass => ({
  name: pass.name,
  summary: pass.summary,
  help: pass.help,
  from: pass.from,
  to: pass.to,
  bind: (given) => {
    const options = pass.options.decode(given);
    if (E.isLeft(options)) return fail('K0503', showErrors(options.left), { place: { pass: pass.name } });
    return E.right({
      files: pass.files?.(options.right) ?? [],
      run: (context) => runner(options.right, context),
    });
  },
});

/** Makes a typed pass one that can be named in a pipeline text. */
export const namedPass = <From extends Level, To extends Level, O>(pass: LevelPass<From, To, O>): NamedPass =>
  named(
    pass,
    (options, context) => (graph) =>
      isLevel(pass.from)(graph) ? pass.run(options, context)(graph) : wrongLevel(pass.name, pass.from, graph),
  );

/** The same for a pass that holds for every level. */
export const namedAnyLevelPass = <O>(pass: AnyLevelPass<O>): NamedPass =>
  named(pass, (options, context) => pass.run(options, context));

export const BUILTIN_PASSES: ReadonlyArray<NamedPass> = [
  namedPass(input),
  namedPass(calibrate),
  namedPass(quantize),
  namedPass(tabulate),
  namedPass(fold),
  namedPass(prune),
  namedAnyLevelPass(dedupe),
  namedPass(narrow),
  namedAnyLevelPass(dce),
];
