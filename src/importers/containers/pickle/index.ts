/**
 * A reader of pickles that executes nothing. It runs the stack machine of the format, but a call is only ever a record
 * of the name and the arguments. Names on the closed list have a meaning for tensors; what is called by any other name
 * is an object of which nothing is known but what lies in it.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, invariant } from '../../../diagnostics/index.js';
import { decodeUtf8, readU64 } from '../bytes.js';
import { build, call, callWithNames, emptySet, frozenSet, global, stackGlobal } from './calls.js';
import {
  charge,
  type Machine,
  malformed,
  mark,
  newMachine,
  number,
  pop,
  popToMark,
  push,
  refuse,
  take,
  top,
} from './machine.js';
import {
  EMPTY_TUPLE,
  FALSE,
  NONE,
  type PersistentNode,
  type PickleNode,
  TRUE,
  type TupleNode,
} from './node.js';

/** Python's own integers are unbounded; the longest in a torch file is the 10 bytes of its magic number. */
const MAX_INTEGER_BYTES = 255;
const MAX_NAME_BYTES = 512;

const u8 = (m: Machine): number => number(m, 1, (v, at) => v.getUint8(at));
const u16 = (m: Machine): number => number(m, 2, (v, at) => v.getUint16(at, true));
const u32 = (m: Machine): number => number(m, 4, (v, at) => v.getUint32(at, true));
const i32 = (m: Machine): number => number(m, 4, (v, at) => v.getInt32(at, true));
const u64 = (m: Machine): number => number(m, 8, readU64);

const int = (m: Machine, value: number): void => push(m, { tag: 'int', value });

/** Two's complement, little endian, of any length. */
const long = (m: Machine, length: number): void => {
  if (length > MAX_INTEGER_BYTES) {
    refuse(m, 'K0113', `The pickle holds an integer of ${length} bytes`);
    return;
  }
  const bytes = take(m, length);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  value = BigInt.asIntN(8 * bytes.length, value);
  const small = Number(value);
  push(m, { tag: 'int', value: Number.isSafeInteger(small) ? small : value });
};

const utf8 = (m: Machine, length: number): string => {
  const text = decodeUtf8(take(m, length));
  if (text === undefined) malformed(m, 'a string is not UTF-8');
  return text ?? '';
};

const text = (m: Machine, length: number): void => push(m, { tag: 'string', value: utf8(m, length) });

const bytes = (m: Machine, length: number): void => push(m, { tag: 'bytes', value: take(m, length) });

/** A str of Python 2, where keys of a state dict are such; bytes that are not UTF-8 stay bytes. */
const oldString = (m: Machine, length: number): void => {
  const raw = take(m, length);
  const value = decodeUtf8(raw);
  push(m, value === undefined ? { tag: 'bytes', value: raw } : { tag: 'string', value });
};

const tuple = (m: Machine, size: number): void => {
  const items: PickleNode[] = [];
  for (let i = 0; i < size; i++) items.push(pop(m));
  push(m, { tag: 'tuple', items: items.reverse() });
};

const append = (m: Machine, items: ReadonlyArray<PickleNode>): void => {
  const list = top(m);
  const into = list.tag === 'list' ? list.items : list.tag === 'object' ? list.parts : undefined;
  if (into === undefined) malformed(m, 'it appends to what is not a list');
  else for (const item of items) into.push(item);
};

const setItems = (m: Machine, flat: ReadonlyArray<PickleNode>): void => {
  const dict = top(m);
  if (dict.tag === 'object' && flat.length % 2 === 0) {
    for (const item of flat) dict.parts.push(item);
    return;
  }
  if (dict.tag !== 'dict' || flat.length % 2 !== 0) {
    malformed(m, 'it sets items of what is not a dict');
    return;
  }
  for (let i = 0; i + 1 < flat.length; i += 2) dict.entries.push([flat[i]!, flat[i + 1]!]);
};

const dictOf = (m: Machine, flat: ReadonlyArray<PickleNode>): void => {
  push(m, { tag: 'dict', entries: [] });
  setItems(m, flat);
};

const get = (m: Machine, key: number): void => {
  const node = m.memo.get(key);
  if (node === undefined) malformed(m, `memo ${key} was never set`);
  else push(m, node);
};

const put = (m: Machine, key: number): void => {
  m.memo.set(key, top(m));
};

const line = (m: Machine): string => {
  const window = m.bytes.subarray(m.position, m.position + MAX_NAME_BYTES);
  const length = window.indexOf(0x0a);
  if (length < 0 && window.length === MAX_NAME_BYTES) {
    malformed(m, `a name has more than ${MAX_NAME_BYTES} bytes`);
    return '';
  }
  const name = utf8(m, length < 0 ? window.length + 1 : length);
  take(m, 1);
  return name;
};

const persistent = (m: Machine): void => {
  const node: PersistentNode = { tag: 'persistent', id: pop(m) };
  m.persistent.push(node);
  push(m, node);
};

const protocol = (m: Machine): void => {
  const version = u8(m);
  if (version > 5) malformed(m, `protocol ${version} is not known`);
};

/** Frames only help readers of streams; the length is checked, the contents are read as if unframed. */
const frame = (m: Machine): void => {
  const length = u64(m);
  if (length > m.bytes.length - m.position) take(m, length);
};

const dup = (m: Machine): void => push(m, top(m));

/** Closing a frame without a value: POP takes a mark when nothing stands above it. */
const discard = (m: Machine): void => {
  if (m.marks.length > 0 && m.marks.at(-1) === m.stack.length) m.marks.pop();
  else pop(m);
};

const STOP = 0x2e;

const OPCODES: ReadonlyMap<number, (m: Machine) => void> = new Map<number, (m: Machine) => void>([
  [0x80, protocol],
  [0x95, frame],
  [0x28 /* ( MARK */, mark],
  [0x30 /* 0 POP */, discard],
  [0x31 /* 1 POP_MARK */, (m) => void popToMark(m)],
  [0x32 /* 2 DUP */, dup],
  [0x4e /* N NONE */, (m) => push(m, NONE)],
  [0x88 /* NEWTRUE */, (m) => push(m, TRUE)],
  [0x89 /* NEWFALSE */, (m) => push(m, FALSE)],
  [0x4a /* J BININT */, (m) => int(m, i32(m))],
  [0x4b /* K BININT1 */, (m) => int(m, u8(m))],
  [0x4d /* M BININT2 */, (m) => int(m, u16(m))],
  [0x8a /* LONG1 */, (m) => long(m, u8(m))],
  [0x8b /* LONG4 */, (m) => long(m, u32(m))],
  [
    0x47 /* G BINFLOAT */,
    (m) => push(m, { tag: 'float', value: number(m, 8, (v, at) => v.getFloat64(at, false)) }),
  ],
  [0x58 /* X BINUNICODE */, (m) => text(m, u32(m))],
  [0x8c /* SHORT_BINUNICODE */, (m) => text(m, u8(m))],
  [0x8d /* BINUNICODE8 */, (m) => text(m, u64(m))],
  [0x54 /* T BINSTRING */, (m) => oldString(m, u32(m))],
  [0x55 /* U SHORT_BINSTRING */, (m) => oldString(m, u8(m))],
  [0x42 /* B BINBYTES */, (m) => bytes(m, u32(m))],
  [0x43 /* C SHORT_BINBYTES */, (m) => bytes(m, u8(m))],
  [0x8e /* BINBYTES8 */, (m) => bytes(m, u64(m))],
  [0x96 /* BYTEARRAY8 */, (m) => bytes(m, u64(m))],
  [0x29 /* ) EMPTY_TUPLE */, (m) => push(m, EMPTY_TUPLE)],
  [0x85 /* TUPLE1 */, (m) => tuple(m, 1)],
  [0x86 /* TUPLE2 */, (m) => tuple(m, 2)],
  [0x87 /* TUPLE3 */, (m) => tuple(m, 3)],
  [0x74 /* t TUPLE */, (m) => push(m, { tag: 'tuple', items: popToMark(m) } satisfies TupleNode)],
  [0x5d /* ] EMPTY_LIST */, (m) => push(m, { tag: 'list', items: [] })],
  [0x6c /* l LIST */, (m) => push(m, { tag: 'list', items: popToMark(m) })],
  [0x61 /* a APPEND */, (m) => append(m, [pop(m)])],
  [0x65 /* e APPENDS */, (m) => append(m, popToMark(m))],
  [0x7d /* } EMPTY_DICT */, (m) => push(m, { tag: 'dict', entries: [] })],
  [0x64 /* d DICT */, (m) => dictOf(m, popToMark(m))],
  [0x73 /* s SETITEM */, (m) => setItems(m, [pop(m), pop(m)].reverse())],
  [0x75 /* u SETITEMS */, (m) => setItems(m, popToMark(m))],
  [0x68 /* h BINGET */, (m) => get(m, u8(m))],
  [0x6a /* j LONG_BINGET */, (m) => get(m, u32(m))],
  [0x71 /* q BINPUT */, (m) => put(m, u8(m))],
  [0x72 /* r LONG_BINPUT */, (m) => put(m, u32(m))],
  [0x94 /* MEMOIZE */, (m) => put(m, m.memo.size)],
  [0x63 /* c GLOBAL */, (m) => global(m, line(m), line(m))],
  [0x93 /* STACK_GLOBAL */, stackGlobal],
  [0x52 /* R REDUCE */, call],
  [0x81 /* NEWOBJ */, call],
  [0x92 /* NEWOBJ_EX */, callWithNames],
  [0x8f /* EMPTY_SET */, emptySet],
  [0x90 /* ADDITEMS */, (m) => append(m, popToMark(m))],
  [0x91 /* FROZENSET */, frozenSet],
  [0x62 /* b BUILD */, build],
  [0x51 /* Q BINPERSID */, persistent],
]);

/** A pickle that was read to its STOP. */
export interface Pickle {
  readonly root: PickleNode;
  readonly persistent: ReadonlyArray<PersistentNode>;
  /** The offset after STOP: torch's legacy files hold several pickles in a row. */
  readonly end: number;
}

/**
 * Reads one pickle from an offset. Executes nothing. Fails with K0103 (ends too early), K0107 (a name that
 * runs commands), K0108 (malformed, unknown opcode, too deep), K0113 (too long).
 */
export const readPickle = (source: Uint8Array, start = 0): Checked<Pickle> => {
  const m = newMachine(source, start);
  while (m.failure === undefined) {
    const opcode = u8(m);
    if (m.failure !== undefined) break;
    if (opcode === STOP) {
      const root = pop(m);
      if (m.failure === undefined) return E.right({ root, persistent: m.persistent, end: m.position });
      break;
    }
    const run = OPCODES.get(opcode);
    if (run === undefined) {
      m.position--;
      malformed(m, `opcode 0x${opcode.toString(16)} is not one that tensor checkpoints use`);
    } else {
      charge(m, 1);
      run(m);
    }
  }
  invariant(m.failure !== undefined, 'the pickle reader stopped without a reason');
  return m.failure;
};
