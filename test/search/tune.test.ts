/** Which forms are tried and kept: programs are their forms, and times come from a table. */
import * as TE from 'fp-ts/lib/TaskEither.js';
import { describe, expect, it } from 'vitest';
import type { Form } from '../../src/analyses/form-cost.js';
import { diagnostic } from '../../src/diagnostics/index.js';
import { type Forms, type Race, tune } from '../../src/search/tune.js';
import { rightOf } from '../support/checked.js';

const START: Forms = new Map<string, Form>([
  ['a', 'edge'],
  ['b', 'basis'],
  ['c', 'edge'],
]);

/** `costs`: of a layer in a form. */
const tuned = (costs: (layer: string, form: Form) => number, refused?: string) => {
  const timeOf = (forms: Forms): number =>
    [...forms].reduce((total, [layer, form]) => total + costs(layer, form), 0);
  const progress: string[] = [];
  const result = tune<Forms>({
    make: (forms) =>
      refused !== undefined && forms.has(refused)
        ? TE.left([diagnostic('K0507', 'the tables are too large')])
        : TE.right(new Map([...START, ...forms])),
    formsOf: (program) => program,
    race: (first, second): Race => {
      const times = [timeOf(first), timeOf(second)] as const;
      return { times, gain: 1 - times[1] / times[0], noise: 0.05 };
    },
    onProgress: (done, of) => progress.push(`${done}/${of}`),
  });
  return { result, progress };
};

describe('tune', () => {
  it('keeps a flip that is faster, and goes on from it', async () => {
    const { result, progress } = tuned((layer, form) =>
      form === (layer === 'c' ? 'basis' : 'edge') ? 1 : 2,
    );
    const { trials, forms } = rightOf(await result());
    expect([...forms]).toEqual([
      ['b', 'edge'],
      ['c', 'basis'],
    ]);
    expect(trials.map(({ layer, from, to }) => [layer, from, to])).toEqual([
      ['a', 'edge', 'basis'],
      ['b', 'basis', 'edge'],
      ['c', 'edge', 'basis'],
    ]);
    const kept = trials.map(({ result: r }) => r._tag === 'raced' && r.kept);
    expect(kept).toEqual([false, true, true]);
    // The last race starts from what the second has kept.
    expect(trials[2]?.result).toMatchObject({ race: { times: [4, 3] } });
    expect(progress).toEqual(['0/3', '1/3', '2/3']);
  });

  it('leaves a gain that is within the noise', async () => {
    const { result } = tuned((_, form) => (form === 'edge' ? 1 : 1.02));
    expect(rightOf(await result()).forms.size).toBe(0);
  });

  it('tells what could not be made, and tries the others', async () => {
    const { result } = tuned((_, form) => (form === 'edge' ? 1 : 0.5), 'a');
    const { trials, forms } = rightOf(await result());
    expect(trials[0]?.result).toEqual({ _tag: 'impossible', why: 'the tables are too large' });
    expect([...forms]).toEqual([['c', 'basis']]);
  });
});
