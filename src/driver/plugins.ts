/** Passes from modules of users: loaded, checked, and kept from being mistaken for ours when they fail. */
import { basename } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { at, type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { showErrors } from '../ir/codec.js';
import { isConstant } from '../ir/constant.js';
import type { Graph } from '../ir/graph.js';
import { LEVELS } from '../ir/types.js';
import { verify } from '../ir/verify.js';
import type { PassContext } from '../passes/pass.js';
import type { BoundPass, NamedPass } from '../passes/registry.js';
import { type Capabilities, MOST_BYTES } from './capabilities.js';
import { sha256Of } from './node/hash.js';

export interface Plugin {
  readonly passes: ReadonlyArray<NamedPass>;
  /** Of the module's file; what it imports is not part of it. */
  readonly sha256: string;
}

const oneOf = (names: ReadonlyArray<string>): t.Type<string, string, unknown> =>
  new t.Type<string, string, unknown>(
    names.join(' or '),
    (u): u is string => typeof u === 'string' && names.includes(u),
    (u, c) => (typeof u === 'string' && names.includes(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  );

/** As a word of a pipeline text. */
const PassName = new t.Type<string, string, unknown>(
  'name of a pass',
  (u): u is string => typeof u === 'string' && /^[A-Za-z0-9_./-]+$/.test(u),
  (u, c) => (typeof u === 'string' && /^[A-Za-z0-9_./-]+$/.test(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

const PassShape = t.type({
  name: PassName,
  summary: t.string,
  help: t.array(t.type({ name: t.string, help: t.string, default: t.string })),
  from: oneOf([...LEVELS, 'any']),
  to: oneOf([...LEVELS, 'same']),
  bind: t.Function,
});

/** What a function takes and gives cannot be seen from outside: `guarded` looks at what comes out of it. */
const isNamedPass = (u: unknown): u is NamedPass => PassShape.is(u);

const WithPasses = t.type({ passes: t.array(t.unknown) });
const WithDefault = t.type({ default: t.unknown });

/** `passes`, or the default export: a list of passes or one pass. */
const candidatesOf = (module: unknown): ReadonlyArray<unknown> | undefined => {
  if (WithPasses.is(module)) return module.passes;
  if (!WithDefault.is(module) || module.default === undefined) return undefined;
  if (WithPasses.is(module.default)) return module.default.passes;
  return Array.isArray(module.default) ? module.default : [module.default];
};

const passesOf = (module: unknown): Checked<ReadonlyArray<NamedPass>> => {
  const candidates = candidatesOf(module);
  if (candidates === undefined || candidates.length === 0) {
    return fail('K0506', 'the module exports no passes', {
      expected:
        "an export 'passes', a list of passes made with namedPass or namedAnyLevelPass of 'kanc/passes'",
    });
  }
  return E.traverseArray((u: unknown): Checked<NamedPass> => {
    if (isNamedPass(u)) return E.right(u);
    const decoded = PassShape.decode(u);
    return fail(
      'K0506',
      `an exported pass is malformed: ${E.isLeft(decoded) ? showErrors(decoded.left) : ''}`,
      {
        expected: "a pass made with namedPass or namedAnyLevelPass of 'kanc/passes'",
      },
    );
  })(candidates);
};

/** File, line and column of the frames of a stack, the innermost first; functions without a name have no brackets. */
const framesOf = (stack: string): ReadonlyArray<string> =>
  [...stack.matchAll(/^ +at (?:.*\()?(?:file:\/\/)?(.+:\d+:\d+)\)?$/gm)].map(([, place = '']) => place);

/** `file` is the module: where it called something that threw, its own line is what helps its author. */
const threw = (error: unknown, file: string): Checked<never> => {
  const frames = error instanceof Error ? framesOf(error.stack ?? '') : [];
  const where = frames.find((frame) => frame.includes(`${basename(file)}:`)) ?? frames[0];
  return fail(
    'K0506',
    `the pass threw an exception: ${String(error)}${where === undefined ? '' : ` (${where})`}`,
    {
      hint: 'A pass tells what is wrong by returning a left, see docs/writing-a-pass.md.',
    },
  );
};

/** What V8 says of writing to what is frozen. */
const FROZEN = /read.only property|not extensible|Cannot delete property|Cannot redefine property/;

const changed = (what: string): Checked<never> =>
  fail('K0508', `the pass changed what it was given, ${what}`, {
    expected: 'a new graph: constants, attributes and data are shared with other graphs and passes',
    hint: 'Copy an array before changing it, and make the copy a constant with constant(element, shape, data).',
  });

/** Exceptions become diagnostics, what a pass was given is as it was, and what the pass returns is verified: its author is told, and not we. */
const guarded = (pass: NamedPass, file: string): NamedPass => {
  const place = at({ pass: pass.name });
  const guardedRun =
    (bound: BoundPass): BoundPass['run'] =>
    (context) =>
    (graph) => {
      const sealed = seal(graph, context);
      try {
        const result = bound.run(sealed.context)(graph);
        const broken = sealed.broken();
        if (broken !== undefined) return changed(`numbers of ${broken}`);
        if (E.isLeft(result)) return result;
        const sound = place(verify(result.right.graph));
        return E.isLeft(sound)
          ? sound
          : E.right({ graph: result.right.graph, remarks: [...result.right.remarks] });
      } catch (error) {
        const broken = sealed.broken();
        if (broken !== undefined) return changed(`numbers of ${broken}`);
        return error instanceof TypeError && FROZEN.test(error.message)
          ? changed(`an object: ${error.message}`)
          : threw(error, file);
      }
    };
  return {
    ...pass,
    bind: (options) => {
      try {
        return pipe(
          pass.bind(options),
          E.map((bound) => ({ files: [...bound.files], run: guardedRun(bound) })),
        );
      } catch (error) {
        return place(threw(error, file));
      }
    },
  };
};

/** Loads the modules in order. Fails with K0506 on what is no plugin, and on a name that is taken. */
export const loadPlugins =
  (
    { files, importModule }: Pick<Capabilities, 'files' | 'importModule'>,
    builtin: ReadonlyArray<NamedPass>,
  ) =>
  (paths: ReadonlyArray<string>): TE.TaskEither<Diagnostics, ReadonlyArray<Plugin>> =>
    pipe(
      paths,
      TE.traverseSeqArray((path) =>
        pipe(
          files.readFound(path, MOST_BYTES.plugin),
          TE.bindTo('bytes'),
          TE.bind('module', () => importModule(path)),
          TE.flatMapEither(({ bytes, module }) =>
            pipe(
              passesOf(module),
              at({ file: path }),
              E.map(
                (own): Plugin => ({
                  passes: own.map((pass) => guarded(pass, path)),
                  sha256: sha256Of(bytes),
                }),
              ),
            ),
          ),
        ),
      ),
      TE.flatMapEither((plugins) =>
        pipe(
          uniqueNames(builtin, plugins),
          E.map(() => plugins),
        ),
      ),
    );

const uniqueNames = (builtin: ReadonlyArray<NamedPass>, plugins: ReadonlyArray<Plugin>): Checked<void> => {
  const names = new Set(builtin.map((p) => p.name));
  for (const { name } of plugins.flatMap((p) => p.passes)) {
    if (names.has(name)) return fail('K0506', `there is already a pass '${name}'`, { hint: 'Rename it.' });
    names.add(name);
  }
  return E.right(undefined);
};

interface Seal {
  /** The context, whose data are watched from when they are asked for. */
  readonly context: PassContext;
  /** What was changed since, in words; undefined where nothing was. */
  readonly broken: () => string | undefined;
}

const hashed = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  sha256Of(new Uint8Array(buffer, byteOffset, byteLength));

/** Seals a graph and what its pass may ask for. */
const seal = (graph: Graph, context: PassContext): Seal => {
  const arrays = new Map<ArrayBufferView, { readonly what: string; readonly hash: string }>();
  const watch = (array: ArrayBufferView, what: string): void => {
    if (!arrays.has(array)) arrays.set(array, { what, hash: hashed(array) });
  };
  const seen = new WeakSet<object>();
  const freeze = (value: unknown, what: string): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
    seen.add(value);
    if (isConstant(value)) watch(value.data, what);
    for (const [key, part] of Object.entries(value)) {
      freeze(part, isConstant(value) || Array.isArray(value) ? what : `${what}, '${key}'`);
    }
    Object.freeze(value);
  };
  for (const { name, type } of graph.inputs) freeze(type, `the type of %${name}`);
  for (const { name, op, type } of graph.nodes) {
    freeze(op.attrs, `op %${name}`);
    freeze(type, `the type of %${name}`);
  }
  freeze(graph, 'the graph');
  return {
    context: {
      dataset: (path) => {
        const data = context.dataset(path);
        if (data !== undefined) watch(data.array.data, `the data '${path}'`);
        return data;
      },
    },
    broken: () => [...arrays].find(([array, { hash }]) => hashed(array) !== hash)?.[1].what,
  };
};
