/**
 * Checkpoints in several files, as transformers and accelerate write them: `model.safetensors.index.json` says in which
 * of the shards beside it each tensor lies. The index is the checkpoint; a shard alone is a part of the network.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { at, type Checked, fail, printable } from '../../diagnostics/index.js';
import { parseJson } from '../../ir/strict-json.js';
import { decodeUtf8 } from './bytes.js';
import { type Checkpoint, type Part, type Wanted, within } from './checkpoint.js';
import type { FileTensor } from './tensor.js';

/** As the header of a safetensors file. */
const MAX_INDEX_BYTES = 16 * 2 ** 20;
const MAX_SHARDS = 1000;

const Index = t.type({ weight_map: t.record(t.string, t.string) });

type WeightMap = ReadonlyMap<string, string>;

/** A name of a file in the same folder, and none that leads elsewhere or hides. */
const isPlainName = (name: string): boolean =>
  /^[A-Za-z0-9_][A-Za-z0-9_.\- ]{0,200}$/.test(name) && !name.endsWith('.json');

const LOOKED_AT = 2 ** 16;

/** Whether bytes are the JSON of an index, whatever the name of the file is. */
export const isIndex = (bytes: Uint8Array): boolean => {
  if (bytes[0] !== 0x7b && !/^\s*\{/.test(latin1(bytes.subarray(0, 64)))) return false;
  return (
    latin1(bytes.subarray(0, LOOKED_AT)).includes('"weight_map"') ||
    latin1(bytes.subarray(-LOOKED_AT)).includes('"weight_map"')
  );
};

const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

const readIndex = (bytes: Uint8Array): Checked<WeightMap> => {
  if (bytes.length > MAX_INDEX_BYTES) {
    return fail('K0113', `the index has ${bytes.length} bytes`, { expected: `at most ${MAX_INDEX_BYTES}` });
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('K0115', 'the index is not UTF-8 text');
  const json = parseJson(text);
  if (E.isLeft(json)) return fail('K0115', `the index cannot be read: ${json.left}`);
  const index = Index.decode(json.right);
  if (E.isLeft(index) || Array.isArray(index.right.weight_map)) {
    return fail('K0115', 'the index has no weight_map of texts', {
      expected: '{"metadata": {...}, "weight_map": {"tensor": "file", ...}}',
    });
  }
  const map = new Map(Object.entries(index.right.weight_map));
  const elsewhere = [...map].find(([, file]) => !isPlainName(file));
  if (elsewhere !== undefined) {
    return fail('K0115', `the index names the file '${printable(elsewhere[1], 80)}'`, {
      place: { tensor: elsewhere[0] },
      expected: 'names of files in the folder of the index',
    });
  }
  const shards = new Set(map.values());
  if (shards.size > MAX_SHARDS) {
    return fail('K0113', `the index names ${shards.size} files`, { expected: `at most ${MAX_SHARDS}` });
  }
  return map.size === 0 ? fail('K0115', 'the weight_map of the index is empty') : E.right(map);
};

/** The files that an index names, in order of appearance; none where it cannot be read. */
export const shardsOf = (bytes: Uint8Array): ReadonlyArray<string> => {
  if (!isIndex(bytes)) return [];
  const map = readIndex(bytes);
  return E.isLeft(map) ? [] : [...new Set(map.right.values())];
};

/** A tensor of a shard by its whole name. */
type Place = Pick<Wanted, 'part' | 'name'>;

const placesOf = (shard: Checkpoint): ReadonlyMap<string, Place> =>
  new Map(
    shard.parts.flatMap((part) =>
      part.names.map((name): readonly [string, Place] => [within(part.path, name), { part, name }]),
    ),
  );

interface Shard {
  readonly checkpoint: Checkpoint;
  readonly places: ReadonlyMap<string, Place>;
}

/** Every tensor of the map is in its shard, and no shard has others: an index of other files is of another network. */
const checkMap = (map: WeightMap, shards: ReadonlyMap<string, Shard>): Checked<void> => {
  for (const [name, file] of map) {
    if (shards.get(file)?.places.has(name) !== true) {
      return fail('K0115', `the index says that it is in ${printable(file, 80)}, where it is not`, {
        place: { tensor: name },
        expected: 'an index and shards of one checkpoint',
      });
    }
  }
  for (const [file, { places }] of shards) {
    for (const name of places.keys()) {
      if (map.get(name) !== file) {
        return fail('K0115', `it is in ${printable(file, 80)}, but the index does not say so`, {
          place: { tensor: name },
          expected: 'an index and shards of one checkpoint',
        });
      }
    }
  }
  return E.right(undefined);
};

const readFrom = (
  map: WeightMap,
  shards: ReadonlyMap<string, Shard>,
  wanted: ReadonlyArray<Wanted>,
): Checked<ReadonlyMap<string, FileTensor>> => {
  const read = new Map<string, FileTensor>();
  for (const [file, { checkpoint, places }] of shards) {
    const here = wanted.flatMap(({ name, as }) => {
      const place = map.get(name) === file ? places.get(name) : undefined;
      return place === undefined ? [] : [{ ...place, as }];
    });
    const tensors = checkpoint.read(here);
    if (E.isLeft(tensors)) return tensors;
    for (const [name, tensor] of tensors.right) read.set(name, tensor);
  }
  // In the order of the index, whatever shards they come from.
  return E.right(
    new Map(
      wanted.flatMap(({ as }) => {
        const tensor = read.get(as);
        return tensor === undefined ? [] : [[as, tensor] as const];
      }),
    ),
  );
};

/**
 * Opens an index with the shards that it names as one checkpoint. `open` reads a shard. Fails with K0115 where a shard
 * is missing or index and shards do not fit each other, K0113 beyond limits, and as the reader of the shards.
 */
export const openSharded = (
  bytes: Uint8Array,
  beside: ReadonlyMap<string, Uint8Array>,
  open: (bytes: Uint8Array) => Checked<Checkpoint>,
): Checked<Checkpoint> => {
  const map = readIndex(bytes);
  if (E.isLeft(map)) return map;
  const shards = new Map<string, Shard>();
  for (const file of new Set(map.right.values())) {
    const content = beside.get(file);
    if (content === undefined) {
      return fail('K0115', `the shard ${printable(file, 80)} is not beside the index`, {
        expected: 'all files that the index names, in its folder',
      });
    }
    const opened = at({ file })(open(content));
    if (E.isLeft(opened)) return opened;
    shards.set(file, { checkpoint: opened.right, places: placesOf(opened.right) });
  }
  const checked = checkMap(map.right, shards);
  if (E.isLeft(checked)) return checked;
  const all = [...shards.values()].map(({ checkpoint }) => checkpoint);
  const part: Part = {
    path: '',
    names: [...map.right.keys()],
    matrices: all.some(({ parts }) => parts.some((p) => p.matrices)),
  };
  return E.right({
    container: all[0]?.container ?? 'safetensors',
    parts: [part],
    opaque: all.flatMap(({ opaque }) => opaque),
    metadata: new Map(),
    read: (wanted) => readFrom(map.right, shards, wanted),
  });
};
