import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { diagnostic } from '../../src/diagnostics/index.js';
import type { Capabilities } from '../../src/driver/capabilities.js';
import { nameOf } from '../../src/search/configuration.js';
import { headerOf, lineOf, parseRecords } from '../../src/search/sweep/records.js';
import { tryOn } from '../../src/search/trial.js';
import { rightOf } from '../support/checked.js';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path, read, list, put, putNpy } = workplace();

const DIGITS = model('efficient-kan-digits');
const CALIB = data('digits', 'calib_inputs.npy');
const GRID = ['--grid', 'act=3,4,hidden=4,table=3,8', '--samples', '96'];
/** One at a time, so that points stand in files in their order. */
const ALL = [DIGITS, '--calib', CALIB, ...GRID, '--jobs', '1'];
const FILES = ['results.csv', 'results.json', 'sweep.html'];

const sweep = (folder: string, ...more: ReadonlyArray<string>) =>
  kanc(['sweep', ...ALL, '-o', path(folder), ...more]);

const results = (folder: string): ReadonlyArray<string> => FILES.map((name) => read(folder, name));

beforeAll(async () => {
  const { exit, err } = await sweep('whole');
  expect(err).toContain('4 points');
  expect(exit).toBe(0);
});

describe('kanc sweep', () => {
  it('writes points, results and a page', () => {
    expect(list('whole')).toEqual(['points-1-of-1.jsonl', ...FILES]);
    const json: unknown = JSON.parse(read('whole', 'results.json'));
    expect(json).toMatchObject({
      format: 'kanc-sweep-results',
      identity: { metric: 'changed', samples: 96, folds: 4, layers: ['layer0', 'layer1'], labels: null },
      points: [
        { index: 0, name: 'edge act=3 hidden=4 table=3', samples: 96, refused: null, alone: null },
        { index: 1, name: 'edge act=3 hidden=4 table=8' },
        { index: 2, name: 'edge act=4 hidden=4 table=3' },
        { index: 3, name: 'edge act=4 hidden=4 table=8' },
      ],
    });
    const csv = read('whole', 'results.csv').trimEnd().split('\n');
    expect(csv).toHaveLength(5);
    const html = read('whole', 'sweep.html');
    expect(html.match(/<svg/g)).toHaveLength(4);
    expect(html).not.toMatch(/https?:|src=/);
    for (const text of [read('whole', 'results.json'), html]) expect(text).not.toContain('.npy');
  });

  it('tries nothing again', async () => {
    const untouched: Capabilities['trials'] = () => async () => ({
      attempt: () => TE.left([diagnostic('K0903', 'the test allows no trials')] as const),
      close: async () => {},
    });
    const before = results('whole');
    const { exit } = await kanc(['sweep', ...ALL, '-o', path('whole')], { trials: untouched });
    expect(exit).toBe(0);
    expect(results('whole')).toEqual(before);
  });

  it('gives the same bytes whatever the split, the order and the folders', async () => {
    for (const shard of ['3/3', '1/3', '2/3']) {
      expect((await sweep('thirds', '--shard', shard)).exit).toBe(0);
    }
    for (const shard of ['1/2', '2/2']) {
      expect((await sweep(`half-${shard[0]}`, '--shard', shard)).exit).toBe(0);
    }
    const merge = (...folders: ReadonlyArray<string>) =>
      kanc(['sweep', 'merge', ...folders.map((f) => path(f)), '-o', path('merged')]);
    expect((await merge('thirds')).exit).toBe(0);
    expect(results('merged')).toEqual(results('whole'));
    expect((await merge('half-2', 'half-1')).exit).toBe(0);
    expect(results('merged')).toEqual(results('whole'));
    expect((await merge('half-1', 'thirds', 'whole')).exit).toBe(0);
    expect(results('merged')).toEqual(results('whole'));
  });

  it('goes on behind a torn line', async () => {
    const lines = read('whole', 'points-1-of-1.jsonl').split('\n');
    mkdirSync(path('torn'));
    // The header, one point, and half of another.
    const torn = `${lines.slice(0, 2).join('\n')}\n${lines[2]!.slice(0, 40)}`;
    writeFileSync(path('torn', 'points-1-of-1.jsonl'), torn);
    const tried: string[] = [];
    const counting: Capabilities['trials'] = (study) => async () => ({
      attempt: (trial) => {
        tried.push(`${trial.configuration.act} ${trial.configuration.table}`);
        return tryOn(study)(trial);
      },
      close: async () => {},
    });
    const { exit } = await kanc(['sweep', ...ALL, '-o', path('torn')], { trials: counting });
    expect(exit).toBe(0);
    expect([...new Set(tried)].sort()).toEqual(['3 8', '4 3', '4 8']);
    expect(results('torn')).toEqual(results('whole'));
    expect(read('torn', 'points-1-of-1.jsonl')).toBe(read('whole', 'points-1-of-1.jsonl'));
  });

  it('begins anew where not even the first line is whole', async () => {
    mkdirSync(path('empty'));
    writeFileSync(path('empty', 'points-1-of-1.jsonl'), '{"format":"kanc-sw');
    expect((await sweep('empty')).exit).toBe(0);
    expect(results('empty')).toEqual(results('whole'));
  });

  it('keeps what is finished when a thread dies, and says so', async () => {
    let left = 6;
    const dying: Capabilities['trials'] = (study) => async () => ({
      attempt: (trial) =>
        left-- > 0
          ? tryOn(study)(trial)
          : TE.left([diagnostic('K0903', 'a thread ended before its work was done')] as const),
      close: async () => {},
    });
    const died = await kanc(['sweep', ...ALL, '-o', path('died')], { trials: dying });
    expect(died.exit).toBe(1);
    expect(died.err).toMatch(/^error K0903/m);
    // Four folds a point: one was finished, the second was not.
    expect(read('died', 'points-1-of-1.jsonl').trimEnd().split('\n')).toHaveLength(2);
    expect((await sweep('died')).exit).toBe(0);
    expect(results('died')).toEqual(results('whole'));
  });

  it('measures accuracy with labels, and every knob alone', async () => {
    const labels = putNpy('labels.npy', {
      shape: [106],
      dtype: 'u1',
      data: Uint8Array.from({ length: 106 }, (_, k) => k % 3),
    });
    const { exit } = await kanc([
      'sweep',
      WINE,
      '--calib',
      data('wine', 'calib_inputs.npy'),
      '--labels',
      labels,
      '--grid',
      'act=8',
      '--sensitivity',
      '--refit',
      '0',
      '-o',
      path('alone'),
    ]);
    expect(exit).toBe(0);
    expect(JSON.parse(read('alone', 'results.json'))).toMatchObject({ identity: { metric: 'accuracy' } });
    const html = read('alone', 'sweep.html');
    expect(html).toContain('aria-label="sensitivity of layer0"');
    expect(html).toContain('aria-label="sensitivity of layer1"');
  });
});

describe('what is not mixed', () => {
  it('points of another sweep, in one folder or two', async () => {
    const other = await sweep('whole', '--refit', '0');
    expect(other.exit).toBe(1);
    expect(other.err).toMatch(/^error K0901: .*with other refit\./m);
    const fresh = await sweep('other', '--samples', '48', '--shard', '1/4');
    expect(fresh.exit).toBe(0);
    const merged = await kanc(['sweep', 'merge', path('whole'), path('other'), '-o', path('mixed')]);
    expect(merged.exit).toBe(1);
    expect(merged.err).toMatch(/^error K0901: .*points-1-of-4\.jsonl: .*with other samples/m);
    expect(list('mixed')).toEqual([]);
  });

  it('a sweep with points missing', async () => {
    expect((await sweep('part', '--shard', '2/3')).exit).toBe(0);
    const { exit, err } = await kanc(['sweep', 'merge', path('part'), '-o', path('none')]);
    expect(exit).toBe(1);
    expect(err).toMatch(/^error K0904: .*3 of 4 points are missing\. Run the shards 1\/3, 3\/3 again/m);
    const nothing = await kanc(['sweep', 'merge', path('nowhere'), '-o', path('none')]);
    expect(nothing.err).toBe(
      `error K0101: ${path('nowhere')}: cannot be read: there is no such folder. Expected a folder that kanc sweep has written to.\n`,
    );
    expect(nothing.exit).toBe(1);
    expect(list('none')).toEqual([]);
  });

  it.each([
    ['nowhere', /^error K0101: .*nowhere: cannot be read: there is no such folder/],
    ['hollow', /^error K0904: .*hollow: no points were found in the folder/],
    ['whole/points-1-of-1.jsonl', /^error K0101: .*points-1-of-1\.jsonl: cannot be read: it is a file/],
  ])('a folder that is none of a sweep, beside one that is: %s', async (wrong, message) => {
    mkdirSync(path('hollow'), { recursive: true });
    for (const folders of [
      ['whole', wrong],
      [wrong, 'whole'],
    ]) {
      const merged = await kanc(['sweep', 'merge', ...folders.map((f) => path(f)), '-o', path('none')]);
      expect(merged.err).toMatch(message);
      expect(merged.err).not.toContain('Run the shards');
      expect(merged.exit).toBe(1);
      expect(list('none')).toEqual([]);
    }
  });

  it('a damaged line that is not the last', async () => {
    mkdirSync(path('damaged'));
    copyFileSync(path('whole', 'points-1-of-1.jsonl'), path('damaged', 'points-1-of-1.jsonl'));
    const lines = read('damaged', 'points-1-of-1.jsonl').split('\n');
    lines[2] = '{"index":1}';
    writeFileSync(path('damaged', 'points-1-of-1.jsonl'), lines.join('\n'));
    const { exit, err } = await sweep('damaged');
    expect(exit).toBe(1);
    expect(err).toMatch(/^error K0905: .*points-1-of-1\.jsonl:3: the line is no point/m);
  });

  it('points that contradict each other, whatever the order of the folders', async () => {
    const original = read('whole', 'points-1-of-1.jsonl');
    mkdirSync(path('changed'));
    put('changed/points-1-of-1.jsonl', original.replace(/"drop":[^,]+/, '"drop":0.125'));
    for (const [first, second] of [
      ['whole', 'changed'],
      ['changed', 'whole'],
    ] as const) {
      const merged = await kanc(['sweep', 'merge', path(first), path(second), '-o', path('none')]);
      expect(merged.exit).toBe(1);
      const [one, other] = [first, second].map((f) => path(f, 'points-1-of-1.jsonl'));
      expect(merged.err).toContain(`error K0905: ${other}:2: point 0 `);
      expect(merged.err).toContain(`is not the same as in ${one}:2`);
      expect(list('none')).toEqual([]);
    }
    // The same record with its keys in another order is no contradiction.
    const [header = '', ...points] = original.trimEnd().split('\n');
    const turned = points.map((line) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse())),
    );
    mkdirSync(path('turned'));
    put('turned/points-1-of-1.jsonl', `${[header, ...turned].join('\n')}\n`);
    const same = await kanc(['sweep', 'merge', path('turned'), path('whole'), '-o', path('merged')]);
    expect(same.err).toContain('4 points');
    expect(results('merged')).toEqual(results('whole'));
  });

  it('points at the index of another, or whose name is not that of the configuration', async () => {
    const swapped = read('whole', 'points-1-of-1.jsonl')
      .replace('"index":1', '"index":9')
      .replace('"index":2', '"index":1')
      .replace('"index":9', '"index":2');
    mkdirSync(path('swapped'));
    put('swapped/points-1-of-1.jsonl', swapped);
    const merged = await kanc(['sweep', 'merge', path('swapped'), '-o', path('none')]);
    expect(merged.err).toMatch(/^error K0905: .*swapped.*the points are not those of the header/m);
    expect(merged.exit).toBe(1);
    const again = await sweep('swapped');
    expect(again.err).toMatch(
      /^error K0905: .*:3: point 2 is 'edge act=3 hidden=4 table=8', but should be 'edge act=4 hidden=4 table=3'/m,
    );
    put(
      'swapped/points-1-of-1.jsonl',
      read('whole', 'points-1-of-1.jsonl').replace('"table":8', '"table":7'),
    );
    for (const refused of [
      await kanc(['sweep', 'merge', path('swapped'), '-o', path('none')]),
      await sweep('swapped'),
    ]) {
      expect(refused.err).toMatch(
        /^error K0905: .*:3: point 1 is named 'edge act=3 hidden=4 table=8', but its configuration is 'edge act=3 hidden=4 table=7'/m,
      );
    }
    expect(list('none')).toEqual([]);
  });

  it('a header that is none', async () => {
    mkdirSync(path('headless'));
    const [, ...points] = read('whole', 'points-1-of-1.jsonl').split('\n');
    const merge = (header: string) => {
      put('headless/points-1-of-1.jsonl', [header, ...points].join('\n'));
      return kanc(['sweep', 'merge', path('headless'), '-o', path('none')]);
    };
    expect((await merge('\u0000garbage')).err).toMatch(
      /^error K0905: .*:1: the first line is no header: it is not JSON\. Expected/m,
    );
    expect((await merge(points[0]!)).err).toMatch(
      /:1: the first line is no header: format: expected "kanc-sweep", found nothing\. Expected/,
    );
  });
});

describe('wrong usage of kanc sweep', () => {
  it.each([
    [['--grid', 'act=x'], /option --grid: act cannot be 'x'/],
    [['--shard', '4/3'], /option '--shard/],
    [['--shard', '0/3'], /option '--shard/],
    [['--jobs', '0'], /option '--jobs/],
    [['--samples', 'many'], /option '--samples/],
    [['--refit', '-1'], /option '--refit/],
  ] as const)('%j', async (flags, message) => {
    const { exit, err } = await sweep('wrong', ...flags);
    expect(err).toMatch(message);
    expect(exit).toBe(2);
    expect(list('wrong')).toEqual([]);
  });

  it('asks for data and a folder', async () => {
    expect((await kanc(['sweep', DIGITS, '-o', path('wrong')])).err).toMatch(/option --calib: without data/);
    const { exit, err } = await kanc(['sweep', DIGITS, '--calib', CALIB]);
    expect(err).toMatch(/option --out: there is no folder/);
    expect(exit).toBe(2);
    expect((await kanc(['sweep', 'merge', path('whole')])).exit).toBe(2);
    expect((await kanc(['sweep', 'merge', '-o', path('x')])).exit).toBe(2);
  });

  it('refuses a file as the folder, before anything is measured', async () => {
    const file = put('afile', 'mine');
    for (const argv of [
      ['sweep', ...ALL],
      ['sweep', 'merge', path('whole')],
    ]) {
      const { exit, err } = await kanc([...argv, '-o', file]);
      expect(err).toBe(
        `error K0102: ${file}: cannot be written to: it is a file. Expected a folder, which may be absent. Choose a folder with -o, such as -o sweep.\n`,
      );
      expect(exit).toBe(1);
    }
    expect(read('afile')).toBe('mine');
  });

  it('refuses networks of integers, and labels that do not fit', async () => {
    const kanele = ['sweep', model('kanele-wine', 'truth_tables.json'), '-o', path('wrong')];
    for (const flags of [[], ['--calib', CALIB]]) {
      const { exit, err } = await kanc([...kanele, ...flags]);
      expect(err).toMatch(
        /^error K0801: .*truth_tables\.json: the checkpoint is a network of integers already: its bits cannot be chosen\. Expected a float network\./m,
      );
      expect(err).not.toContain('--calib');
      expect(exit).toBe(2);
    }
    const labels = putNpy('few.npy', { shape: [3], dtype: 'u1', data: Uint8Array.from([1, 2, 3]) });
    expect((await sweep('wrong', '--labels', labels)).err).toMatch(/K0702.*3 labels/);
    expect(list('wrong')).toEqual([]);
  });
});

describe('the page', () => {
  it('escapes names out of files', async () => {
    mkdirSync(path('hostile'));
    const [first = '', second = ''] = read('whole', 'points-1-of-1.jsonl').split('\n');
    const header = rightOf(parseRecords(`${first}\n`, 'whole')).header!;
    const [point] = rightOf(parseRecords(`${first}\n${second}\n`, 'whole')).points;
    const hostile = '<img src=x onerror=alert(1)>';
    const configuration = { ...point!.configuration, layers: { [hostile]: { act: 2 } } };
    const named = { ...point!, name: nameOf(configuration), configuration };
    const lines = [headerOf({ ...header.identity, layers: [hostile] }, [named]), named].map(lineOf);
    put('hostile/points-1-of-1.jsonl', lines.join(''));
    expect((await kanc(['sweep', 'merge', path('hostile'), '-o', path('hostile')])).exit).toBe(0);
    const html = readFileSync(path('hostile', 'sweep.html'), 'utf8');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(html).not.toContain('<img');
  });
});
