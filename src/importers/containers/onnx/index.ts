/**
 * ONNX files. Nothing in them is executed: they are read as data, sizes are checked against the bytes that are there
 * before anything is allocated, and what no reader knows is refused by its name.
 */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked } from '../../../diagnostics/index.js';
import { functionsOf, inlined, opsetOf } from './functions.js';
import { filesOfGraph, graphOf } from './graphs.js';
import type { OnnxModel } from './model.js';
import type { Beside } from './tensors.js';
import { bytesOf, integerOf, lastBytes, messageOf, OnnxFault, textOf } from './wire.js';

export type * from './model.js';

/** ModelProto: version, producer and its version, graph, imports, functions. */
const MODEL: ReadonlySet<number> = new Set([1, 2, 3, 7, 8, 25]);

const OLDEST_OPSET = 11;

/**
 * Whether bytes are an ONNX model: the version of the format as the first field, then another field of a model. Other
 * protobufs begin alike, so that the whole must be fields of a model.
 */
export const isOnnx = (bytes: Uint8Array): boolean => {
  const second = bytes[2]!;
  // Version 1 with a field of bytes behind it is how a TensorFlow SavedModel begins.
  const versioned = bytes[0] === 0x08 && bytes[1]! >= 2 && bytes[1]! < 0x40;
  return versioned && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].includes(second);
};

/** What a reader throws as what it says; nothing else passes. */
const caught = <A>(read: () => A): Checked<A> => {
  try {
    return E.right(read());
  } catch (error) {
    if (error instanceof OnnxFault) return E.left(error.diagnostics);
    throw error;
  }
};

const read = (bytes: Uint8Array, beside: Beside): OnnxModel => {
  const message = messageOf(bytes, 'the model', MODEL);
  const graph = lastBytes(message, 7);
  const opset = opsetOf(bytesOf(message, 8));
  if (graph === undefined || opset === undefined) {
    throw new OnnxFault(
      'K0117',
      `the file has no ${graph === undefined ? 'graph' : 'version of operators'}`,
      {
        expected: 'a model as torch.onnx.export or another exporter writes it',
        hint: 'Fetch or export the file again, and compare sizes.',
      },
    );
  }
  if (opset < OLDEST_OPSET) {
    throw new OnnxFault('K0119', `the operators are those of opset ${opset}`, {
      expected: `opset ${OLDEST_OPSET} or newer`,
      hint: 'Export the network with opset_version=17, or convert the file with onnx.version_converter.',
    });
  }
  const reader = { beside, depth: 0 };
  const functions = functionsOf(bytesOf(message, 25), opset, reader);
  const main = graphOf(graph, reader);
  return {
    irVersion: integerOf(message, 1) ?? 0,
    opset,
    producer: `${textOf(message, 2)} ${textOf(message, 3)}`.trim(),
    graph: { ...main, nodes: inlined(main.nodes, functions) },
  };
};

/**
 * An ONNX model with the files beside it that it names (`externalFilesOf`). Fails with K0112 for types that are not
 * read, K0113 beyond limits, K0117 for damage, K0118 for files beside it, K0119 for versions.
 */
export const readOnnx = (bytes: Uint8Array, file: string, beside: Beside = new Map()): Checked<OnnxModel> =>
  at({ file })(caught(() => read(bytes, beside)));

/** The files in which a model keeps its larger constants; none where it cannot be read. */
export const externalFilesOf = (bytes: Uint8Array): ReadonlyArray<string> => {
  const found = caught(() => {
    const files = new Set<string>();
    const graph = lastBytes(messageOf(bytes, 'the model', MODEL), 7);
    if (graph !== undefined) filesOfGraph(graph, files);
    return [...files];
  });
  return E.isLeft(found) ? [] : found.right;
};
