/** ONNX models as readers are given them: whole files, and parts that are damaged alone, as sound bytes around them. */
import { readFileSync } from 'node:fs';
import type { Checked } from '../../src/diagnostics/index.js';
import { readOnnx } from '../../src/importers/containers/onnx/index.js';
import { companions } from '../../src/importers/source.js';
import {
  attributeProto,
  type Bytes,
  external,
  floatTensor,
  functionProto,
  graphProto,
  modelProto,
  nodeProto,
  packed,
  packedFloats,
  referenceTo,
  tensorProto,
  valueProto,
} from '../../test/support/onnx-writer.js';

interface Model {
  readonly name: string;
  /** Models of one kind are read by the same function. */
  readonly kind: string;
  readonly bytes: Bytes;
  readonly read: (bytes: Bytes) => Checked<unknown>;
}

const BESIDE = new Map([['m.onnx.data', new Uint8Array(64)]]);

const reading = (bytes: Bytes): Checked<unknown> => {
  // Whoever has a disk asks for names first.
  companions('m.onnx', bytes);
  return readOnnx(bytes, 'm.onnx', BESIDE);
};

const exported = (name: string): Bytes =>
  readFileSync(new URL(`../../test/models/onnx-wild/${name}/model.onnx`, import.meta.url));

/** Constants of all kinds. */
const constants = (): ReadonlyArray<Bytes> => [
  floatTensor('w', [1, 2, 3]),
  tensorProto('ints', 7, [2], [7, packed([-1, 2])]),
  tensorProto('bytes', 2, [2], [5, packed([1, 2])]),
  tensorProto('halves', 10, [2], [5, packed([0x3c00, 0xc000])]),
  tensorProto('large', 13, [1], [11, packed([2n ** 64n - 1n])]),
  tensorProto('beside', 1, [4], ...external({ location: 'm.onnx.data', offset: '16', length: '16' })),
];

const call = (name: string, from: string, to: string): Bytes =>
  nodeProto(name, [from], [to], { domain: 'own', attributes: [attributeProto('dim', 2, [3, 1])] });

const functions = (): ReadonlyArray<Bytes> => [
  functionProto('f', ['x'], ['y'], [call('g', 'x', 't'), call('g', 't', 'y')]),
  functionProto(
    'g',
    ['x'],
    ['y'],
    [nodeProto('Softmax', ['x'], ['y'], { attributes: [referenceTo('axis', 2, 'dim')] })],
    { defaults: [attributeProto('dim', 2, [3, -1])] },
  ),
];

const graph = (): Bytes =>
  graphProto({
    constants: constants(),
    inputs: [valueProto('x', ['batch', 3])],
    outputs: [valueProto('y', ['batch', 3])],
    nodes: [
      nodeProto('Mul', ['x', 'w'], ['a']),
      call('f', 'a', 'b'),
      nodeProto('If', ['c'], ['d'], {
        attributes: [
          attributeProto('then_branch', 5, [
            6,
            graphProto({ nodes: [call('f', 'b', 'e')], outputs: [valueProto('e', [])] }),
          ]),
          attributeProto('floats', 6, [7, packedFloats([1, 2])]),
          attributeProto('ints', 7, [8, 1], [8, packed([2, 3])]),
          attributeProto('value', 4, [5, floatTensor('', [1])]),
          attributeProto('texts', 8, [9, 'one'], [9, 'two']),
        ],
      }),
      nodeProto('Exp', ['d'], ['y'], { name: 'last' }),
    ],
  });

/** Damage to a graph is met by its reader: around it lengths are right. */
const withGraph = (damaged: Bytes): Checked<unknown> =>
  reading(modelProto(damaged, { functions: functions() }));

const withConstant = (damaged: Bytes): Checked<unknown> =>
  reading(modelProto(graphProto({ constants: [damaged] })));

const withFunction = (damaged: Bytes): Checked<unknown> =>
  reading(
    modelProto(graphProto({ nodes: [call('f', 'a', 'b'), call('g', 'b', 'c')] }), {
      functions: [...functions().slice(1), damaged],
    }),
  );

export const onnxModels = (): ReadonlyArray<Model> => [
  { name: 'ONNX', kind: 'ONNX', bytes: modelProto(graph(), { functions: functions() }), read: reading },
  { name: 'ONNX of PyTorch', kind: 'ONNX', bytes: exported('wavkan_morlet'), read: reading },
  { name: 'ONNX (graph)', kind: 'ONNX (graph)', bytes: graph(), read: withGraph },
  ...constants().map((bytes, k) => ({
    name: `ONNX (constant ${k})`,
    kind: 'ONNX (constant)',
    bytes,
    read: withConstant,
  })),
  { name: 'ONNX (function)', kind: 'ONNX (function)', bytes: functions()[0]!, read: withFunction },
];

/** A network of all that an exported layer has, its graph alone: around it lengths are right. */
export const onnxNetwork = (): Bytes =>
  graphProto({
    constants: [
      floatTensor('scale', [0.5, 1, 2]),
      tensorProto('w', 1, [3, 2], [9, packedFloats([1, 2, 3, 4, 5, 6])]),
    ],
    inputs: [valueProto('x', ['batch', 3])],
    outputs: [valueProto('y', ['batch', 2])],
    nodes: [
      nodeProto('Mul', ['x', 'scale'], ['a']),
      nodeProto('Sin', ['a'], ['s']),
      nodeProto('Sigmoid', ['x'], ['t']),
      nodeProto('Add', ['s', 't'], ['u']),
      nodeProto('MatMul', ['u', 'w'], ['y']),
    ],
  });
