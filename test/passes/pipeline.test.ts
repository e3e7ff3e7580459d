/** Pipelines as text: grammar, options, levels, what is told of a run; and typed composition. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { printGraph } from '../../src/ir/index.js';
import {
  andThen,
  BUILTIN_PASSES,
  bindPipelineText,
  calibrate,
  dce,
  definePass,
  type NamedPass,
  NO_CONTEXT,
  namedPass,
  parsePipeline,
  quantize,
  runPipeline,
  type Step,
  showPipeline,
  tabulate,
  withRemarks,
} from '../../src/passes/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { calibrationOf, compiled, contextOf, randomKan, runText } from './support.js';

const net = randomKan(1, { layers: [3, 4, 2] });
const DEFAULT = 'calibrate{data=x},quantize,tabulate,fold,prune,dedupe,narrow,dce';

const bind = (text: string, level: 'float' | 'quantized' | 'table' = 'float') =>
  bindPipelineText(text, BUILTIN_PASSES, level);

describe('the text', () => {
  it('is read back as it was shown', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_./:+%@~-]{1,12}$/);
    const options = fc.dictionary(word, fc.string({ unit: 'binary' }), { maxKeys: 4, noNullPrototype: true });
    const calls = fc.array(fc.record({ name: word, options }), { maxLength: 5 });
    fc.assert(
      fc.property(calls, (given) => {
        const read = rightOf(parsePipeline(showPipeline(given)));
        expect(read.map((c) => [c.name, Object.entries(c.options)])).toEqual(
          given.map((c) => [c.name, Object.entries(c.options)]),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('reads any text without throwing', () => {
    const unit = fc.constantFrom('a', '{', '}', ',', '=', '"', '\\', ' ', '\n', 'é', '__proto__');
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        expect(['ok', 'K0502']).toContain(codeOf(parsePipeline(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('ignores white space and empty braces, and keeps the order of passes', () => {
    const calls = rightOf(parsePipeline('  fold {} ,\n quantize { act = 6 , table=8 } '));
    expect(calls).toEqual([
      { name: 'fold', options: {} },
      { name: 'quantize', options: { act: '6', table: '8' } },
    ]);
    expect(rightOf(parsePipeline(' \n '))).toEqual([]);
  });

  it.each([
    ['fold,,dce', "',' at column 6", 'the name of a pass'],
    ['fold dce', "'dce' at column 6", ', between passes'],
    ['quantize{act}', "'}' at column 13", '= after option act'],
    ['quantize{act=}', "'}' at column 14", 'a value for option act'],
    ['quantize{=8}', "'=' at column 10", 'the name of an option'],
    ['quantize{act=8 table=8}', "'table' at column 16", ', or } after an option'],
    ['quantize{act=8', 'the end of the text', ', or } after an option'],
    ['fold, ?', '"?" at column 7', 'a pass name'],
    ['fold,', 'the end of the text', 'the name of a pass'],
    ['calibrate{data="x', '"\\"" at column 16', 'double quotes'],
  ])('K0502: %s', (text, found, wanted) => {
    const result = parsePipeline(text);
    expect(codeOf(result)).toBe('K0502');
    expect(messageOf(result)).toContain(found);
    expect(messageOf(result)).toContain(wanted);
  });

  it('K0502: an option given twice, and an escape that is none', () => {
    expect(messageOf(parsePipeline('quantize{act=8,act=9}'))).toContain('given twice');
    expect(codeOf(parsePipeline('a{__proto__=1,__proto__=2}'))).toBe('K0502');
    expect(codeOf(parsePipeline('calibrate{data="\\x"}'))).toBe('K0502');
  });
});

describe('binding', () => {
  it.each([
    ['tabluate', 'tabulate'],
    ['quantise', 'quantize'],
    ['calib', 'calibrate'],
    ['dedup', 'dedupe'],
  ])('K0501: there is no pass %s; did you mean %s', (wrong, right) => {
    const result = bind(wrong);
    expect(codeOf(result)).toBe('K0501');
    expect(messageOf(result)).toContain(`Did you mean '${right}'?`);
    for (const { name } of BUILTIN_PASSES) expect(messageOf(result)).toContain(name);
  });

  it('K0501: a name that is near to nothing points to plugins', () => {
    expect(messageOf(bind('spectral'))).toContain('--plugin');
  });

  it.each([
    ['quantize{akt=8}', "there is no option 'akt' (there are: act, hidden, table"],
    ['quantize{__proto__=8}', "there is no option '__proto__'"],
    ['fold{x=1}', '(there are: none)'],
    ['quantize{act=17}', 'expected auto or an integer from 1 to 16, found'],
    ['quantize{table=8.5}', 'an integer from 2 to 16'],
    ['quantize{clip=50}', 'a number from 0 to 49'],
    ['quantize{clip=""}', 'a number from 0 to 49'],
    ['quantize{range=wrap}', 'one of clamp, extend'],
    ['tabulate{budget=4parsecs}', 'a size such as 4MB'],
    ['tabulate{budget=0}', 'a size such as 4MB'],
  ])('K0503: %s', (text, message) => {
    const result = bind(
      text,
      text.startsWith('tabulate') ? 'quantized' : text.startsWith('fold') ? 'table' : 'float',
    );
    expect(codeOf(result)).toBe('K0503');
    expect(messageOf(result)).toContain(message);
    expect(messageOf(result)).toContain(`pass ${text.split('{')[0]}`);
  });

  it.each([
    ['tabulate', 'float', "'tabulate' takes a quantized graph, but the graph it is given is float"],
    ['quantize,fold', 'float', "the graph after 'quantize' is quantized. Put 'tabulate' before it."],
    ['quantize,quantize', 'float', 'Levels only go from float to quantized to table'],
    ['dce,fold', 'float', "Put 'quantize,tabulate' before it."],
    ['calibrate', 'table', 'the graph it is given is table'],
  ] as const)('K0504: %s on a %s graph', (text, level, message) => {
    const result = bind(text, level);
    expect(codeOf(result)).toBe('K0504');
    expect(messageOf(result)).toContain(message);
  });

  it('refuses before any pass runs', () => {
    let ran = 0;
    const spy: NamedPass = namedPass(
      definePass<'float', 'float', Record<never, never>>({
        name: 'spy',
        summary: 'counts how often it runs',
        options: dce.options,
        help: [],
        from: 'float',
        to: 'float',
        run: () => (graph) => {
          ran++;
          return withRemarks(E.right(graph), []);
        },
      }),
    );
    for (const text of ['spy,fold', 'spy,quantize{act=99}', 'spy,nothing', 'spy,']) {
      const bound = bindPipelineText(text, [...BUILTIN_PASSES, spy], 'float');
      expect(E.isLeft(bound)).toBe(true);
    }
    expect(ran).toBe(0);
    const bound = rightOf(bindPipelineText('spy', [...BUILTIN_PASSES, spy], 'float'));
    rightOf(runPipeline(bound, net, { context: NO_CONTEXT, verifyEach: true }));
    expect(ran).toBe(1);
  });

  it('collects the files that passes name, each once', () => {
    expect(rightOf(bind('calibrate{data=a.npy},calibrate{data=b.npy},calibrate{data=a.npy}')).files).toEqual([
      'a.npy',
      'b.npy',
    ]);
  });

  it('every option of every pass has a default that its own parser takes, and a help text', () => {
    for (const pass of BUILTIN_PASSES) {
      expect(codeOf(pass.bind({}))).toBe('ok');
      for (const option of pass.help) {
        expect(codeOf(pass.bind({ [option.name]: option.default })), `${pass.name}.${option.name}`).toBe(
          'ok',
        );
        expect(option.help.length).toBeGreaterThan(5);
      }
    }
  });
});

describe('running', () => {
  it('tells what each pass did', () => {
    const { events } = runText(net, DEFAULT, calibrationOf(3));
    expect(events.map((e) => [e.index, e.name])).toEqual(
      DEFAULT.split(',').map((text, k) => [k + 1, text.split('{')[0]]),
    );
    expect(events.map((e) => e.after.level)).toEqual(['float', 'quantized', ...new Array(6).fill('table')]);
    for (let k = 1; k < events.length; k++) expect(events[k]!.before).toBe(events[k - 1]!.after);
    expect(events.filter((e) => e.changed).map((e) => e.name)).toEqual(
      expect.arrayContaining(['calibrate', 'quantize', 'tabulate', 'fold', 'dce']),
    );
  });

  it('says that nothing changed when nothing did', () => {
    const done = compiled(net, DEFAULT, calibrationOf(3));
    const { events } = runText(done, 'fold,prune,dedupe,narrow,dce');
    expect(events.map((e) => [e.name, e.changed])).toEqual(
      ['fold', 'prune', 'dedupe', 'narrow', 'dce'].map((name) => [name, false]),
    );
  });

  it('names the pass in what goes wrong inside it', () => {
    const bound = rightOf(bind('calibrate{data=x}'));
    const options = { context: contextOf(calibrationOf(5)), verifyEach: false };
    expect(messageOf(runPipeline(bound, net, options))).toMatch(/^error K0701: .*pass calibrate/);
  });

  it('K0504 at run time: a graph of another level than the pipeline was bound for', () => {
    const bound = rightOf(bind('quantize'));
    const table = compiled(net, DEFAULT, calibrationOf(3));
    expect(codeOf(runPipeline(bound, table, { context: NO_CONTEXT, verifyEach: false }))).toBe('K0504');
  });

  it('is deterministic: the same pipeline twice gives the same text', () => {
    for (const form of ['edge', 'basis']) {
      const text = DEFAULT.replace('tabulate', `tabulate{form=${form}}`);
      const run = () => printGraph(compiled(randomKan(1, { layers: [3, 4, 2] }), text, calibrationOf(3)));
      expect(run()).toBe(run());
    }
  });
});

describe('typed composition', () => {
  const defaults = <O>(pass: { options: { decode: (u: unknown) => E.Either<unknown, O> } }): O => {
    const options = pass.options.decode({});
    if (E.isLeft(options)) throw new Error('the empty record decodes');
    return options.right;
  };
  const calibrated = calibrate.run(defaults(calibrate), NO_CONTEXT);
  const quantized = quantize.run(defaults(quantize), NO_CONTEXT);
  const tabulated = tabulate.run(defaults(tabulate), NO_CONTEXT);

  it('runs steps in order and keeps the remarks of all', () => {
    const whole: Step<'float', 'table'> = andThen(tabulated)(andThen(quantized)(calibrated));
    const { graph, remarks } = rightOf(whole(net));
    expect(graph.level).toBe('table');
    expect(remarks.filter((r) => r.severity === 'warning')).toHaveLength(1);
    expect(printGraph(graph)).toBe(printGraph(compiled(net, 'calibrate,quantize,tabulate')));
  });

  it('stops at the first failure', () => {
    expect(codeOf(andThen(tabulated)(quantized)(net))).toBe('K0505');
  });

  it('does not compile in a wrong order', () => {
    // The directive is the test: the type checker fails where the line below it stops being an error, that is,
    // where tabulate (quantized to table) could be followed by quantize (float to quantized).
    // @ts-expect-error Step<'float', 'quantized'> does not take the table graph that tabulate gives.
    const wrong = andThen(quantized)(tabulated);
    expect(wrong).toBeTypeOf('function');
  });
});
