import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { describe, expect, it } from 'vitest';
import { addCosts } from '../../src/analyses/configuration-cost.js';
import { networkFacts } from '../../src/analyses/layer-facts.js';
import type { Checked } from '../../src/diagnostics/index.js';
import { type LayerChoice, plannedCostOf } from '../../src/search/choices.js';
import {
  type Configuration,
  canonical,
  layerShapes,
  nameOf,
  resolve,
} from '../../src/search/configuration.js';
import type { Goal } from '../../src/search/goal.js';
import { type Outcome, type TryAll, tryAllOn } from '../../src/search/outcome.js';
import type { SearchInput } from '../../src/search/plan.js';
import { type Found, search } from '../../src/search/search.js';
import { tryOn } from '../../src/search/trial.js';
import { data } from '../cli/support.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { array, digits, network, studyOf } from './support.js';

const net = network('efficient-kan-digits');
const { layers: facts } = networkFacts(net);
const layers = layerShapes(net);

const choiceOf = (c: Configuration, k: number): LayerChoice => {
  const r = resolve(c, layers[k]!);
  const act = r.act === 'auto' ? 8 : r.act;
  return { ...r, act, form: r.form === 'basis' ? 'basis' : 'edge' };
};

/** A made-up network: a bit less quadruples what a knob loses, and a layer's knobs lose as much as its weight says. */
const madeUp =
  (weights: ReadonlyArray<number>, error: number): TryAll =>
  (configurations) =>
    TE.right(
      configurations.map((wanted): Outcome => {
        const configuration = canonical(wanted, layers);
        const choices = layers.map((_, k) => choiceOf(configuration, k));
        const loss = choices.reduce((sum, { form, act, table = 8, coef = 8, basis = 8 }, k) => {
          const bits = form === 'edge' ? [act, table] : [act, coef, basis];
          return sum + weights[k]! * bits.reduce((n, b) => n + 4 ** -b, 0);
        }, 1e-6);
        const cost = choices.map((choice, k) => plannedCostOf(facts[k]!, choice)).reduce(addCosts);
        return {
          name: nameOf(configuration),
          configuration,
          result: { _tag: 'measured', drop: 100 * Math.sqrt(loss), error, loss, samples: 100, cost },
        };
      }),
    );

/** What the plans say, and so much more, as the program of all data may keep inputs that those of the folds do not. */
const finalCostOf =
  (more = 1): SearchInput['finalCost'] =>
  (configuration) => {
    const cost = layers.map((_, k) => plannedCostOf(facts[k]!, choiceOf(configuration, k))).reduce(addCosts);
    return TE.right({ ...cost, bytes: more * cost.bytes });
  };

const run = (goal: Goal, tryAll: TryAll, more?: number): Promise<Checked<Found>> =>
  search({
    goal,
    layers,
    facts,
    tryAll,
    finalCost: finalCostOf(more),
    freeCells: false,
    onStage: () => {},
  })();

const goalOf = (maxDrop: number, more: Partial<Goal> = {}): Goal => ({
  maxDrop,
  minimize: 'memory',
  budgets: {},
  form: 'auto',
  ...more,
});

const weight = fc.double({ min: 0.01, max: 10, noNaN: true });
const KEYS = { memory: 'bytes', bitops: 'bitOps', luts: 'luts' } as const;

describe('a search', () => {
  it('stays within the limit, error included, and costs no more than what it begins with', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(weight, weight),
        fc.double({ min: 2, max: 40, noNaN: true }),
        fc.constantFrom('memory', 'bitops', 'luts'),
        async (weights, maxDrop, minimize) => {
          const made = await run(goalOf(maxDrop, { minimize }), madeUp(weights, 0.1));
          if (E.isLeft(made)) return;
          found++;
          const { chosen, finest } = made.right;
          expect(chosen.result.drop + chosen.result.error).toBeLessThanOrEqual(maxDrop);
          const key = KEYS[minimize];
          expect(chosen.result.cost[key]).toBeLessThanOrEqual(finest.result.cost[key]);
        },
      ),
      { numRuns: 30 },
    );
    expect(found).toBeGreaterThan(20);
  });

  it('goes further down where more may be lost', async () => {
    const bytes: number[] = [];
    for (const maxDrop of [2, 5, 15, 40]) {
      bytes.push(rightOf(await run(goalOf(maxDrop), madeUp([1, 1], 0))).chosen.result.cost.bytes);
    }
    expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
    expect(bytes[3]!).toBeLessThan(bytes[0]! / 2);
  });

  it('spends bits on the layer that needs them', async () => {
    const { chosen } = rightOf(await run(goalOf(10, { form: 'edge' }), madeUp([0.01, 10], 0)));
    const [first, second] = layers.map((_, k) => choiceOf(chosen.configuration, k));
    expect(first!.act).toBeLessThan(second!.act);
  });

  it('keeps to the form that is asked for', async () => {
    for (const form of ['edge', 'basis'] as const) {
      const { chosen } = rightOf(await run(goalOf(10, { form }), madeUp([1, 1], 0)));
      expect(layers.map((_, k) => choiceOf(chosen.configuration, k).form)).toEqual([form, form]);
    }
  });

  it('tells where nothing is within the limit, or what is exceeds a budget', async () => {
    expect(codeOf(await run(goalOf(1), madeUp([1e4, 1e4], 0)))).toBe('K0902');
    // The drop is small, its error is not.
    expect(codeOf(await run(goalOf(1), madeUp([1e-6, 1e-6], 2)))).toBe('K0902');
    expect(codeOf(await run(goalOf(5, { budgets: { memory: 10 } }), madeUp([1, 1], 0)))).toBe('K0902');
  });

  it('keeps the budget with the program of all data, and tells what that costs', async () => {
    const goal = (memory: number) => goalOf(20, { minimize: 'bitops', budgets: { memory } });
    const { bytes } = rightOf(await run(goalOf(20), madeUp([1, 1], 0))).chosen.result.cost;
    const most = 1.5 * bytes;
    const { chosen } = rightOf(await run(goal(most), madeUp([1, 1], 0), 1.3));
    expect(chosen.result.cost.bytes).toBeLessThanOrEqual(most);
    expect(rightOf(await finalCostOf(1.3)(chosen.configuration)())).toEqual(chosen.result.cost);
    expect(codeOf(await run(goal(1.01 * bytes), madeUp([1, 1], 0), 1.3))).toBe('K0902');
  });

  it('tells of every start how far it is from the limit', async () => {
    const refusing: TryAll = (list, effort) =>
      pipe(
        madeUp([1e4, 1e4], 0)(list, effort),
        TE.map((outcomes) =>
          outcomes.map((o): Outcome => {
            const fine = o.configuration.layers.layer0?.act === 12;
            return fine ? { ...o, result: { _tag: 'refused', code: 'K0507', message: 'too large' } } : o;
          }),
        ),
      );
    const message = messageOf(await run(goalOf(1), refusing));
    expect(message).toMatch(/act=6 .*loses [\d.]+ %.*act=8 .*loses [\d.]+ %.*K0507: too large/);
  });

  it('lowers what has a budget, whatever else is to be small', async () => {
    for (const weights of [
      [1, 1],
      [0.1, 5],
      [5, 0.1],
    ]) {
      const found = async (goal: Partial<Goal>) =>
        rightOf(await run(goalOf(20, goal), madeUp(weights, 0))).chosen.result.cost;
      const least = (await found({ minimize: 'luts' })).luts;
      const most = 1.3 * least;
      const kept = await found({ minimize: 'memory', budgets: { luts: most } });
      expect(kept.luts).toBeLessThanOrEqual(most);
      const memory = (await found({ minimize: 'memory' })).bytes;
      const both = await found({ minimize: 'bitops', budgets: { memory: 1.3 * memory } });
      expect(both.bytes).toBeLessThanOrEqual(1.3 * memory);
    }
  });
});

describe('a search on digits', () => {
  it('finds a tenth of the memory at one percent of changed decisions, most of which hold on other data', async () => {
    const study = studyOf('efficient-kan-digits', digits());
    const goal = goalOf(1, { form: 'edge' });
    const { chosen, finest, sensitivity } = rightOf(
      await search({
        goal,
        layers: study.layers,
        facts,
        tryAll: tryAllOn(study, tryOn(study)),
        finalCost: finalCostOf(),
        freeCells: false,
        onStage: () => {},
      })(),
    );
    expect(chosen.result.samples).toBe(1078);
    expect(chosen.result.drop + chosen.result.error).toBeLessThanOrEqual(1);
    expect(chosen.result.cost.bytes).toBeLessThan(finest.result.cost.bytes / 10);
    expect(new Set(sensitivity.map((p) => p.layer))).toEqual(new Set([0, 1]));

    // On the test data, which nothing was fitted to: twice the limit would be chance of one in some thousands.
    const other = studyOf('efficient-kan-digits', array(data('digits', 'test_inputs.npy')));
    const [there] = rightOf(
      await tryAllOn(other, tryOn(other))([chosen.configuration], { refit: 512, folds: 'all' })(),
    );
    expect(there?.result).toMatchObject({ _tag: 'measured' });
    if (there?.result._tag === 'measured') expect(there.result.drop).toBeLessThan(2 * goal.maxDrop);
  });
});
