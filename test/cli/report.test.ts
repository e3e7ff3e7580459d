import { readFileSync } from 'node:fs';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { FORMS } from '../../src/analyses/cost-report.js';
import { barChart, escapeHtml } from '../../src/cli/costs/html.js';
import { showCount, showRatio } from '../../src/cli/costs/text.js';
import { builder, constant, F32, printGraph } from '../../src/ir/index.js';
import { floatType } from '../../src/ir/types.js';
import { rightOf } from '../support/checked.js';
import { data, model, WINE, workplace } from './support.js';

const { kanc, path, put, read } = workplace();

const Work = t.type({ macs: t.number, adds: t.number, bitOps: t.number, reads: t.number, bytes: t.number });
const Costs = t.partial(Object.fromEntries(FORMS.map((form) => [form, Work])));
const OrNull = <C extends t.Mixed>(codec: C) => t.union([codec, t.null]);
const Report = t.type({
  kind: t.keyof({ artifact: null, checkpoint: null, graph: null }),
  name: t.string,
  forms: t.array(t.string),
  layers: t.array(
    t.type({
      name: t.string,
      inputs: t.number,
      outputs: t.number,
      positions: t.number,
      parameters: OrNull(t.number),
      bits: OrNull(t.type({ act: t.number, coef: t.number, basis: t.number, table: t.number })),
      op: OrNull(t.string),
      costs: Costs,
    }),
  ),
  rest: t.type({ parameters: OrNull(t.number), costs: Costs }),
  total: t.type({ parameters: OrNull(t.number), costs: Costs }),
  ratios: t.type({ of: t.string, bitOps: t.record(t.string, t.number) }),
  ops: t.array(t.intersection([t.type({ name: t.string, op: t.string }), Work])),
  artifact: OrNull(
    t.type({
      target: t.string,
      kanc: t.string,
      pipeline: OrNull(t.string),
      outOfRange: OrNull(t.string),
      nan: OrNull(t.string),
      divergence: OrNull(t.type({ samples: t.number, relativeRms: t.number })),
      files: t.record(t.string, t.number),
    }),
  ),
});

const json = async (...argv: ReadonlyArray<string>): Promise<t.TypeOf<typeof Report>> => {
  const { exit, out, err } = await kanc(['report', ...argv, '--json']);
  expect(err).toBe('');
  expect(exit).toBe(0);
  expect(out.trimEnd()).not.toContain('\n');
  const parsed: unknown = JSON.parse(out);
  if (!Report.is(parsed)) throw new Error(`not of the documented form: ${out.slice(0, 500)}`);
  return parsed;
};

const compiled = async (name: string, ...flags: ReadonlyArray<string>): Promise<string> => {
  const calib = data('wine', 'calib_inputs.npy');
  const { exit, err } = await kanc(['compile', WINE, '-o', path(name), '--calib', calib, ...flags]);
  expect(err).not.toMatch(/^error/);
  expect(exit).toBe(0);
  return path(name);
};

describe('the report of an artifact', () => {
  it('compares the program with the network it was made of', async () => {
    const report = await json(await compiled('edge', '--quant', 'act=6,hidden=7,table=5'));
    expect(report.kind).toBe('artifact');
    expect(report.forms).toEqual(FORMS);
    expect(report.layers.map(({ op }) => op)).toEqual(['table.edge', 'table.edge']);
    // `narrow` may store entries in fewer bits than were asked for.
    expect(report.layers.map(({ bits }) => bits?.act)).toEqual([6, 7]);
    expect(report.layers.every(({ bits }) => bits !== null && bits.table <= 5)).toBe(true);
    expect(report.ratios.of).toBe('compiled');
    expect(report.ratios.bitOps['dense32']).toBeGreaterThan(100);
    expect(report.artifact).toMatchObject({ target: 'wasm', outOfRange: 'clamp', nan: 'zero' });
    expect(report.artifact?.divergence?.relativeRms).toBeGreaterThan(0);
    expect(report.artifact?.files['model.wasm']).toBeGreaterThan(0);
    const sum = report.ops.reduce((n, op) => n + op.bitOps, 0);
    expect(report.total.costs['compiled']?.bitOps).toBeCloseTo(sum, 3);
  });

  it('takes bits of the form that was not chosen from the pipeline, or from --quant', async () => {
    const folder = await compiled('basis', '--form', 'basis', '--quant', 'coef=5,basis=3,table=4');
    const report = await json(folder);
    expect(report.layers.map(({ op }) => op)).toEqual(['table.basis', 'table.basis']);
    expect(report.layers[0]?.bits).toMatchObject({ coef: 5, basis: 3, table: 4 });
    const other = await json(folder, '--quant', 'act=4,coef=2');
    expect(other.layers[0]?.bits).toEqual({ act: 4, coef: 2, basis: 8, table: 8 });
    expect(other.total.costs['compiled']).toEqual(report.total.costs['compiled']);
  });

  it('says so where the manifest does not tell the network', async () => {
    const folder = await compiled('older');
    const manifest = JSON.parse(read('older', 'manifest.json'));
    delete manifest.extra.layers;
    put('older/manifest.json', JSON.stringify(manifest));
    const { exit, out } = await kanc(['report', folder]);
    expect(exit).toBe(0);
    expect(out).toContain('The sizes of the network as it was trained are not known');
    expect((await json(folder)).forms).toEqual(['compiled']);
  });

  it('is a table and ratios as text', async () => {
    const { exit, out } = await kanc(['report', await compiled('text')]);
    expect(exit).toBe(0);
    expect(out).toMatch(/^layer +size +parameters +W\/A\/B\/T +dense32 +sparse32/m);
    expect(out).toMatch(/^total /m);
    expect(out).toMatch(/compiled graph: \d+x fewer BitOps than 32-bit recursion, dense/);
    expect(out).toMatch(/divergence from the float network: [\d.]+ % \(RMS\)/);
    expect(out).not.toContain('NaN:  ');
    expect(out).not.toMatch(/undefined|Infinity/);
  });
});

describe('the report of other models', () => {
  it('tells of a checkpoint what it would cost', async () => {
    const report = await json(WINE, '--quant', 'act=6,coef=4,basis=3');
    expect(report).toMatchObject({ kind: 'checkpoint', artifact: null, ops: [], ratios: { of: 'edge' } });
    expect(report.layers[0]?.bits).toEqual({ act: 6, coef: 4, basis: 3, table: 8 });
    const eight = await json(WINE);
    const basis = (r: typeof report): number => r.total.costs['basis']?.bitOps ?? 0;
    expect(basis(report)).toBeLessThan(basis(eight));
    expect(report.total.costs['dense32']).toEqual(eight.total.costs['dense32']);
  });

  it('tells of a ResKANet that edge tables need less than a hundredth of the dense recursion', async () => {
    const report = await json(model('reskanet18x32p-fashion'));
    expect(report.layers).toHaveLength(21);
    expect(report.ratios.bitOps['dense32']).toBeGreaterThan(100);
  });

  it('tells of a network of integers what its tables cost', async () => {
    const report = await json(model('kanele-wine', ''));
    expect(report.forms).toEqual(['compiled']);
    expect(report.layers.length).toBeGreaterThan(0);
    expect(report.total.parameters).toBeNull();
  });

  it('tells the same of the model.kir of an artifact as of its compiled graph', async () => {
    const folder = await compiled('kir');
    const [artifact, graph] = [await json(folder), await json(path('kir', 'model.kir'))];
    expect(graph.kind).toBe('graph');
    expect(graph.total.costs['compiled']).toEqual(artifact.total.costs['compiled']);
  });

  it.each(['calibrate', 'calibrate,quantize{act=5,table=6}'])('reads graphs after %s', async (passes) => {
    const start = path('start.kir');
    put('start.kir', (await kanc(['print', WINE])).out);
    const out = path('next.kir');
    expect((await kanc(['opt', start, '--passes', passes, '-o', out])).exit).toBe(0);
    const report = await json(out);
    expect(report.forms).toContain('dense32');
    expect(report.layers).toHaveLength(2);
  });
});

describe('the page', () => {
  it('shows hostile names as text and needs nothing from elsewhere', async () => {
    const b = builder('</title><script>alert("1")</script>&\'', 'float');
    const x = b.input('x', floatType([1]));
    const weights = constant(F32, [1, 1, 1], new Float32Array([1]));
    const branches = [{ basis: { _tag: 'base', activation: 'silu' } as const, weights }];
    const graph = rightOf(b.build([b.add('y', { kind: 'kan', attrs: { branches } }, [x])]));
    const file = put('hostile.kir', printGraph(graph));
    const { exit, out } = await kanc(['report', file, '--html', path('page.html')]);
    expect(exit).toBe(0);
    expect(out).not.toBe('');
    const page = readFileSync(path('page.html'), 'utf8');
    expect(page).toContain('&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
    expect(page).not.toMatch(/<script|<link|<img|https?:|url\(|@import|<iframe| on\w+=/i);
    expect(page).toContain('<svg');
    expect(page.match(/<rect/g)).toHaveLength(6);
  });

  it('escapes all that could end text or an attribute, and control characters', () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
    expect(escapeHtml('\u0000\u001b[31m\u202e')).toBe('\ufffd\ufffd[31m\ufffd');
  });

  it('has no chart of nothing', () => {
    const nothing = { layers: [], ops: [], rest: { costs: {} }, ratios: { of: 'edge', bitOps: {} } } as const;
    expect(barChart({ name: '', forms: [], total: { costs: {} }, ...nothing })).toBe('');
  });
});

describe('wrong input', () => {
  it.each([
    [['report'], 2, /missing required argument/],
    [['report', WINE, '--quant', 'act=99'], 2, /option --quant: 'act=99' is not possible/],
    [['report', WINE, '--quant', 'weights=3'], 2, /nothing named 'weights'/],
    [
      ['report', model('kanele-wine', ''), '--quant', 'act=4'],
      2,
      /only the tables of this network are known/,
    ],
    [['report', path('absent')], 1, /K0101/],
    [['report', data('wine', 'calib_inputs.npy')], 1, /error K0/],
    [['report', WINE, '--html', ''], 2, /name of the file to write is empty/],
  ] as const)('%j', async (argv, code, message) => {
    const { exit, out, err } = await kanc(argv);
    expect(err).toMatch(message);
    expect(exit).toBe(code);
    expect(out).toBe('');
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe('numbers', () => {
  it('have three digits and a unit', () => {
    expect([0, 999, 1000, 12345, 999_499, 999_500, 1.5e9, 4e18].map(showCount)).toEqual([
      '0',
      '999',
      '1.00 k',
      '12.3 k',
      '999 k',
      '1.00 M',
      '1.50 G',
      '4.00e+3 P',
    ]);
    expect([280.4, 17.66, 1, 0.5].map(showRatio)).toEqual([
      '280x fewer',
      '17.7x fewer',
      '1.00x fewer',
      '2.00x more',
    ]);
  });
});
