/** ONNX files as tests need them: messages by field numbers, also such as no exporter writes. */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export type Bytes = Uint8Array;

/** A field of a message: its number, and a varint, or bytes, or text. */
export type Part = readonly [number, bigint | number | string | Bytes];

export const message = (...parts: ReadonlyArray<Part>): Bytes => {
  const writer = new BinaryWriter();
  for (const [number, value] of parts) {
    if (typeof value === 'string') writer.tag(number, WireType.LengthDelimited).string(value);
    else if (typeof value === 'number' || typeof value === 'bigint')
      writer.tag(number, WireType.Varint).int64(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(value);
  }
  return writer.finish();
};

/** Integers one behind the other. */
export const packed = (values: ReadonlyArray<number | bigint>): Bytes => {
  const writer = new BinaryWriter();
  for (const v of values)
    if (v < 2n ** 63n) writer.int64(v);
    else writer.uint64(v);
  return writer.finish();
};

export const packedFloats = (values: ReadonlyArray<number>): Bytes =>
  new Uint8Array(Float32Array.from(values).buffer);

export const packedDoubles = (values: ReadonlyArray<number>): Bytes =>
  new Uint8Array(Float64Array.from(values).buffer);

/** A field that holds one float of 32 bits, behind other fields of a message. */
export const withFloat = (head: Bytes, number: number, value: number): Bytes => {
  const writer = new BinaryWriter();
  writer.raw(head).tag(number, WireType.Bit32).float(value);
  return writer.finish();
};

const each = (number: number, values: ReadonlyArray<string | Bytes> = []): ReadonlyArray<Part> =>
  values.map((v): Part => [number, v]);

/** TensorProto without its numbers, which `parts` hold. */
export const tensorProto = (
  name: string,
  type: number,
  dims: ReadonlyArray<number | bigint>,
  ...parts: ReadonlyArray<Part>
): Bytes => message(...dims.map((d): Part => [1, d]), [2, type], [8, name], ...parts);

/** A constant of floats. */
export const floatTensor = (name: string, values: ReadonlyArray<number>): Bytes =>
  tensorProto(name, 1, [values.length], [9, packedFloats(values)]);

/** Entries of external_data, and what says that it counts. */
export const external = (entries: Readonly<Record<string, string>>): ReadonlyArray<Part> => [
  ...Object.entries(entries).map(([key, value]): Part => [13, message([1, key], [2, value])]),
  [14, 1],
];

export interface NodeParts {
  readonly name?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly attributes?: ReadonlyArray<Bytes>;
}

export const nodeProto = (
  op: string,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
  { name, domain, overload, attributes }: NodeParts = {},
): Bytes =>
  message(
    ...each(1, inputs),
    ...each(2, outputs),
    ...each(3, name === undefined ? [] : [name]),
    [4, op],
    ...each(5, attributes),
    ...each(7, domain === undefined ? [] : [domain]),
    ...each(8, overload === undefined ? [] : [overload]),
  );

/** AttributeProto of a type, with its value in `parts`. */
export const attributeProto = (name: string, type: number, ...parts: ReadonlyArray<Part>): Bytes =>
  message([1, name], ...parts, [20, type]);

/** An attribute of a node in a function: that of the call. */
export const referenceTo = (name: string, type: number, reference: string): Bytes =>
  attributeProto(name, type, [21, reference]);

/** ValueInfoProto of floats; a text is a dimension with a name. */
export const valueProto = (name: string, dims: ReadonlyArray<number | string>): Bytes =>
  message(
    [1, name],
    [
      2,
      message([
        1,
        message(
          [1, 1],
          [2, message(...dims.map((d): Part => [1, message([typeof d === 'number' ? 1 : 2, d])]))],
        ),
      ]),
    ],
  );

export interface GraphParts {
  readonly nodes?: ReadonlyArray<Bytes>;
  readonly constants?: ReadonlyArray<Bytes>;
  readonly inputs?: ReadonlyArray<Bytes>;
  readonly outputs?: ReadonlyArray<Bytes>;
}

export const graphProto = ({ nodes, constants, inputs, outputs }: GraphParts): Bytes =>
  message(...each(1, nodes), [2, 'g'], ...each(5, constants), ...each(11, inputs), ...each(12, outputs));

export const importProto = (version: number, domain?: string): Bytes =>
  message(...each(1, domain === undefined ? [] : [domain]), [2, version]);

export interface FunctionParts {
  readonly domain?: string;
  readonly opset?: number;
  readonly overload?: string;
  readonly defaults?: ReadonlyArray<Bytes>;
}

export const functionProto = (
  name: string,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
  nodes: ReadonlyArray<Bytes>,
  { domain = 'own', opset = 17, overload, defaults }: FunctionParts = {},
): Bytes =>
  message(
    [1, name],
    ...each(4, inputs),
    ...each(5, outputs),
    ...each(7, nodes),
    [9, importProto(opset, '')],
    [10, domain],
    ...each(11, defaults),
    ...each(13, overload === undefined ? [] : [overload]),
  );

export interface ModelParts {
  readonly opset?: number;
  readonly functions?: ReadonlyArray<Bytes>;
}

/** A model of the graph, as PyTorch 2 would have written it. */
export const modelProto = (graph: Bytes, { opset = 17, functions }: ModelParts = {}): Bytes =>
  message([1, 8], [2, 'pytorch'], [3, '2.0'], [7, graph], [8, importProto(opset)], ...each(25, functions));

/** The fields of a message, each with its tag, and its bytes where it has some. */
const fieldsOf = (
  bytes: Bytes,
): ReadonlyArray<{ readonly number: number; readonly whole: Bytes; readonly inner?: Bytes }> => {
  const reader = new BinaryReader(bytes);
  const fields = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wire] = reader.tag();
    const inner = wire === WireType.LengthDelimited ? reader.bytes() : undefined;
    if (inner === undefined) reader.skip(wire, number);
    fields.push({
      number,
      whole: bytes.subarray(start, reader.pos),
      ...(inner === undefined ? {} : { inner }),
    });
  }
  return fields;
};

/** A message with a field of messages changed, all else as it is. */
const changed = (bytes: Bytes, at: number, change: (inner: Bytes) => Bytes): Bytes => {
  const writer = new BinaryWriter();
  for (const { number, whole, inner } of fieldsOf(bytes)) {
    if (number === at && inner !== undefined)
      writer.tag(number, WireType.LengthDelimited).bytes(change(inner));
    else writer.raw(whole);
  }
  return writer.finish();
};

/** A model whose constants with raw data lie in a file beside it, and that file. */
export const withDataBeside = (
  model: Bytes,
  location: string,
): { readonly model: Bytes; readonly data: Bytes } => {
  const parts: Bytes[] = [];
  let size = 0;
  const moved = (tensor: Bytes): Bytes => {
    const fields = fieldsOf(tensor);
    const raw = fields.find(({ number }) => number === 9)?.inner;
    if (raw === undefined) return tensor;
    const writer = new BinaryWriter();
    for (const { number, whole } of fields) if (number !== 9) writer.raw(whole);
    writer.raw(message(...external({ location, offset: `${size}`, length: `${raw.length}` })));
    parts.push(raw);
    size += raw.length;
    return writer.finish();
  };
  const changedModel = changed(model, 7, (graph) => changed(graph, 5, moved));
  return { model: changedModel, data: new Uint8Array(Buffer.concat(parts)) };
};
