import { describe, expect, it } from 'vitest';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path, read } = workplace();
const CALIB = ['--calib', data('wine', 'calib_inputs.npy')];

/** A clock by which everything takes the same time: nothing is faster. */
const steady = (): (() => number) => {
  let clock = 0;
  return () => {
    clock += 100;
    return clock;
  };
};

const tune = (out: string, ...more: ReadonlyArray<string>) =>
  kanc(['compile', WINE, '-o', path(out), ...more], { now: steady() });

describe('kanc compile --tune', () => {
  it('tells what was tried, and compiles what --form auto chooses where nothing is faster', async () => {
    const plain = await kanc(['compile', WINE, '-o', path('plain'), ...CALIB]);
    const tuned = await tune('tuned', ...CALIB, '--tune', '4');
    expect([plain.exit, tuned.exit, tuned.out]).toEqual([0, 0, '']);
    expect(tuned.err).toMatch(/^layer +form +before, us +after, us +speed +noise\n/m);
    expect(tuned.err).toMatch(/^layer0 +edge -> basis +[\d.]+ +[\d.]+ +1\.00x +0\.0 % +kept edge$/m);
    expect(tuned.err).toMatch(/^layer1 +edge -> basis /m);
    expect(read('tuned', 'model.kir')).toBe(read('plain', 'model.kir'));
  });

  it('leaves layers whose form is told', async () => {
    const { err, exit } = await tune('told', ...CALIB, '--tune', '--quant', 'layer0.form=basis');
    expect(exit).toBe(0);
    expect(err).not.toMatch(/^layer0 /m);
    expect(err).toMatch(/^layer1 /m);
  });

  it('is refused, as calibration is, for a network of integers', async () => {
    const { err, exit } = await kanc(
      ['compile', model('kanele-wine', 'truth_tables.json'), '-o', path('integers'), '--tune', ...CALIB],
      { now: steady() },
    );
    expect(exit).toBe(2);
    expect(err).toContain('--calib');
  });

  it.each([
    ['without data', [], 'Add --calib'],
    ['for another target', [...CALIB, '--target', 'wgsl'], 'says nothing about wgsl'],
    ['beside a form', [...CALIB, '--form', 'edge'], '--form edge has decided'],
    ['beside a pipeline', ['--passes', 'calibrate,quantize,tabulate,fold'], 'Add --calib'],
    ['beside a search', [...CALIB, '--max-drop', '1'], 'told by --max-drop'],
    ['with few samples', [...CALIB, '--tune', '1000'], 'calls of 1000 samples'],
  ])('is refused %s', async (_, options, said) => {
    const { err, exit } = await tune('refused', '--tune', ...options);
    expect(exit).toBe(2);
    expect(err).toContain(said);
  });
});
