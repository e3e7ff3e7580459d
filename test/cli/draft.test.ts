/** `kanc import --draft-arch` as it is typed: what it writes, where it tells its guesses, and --check. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseArchitecture } from '../../src/importers/arch/architecture.js';
import { buildArchitecture } from '../../src/importers/arch/build.js';
import { readCheckpoint } from '../../src/importers/containers/index.js';
import { interpret } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';
import { model, safetensors, WINE, workplace } from './support.js';

const place = workplace();
const r = randomOf(5);
const values = (...shape: ReadonlyArray<number>) => ({
  shape,
  data: Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => r.unit() - 0.5),
});

const put = (name: string, tensors: Readonly<Record<string, ReturnType<typeof values>>>): string => {
  const header: Record<string, unknown> = {};
  const data: number[] = [];
  for (const [tensor, one] of Object.entries(tensors)) {
    const from = 4 * data.length;
    data.push(...one.data);
    header[tensor] = { dtype: 'F32', shape: one.shape, data_offsets: [from, 4 * data.length] };
  }
  return place.put(name, safetensors(header, data));
};

const net = put('net.safetensors', {
  'fc1.weight': values(4, 3),
  'fc1.bias': values(4),
  'fc2.weight': values(2, 4),
  'fc2.bias': values(2),
});

const ARCH = `{ "input": [3], "layers": [
  { "type": "linear", "prefix": "fc1" }, { "type": "activation", "function": "relu" },
  { "type": "linear", "prefix": "fc2" } ] }`;

describe('kanc import --draft-arch', () => {
  it('writes the draft to standard output and its guesses to standard error', async () => {
    const { exit, out, err } = await place.kanc(['import', net, '--draft-arch']);
    expect(exit).toBe(0);
    expect(rightOf(parseArchitecture(out, 'draft')).layers).toHaveLength(2);
    expect(err).toMatch('kanc: draft: order of the layers');
    expect(err).toMatch('kanc eval MODEL --arch FILE --data golden_inputs.npy');
  });

  it('takes the shape of samples from --input-shape', async () => {
    const { out } = await place.kanc([
      'import',
      model('reskanet18x32p-fashion'),
      '--draft-arch',
      '--input-shape',
      '1x32x32',
    ]);
    expect(rightOf(parseArchitecture(out, 'draft')).input).toEqual([1, 32, 32]);
  });

  it('writes nothing where no draft can be right, and says what is in the way', async () => {
    const lstm = put('lstm.safetensors', {
      'lstm.weight_ih_l0': values(8, 2),
      'fc1.weight': values(4, 3),
    });
    const { exit, err } = await place.kanc(['import', lstm, '--draft-arch', '-o', place.path('lstm.json')]);
    expect(exit).toBe(1);
    expect(err).toMatch('K0213');
    expect(err).toMatch('lstm.weight_ih_l0 [8, 2]: a recurrent layer');
    expect(place.list()).not.toContain('lstm.json');
    const plain = await place.kanc(['import', lstm]);
    expect(plain.err).toMatch('K0201');
    expect(plain.err).not.toMatch('--draft-arch');
    expect((await place.kanc(['import', net])).err).toMatch('--draft-arch');
  });
});

describe('--check', () => {
  it('writes the network that computes the outputs, which eval confirms', async () => {
    const file = rightOf(readCheckpoint(new Uint8Array(readFileSync(net)), 'net'));
    const { graph } = rightOf(buildArchitecture(rightOf(parseArchitecture(ARCH, 'arch')), file, {}));
    const type = graph.inputs[0]!.type;
    const x = Float32Array.from({ length: 18 }, () => 4 * r.unit() - 2);
    const [y] = rightOf(interpret(graph, [{ type, batch: 6, data: x }]));
    const inputs = place.putNpy('x.npy', { shape: [6, 3], dtype: 'f4', data: x });
    const outputs = place.putNpy('y.npy', { shape: [6, 2], dtype: 'f4', data: Float32Array.from(y!.data) });
    const arch = place.path('arch.json');
    const done = await place.kanc(['import', net, '--draft-arch', '--check', inputs, outputs, '-o', arch]);
    expect(done.exit).toBe(0);
    expect(done.err).toMatch(/checked: largest difference .*on 6 samples/);
    expect(place.read('arch.json')).toMatch('"relu"');
    const same = await place.kanc(['eval', net, '--arch', arch, '--data', inputs, '--labels', outputs]);
    expect(same.out).toMatch(/^RMSE (?:0\.000|0 |[\d.]+e-)/);

    const wrong = place.putNpy('wrong.npy', {
      shape: [6, 2],
      dtype: 'f4',
      data: Float32Array.from(y!.data, (v) => v * v),
    });
    const other = await place.kanc([
      'import',
      net,
      '--draft-arch',
      '--check',
      inputs,
      wrong,
      '-o',
      place.path('other.json'),
    ]);
    expect(other.exit).toBe(1);
    expect(other.err).toMatch(/K0213.*the nearest is another function: largest difference/s);
    expect(place.list()).not.toContain('other.json');
  });

  it('takes two files, and drafts only', async () => {
    expect((await place.kanc(['import', net, '--draft-arch', '--check', WINE])).exit).toBe(2);
    expect((await place.kanc(['import', net, '--check', WINE, WINE])).exit).toBe(2);
  });
});
