/** Safetensors: u64 header length, a JSON header, then the data of all tensors. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { at, type Checked, fail, printable } from '../../diagnostics/index.js';
import { parseJson } from '../../ir/strict-json.js';
import { decodeUtf8, elementCount, MAX_DIMENSIONS, readU64, viewOf } from './bytes.js';
import { DTYPE_BYTES, decodeValues, isContainerDtype } from './dtype.js';
import type { ContainerDtype, FileTensor, TensorFile } from './tensor.js';

/**
 * About 150,000 tensors. The format allows 100 MB, but parsed JSON takes 40 times its size in the worst case.
 */
const MAX_HEADER_BYTES = 16 * 2 ** 20;

const isNatural = (u: unknown): u is number => typeof u === 'number' && Number.isSafeInteger(u) && u >= 0;

const codec = <A>(name: string, is: (u: unknown) => u is A): t.Type<A> =>
  new t.Type<A>(name, is, (u, context) => (is(u) ? t.success(u) : t.failure(u, context)), t.identity);

/** Not t.array, which makes a context for every element: a header may hold millions. */
const Shape = codec(
  'Shape',
  (u): u is ReadonlyArray<number> => Array.isArray(u) && u.length <= MAX_DIMENSIONS && u.every(isNatural),
);

/** Not t.tuple, which drops further elements without a word. */
const Offsets = codec(
  'Offsets',
  (u): u is readonly [number, number] => Array.isArray(u) && u.length === 2 && u.every(isNatural),
);

const Header = t.UnknownRecord;
const Metadata = t.record(t.string, t.string);
const Entry = t.type({
  dtype: t.string,
  shape: Shape,
  data_offsets: Offsets,
});

interface Extent {
  readonly name: string;
  readonly dtype: ContainerDtype;
  readonly shape: ReadonlyArray<number>;
  readonly begin: number;
  readonly end: number;
}

const parseHeader = (bytes: Uint8Array): Checked<Readonly<Record<string, unknown>>> => {
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('K0105', 'The header of the safetensors file is not UTF-8');
  const json = parseJson(text);
  if (E.isLeft(json)) return fail('K0105', `The header of the safetensors file cannot be read: ${json.left}`);
  // An array is an UnknownRecord to io-ts, but not to the format.
  const header = Array.isArray(json.right) ? E.left(undefined) : Header.decode(json.right);
  if (E.isLeft(header)) return fail('K0105', 'The header of the safetensors file is not a JSON object');
  return E.right(header.right);
};

const checkEntry = (name: string, value: unknown): Checked<Extent> => {
  const place = { tensor: name };
  const entry = Entry.decode(value);
  if (E.isLeft(entry)) {
    const field = entry.left[0]?.context[1]?.key;
    return fail('K0105', `Its header entry has a missing or malformed ${field ?? 'body'}`, {
      place,
      expected: '{"dtype": text, "shape": [naturals], "data_offsets": [begin, end]}',
    });
  }
  const { dtype, shape, data_offsets } = entry.right;
  if (!isContainerDtype(dtype)) {
    return fail('K0112', `Its data type is "${dtype.slice(0, 40)}"`, {
      place,
      expected: `one of ${Object.keys(DTYPE_BYTES).join(', ')}`,
    });
  }
  const count = elementCount(shape);
  const [begin, end] = data_offsets;
  if (count === undefined || end - begin !== count * DTYPE_BYTES[dtype]) {
    return fail(
      'K0106',
      `Its offsets [${begin}, ${end}] do not fit ${dtype} of shape [${shape.slice(0, 16).join(', ')}]`,
      { place, ...(count === undefined ? {} : { expected: `${count * DTYPE_BYTES[dtype]} bytes` }) },
    );
  }
  return E.right({ name, dtype, shape, begin, end });
};

const checkExtents = (extents: ReadonlyArray<Extent>, dataBytes: number): Checked<void> => {
  let previous: Extent | undefined;
  // Empty tensors lie nowhere and overlap nothing.
  for (const extent of extents.filter((e) => e.end > e.begin).sort((a, b) => a.begin - b.begin)) {
    const place = { tensor: extent.name };
    if (previous !== undefined && extent.begin < previous.end) {
      return fail('K0106', `It overlaps the tensor ${previous.name}`, { place });
    }
    previous = extent;
  }
  const beyond = extents.find((e) => e.end > dataBytes);
  if (beyond === undefined) return E.right(undefined);
  return fail('K0103', `It ends at data byte ${beyond.end}, but the file has ${dataBytes} bytes of data`, {
    place: { tensor: beyond.name },
    hint: 'Fetch the file again.',
  });
};

const readMetadata = (value: unknown): Checked<ReadonlyMap<string, string>> => {
  if (value === undefined) return E.right(new Map());
  const metadata = Array.isArray(value) ? E.left(undefined) : Metadata.decode(value);
  return E.isLeft(metadata)
    ? fail('K0105', 'The __metadata__ of the safetensors file is not an object of strings')
    : E.right(new Map(Object.entries(metadata.right)));
};

/** Names of modules and a tensor, as a state dict has them. */
const TENSOR_NAME = /^[\w-]+(?:\.[\w-]+)+$/;

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/**
 * Adds the tensors that are told in the metadata only: `save_model` writes one copy of tensors that layers share, and
 * for each other name an entry { name: kept name }. Other metadata are not names of tensors.
 */
const addShared = (
  tensors: Map<string, FileTensor>,
  metadata: ReadonlyMap<string, string>,
): Checked<void> => {
  const stored = new Map(tensors);
  for (const [name, kept] of metadata) {
    const tensor = stored.get(kept);
    if (stored.has(name)) continue;
    if (tensor !== undefined) tensors.set(name, tensor);
    else if (TENSOR_NAME.test(name) && TENSOR_NAME.test(kept) && lastPart(name) === lastPart(kept)) {
      return fail(
        'K0105',
        `The metadata say that it is the same as ${printable(kept, 80)}, which is not in the file`,
        {
          place: { tensor: name },
          expected: 'the tensor that was kept of those that are shared',
        },
      );
    }
  }
  return E.right(undefined);
};

/**
 * Reads a safetensors file. Every length is compared with the size of the file before it is used.
 * Fails with K0103 (cut off), K0105 (header), K0106 (offsets), K0112 (data type), K0113 (header too long).
 */
export const readSafetensors = (bytes: Uint8Array): Checked<TensorFile> => {
  if (bytes.length < 8) return fail('K0103', `The file has ${bytes.length} bytes`, { expected: '8 or more' });
  const headerBytes = readU64(viewOf(bytes), 0);
  if (headerBytes > MAX_HEADER_BYTES) {
    return fail('K0113', `The header claims to have ${headerBytes} bytes`, {
      expected: `at most ${MAX_HEADER_BYTES}`,
    });
  }
  if (headerBytes > bytes.length - 8) {
    return fail('K0103', `The header claims ${headerBytes} bytes, but ${bytes.length - 8} follow`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes));
  if (E.isLeft(header)) return header;
  const extents: Extent[] = [];
  const metadata = readMetadata(header.right['__metadata__']);
  if (E.isLeft(metadata)) return metadata;
  for (const [name, value] of Object.entries(header.right)) {
    if (name === '__metadata__') continue;
    const extent = checkEntry(name, value);
    if (E.isLeft(extent)) return extent;
    extents.push(extent.right);
  }
  const data = bytes.subarray(8 + headerBytes);
  const checked = checkExtents(extents, data.length);
  if (E.isLeft(checked)) return checked;
  const tensors = new Map<string, FileTensor>();
  for (const { name, dtype, shape, begin, end } of extents.sort((a, b) => a.begin - b.begin)) {
    const values = at({ tensor: name })(decodeValues(dtype, data.subarray(begin, end), true));
    if (E.isLeft(values)) return values;
    tensors.set(name, { dtype, shape, data: values.right });
  }
  const shared = addShared(tensors, metadata.right);
  return E.isLeft(shared) ? shared : E.right({ container: 'safetensors', tensors, metadata: metadata.right });
};
