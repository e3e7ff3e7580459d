/** What had to be assumed about a checkpoint is told by the commands that compute with it, not only where it is asked for. */
import { describe, expect, it } from 'vitest';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path, read } = workplace();
const CALIB = ['--calib', data('wine', 'calib_inputs.npy')];
const DATA = ['--data', data('wine', 'test_inputs.npy'), '--labels', data('wine', 'test_labels.npy')];
const ASSUMED = 'the activation of the base branch is not stored: silu (otherwise: --base-activation)';

describe('what was assumed', () => {
  it('is told at compile, run, eval and view of a checkpoint', async () => {
    const commands = [
      ['compile', WINE, ...CALIB, '-o', path('told')],
      ['run', WINE, '--input', data('wine', 'test_inputs.npy'), '--output', path('y.npy')],
      ['eval', WINE, ...DATA],
      ['view', WINE, ...CALIB, '-o', path('view.html')],
      ['sweep', WINE, ...CALIB, '--grid', 'act=4', '-o', path('sweep')],
    ];
    for (const command of commands) {
      const { exit, err } = await kanc(command);
      expect({ command: command[0], exit }).toEqual({ command: command[0], exit: 0 });
      expect(err.split('\n').filter((line) => line === `assumed: ${ASSUMED}`)).toHaveLength(1);
    }
  });

  it('is kept in the artifact, and told when that is run', async () => {
    const json = await kanc(['compile', WINE, ...CALIB, '-o', path('kept'), '--json']);
    const [assumption] = JSON.parse(json.out).assumptions;
    expect(assumption).toMatchObject({ assumed: 'silu', option: '--base-activation' });
    expect(JSON.parse(read('kept', 'manifest.json')).extra.assumptions).toEqual([assumption]);
    const evaluated = await kanc(['eval', path('kept'), ...DATA, '--json']);
    expect(evaluated.err).toContain(`assumed when it was compiled: ${ASSUMED}\n`);
    expect(JSON.parse(evaluated.out).assumptions).toEqual([assumption]);
  });

  it('is not told when it was said', async () => {
    const said = await kanc(['eval', WINE, '--base-activation', 'silu', ...DATA]);
    expect(said).toMatchObject({ exit: 0, err: '' });
    const stored = await kanc([
      'run',
      model('pykan-mult', 'model_state'),
      '--input',
      model('pykan-mult', 'golden_inputs.npy'),
      '--output',
      path('y.npy'),
    ]);
    expect(stored.err).not.toContain('assumed');
  });

  it('K0801: a program was read already, so options about reading it are refused', async () => {
    await kanc(['compile', WINE, ...CALIB, '-o', path('program')]);
    for (const program of [path('program'), path('program', 'model.kir')]) {
      const refused = await kanc(['eval', program, '--base-activation', 'tanh', ...DATA]);
      expect(refused).toMatchObject({ exit: 2, out: '' });
      expect(refused.err).toMatch(/K0801.*have no effect on a program.*kanc compile/);
    }
  });
});
