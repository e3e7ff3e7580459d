/** Writes small pickles and torch files. A fragment is the instructions that push one value. */
import { zipSync } from 'fflate';

export type Fragment = ReadonlyArray<number>;

const ascii = (text: string): number[] => [...Buffer.from(text, 'utf8')];
const u32 = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];
export const u64 = (n: number): number[] => [...u32(n % 2 ** 32), ...u32(Math.floor(n / 2 ** 32))];

export const none: Fragment = [0x4e];
export const bool = (value: boolean): Fragment => [value ? 0x88 : 0x89];
export const int = (n: number): Fragment =>
  n >= -(2 ** 31) && n < 2 ** 31 ? [0x4a, ...u32(n)] : [0x8a, 8, ...u64(n)];
export const text = (value: string): Fragment => [0x58, ...u32(ascii(value).length), ...ascii(value)];
export const global = (module: string, name: string): Fragment => [0x63, ...ascii(`${module}\n${name}\n`)];
export const tuple = (...items: Fragment[]): Fragment => [0x28, ...items.flat(), 0x74];
export const list = (...items: Fragment[]): Fragment => [0x5d, 0x28, ...items.flat(), 0x65];
export const dict = (entries: Readonly<Record<string, Fragment>>): Fragment => [
  0x7d,
  0x28,
  ...Object.entries(entries).flatMap(([key, value]) => [...text(key), ...value]),
  0x75,
];
export const call = (callee: Fragment, ...args: Fragment[]): Fragment => [...callee, ...tuple(...args), 0x52];
export const persistent = (id: Fragment): Fragment => [...id, 0x51];
export const put = (slot: number, value: Fragment): Fragment => [...value, 0x72, ...u32(slot)];
export const get = (slot: number): Fragment => [0x6a, ...u32(slot)];
export const pickle = (value: Fragment): number[] => [0x80, 2, ...value, 0x2e];

/** As torch pickles a state dict, with `_metadata` set by BUILD. */
export const orderedDict = (entries: Readonly<Record<string, Fragment>>): Fragment => [
  ...call(global('collections', 'OrderedDict')),
  0x28,
  ...Object.entries(entries).flatMap(([key, value]) => [...text(key), ...value]),
  0x75,
  ...dict({ _metadata: dict({}) }),
  0x62,
];

export interface TensorSpec {
  readonly key: string;
  readonly elements: number;
  readonly offset?: number;
  readonly shape: ReadonlyArray<number>;
  readonly strides: ReadonlyArray<number>;
  /** FloatStorage unless given. */
  readonly storage?: string;
  /** The view of a legacy storage. */
  readonly view?: Fragment;
}

export const storage = (spec: TensorSpec): Fragment =>
  persistent(
    tuple(
      text('storage'),
      global('torch', spec.storage ?? 'FloatStorage'),
      text(spec.key),
      text('cpu'),
      int(spec.elements),
      ...(spec.view === undefined ? [] : [spec.view]),
    ),
  );

export const tensor = (spec: TensorSpec): Fragment =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage(spec),
    int(spec.offset ?? 0),
    tuple(...spec.shape.map(int)),
    tuple(...spec.strides.map(int)),
    bool(false),
    call(global('collections', 'OrderedDict')),
  );

/** A contiguous f32 tensor that has a storage of its own. */
export const vector = (key: string, elements: number): Fragment =>
  tensor({ key, elements, shape: [elements], strides: [1] });

export const floats = (values: ReadonlyArray<number>, littleEndian = true): Uint8Array => {
  const out = new Uint8Array(values.length * 4);
  const view = new DataView(out.buffer);
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, littleEndian);
  return out;
};

export interface ZipOptions {
  readonly byteorder?: string;
  readonly level?: 0 | 9;
  readonly extra?: Readonly<Record<string, Uint8Array>>;
}

export const torchZip = (
  root: Fragment,
  storages: Readonly<Record<string, Uint8Array>>,
  options: ZipOptions = {},
): Uint8Array =>
  zipSync(
    {
      'archive/data.pkl': Uint8Array.from(pickle(root)),
      ...(options.byteorder === undefined
        ? {}
        : { 'archive/byteorder': Uint8Array.from(ascii(options.byteorder)) }),
      ...Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes])),
      'archive/version': Uint8Array.from(ascii('3\n')),
      ...options.extra,
    },
    { level: options.level ?? 0 },
  );

const MAGIC: Fragment = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

export const torchLegacy = (
  root: Fragment,
  storages: ReadonlyArray<{ readonly key: string; readonly elements: number; readonly bytes: Uint8Array }>,
): Uint8Array =>
  Uint8Array.from([
    ...pickle(MAGIC),
    ...pickle(int(1001)),
    ...pickle(dict({ protocol_version: int(1001), little_endian: bool(true) })),
    ...pickle(root),
    ...pickle(list(...storages.map(({ key }) => text(key)))),
    ...storages.flatMap(({ elements, bytes }) => [...u64(elements), ...bytes]),
  ]);
