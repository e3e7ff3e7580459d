/** `kanc view` on the command line: files in, one page out. Needs `npm run build`. */
import * as TE from 'fp-ts/lib/TaskEither.js';
import { describe, expect, it } from 'vitest';
import { diagnostic } from '../../src/diagnostics/index.js';
import { data, REGRESSION, safetensors, WINE, workplace } from './support.js';

const { kanc, list, path, put, read } = workplace();

const modelIn = (page: string): Record<string, unknown> =>
  JSON.parse(/id="model">(.*?)<\/script>/s.exec(page)?.[1] ?? '{}');

describe('kanc view', () => {
  it('writes one page of a checkpoint, and says so', async () => {
    const out = path('view.html');
    const {
      exit,
      out: text,
      err,
    } = await kanc([
      'view',
      REGRESSION,
      '-o',
      out,
      '--calib',
      data('regression', 'calib_inputs.npy'),
      '--data',
      data('regression', 'test_inputs.npy'),
      '--labels',
      data('regression', 'test_targets.npy'),
      '--limit',
      '200',
      '--json',
    ]);
    expect(err).toMatch(/view\.html: 8 passes, [\d.]+ kB\n$/);
    expect(exit).toBe(0);
    const said = JSON.parse(text);
    expect(said.pipeline).toContain('calibrate{data=calib_inputs.npy},quantize,tabulate');
    const page = read('view.html');
    expect(said.bytes).toBe(Buffer.byteLength(page));
    expect(modelIn(page)).toMatchObject({
      kind: 'checkpoint',
      measured: { samples: 200, labels: true, unit: 'values' },
    });
    expect(list().filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('shows an artifact as it is, or after more passes', async () => {
    const calib = data('wine', 'calib_inputs.npy');
    expect((await kanc(['compile', WINE, '-o', path('out'), '--calib', calib])).exit).toBe(0);
    expect((await kanc(['view', path('out'), '-o', path('artifact.html')])).exit).toBe(0);
    const model = modelIn(read('artifact.html'));
    expect(model).toMatchObject({ kind: 'artifact', file: 'out', pipeline: '' });
    // The manifest tells the network that it was made of.
    expect(JSON.stringify(model['costs'])).toContain('dense32');
    const kir = path('out', 'model.kir');
    expect((await kanc(['view', kir, '-o', path('kir.html'), '--passes', 'narrow,dce'])).exit).toBe(0);
    expect(modelIn(read('kir.html'))).toMatchObject({ kind: 'graph', pipeline: 'narrow,dce' });
  });

  it.each([
    [['nowhere.pt', '-o', 'x.html'], 1, /K0101.*nowhere\.pt/],
    [[WINE], 2, /--out/],
    [[WINE, '-o', ''], 2, /K0801/],
    [[WINE, '-o', 'x.html', '--quant', 'act=0'], 2, /--quant/],
    [[WINE, '-o', 'x.html', '--passes', 'nonsense'], 2, /K0501/],
    [[WINE, '-o', 'x.html', '--passes', 'dce', '--form', 'edge'], 2, /K0801/],
    [[WINE, '-o', 'x.html', '--labels', data('wine', 'test_labels.npy')], 2, /--labels/],
    [[WINE, '-o', 'x.html', '--data', data('regression', 'test_inputs.npy')], 1, /K0701/],
    [
      [
        WINE,
        '-o',
        'x.html',
        '--data',
        data('wine', 'test_inputs.npy'),
        '--labels',
        data('digits', 'test_labels.npy'),
      ],
      1,
      /K0702/,
    ],
  ] as const)('explains %j', async (argv, code, message) => {
    const before = list();
    const { exit, out, err } = await kanc(['view', ...argv]);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(exit).toBe(code);
    expect(out).toBe('');
    expect(list()).toEqual(before);
  });

  it('says what is missing where kanc was not built', async () => {
    const asset = () => TE.left([diagnostic('K0101', 'there is no such file')] as const);
    const { exit, err } = await kanc(['view', WINE, '-o', path('none.html')], { asset });
    expect(err).toMatch(/K0101/);
    expect(exit).toBe(1);
  });

  it('keeps the names of a checkpoint from the page', async () => {
    const name = '</script><img src=x onerror=alert(1)>';
    const file = put(
      'hostile.safetensors',
      safetensors({ [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, [1]),
    );
    const { exit, err } = await kanc(['view', file, '-o', path('hostile.html')]);
    expect(exit).toBe(1);
    expect(err).not.toBe('');
    expect(list()).not.toContain('hostile.html');
  });
});
