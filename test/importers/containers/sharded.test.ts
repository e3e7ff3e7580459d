/** Checkpoints in several files, and tensors that the metadata tell. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/importers/containers/index.js';
import { select } from '../../../src/importers/containers/select.js';
import { companions, importSource, mainFile, mainFiles, sourceOf } from '../../../src/importers/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { floats, orderedDict, torchZip, vector } from '../../support/pickle-writer.js';
import { f32 } from '../arch/support.js';
import { safetensorsOf } from '../families/pykan-support.js';

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const ONE = 'model-00001-of-00002.safetensors';
const TWO = 'model-00002-of-00002.safetensors';
const shards = {
  [ONE]: safetensorsOf({ 'module.a.w': f32([2], [1, 2]) }),
  [TWO]: safetensorsOf({ 'module.b.w': f32([1], [3]), 'module.b.v': f32([1], [4]) }),
};
const MAP = { 'module.b.w': TWO, 'module.a.w': ONE, 'module.b.v': TWO };
const index = (weight_map: unknown): Uint8Array => utf8({ metadata: { total_size: 16 }, weight_map });
const open = (bytes: Uint8Array, beside: Readonly<Record<string, Uint8Array>> = shards) =>
  openCheckpoint(bytes, 'model.safetensors.index.json', new Map(Object.entries(beside)));

describe('an index', () => {
  it('gives the tensors of all shards, in its order, under plain names', () => {
    const { file } = rightOf(select(rightOf(open(index(MAP))), undefined));
    expect([...file.tensors].map(([name, { data }]) => [name, ...data])).toEqual([
      ['b.w', 3],
      ['a.w', 1, 2],
      ['b.v', 4],
    ]);
    const under = rightOf(select(rightOf(open(index(MAP))), 'b'));
    expect([...under.file.tensors.keys()]).toEqual(['w', 'v']);
  });

  it('may be of torch files, and have any name', () => {
    const bin = torchZip(orderedDict({ w: vector('0', 2) }), { '0': floats([5, 6]) });
    const opened = openCheckpoint(index({ w: 'a.bin' }), 'x.json', new Map([['a.bin', bin]]));
    const { file } = rightOf(select(rightOf(opened), undefined));
    expect(file.tensors.get('w')?.data).toEqual(Float32Array.of(5, 6));
    expect(file.container).toBe('torch-zip');
  });

  it.each([
    ['a shard is missing', index(MAP), { [ONE]: shards[ONE] }, `K0115.*${TWO} is not beside`],
    [
      'a tensor is in another shard',
      index({ ...MAP, 'module.a.w': TWO }),
      shards,
      'K0115.*module.a.w.*where it is not',
    ],
    ['a tensor is in no shard', index({ ...MAP, c: ONE }), shards, 'K0115.*tensor c.*where it is not'],
    [
      'a shard has more',
      index({ 'module.b.w': TWO, 'module.a.w': ONE }),
      shards,
      'K0115.*module.b.v.*does not say so',
    ],
    ['a path upwards', index({ w: '../secret.safetensors' }), shards, "K0115.*'../secret.safetensors'"],
    ['a path', index({ w: 'a/b.safetensors' }), shards, 'K0115.*names of files in the folder'],
    ['a path of Windows', index({ w: 'a\\b.safetensors' }), shards, 'K0115.*names of files in the folder'],
    ['a hidden file', index({ w: '.ssh' }), shards, 'K0115.*names of files in the folder'],
    ['no texts', index({ w: 1 }), shards, 'K0115.*no weight_map of texts'],
    ['nothing', index({}), shards, 'K0115.*is empty'],
    ['no JSON', new TextEncoder().encode('{"weight_map": {'), shards, 'K0115.*not JSON'],
    [
      'a key twice',
      new TextEncoder().encode(`{"weight_map": {"w": "${ONE}", "w": "${TWO}"}}`),
      shards,
      'K0115.*"w" stands twice',
    ],
    [
      'too many files',
      index(Object.fromEntries(Array.from({ length: 1001 }, (_, k) => [`w${k}`, `${k}.bin`]))),
      shards,
      'K0113.*1001 files',
    ],
    ['a shard that is none', index(MAP), { ...shards, [TWO]: utf8('x') }, `K0104: ${TWO}`],
  ])('is refused: %s', (_, bytes, beside, expected) => {
    expect(messageOf(open(bytes, beside))).toMatch(new RegExp(expected));
  });
});

describe('shards', () => {
  it('belong to their index, which names them', () => {
    expect(mainFile(`a/${ONE}`)).toBe('a/model.safetensors.index.json');
    expect(mainFile('pytorch_model-00002-of-00003.bin')).toBe('pytorch_model.bin.index.json');
    expect(mainFile('model-00001-of-00001.safetensors')).toBe('model-00001-of-00001.safetensors');
    expect(mainFiles([ONE, TWO, 'config.json', 'model.safetensors.index.json'])).toEqual([
      'model.safetensors.index.json',
    ]);
    expect(companions('model.safetensors.index.json', index(MAP))).toEqual([TWO, ONE]);
    expect(companions('x.json', index({ w: '../x' }))).not.toContain('../x');
  });

  it('K0115: are no network by themselves', () => {
    const alone = importSource(sourceOf(shards[ONE] ?? new Uint8Array(0), `x/${ONE}`));
    expect(codeOf(alone)).toBe('K0115');
    expect(messageOf(alone)).toMatch(/one shard.*model\.safetensors\.index\.json/);
  });
});

/** A safetensors file with metadata. */
const withMetadata = (metadata: Readonly<Record<string, string>>): Uint8Array => {
  const header = utf8({ __metadata__: metadata, 'a.w': { dtype: 'F32', shape: [1], data_offsets: [0, 4] } });
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 8);
  bytes.set(floats([7]), 8 + header.length);
  return bytes;
};

describe('tensors that layers share', () => {
  const read = (metadata: Readonly<Record<string, string>>) =>
    openCheckpoint(withMetadata(metadata), 'm.safetensors');
  const names = (metadata: Readonly<Record<string, string>>) =>
    rightOf(read(metadata)).parts.flatMap((part) => part.names);

  it('are told in the metadata: the name and the one that was kept', () => {
    const { file } = rightOf(select(rightOf(read({ format: 'pt', 'b.w': 'a.w' })), undefined));
    expect([...file.tensors.keys()]).toEqual(['a.w', 'b.w']);
    expect(file.tensors.get('b.w')).toBe(file.tensors.get('a.w'));
  });

  it('are not confused with other metadata', () => {
    expect(names({ format: 'pt', 'modelspec.title': 'v1.5 of it', version: '1.0', note: 'b.w' })).toEqual([
      'a.w',
    ]);
    expect(names({ 'a.w': 'a.w' })).toEqual(['a.w']);
  });

  it('K0105: of one that is not there', () => {
    expect(messageOf(read({ 'b.w': 'c.w' }))).toMatch(
      /K0105.*tensor b\.w.*same as c\.w, which is not in the file/,
    );
    expect(codeOf(read({ 'b.w': 'b.w' }))).toBe('K0105');
    expect(codeOf(read({ 'b.w': 'a.w', 'c.w': 'b.w' }))).toBe('K0105');
  });
});
