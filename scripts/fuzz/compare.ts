/** One case of the differential fuzzer: a network and a pipeline, through the compiler and into two engines. */
import * as E from 'fp-ts/lib/Either.js';
import { probes } from '../../src/analyses/probes.js';
import { parseArtifactManifest } from '../../src/backends/artifact-manifest.js';
import type { Artifact } from '../../src/backends/backend.js';
import {
  type Checked,
  type Diagnostics,
  InternalError,
  showDiagnostic,
} from '../../src/diagnostics/index.js';
import { startProgram } from '../../src/driver/engines.js';
import { compareArtifact } from '../../src/driver/verify-artifact.js';
import {
  type Graph,
  interpret,
  isLevel,
  parseGraph,
  printGraph,
  type Tensor,
  verify,
} from '../../src/ir/index.js';
import { BUILTIN_PASSES, bindPipelineText, type Dataset, runPipeline } from '../../src/passes/index.js';
import { ENGINES, type EngineName, type World } from './engines.js';

/** What is compiled and compared; all that it takes to do so again. */
export interface Case {
  readonly graph: Graph;
  readonly pipeline: string;
  readonly data: Dataset | undefined;
  readonly samples: number;
  readonly seed: number;
}

/** `refused`: the compiler said why not, with these codes. `wrong`: a bug, and where it showed. */
export type Outcome =
  | {
      readonly _tag: 'same';
      readonly integers: number;
      readonly floats: number;
      /** Those that take the graph; each compared the same values. */
      readonly engines: ReadonlyArray<EngineName>;
    }
  | { readonly _tag: 'refused'; readonly codes: ReadonlyArray<string> }
  | { readonly _tag: 'wrong'; readonly message: string; readonly table?: Graph; readonly input?: Tensor };

const wrong = (message: string, more: { readonly table?: Graph; readonly input?: Tensor } = {}): Outcome => ({
  _tag: 'wrong',
  message,
  ...more,
});

const shown = (d: Diagnostics): string => d.map(showDiagnostic).join(' ');
const refused = (d: Diagnostics): Outcome => ({ _tag: 'refused', codes: d.map(({ code }) => code) });

/** Passes that change no value. */
const EXACT: ReadonlySet<string> = new Set(['prune', 'dedupe', 'narrow', 'dce']);

interface Step {
  readonly name: string;
  readonly before: Graph;
  readonly after: Graph;
}

/** Runs the pipeline; what passes make is verified, and a fault other than a range that cannot be proven is thrown. */
const compiled = ({ graph, pipeline, data }: Case, steps: Step[]): Checked<Graph> => {
  const sound = verify(graph);
  if (E.isLeft(sound)) throw new InternalError(`the network is not valid: ${shown(sound.left)}`);
  const bound = bindPipelineText(pipeline, BUILTIN_PASSES, graph.level);
  if (E.isLeft(bound)) throw new InternalError(`the pipeline is not legal: ${shown(bound.left)}`);
  let unproven: Checked<never> | undefined;
  const made = runPipeline(bound.right, graph, {
    context: { dataset: () => data },
    verifyEach: false,
    onPass: ({ name, before, after }) => {
      steps.push({ name, before, after });
      const valid = verify(after);
      if (E.isRight(valid)) return;
      if (valid.left.some((d) => d.code !== 'K0402')) {
        throw new InternalError(`${name} made an invalid graph: ${shown(valid.left)}`);
      }
      unproven ??= valid;
    },
  });
  return unproven ?? made;
};

const outputOf = (graph: Graph, input: Tensor): Checked<ReadonlyArray<number>> =>
  E.map(([out]: ReadonlyArray<Tensor>) => Array.from(out?.data ?? []))(interpret(graph, [input]));

/** The first pass that ought to keep all results and does not. */
const inexact = (steps: ReadonlyArray<Step>, input: Tensor): string | undefined => {
  // What one pass gives the next one takes.
  const known = new Map<Graph, ReturnType<typeof outputOf>>();
  const resultOf = (graph: Graph): ReturnType<typeof outputOf> => {
    const result = known.get(graph) ?? outputOf(graph, input);
    known.set(graph, result);
    return result;
  };
  for (const { name, before, after } of steps.filter((s) => EXACT.has(s.name))) {
    const [was, is] = [resultOf(before), resultOf(after)];
    if (E.isLeft(was) || E.isLeft(is)) return `the interpreter refuses a graph around ${name}`;
    const at = was.right.findIndex((v, j) => !Object.is(v, is.right[j]));
    if (at >= 0) return `${name} changes result ${at} from ${was.right[at]} to ${is.right[at]}`;
  }
  return undefined;
};

/** Text that does not read back as the same text. */
const lostInText = (graph: Graph): string | undefined => {
  const text = printGraph(graph);
  const back = parseGraph(text);
  if (E.isLeft(back)) return `printed text does not parse: ${shown(back.left)}`;
  return printGraph(back.right) === text ? undefined : 'printed text parses to another graph';
};

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

const compareOn = async (
  world: World,
  engine: EngineName,
  graph: Graph<'table'>,
  artifact: Artifact,
  input: Tensor,
): Promise<Outcome> => {
  const files = new Map([...artifact.files].map(([name, content]) => [name, bytesOf(content)]));
  // Which the driver adds.
  files.set('model.kir', bytesOf(printGraph(graph)));
  const manifest = parseArtifactManifest(new TextDecoder().decode(files.get('manifest.json')));
  if (E.isLeft(manifest)) return wrong(`the manifest does not parse: ${shown(manifest.left)}`);
  const program = await startProgram(world)({ folder: 'fuzz', manifest: manifest.right, files })();
  if (E.isLeft(program)) return wrong(`${engine} does not start: ${shown(program.left)}`, { table: graph });
  const result = await compareArtifact(program.right, graph, input, { onProgress: () => {} })();
  program.right.close();
  if (E.isLeft(result))
    return wrong(`${engine} does not run: ${shown(result.left)}`, { table: graph, input });
  const { first, integers, floats } = result.right;
  return first === undefined
    ? { _tag: 'same', integers, floats, engines: [engine] }
    : wrong(
        `${engine} differs at %${first.value}: element ${first.index} of sample ${first.sample} is ${first.found}, expected ${first.expected}`,
        { table: graph, input },
      );
};

/** Compiles and compares. `own`: inputs in place of those that are made from the seed. */
const check = async (
  world: World,
  engines: ReadonlyArray<EngineName>,
  given: Case,
  own?: Tensor,
): Promise<Outcome> => {
  const steps: Step[] = [];
  const made = compiled(given, steps);
  if (E.isLeft(made)) {
    // Whatever the network, no pass of ours makes a graph that breaks a rule.
    const broken = made.left.some(({ code }) => code === 'K0401');
    return broken ? wrong(shown(made.left)) : refused(made.left);
  }
  const graph = made.right;
  if (!isLevel('table')(graph)) return wrong(`the pipeline ends in a ${graph.level} graph`);
  const lost = lostInText(graph);
  if (lost !== undefined) return wrong(lost, { table: graph });
  const [first] = graph.inputs;
  if (first === undefined) return wrong('the input is gone', { table: graph });
  const input =
    own === undefined ? probes(graph, first.type, given.samples, given.seed) : { ...own, type: first.type };
  const changed = inexact(steps, input);
  if (changed !== undefined) return wrong(changed, { table: graph, input });
  const [same, refusals]: [Array<Extract<Outcome, { _tag: 'same' }>>, Diagnostics[]] = [[], []];
  for (const engine of engines) {
    const artifact = await ENGINES[engine](graph)();
    if (E.isLeft(artifact)) {
      refusals.push(artifact.left);
      continue;
    }
    const outcome = await compareOn(world, engine, graph, artifact.right, input);
    if (outcome._tag === 'same') same.push(outcome);
    else return outcome;
  }
  const [refusal] = refusals;
  if (same.length === 0 && refusal !== undefined) return refused(refusal);
  return {
    _tag: 'same',
    integers: same.reduce((n, s) => n + s.integers, 0),
    floats: same.reduce((n, s) => n + s.floats, 0),
    engines: same.flatMap((s) => s.engines),
  };
};

/** The same, with an exception as what it is: a bug. */
export const checkCase = async (
  world: World,
  engines: ReadonlyArray<EngineName>,
  given: Case,
  own?: Tensor,
): Promise<Outcome> => {
  try {
    return await check(world, engines, given, own);
  } catch (error) {
    const at =
      error instanceof Error
        ? (error.stack?.split('\n')[1] ?? '').replace(/^.*\/(src|scripts|node_modules)\//, '$1/')
        : '';
    return wrong(`exception: ${error instanceof Error ? error.message : String(error)} (${at.trim()})`);
  }
};
