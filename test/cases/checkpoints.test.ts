/** Checkpoints as training scripts and libraries leave them, through the command line. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { model, WINE, workplace } from '../cli/support.js';
import { rightOf } from '../support/checked.js';

const { kanc, path, put, read } = workplace();
const file = (name: string): string => fileURLToPath(new URL(`checkpoints/${name}`, import.meta.url));
const INPUTS = file('x.npy');

let runs = 0;
/** What `kanc run` writes for a checkpoint. */
const outputs = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
  const to = path(`y${runs++}.npy`);
  const { exit, err } = await kanc(['run', ...args, '--output', to]);
  expect(exit, err).toBe(0);
  return [...rightOf(readNpy(readFileSync(to))).data];
};

const described = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { exit, out, err } = await kanc(['import', '--describe', ...args]);
  expect(exit, err).toBe(0);
  return out;
};

describe('safetensors of save_model', () => {
  it('have the tensors that two layers share: as many layers as the state dict', async () => {
    const tied = await described(file('tied.safetensors'));
    expect(tied).toContain('layer1: kan 3 -> 3');
    expect(tied).toBe(
      (await described(file('tied.pt')))
        .replace('torch-legacy', 'safetensors')
        .replace('torch-zip', 'safetensors'),
    );
  });
});

describe('several dicts of tensors', () => {
  it('{model, ema}: model is taken and ema told; a prefix chooses either', async () => {
    expect(await described(file('mema.pt'))).toMatch(
      /tensors in model and in ema: the network is model \(otherwise: --prefix ema\)/,
    );
    const usual = await outputs(file('mema.pt'), '--input', INPUTS);
    expect(await outputs(file('mema.pt'), '--prefix', 'model', '--input', INPUTS)).toEqual(usual);
    const averaged = await outputs(file('mema.pt'), '--prefix', 'ema', '--input', INPUTS);
    expect(averaged).toHaveLength(usual.length);
    expect(averaged).not.toEqual(usual);
    expect(await described(file('mema.pt'), '--prefix', 'ema')).not.toContain('the network is');
  });

  it('{encoder, decoder}: refused with what to do, and each can be chosen', async () => {
    const { exit, err } = await kanc(['run', file('two.pt'), '--input', INPUTS, '--output', path('no.npy')]);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0208.*encoder \(8 tensors\), decoder \(8 tensors\).*--prefix encoder/);
    const one = await outputs(file('two.pt'), '--prefix', 'encoder', '--input', INPUTS);
    expect(await outputs(file('two.pt'), '--prefix', 'decoder', '--input', INPUTS)).not.toEqual(one);
  });

  it('an architecture file names layers of both by whole names', async () => {
    const layer = (prefix: string) => ({ type: 'efficient-kan', prefix });
    const arch = { input: [4], layers: [layer('encoder.layers.0'), layer('decoder.layers.1')] };
    const told = await kanc([
      'import',
      '--describe',
      file('two.pt'),
      '--arch',
      put('arch.json', JSON.stringify(arch)),
    ]);
    expect(told.err).toMatch(/K0207.*encoder\.layers\.1\.base_weight/);
    const out = await described(file('two.pt'), '--arch', path('arch.json'), '--ignore-tensors');
    expect(out).toMatch(/f32\[n, 4\] -> f32\[n, 2\]/);
    // They do not fit each other, so that no draft can be right, but it is told by these names too.
    const draft = await kanc(['import', '--draft-arch', file('two.pt')]);
    expect(draft.err).toMatch(/K0213.*'decoder\.layers\.0'.*'encoder\.layers\.1'/);
  });

  it('{state: {model}} is found', async () => {
    expect(await outputs(file('nest.pt'), '--input', INPUTS)).toHaveLength(100);
  });
});

describe('a checkpoint in several files', () => {
  const bytes = readFileSync(WINE);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header: Readonly<Record<string, { data_offsets: readonly [number, number] }>> = JSON.parse(
    bytes.toString('utf8', 8, headerEnd),
  );
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const shardName = (k: number): string => `model-0000${k + 1}-of-00002.safetensors`;
  /** A safetensors file of some of the tensors. */
  const shardOf = (some: ReadonlyArray<string>): Uint8Array => {
    let at = 0;
    const parts: Buffer[] = [];
    const entries = some.map((name) => {
      const entry = header[name]!;
      const part = bytes.subarray(headerEnd + entry.data_offsets[0], headerEnd + entry.data_offsets[1]);
      parts.push(part);
      at += part.length;
      return [name, { ...entry, data_offsets: [at - part.length, at] }];
    });
    const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, ...parts]);
  };
  const write = (folder: string, ...which: ReadonlyArray<number>): string => {
    mkdirSync(path(folder), { recursive: true });
    const half = Math.ceil(names.length / 2);
    const shards = [names.slice(0, half), names.slice(half)];
    for (const k of which) put(join(folder, shardName(k)), shardOf(shards[k]!));
    const weight_map = Object.fromEntries(shards.flatMap((some, k) => some.map((n) => [n, shardName(k)])));
    put(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
    return path(folder);
  };

  it('is read from its folder, its index and any shard', async () => {
    const folder = write('whole', 0, 1);
    const golden = model('efficient-kan-wine', 'golden_inputs.npy');
    const expected = await outputs(WINE, '--input', golden);
    for (const what of [folder, join(folder, 'model.safetensors.index.json'), join(folder, shardName(1))]) {
      expect(await outputs(what, '--input', golden)).toEqual(expected);
    }
    const { exit } = await kanc(['compile', folder, '-o', path('compiled')]);
    expect(exit).toBe(0);
    expect(read('compiled', 'manifest.json')).toContain('wasm');
  });

  it('K0115, K0101: a shard is missing, or the index is', async () => {
    const folder = write('half', 0);
    const { exit, err } = await kanc(['import', '--describe', join(folder, shardName(0))]);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0115.*model-00002-of-00002\.safetensors is not beside the index/);
    const alone = await kanc(['import', '--describe', put(shardName(0), shardOf(names))]);
    expect(alone.exit).toBe(1);
    expect(alone.err).toMatch(/K0101.*belongs to model\.safetensors\.index\.json/);
  });
});

describe('what is no checkpoint', () => {
  it('K0104: folders of other libraries, by what they are', async () => {
    for (const [name, files, what] of [
      ['dcp', ['.metadata', '__0_0.distcp'], /torch\.distributed\.checkpoint.*dcp_to_torch_save/],
      ['saved', ['saved_model.pb'], /TensorFlow SavedModel/],
      ['orbax', ['_METADATA', 'manifest.ocdbt'], /orbax/],
    ] as const) {
      mkdirSync(path(name));
      for (const f of files) put(join(name, f), 'x');
      const { exit, err } = await kanc(['run', path(name), '--input', INPUTS, '--output', path('no.npy')]);
      expect(exit).toBe(1);
      expect(err).toMatch(what);
      expect(err).toContain('K0104');
    }
  });

  it('K0104: JSON of other tools', async () => {
    const { err } = await kanc(['import', '--describe', put('tokenizer.json', '{"version": "1.0"}')]);
    expect(err).toMatch(/K0104.*text file of JSON/);
  });
});

describe('a key that stands twice', () => {
  it('in the tables of KANELE, an architecture file and a manifest', async () => {
    const twice = (text: string, key: string, value: string): string =>
      text.replace(/^\s*\{/, `{"${key}": ${value}, `);
    const kanele = (name: string): string => readFileSync(model('kanele-drybean', name), 'utf8');
    mkdirSync(path('kanele'));
    put('kanele/config.json', kanele('config.json'));
    const tables = kanele('truth_tables.json');
    const [, key = ''] = /"(\d+_\d+_\d+)"/.exec(tables) ?? [];
    put('kanele/truth_tables.json', twice(tables, key, '{"values_int": {}}'));
    const refused = await kanc(['import', '--describe', path('kanele')]);
    expect(refused.exit).toBe(1);
    expect(refused.err).toContain(`the key "${key}" stands twice in one object`);

    const arch = put('twice.json', '{"input": [4], "input": [5], "layers": []}');
    const described = await kanc(['import', '--describe', file('nest.pt'), '--arch', arch]);
    expect(described.err).toMatch(/K0209.*"input" stands twice/);

    expect((await kanc(['compile', file('nest.pt'), '-o', path('twice')])).exit).toBe(0);
    put('twice/manifest.json', twice(read('twice', 'manifest.json'), 'target', '"wasm"'));
    const artifact = await kanc(['run', path('twice'), '--input', INPUTS, '--output', path('no.npy')]);
    expect(artifact.err).toMatch(/K0603.*"target" stands twice/);
  });
});
