/** What the page of `kanc view` is told: steps and what changed in them, edges with their errors, tables. */
import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { dataFromFiles } from '../../src/driver/data.js';
import { loadModel } from '../../src/driver/models.js';
import { nodeCapabilities } from '../../src/driver/node/index.js';
import { viewHistory } from '../../src/driver/view.js';
import { toValueName } from '../../src/ir/graph.js';
import { BUILTIN_PASSES } from '../../src/passes/registry.js';
import { edgeScores } from '../../src/view/edge-scores.js';
import { type EdgeSource, tableFormOf } from '../../src/view/edge-source.js';
import type { Packed, ViewModel } from '../../src/view/model.js';
import { scoreCode, scoreMap, topOf } from '../../src/view/score-codes.js';
import { viewModel } from '../../src/view/view-model.js';
import { data, model as modelFile, WINE } from '../cli/support.js';
import { rightOf } from '../support/checked.js';

const world = nodeCapabilities();

const modelOf = async (path: string, options: object): Promise<ViewModel> => {
  const model = rightOf(await loadModel(world)(path, {})());
  const history = viewHistory({ version: 'test', passes: BUILTIN_PASSES, data: dataFromFiles(world) });
  return viewModel(rightOf(await history({ model, options, verifyEach: true })()));
};

const floats = ({ base64 }: Packed): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);

/** Times are the only thing that may differ between two runs. */
const timeless = (model: ViewModel): string =>
  JSON.stringify(model, (key, value: unknown) => (key === 'milliseconds' ? undefined : value));

describe('the model of a small network', () => {
  const calib = data('wine', 'calib_inputs.npy');
  let view: ViewModel;
  beforeAll(async () => {
    view = await modelOf(WINE, { calib });
  });

  it('has a step for every pass, and graphs only where they are others', () => {
    expect(view.steps.map(({ name }) => name)).toEqual([
      'import',
      'calibrate',
      'quantize',
      'tabulate',
      'fold',
      'prune',
      'dedupe',
      'narrow',
      'dce',
    ]);
    for (const [k, step] of view.steps.entries()) {
      expect(step.graph === k).toBe(step.changed);
      expect(step.nodes === undefined).toBe(!step.changed);
      expect(step.text?.startsWith('kir 1') ?? false).toBe(step.changed);
    }
    expect(view.steps.some(({ changed }) => !changed)).toBe(true);
  });

  it('tells no paths', () => {
    expect(view.pipeline).toContain('calibrate{data=calib_inputs.npy}');
    expect(JSON.stringify(view)).not.toContain(process.cwd());
  });

  it('counts what a pass adds, removes and changes', () => {
    const tabulate = view.steps[3];
    expect(tabulate?.counts).toEqual({ same: 6, changed: 2, added: 2, removed: 0 });
    const changed = tabulate?.nodes
      ?.filter(({ change }) => change === 'changed')
      .map(({ name, op }) => `${name} ${op}`);
    expect(changed).toEqual(['layer0 dequantize', 'layer1 dequantize']);
    const dce = view.steps.at(-1);
    expect(dce?.counts.removed).toBeGreaterThan(0);
    expect(dce?.nodes?.filter(({ change }) => change === 'removed')).toHaveLength(dce?.counts.removed ?? 0);
  });

  it('measures how far every graph is from the float network', () => {
    const divergences = view.steps.map(({ quality }) => quality?.divergence);
    expect(divergences.slice(0, 2)).toEqual([0, 0]);
    expect(divergences[2]).toBeGreaterThan(0);
    expect(divergences.at(-1)).toBeGreaterThan(divergences[2] ?? 1);
    expect(divergences.at(-1)).toBeLessThan(0.02);
    expect(view.measured).toEqual({ samples: 106, labels: false, unit: 'classes' });
  });

  it('has functions and tables of edges that are close', () => {
    const [first] = view.layers;
    expect(first).toMatchObject({ name: 'layer0', inputs: 13, source: 'functions', form: 'edge' });
    const outputs = first?.outputs ?? 0;
    expect(first?.details).toHaveLength(13 * outputs);
    for (const { edge, curve, table, error, importance } of first?.details ?? []) {
      const channel = first?.channels[Math.floor(edge / outputs)];
      const step = first?.steps[channel?.steps ?? -1];
      if (curve === undefined || table === undefined || step?._tag !== 'equal')
        throw new Error('not in full');
      expect(floats(table)).toHaveLength(step.count);
      // The mean distance at the ends of the range is of the size of the error that is told.
      const [f, t] = [floats(curve), floats(table)];
      expect(Math.abs((f[0] ?? 0) - (t[0] ?? 0))).toBeLessThan(0.05 + 20 * error);
      expect(error).toBeLessThanOrEqual(importance + 1e-6);
    }
  });

  it('is the same when it is made again, but for times', async () => {
    expect(timeless(await modelOf(WINE, { calib }))).toBe(timeless(view));
  });
});

describe('other models', () => {
  it.each(['edge', 'basis'] as const)('have their errors in %s tables', async (form) => {
    const { layers } = await modelOf(modelFile('efficient-kan-digits'), {
      calib: data('digits', 'calib_inputs.npy'),
      form,
      quant: { act: 5, table: 6, coef: 6 },
    });
    for (const layer of layers) {
      expect(layer.form).toBe(form);
      expect(layer.error.median).toBeGreaterThan(0);
      expect(layer.error.median).toBeLessThan(layer.importance.median);
    }
    // Pixels at the rim are always 0: nothing that their edges do is seen.
    expect(layers[0]?.importance.zeros).toBeGreaterThan(0);
  });

  it('are known as tables only where they came so', async () => {
    const view = await modelOf(modelFile('kanele-wine', ''), {});
    expect(view.layers.every(({ source }) => source === 'tables')).toBe(true);
    expect(
      view.layers[0]?.details.every(({ curve, table }) => curve === undefined && table !== undefined),
    ).toBe(true);
    expect(view.costs.forms.map(({ form }) => form)).toEqual(['compiled']);
  });

  it('of floats alone have functions without tables', async () => {
    const view = await modelOf(WINE, { passes: 'dce' });
    expect(view.layers.map(({ form }) => form)).toEqual(['none', 'none']);
    expect(view.tables).toEqual([]);
  });

  it('over windows have an edge for every tap', async () => {
    const view = await modelOf(modelFile('reskanet18x32p-fashion'), { passes: 'dce' });
    expect(view.layers).toHaveLength(21);
    expect(view.layers[1]?.inputs).toBe(72);
    expect(JSON.stringify(view).length).toBeLessThan(4e6);
  });

  it('that are compiled take no options that shape them', async () => {
    const text = readFileSync(new URL('../ir/fixtures/table.kir', import.meta.url), 'utf8');
    expect(text).toContain('level table');
    const loaded = await loadModel(world)(
      new URL('../ir/fixtures/table.kir', import.meta.url).pathname,
      {},
    )();
    const history = viewHistory({ version: 'test', passes: BUILTIN_PASSES, data: dataFromFiles(world) });
    const result = await history({ model: rightOf(loaded), options: { form: 'edge' }, verifyEach: false })();
    expect(E.isLeft(result) ? result.left[0].code : 'ok').toBe('K0801');
  });
});

describe('scores', () => {
  const source = (table: EdgeSource['table']): EdgeSource => ({
    name: 'l',
    inputs: 1,
    outputs: 2,
    groups: 1,
    channelOf: () => 0,
    channels: [
      {
        observed: true,
        values: [0, 1],
        points: [
          { x: 0, code: 0, weight: 3 },
          { x: 1, code: 1, weight: 1 },
        ],
      },
    ],
    form: 'edge',
    value: (_, x, out) => out.set([x, 5]),
    ...(table === undefined ? {} : { table }),
  });

  it('are deviations over what was seen; a constant in the bias is no error', () => {
    const { error, importance, dead, offset } = edgeScores(
      source((_, code, out) => out.set([2 * code - 7, -1])),
    );
    // x is 0 three times and 1 once: its deviation is sqrt(3) / 4, and that of 2x - x is the same.
    expect(importance[0]).toBeCloseTo(Math.sqrt(3) / 4, 6);
    expect(error[0]).toBeCloseTo(Math.sqrt(3) / 4, 6);
    expect([importance[1], error[1]]).toEqual([0, 0]);
    expect(offset[1]).toBe(6);
    expect([...dead]).toEqual([0, 1]);
  });

  it('are one byte each on a logarithmic scale', () => {
    expect([0, 1e-9, 1e-6, 1e-3, 1].map((v) => scoreCode(v, 1))).toEqual([0, 1, 1, 128, 255]);
    expect(topOf(Float32Array.of(1, 3, 2, 3), 3)).toEqual([1, 3, 2]);
    const map = scoreMap(
      Uint8Array.from({ length: 1024 * 3 }, (_, k) => k % 251),
      1024,
      3,
    );
    expect([map.rows, map.columns]).toEqual([512, 3]);
  });

  it('know no tables but those of layers', () => {
    const type = { element: { kind: 'f32' }, shape: [1] } as const;
    expect(
      tableFormOf({ name: rightName(), type, op: { kind: 'add', attrs: {} }, operands: [] }),
    ).toBeUndefined();
  });
});

const rightName = () => {
  const name = toValueName('x');
  if (name === undefined) throw new Error('x is a name');
  return name;
};
