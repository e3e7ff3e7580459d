/** Telling families apart, what is told about a checkpoint, and which files belong together. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/importers/containers/index.js';
import {
  companions,
  describe as describeModel,
  FAMILIES,
  importSource,
  importTensors,
  mainFile,
  mainFiles,
  showDescription,
  sourceOf,
} from '../../src/importers/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { f32, fileOf } from './arch/support.js';
import { safetensorsOf } from './families/pykan-support.js';

const MODELS = new URL('../../examples/models/', import.meta.url);
const read = (path: string): Uint8Array => readFileSync(new URL(path, MODELS));

describe('families', () => {
  const shipped = [
    ['efficient-kan', 'efficient-kan-wine/model.safetensors'],
    ['efficient-kan', 'efficient-kan-digits-adaptive-grid/model.pt'],
    ['fast-kan', 'fast-kan-fashion/model.safetensors'],
    ['pykan', 'pykan-mult/model_state'],
  ] as const;

  it.each(shipped)('%s is the one family that recognises %s', (family, path) => {
    const file = rightOf(readCheckpoint(read(path), path));
    expect(FAMILIES.filter((f) => f.recognises(file)).map((f) => f.name)).toEqual([family]);
  });

  it('are recognised by part of their tensors, so that a missing one is told by its name', () => {
    for (const [missing, rest] of [
      ['layers.0.rbf.grid', { 'layers.0.spline_linear.weight': f32([1, 2], [1, 1]) }],
      ['layers.0.spline_linear.weight', { 'layers.0.rbf.grid': f32([2], [0, 1]) }],
      ['act_fun.0.coef', { 'act_fun.0.grid': f32([1, 4], [0, 1, 2, 3]) }],
    ] as const) {
      const result = importTensors(fileOf(rest));
      expect(codeOf(result)).toBe('K0202');
      expect(messageOf(result)).toContain(missing);
    }
  });

  it('that are not known: the message has what was found and every family that there is', () => {
    const message = messageOf(importTensors(fileOf({ 'fc.weight': f32([1], [0]) })));
    expect(message).toContain('fc.weight [1]');
    for (const name of ['efficient-kan', 'fast-kan', 'pykan', 'cheby-kan', 'kanele'])
      expect(message).toContain(name);
    expect(messageOf(importTensors(fileOf({}), { family: 'mlp' }))).toMatch(/'mlp'.*fast-kan.*kanele/);
  });

  it('of JSON are not confused with safetensors, and other JSON is refused as such', () => {
    // A header of 123 bytes begins with a brace, too.
    const header = JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }).padEnd(123);
    const bytes = new Uint8Array(8 + 123 + 4);
    bytes[0] = 123;
    bytes.set(new TextEncoder().encode(header), 8);
    expect(codeOf(importSource(sourceOf(bytes, 'x')))).toBe('K0201');
    const other = importSource(
      sourceOf(new TextEncoder().encode('{"architectures": ["Bert"]}'), 'config.json'),
    );
    expect(codeOf(other)).toBe('K0101');
    expect(codeOf(importSource(sourceOf(new TextEncoder().encode('x'), 'x'), { family: 'kanele' }))).toBe(
      'K0101',
    );
  });
});

describe('descriptions', () => {
  const describing = (path: string, options = {}) =>
    describeModel(rightOf(importSource(sourceOf(read(path), path), options)));

  it('tell layers, grids, knots and parameters', () => {
    const d = describing('efficient-kan-wine/model.safetensors');
    const stored = [
      ...rightOf(readCheckpoint(read('efficient-kan-wine/model.safetensors'), 'x')).tensors.values(),
    ];
    expect(d).toMatchObject({ family: 'efficient-kan', format: 'safetensors', level: 'float' });
    expect(d.parameters).toBe(stored.reduce((n, t) => n + t.data.length, 0));
    const layer = d.ops[0]!;
    expect(layer).toMatchObject({ op: 'kan', inputShape: [13], bias: false });
    expect(layer.branches![0]).toMatchObject({
      basis: 'bspline',
      order: 3,
      intervals: 5,
      functions: 8,
      knots: 'uniform',
      rows: 1,
    });
    const [lo, hi] = layer.branches![0]!.basis === 'bspline' ? layer.branches![0]!.range : [0, 0];
    expect(Math.abs(lo + 1) < 1e-5 || lo < -1).toBe(true);
    expect(hi).toBeGreaterThan(lo);
    expect(JSON.parse(JSON.stringify(d))).toEqual(d);
    const adaptive = describing('efficient-kan-digits-adaptive-grid/model.pt').ops[0]!.branches![0]!;
    expect(adaptive).toMatchObject({ knots: 'not uniform' });
  });

  it('tell what was assumed, unless it was said', () => {
    const options = (d: ReturnType<typeof describing>) => d.assumptions.flatMap((a) => a.option ?? []);
    expect(options(describing('efficient-kan-wine/model.safetensors'))).toEqual(['--base-activation']);
    expect(options(describing('efficient-kan-wine/model.safetensors', { baseActivation: 'silu' }))).toEqual(
      [],
    );
    const text = showDescription(describing('fast-kan-fashion/model.safetensors'));
    expect(text).toContain('family: fast-kan (safetensors)');
    expect(text).toContain('8 Gaussians of width 0.5714 on [-2, 2]');
    expect(text).toContain('459130 numbers stored');
    expect(text).toContain('(otherwise: --base-activation)');
  });

  it('tell of tensors that the family does not have', () => {
    const layer = {
      'layers.0.rbf.grid': f32([2], [0, 1]),
      'layers.0.spline_linear.weight': f32([1, 2], [1, 1]),
      'ema.decay': f32([1], [0.9]),
    };
    const source = sourceOf(safetensorsOf(layer), 'x.safetensors');
    expect(codeOf(importSource(source))).toBe('K0207');
    const told = rightOf(importSource(source, { ignoreExtra: true })).assumptions.map(
      (a) => `${a.what}: ${a.assumed}`,
    );
    expect(told).toContain('tensors that the family does not have: ema.decay: no part of the network');
  });
});

const NOTHING = new Uint8Array(0);

describe('files that belong together', () => {
  it('are found from any of them', () => {
    for (const part of ['a/net_state', 'a/net_config.yml', 'a/net_config.yaml', 'a/net_cache_data']) {
      expect(mainFile(part)).toBe('a/net_state');
    }
    expect(mainFile('a\\net_config.yml')).toBe('a\\net_state');
    expect(mainFile('a/config.json')).toBe('a/truth_tables.json');
    expect(mainFile('a/model.safetensors')).toBe('a/model.safetensors');
    expect(companions('net_state', NOTHING)).toEqual(['net_config.yml', 'net_config.yaml']);
    expect(companions('net.safetensors', NOTHING)).toContain('net_config.yml');
    expect(companions('truth_tables.json', NOTHING)).toEqual(['config.json']);
    expect(mainFiles(['config.json', 'truth_tables.json', 'x_state'])).toEqual(['truth_tables.json']);
    expect(mainFiles(['0.1_state', '0.0_state', 'history.txt'])).toEqual(['0.0_state', '0.1_state']);
    expect(mainFiles(['model.pt'])).toEqual([]);
    expect(mainFile('a/m.onnx.data')).toBe('a/m.onnx');
    expect(mainFile('a/m.onnx_data')).toBe('a/m.onnx');
    expect(mainFiles(['m.onnx', 'm.onnx.data', 'n.onnx'])).toEqual(['m.onnx']);
  });
});
