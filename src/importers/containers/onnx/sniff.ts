/** Telling ONNX models from other files. They have no magic number, and a protobuf begins like many things do. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** ModelProto: wire types of its fields. */
const FIELDS: ReadonlyMap<number, WireType> = new Map<number, WireType>([
  [1, WireType.Varint],
  [2, WireType.LengthDelimited],
  [3, WireType.LengthDelimited],
  [4, WireType.LengthDelimited],
  [5, WireType.Varint],
  [6, WireType.LengthDelimited],
  [7, WireType.LengthDelimited],
  [8, WireType.LengthDelimited],
  [14, WireType.LengthDelimited],
  [20, WireType.LengthDelimited],
  [25, WireType.LengthDelimited],
  [26, WireType.LengthDelimited],
]);

const GRAPH = 7;
const IMPORT = 8;

/** The version of the format is small, and 1 is how a TensorFlow SavedModel begins. */
const isVersioned = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x08 && bytes[1]! >= 2 && bytes[1]! < 0x40 && bytes.length > 2;

/** Fields of a model that are looked at: other protobufs differ in the first ones. */
const LOOKED_AT = 1000;

/**
 * Whether bytes are an ONNX model, also one that was cut off or damaged further on: the version of the format first, then
 * fields that a model has, of their types, up to a graph or a version of operators. What goes on behind the end of the
 * file was cut off there.
 */
export const isOnnx = (bytes: Uint8Array): boolean => {
  if (!isVersioned(bytes)) return false;
  const reader = new BinaryReader(bytes);
  reader.pos = 2;
  for (let i = 0; i < LOOKED_AT && reader.pos < reader.len; i++) {
    try {
      const [number, wire] = reader.tag();
      if (FIELDS.get(number) !== wire) return false;
      if (number === GRAPH || number === IMPORT) return true;
      reader.skip(wire, number);
    } catch {
      return isCutOff(reader);
    }
  }
  return false;
};

/** Whether it was the end of the bytes that a field was refused for. */
const isCutOff = ({ pos, len }: BinaryReader): boolean => pos > len;
