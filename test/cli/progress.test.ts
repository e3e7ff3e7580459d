/** Signs of life of long work, on a terminal and off it. */
import { describe, expect, it } from 'vitest';
import { progressBar, progressOf } from '../../src/cli/progress.js';
import type { Capabilities } from '../../src/driver/capabilities.js';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path } = workplace();

/** A terminal that keeps what it is told, and a clock that is set by hand. */
const stand = (live: boolean) => {
  const [lines, drawn]: [string[], string[]] = [[], []];
  const clock = { at: 5_000 };
  const terminal: Capabilities['terminal'] = {
    out: () => {},
    err: (text) => void lines.push(text),
    live,
    progress: (text) => void drawn.push(text),
  };
  return { world: { terminal, now: () => clock.at }, lines, drawn, clock };
};

describe('progress off a terminal', () => {
  it('is a line for each stage, and one a minute at most in between', () => {
    const { world, lines, drawn, clock } = stand(false);
    const progress = progressOf(world);
    const bar = progressBar(world, progress, 'points');
    progress.stage('kanc: calibrating');
    for (let k = 0; k <= 100; k++) {
      bar(k, 100);
      clock.at += 2_500;
    }
    expect(lines).toEqual([
      'kanc: calibrating\n',
      'kanc: 24 of 100 points, 3 min left\n',
      'kanc: 48 of 100 points, 2 min left\n',
      'kanc: 72 of 100 points, 1 min left\n',
      'kanc: 96 of 100 points, 10 s left\n',
    ]);
    expect(drawn).toEqual([]);
  });

  it('has nothing but the stages where a run is short', () => {
    const { world, lines, clock } = stand(false);
    const progress = progressOf(world);
    progress.stage('one');
    progress.step('1 of 2');
    clock.at += 3_000;
    progress.step('2 of 2');
    progress.stage('two');
    // A stage is a sign of life too.
    clock.at += 59_000;
    progress.step('1 of 9');
    expect(lines).toEqual(['one\n', 'two\n']);
  });
});

describe('progress on a terminal', () => {
  it('is one line that changes, and nothing that stays', () => {
    const { world, lines, drawn, clock } = stand(true);
    const progress = progressOf(world);
    progress.stage('kanc: calibrating');
    const bar = progressBar(world, progress, 'points');
    bar(0, 2);
    clock.at += 90_000;
    bar(1, 2);
    expect(drawn).toEqual([
      'kanc: calibrating',
      `kanc: [${'.'.repeat(24)}] 0 of 2 points`,
      `kanc: [${'#'.repeat(12)}${'.'.repeat(12)}] 1 of 2 points, 2 min left`,
    ]);
    expect(lines).toEqual([]);
  });
});

describe('commands off a terminal', () => {
  const CALIB = data('wine', 'calib_inputs.npy');
  const run = async (argv: ReadonlyArray<string>, step: number) => {
    const { world, lines, clock } = stand(false);
    const now = (): number => {
      clock.at += step;
      return clock.at;
    };
    expect((await kanc(argv, { terminal: world.terminal, now })).exit).toBe(0);
    return lines.join('');
  };

  it('kanc sweep tells its stages', async () => {
    const argv = ['sweep', WINE, '--calib', CALIB, '--grid', 'act=3,4,table=8', '-o', path('sweep')];
    const shown = await run([...argv, '--refit', '0'], 0);
    expect(shown).toMatch(
      /^assumed: .*\nkanc: calibrating .*\nkanc: 2 points to try, 0 finished before\n\S+sweep: 2 points\n/,
    );
    const slow = await run(
      [...argv, '--refit', '0', '--grid', 'act=5,6,table=8', '-o', path('slow')],
      40_000,
    );
    expect(slow).toMatch(/0 finished before\n(?:kanc: \d of 2 points.*\n)+\S+slow: 2 points\n/);
  });

  it('kanc compile tells those of a search, and nothing where there is none', async () => {
    const compile = ['compile', WINE, '--calib', CALIB, '-o', path('out')];
    const searched = await run([...compile, '--max-drop', '2', '--form', 'edge'], 0);
    expect(searched.match(/^kanc: [a-z]+/gm)).toEqual([
      'kanc: calibration',
      'kanc: reference',
      'kanc: sensitivity',
      'kanc: bisection',
      'kanc: refinement',
      'kanc: compiling',
    ]);
    expect(searched).toMatch(/^kanc: bisection, (\d+) of \1 configurations tried$/m);
    expect(await run([...compile, '-o', path('plain')], 60_000)).not.toMatch(/^kanc:/m);
    const slow = await run([...compile, '--max-drop', '2', '--form', 'edge'], 70_000);
    expect(slow).toMatch(/^kanc: sensitivity, \d+ of \d+ configurations tried\n(?:kanc: sensitivity, )/m);
    expect(
      await run(['compile', model('kanele-wine', 'truth_tables.json'), '-o', path('int')], 0),
    ).not.toMatch(/^kanc:/m);
  });
});
