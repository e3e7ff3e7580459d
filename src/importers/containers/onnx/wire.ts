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
} from '../../../diagnostics/index.js';

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

/** Fields of one message; ONNX files of real networks have some thousand nodes in a graph. */
const MOST_FIELDS = 2 ** 20;

/** Numbers are read without a look at the end. */
const assertInside = ({ pos, len }: BinaryReader): void => {
  if (pos > len) throw new RangeError('it ends in the middle of a number');
};

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

/** The fields of a message whose numbers are wanted. Throws `OnnxFault` K0117 where the bytes are no message. */
export const messageOf = (bytes: Uint8Array, what: string, wanted: ReadonlySet<number>): Message => {
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
      assertInside(reader);
      if (field === undefined) continue;
      if (++count > MOST_FIELDS) {
        throw new OnnxFault('K0113', `${what} has more than ${MOST_FIELDS} fields`);
      }
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

const utf8 = new TextDecoder();

export const textOf = (message: Message, number: number): string => {
  const bytes = lastBytes(message, number);
  return bytes === undefined ? '' : utf8.decode(bytes);
};

export const textsOf = (message: Message, number: number): ReadonlyArray<string> =>
  bytesOf(message, number).map((bytes) => utf8.decode(bytes));

export const integerOf = (message: Message, number: number): number | undefined => {
  const field = message.get(number)?.at(-1);
  return field?.kind === 'varint' ? Number(field.value) : undefined;
};

/** Integers of a repeated field, packed or not. */
export const integersOf = (message: Message, number: number, what: string): ReadonlyArray<number> =>
  (message.get(number) ?? []).flatMap((field) => {
    if (field.kind === 'varint') return [Number(field.value)];
    return field.kind === 'bytes' ? varints(field.bytes, what) : [];
  });

const varints = (bytes: Uint8Array, what: string): ReadonlyArray<number> => {
  const reader = new BinaryReader(bytes);
  const values: number[] = [];
  try {
    while (reader.pos < reader.len) {
      values.push(Number(reader.int64()));
      assertInside(reader);
    }
  } catch {
    throw new OnnxFault('K0117', `${what} has damaged integers`);
  }
  return values;
};

/** Numbers of a fixed width of a repeated field, packed or not, one after the other. */
export const fixedOf = (message: Message, number: number, width: 4 | 8, what: string): DataView => {
  const parts = (message.get(number) ?? []).flatMap((field) =>
    field.kind === 'varint' ? [] : [field.bytes],
  );
  const size = parts.reduce((n, part) => n + part.length, 0);
  if (size % width !== 0) throw new OnnxFault('K0117', `${what} has ${size} bytes of ${width}-byte numbers`);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined)
    return new DataView(only.buffer, only.byteOffset, only.length);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new DataView(all.buffer);
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
