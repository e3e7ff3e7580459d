/**
 * ONNX files. Nothing in them is executed: they are read as data, sizes are checked against the bytes that are there
 * before anything is allocated, and what no reader knows is refused by its name.
 */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked } from '../../../diagnostics/index.js';
import { filesOfFunctions, functionsOf, inlined, opsetOf } from './functions.js';
import { filesOfGraph, graphOf } from './graphs.js';
import type { OnnxModel } from './model.js';
import { type Beside, newReader } from './reader.js';
import { bytesOf, embedded, integerOf, messageOf, OnnxFault, textOf } from './wire.js';

export type * from './model.js';
export { isOnnx } from './sniff.js';

/** ModelProto: version, producer and its version, graph, imports, functions. */
const MODEL: ReadonlySet<number> = new Set([1, 2, 3, 7, 8, 25]);

const OLDEST_OPSET = 11;

/** What protobuf takes for one message. */
const MOST_BYTES = 2 ** 31 - 1;

/** Files beside a model that are looked for: some tools write one for each constant. */
const MOST_FILES = 10_000;

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
  if (bytes.length > MOST_BYTES) {
    throw new OnnxFault('K0113', `the model has ${bytes.length} bytes`, {
      expected: `at most ${MOST_BYTES}, as protobuf has it`,
      hint: 'Export it with external data (onnx.save_model with save_as_external_data=True).',
    });
  }
  const message = messageOf(bytes, 'the model', MODEL);
  const graph = embedded(message, 7);
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
  const reader = newReader(beside);
  const functions = functionsOf(bytesOf(message, 25), reader);
  const main = graphOf(graph, reader);
  return {
    irVersion: integerOf(message, 1) ?? 0,
    opset,
    producer: `${textOf(message, 2)} ${textOf(message, 3)}`.trim(),
    graph: inlined(main, functions, opset, reader),
  };
};

/**
 * An ONNX model with the files beside it that it names (`externalFilesOf`). Fails with K0112 for types that are not
 * read, K0113 beyond limits, K0117 for damage, K0118 for files beside it, K0119 for versions.
 */
export const readOnnx = (bytes: Uint8Array, file: string, beside: Beside = new Map()): Checked<OnnxModel> =>
  at({ file })(caught(() => read(bytes, beside)));

/** The files in which a model keeps its larger constants; none where it cannot be read, which its reader tells. */
export const externalFilesOf = (bytes: Uint8Array): ReadonlyArray<string> => {
  const found = caught(() => {
    const files = new Set<string>();
    const message = messageOf(bytes, 'the model', MODEL);
    const graph = embedded(message, 7);
    if (graph !== undefined) filesOfGraph(graph, files);
    filesOfFunctions(bytesOf(message, 25), files);
    return [...files];
  });
  return E.isLeft(found) ? [] : found.right.slice(0, MOST_FILES);
};
