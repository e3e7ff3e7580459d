/**
 * Protobuf messages as fields by number. The wire format is read by the protobuf library, which checks bounds; which
 * fields mean what is ours, and closed: fields that no reader asks for are skipped.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  type DiagnosticCode,
  type DiagnosticParts,
  type Diagnostics,
  diagnostic,
  printable,
} from '../../../diagnostics/index.js';
import { viewOf } from '../bytes.js';

/**
 * A fault of a file while it is read. Messages nest deeply and every field may be damaged, so that faults leave their
 * readers by this exception; `readOnnx` makes a `Checked` of it and lets no other through.
 */
export class OnnxFault extends Error {
  readonly diagnostics: Diagnostics;

  constructor(code: DiagnosticCode, message: string, parts: DiagnosticParts = {}) {
    super(message);
    this.diagnostics = [diagnostic(code, message, parts)];
  }
}

/** A field as it stands in the file: a number of some width, or bytes (texts, messages, packed numbers). */
export type Field =
  | { readonly kind: 'varint'; readonly value: bigint }
  | { readonly kind: 'fixed'; readonly bytes: Uint8Array }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** Fields of one message by number, repeated ones in order. */
export type Message = ReadonlyMap<number, ReadonlyArray<Field>>;

/** Fields of one message: numbers of a list may each be one. */
const MOST_FIELDS = 2 ** 20;

const nextField = (reader: BinaryReader, wire: WireType, number: number): Field | undefined => {
  switch (wire) {
    case WireType.Varint:
      return { kind: 'varint', value: BigInt(reader.int64()) };
    case WireType.Bit32:
    case WireType.Bit64:
      return { kind: 'fixed', bytes: reader.skip(wire) };
    case WireType.LengthDelimited:
      return { kind: 'bytes', bytes: reader.bytes() };
    default:
      reader.skip(wire, number);
      return undefined;
  }
};

/**
 * The fields of a message whose numbers are wanted. Throws `OnnxFault` K0117 where the bytes are no message, K0113
 * where there are more than `most` of them.
 */
export const messageOf = (
  bytes: Uint8Array,
  what: string,
  wanted: ReadonlySet<number>,
  most: number = MOST_FIELDS,
): Message => {
  const fields = new Map<number, Field[]>();
  const reader = new BinaryReader(bytes);
  let count = 0;
  try {
    while (reader.pos < reader.len) {
      const [number, wire] = reader.tag();
      if (!wanted.has(number)) {
        reader.skip(wire, number);
        continue;
      }
      const field = nextField(reader, wire, number);
      if (field === undefined) continue;
      if (++count > most) throw new OnnxFault('K0113', `${what} has more than ${most} fields`);
      const known = fields.get(number);
      if (known === undefined) fields.set(number, [field]);
      else known.push(field);
    }
  } catch (error) {
    if (error instanceof OnnxFault) throw error;
    throw new OnnxFault(
      'K0117',
      `${what} is damaged: ${error instanceof Error ? error.message : 'no field'}`,
      {
        hint: 'Fetch or export the file again, and compare sizes.',
      },
    );
  }
  return fields;
};

/** The bytes of all fields of a number. */
export const bytesOf = (message: Message, number: number): ReadonlyArray<Uint8Array> =>
  (message.get(number) ?? []).flatMap((f) => (f.kind === 'bytes' ? [f.bytes] : []));

/** The last of a field that is to stand once, as protobuf has it. */
export const lastBytes = (message: Message, number: number): Uint8Array | undefined =>
  bytesOf(message, number).at(-1);

/** A message in a field that is to stand once. Where it stands several times, protobuf has all of them be one. */
export const embedded = (message: Message, number: number): Uint8Array | undefined => {
  const parts = bytesOf(message, number);
  return parts.length > 1 ? joined(parts) : parts[0];
};

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const loose = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Names are short and ASCII nearly always, and a decoder costs more than they do. */
const MOST_ASCII = 64;

const decoded = (bytes: Uint8Array, decoder: InstanceType<typeof TextDecoder>): string => {
  if (bytes.length > MOST_ASCII) return decoder.decode(bytes);
  let text = '';
  for (const byte of bytes) {
    if (byte > 0x7f) return decoder.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
};

/** A name. Names that are no UTF-8 would become one and the same, so that they are refused. */
const named = (bytes: Uint8Array): string => {
  try {
    return decoded(bytes, strict);
  } catch {
    throw new OnnxFault('K0117', `the name '${printable(loose.decode(bytes), 60)}' is no UTF-8 text`);
  }
};

/** A name in a field that is to stand once; '' where there is none. */
export const nameOf = (message: Message, number: number): string => {
  const bytes = lastBytes(message, number);
  return bytes === undefined ? '' : named(bytes);
};

export const namesOf = (message: Message, number: number): ReadonlyArray<string> =>
  bytesOf(message, number).map(named);

/** Texts that name nothing: what is no UTF-8 in them is replaced. */
export const textOf = (message: Message, number: number): string => {
  const bytes = lastBytes(message, number);
  return bytes === undefined ? '' : decoded(bytes, loose);
};

export const textsOf = (message: Message, number: number): ReadonlyArray<string> =>
  bytesOf(message, number).map((bytes) => decoded(bytes, loose));

export const integerOf = (message: Message, number: number): number | undefined => {
  const field = message.get(number)?.at(-1);
  return field?.kind === 'varint' ? Number(field.value) : undefined;
};

/** How many integers end in the bytes. */
const endsIn = (bytes: Uint8Array): number => {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! < 0x80) count++;
  return count;
};

/** Integers of a repeated field, packed or not: signed ones of up to 64 bits, or unsigned ones of 64. */
export const integersOf = (
  message: Message,
  number: number,
  what: string,
  sign: 'signed' | 'unsigned' = 'signed',
): Float64Array => {
  const fields = message.get(number) ?? [];
  let count = 0;
  for (const f of fields) count += f.kind === 'varint' ? 1 : f.kind === 'bytes' ? endsIn(f.bytes) : 0;
  const values = new Float64Array(count);
  let at = 0;
  for (const f of fields) {
    if (f.kind === 'varint') {
      values[at++] = Number(sign === 'signed' ? f.value : BigInt.asUintN(64, f.value));
    } else if (f.kind === 'bytes') at = unpack(f.bytes, values, at, what, sign);
  }
  return values;
};

/** Writes packed integers from an index on; gives the index behind them. */
const unpack = (
  bytes: Uint8Array,
  values: Float64Array,
  from: number,
  what: string,
  sign: 'signed' | 'unsigned',
): number => {
  const reader = new BinaryReader(bytes);
  let at = from;
  try {
    while (reader.pos < reader.len)
      values[at++] = Number(sign === 'signed' ? reader.int64() : reader.uint64());
  } catch {
    throw new OnnxFault('K0117', `${what} has damaged integers`);
  }
  return at;
};

/** Numbers of a fixed width of a repeated field, packed or not, one after the other. */
export const fixedOf = (message: Message, number: number, width: 4 | 8, what: string): DataView => {
  const parts = (message.get(number) ?? []).flatMap((field) =>
    field.kind === 'varint' ? [] : [field.bytes],
  );
  const [only, ...more] = parts;
  const all = only === undefined || more.length > 0 ? joined(parts) : only;
  if (all.length % width !== 0)
    throw new OnnxFault('K0117', `${what} has ${all.length} bytes of ${width}-byte numbers`);
  return viewOf(all);
};

/** A float of a field that is to stand once. */
export const floatOf = (message: Message, number: number, what: string): number | undefined => {
  if (!message.has(number)) return undefined;
  const view = fixedOf(message, number, 4, what);
  return view.byteLength < 4 ? undefined : view.getFloat32(view.byteLength - 4, true);
};

export const floatsOf = (message: Message, number: number, what: string): ReadonlyArray<number> => {
  const view = fixedOf(message, number, 4, what);
  return Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true));
};
