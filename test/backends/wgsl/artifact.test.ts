/** What an artifact is beside its integers: files, limits, errors, the loader's manners, the float baseline. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { baselinePlan } from '../../../src/backends/wgsl/baseline/index.js';
import { wgsl } from '../../../src/backends/wgsl/index.js';
import { constant } from '../../../src/ir/constant.js';
import { F32, uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { builder, interpret } from '../../../src/ir/index.js';
import type { KanAttrs } from '../../../src/ir/ops/kan.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, filled, network, tableBuilder, uniform } from '../wasm/random.js';
import { finish } from '../wasm/support.js';
import { emit, gpuOfFile, manifestIn, skipsGpu, textOf } from './support.js';

const small = (nan: 'zero' | 'refuse' = 'zero'): Graph<'table'> => {
  const r = randomOf(3);
  const b = tableBuilder();
  const x = b.input('x', floatType([5]));
  const quantizer = uniform(16, -2, 0.25);
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan } }, [x]);
  return network(r, b, q, edgeOp(r, 5, 16, 7, 8), 32);
};

/** Codes of 4 bits as the input. */
const coded = (): Graph<'table'> => {
  const r = randomOf(4);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [6], uniform(16)));
  return finish(b, b.add('sums', edgeOp(r, 6, 16, 3, 8), [x]));
};

describe('files', () => {
  it('are the same on every run, and name neither time nor place', async () => {
    const [first, second] = [rightOf(await emit(small())), rightOf(await emit(small()))];
    expect([...first.files.keys()]).toEqual([
      'model.wgsl',
      'model.bin',
      'index.js',
      'index.d.ts',
      'package.json',
      'manifest.json',
    ]);
    expect(second).toEqual(first);
    const { build, bytes } = manifestIn(first).program;
    expect(textOf(first, 'model.wgsl').split('\n')[1]).toBe(`// build ${build}`);
    expect(bytes.bin).toBe(first.files.get('model.bin')?.length);
    expect(textOf(first, 'index.js')).not.toMatch(/\/home|\/tmp/);
  });

  it('tell what the program is', async () => {
    const artifact = rightOf(await emit(small()));
    const manifest = manifestIn(artifact);
    expect(manifest.target).toBe('wgsl');
    expect(manifest.layers.map(({ op }) => op)).toEqual([
      'quantize',
      'table.edge',
      'requantize',
      'table.edge',
      'dequantize',
    ]);
    expect(manifest.program).toMatchObject({ schedule: 'fused', size: 64 });
    expect(manifest.program.steps).toHaveLength(1);
    expect(textOf(artifact, 'model.wgsl')).toContain('// %sums = table.edge %q: 5 to 7, 4 to a word');
    const layered = manifestIn(rightOf(await emit(small(), { schedule: 'layers' })));
    expect(layered.program.steps).toHaveLength(5);
  });

  it('wait only where something is read that others wrote', async () => {
    const source = textOf(rightOf(await emit(small())), 'model.wgsl');
    const body = source.slice(source.indexOf('fn run_all('));
    expect(body).not.toMatch(/workgroupBarrier\(\);[\s}]*workgroupBarrier\(\);/);
    // After the last kernel nothing is read.
    expect(body.slice(body.lastIndexOf('// %'))).not.toContain('workgroupBarrier');
  });

  it('hold no float arithmetic', async () => {
    const source = textOf(rightOf(await emit(small())), 'model.wgsl');
    expect(source.replace(/\/\/.*/g, '')).not.toMatch(/f32|[0-9]\.[0-9]/);
  });

  it('are one with singleFile', async () => {
    const artifact = rightOf(await emit(small(), { singleFile: true }));
    const source = textOf(artifact, 'index.js');
    expect(source).not.toContain('import.meta.url');
    expect(source).toContain('run_all');
  });

  it('cannot be made to say more than a comment by the name of a network', async () => {
    const graph = { ...small(), name: 'x\n}; fn evil() {}\u2028</script>' };
    const artifact = rightOf(await emit(graph));
    expect(textOf(artifact, 'model.wgsl').split('\n')[0]).toContain('x?}; fn evil()');
    expect(textOf(artifact, 'index.js')).not.toContain('</script>');
  });

  it('refuse options that there are not', async () => {
    const wrong = { schedule: 'fast' };
    expect(E.isLeft(wgsl.options.decode(wrong))).toBe(true);
    const baseline = await emit(small(), { floatBaseline: true });
    expect(E.isLeft(baseline) && baseline.left[0].code).toBe('K0602');
  });
});

describe.skipIf(skipsGpu)('the loader', () => {
  const gpu = gpuOfFile();
  const artifact = async (nan: 'zero' | 'refuse' = 'zero') => rightOf(await emit(small(nan)));

  it('says what is wrong with an input', async () => {
    const body = `
      const model = await open({});
      const said = [];
      for (const input of [new Float64Array(5), new Float32Array(6), new Float32Array(0), Float32Array.of(0, 1, NaN, 2, 3)]) {
        said.push(await model.predict(input).then((y) => 'gave ' + y.length, (error) => error.message));
      }
      said.push(await model.predict(new Float32Array(10), 3).catch((error) => error.message));
      model.destroy();
      return said;`;
    const size = (await gpu().run(await artifact(), new Float32Array(5), ['predict'])).predict?.length;
    expect(await gpu().script(await artifact('refuse'), body)).toEqual([
      'kanc model: the input must be a Float32Array',
      'kanc model: the input has 6 elements, expected a multiple of 5',
      'kanc model: the input has 0 elements, expected a multiple of 5',
      'kanc model: the input has NaN at element 2',
      'kanc model: the input has 10 elements, expected 3 x 5',
    ]);
    const codes = `
      const model = await open({});
      return model.predict(Uint8Array.of(1, 2, 16, 3, 4, 5)).catch((error) => error.message);`;
    expect(await gpu().script(rightOf(await emit(coded())), codes)).toBe(
      'kanc model: element 2 is 16, codes end at 15',
    );
    expect(size).toBeGreaterThan(0);
  });

  it('takes inputs of any length, views of arrays, and calls that overlap', async () => {
    const body = `
      const model = await open({});
      const rows = Array.from({ length: 40 }, (_, n) => Uint8Array.from({ length: 6 }, (_, k) => (7 * n + 3 * k) % 16));
      const alone = [];
      for (const row of rows) alone.push(...(await model.predict(row)));
      const together = (await Promise.all(rows.map((row) => model.predict(row)))).flatMap((y) => [...y]);
      const all = Uint8Array.from(rows.flatMap((row) => [...row]));
      const odd = new Uint8Array(241);
      odd.set(all, 1);
      const views = [...(await model.predict(odd.subarray(1)))];
      const clamped = [...(await model.predict(Uint8ClampedArray.from(all), 40))];
      model.destroy();
      return [together, views, clamped].map((found) => found.length === 120 && found.every((v, k) => v === alone[k]));`;
    expect(await gpu().script(rightOf(await emit(coded())), body)).toEqual([true, true, true]);
  });

  it('takes batches that do not fit a buffer in rounds', async () => {
    // A device with the least limits that can be asked for; values of all samples would need more.
    const r = randomOf(9);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [2000]));
    const map = filled(uint(8), [1, 256], () => r.whole(0, 1));
    const q = b.add('q', { kind: 'recode', attrs: { map, bits: 1, quantizer: uniform(2) } }, [x]);
    const graph = finish(b, b.add('sums', edgeOp(r, 2000, 2, 3, 8), [q]));
    const body = `
      // The device, as if its buffers ended at 1 MiB.
      const limits = Object.assign(Object.create(device.limits), {});
      const small = new Proxy(device, {
        get: (target, key) => {
          if (key === 'limits') {
            return { maxStorageBufferBindingSize: 2 ** 20, maxBufferSize: 2 ** 20, maxComputeWorkgroupsPerDimension: 7 };
          }
          const value = target[key];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const input = Uint8Array.from({ length: 2000 * 300 }, (_, k) => (k * 31) % 251);
      const [whole, parts] = [await open({}), await open({ device: small })];
      const results = [await whole.predict(input), await parts.predict(input)];
      const one = await open({
        device: new Proxy(small, {
          get: (target, key) =>
            key === 'limits' ? { ...target.limits, maxStorageBufferBindingSize: 1024 } : target[key],
        }),
      });
      const refused = await one.predict(input).catch((error) => error.code + ': ' + error.message);
      for (const model of [whole, parts]) model.destroy();
      return [results[0].length, results[0].every((v, k) => v === results[1][k]), refused];`;
    const found = await gpu().script(rightOf(await emit(graph, { schedule: 'layers' })), body);
    expect(found).toEqual([
      900,
      true,
      'limits: kanc model: one sample has 8012 bytes of values, the device binds 1024',
    ]);
  });

  it('tells that there is no WebGPU, no adapter, too little memory, or that the device was lost', async () => {
    const body = `
      const said = async (promise) => promise.then(() => 'worked', (error) => error.code + ': ' + error.message);
      const none = await said(open({ gpu: null, own: true }));
      const empty = await said(open({ gpu: { requestAdapter: async () => null }, own: true }));
      const model = await open({});
      const input = new Float32Array(5);
      const before = await said(model.predict(input));
      const doomed = await (await gpu.requestAdapter()).requestDevice();
      const own = await open({ device: doomed });
      await own.predict(input);
      doomed.destroy();
      const lost = await said(own.predict(input));
      const reason = await own.lost;
      // A device whose memory does not suffice for anything but small buffers.
      const poor = new Proxy(device, {
        get: (target, key) => {
          if (key === 'createBuffer') {
            return (options) => target.createBuffer(options.size > 65536 ? { ...options, size: 2 ** 45 } : options);
          }
          const value = target[key];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const memory = await said((await open({ device: poor })).predict(new Float32Array(5 * 100000)));
      const after = await said(model.predict(input));
      model.destroy();
      return { none, empty, before, lost, reason, memory, after };`;
    const found = await gpu().script(await artifact(), body);
    expect(found).toMatchObject({
      none: expect.stringMatching(/^no-webgpu: kanc model: there is no navigator.gpu here/),
      empty: expect.stringMatching(/^no-adapter: kanc model: WebGPU is there, but no graphics adapter/),
      before: 'worked',
      lost: expect.stringMatching(
        /^device-lost: kanc model: the GPU device was lost \(destroyed.*load the model again$/,
      ),
      reason: expect.stringContaining('destroyed'),
      memory: expect.stringMatching(/^(out-of-memory|failed): /),
      after: 'worked',
    });
  });
});

describe.skipIf(skipsGpu)('the float baseline', () => {
  const gpu = gpuOfFile();

  const floatGraph = (rows: number, order: number): Graph => {
    const r = randomOf(order + 10 * rows);
    const b = builder('float', 'float');
    const x = b.input('x', floatType([rows === 1 ? 9 : rows]));
    const inputs = rows === 1 ? 9 : rows;
    const layer = (from: typeof x, into: number, outputs: number, row: number): KanAttrs => {
      const knots = constant(
        F32,
        [row, 6 + 2 * order],
        Float32Array.from({ length: row * (6 + 2 * order) }, (_, k) => -1.5 + (k % (6 + 2 * order)) * 0.3),
      );
      expect(b.typeOf(from).shape[0]).toBe(into);
      return {
        branches: [
          {
            basis: { _tag: 'bspline', order, knots },
            weights: filled(F32, [into, 5 + order, outputs], () => r.unit() - 0.5),
          },
          {
            basis: { _tag: 'base', activation: 'silu' },
            weights: filled(F32, [into, 1, outputs], () => r.unit() - 0.5),
          },
        ],
        bias: filled(F32, [outputs], () => r.unit()),
      };
    };
    const scaled = b.add('scaled', { kind: 'affine', attrs: { scale: 0.9, shift: 0.05 } }, [x]);
    const hidden = b.add('hidden', { kind: 'kan', attrs: layer(scaled, inputs, 70, rows) }, [scaled]);
    return rightOf(b.build([b.add('y', { kind: 'kan', attrs: layer(hidden, 70, 4, 1) }, [hidden])]));
  };

  it.each([
    [1, 3],
    [1, 0],
    [11, 2],
  ])('%i rows of knots, order %i: gives what the network gives, up to rounding', async (rows, order) => {
    const reference = floatGraph(rows, order);
    const artifact = rightOf(
      await wgsl.emit({ floatBaseline: true }, { version: 'test', reference })(small())(),
    );
    const files = new Map(
      [...artifact.files].map(([name, content]) => [name.replace('baseline.js', 'index.js'), content]),
    );
    const renamed = new Map([
      ...files,
      ['index.js', artifact.files.get('baseline.js')!],
      ['model.wgsl', artifact.files.get('baseline.wgsl')!],
      ['model.bin', artifact.files.get('baseline.bin')!],
    ]);
    const r = randomOf(order);
    const type = reference.inputs[0]!.type;
    const features = type.shape[0]!;
    const data = Float32Array.from({ length: 30 * features }, (_, k) =>
      k === 0 ? Number.NaN : 4 * r.unit() - 2,
    );
    data.set([-1.5, 1.5, 0, 0.3], features);
    const { predict } = await gpu().run({ files: renamed }, data.subarray(features), ['predict']);
    const given = { type, batch: 29, data: data.subarray(features) };
    const [expected] = rightOf(interpret(reference, [given]));
    expect(predict?.length).toBe(29 * 4);
    for (let k = 0; k < 29 * 4; k++) expect(predict![k]).toBeCloseTo(expected!.data[k]!, 2);
    const largest = Math.max(...Array.from(predict!, (y, k) => Math.abs(y - expected!.data[k]!)));
    expect(largest).toBeLessThan(2e-4);
  });

  it('refuses what it does not cover', () => {
    const b = builder('float', 'float');
    const x = b.input('x', floatType([3]));
    const graph = rightOf(
      b.build([
        b.add('y', { kind: 'activate', attrs: { function: { _tag: 'activation', activation: 'silu' } } }, [
          x,
        ]),
      ]),
    );
    expect(baselinePlan(graph)).toMatchObject({ _tag: 'Left', left: [{ code: 'K0602' }] });
  });
});
