/** ONNX files as graphs: nodes, attributes, functions, and what is refused. */
import { readFileSync } from 'node:fs';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import {
  isOnnx,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  readOnnx,
} from '../../../../src/importers/containers/onnx/index.js';
import { codeOf, messageOf, rightOf } from '../../../support/checked.js';
import {
  attributeProto,
  type Bytes,
  floatTensor,
  type GraphParts,
  graphProto,
  importProto,
  message,
  modelProto,
  nodeProto,
  type Part,
  packed,
  packedFloats,
  valueProto,
  withFloat,
} from '../../../support/onnx-writer.js';

const graphOf = (parts: GraphParts) => rightOf(readOnnx(modelProto(graphProto(parts)), 'm.onnx')).graph;

const attributeOf = (bytes: Bytes): OnnxAttribute | undefined =>
  graphOf({ nodes: [nodeProto('F', [], [], { attributes: [bytes] })] }).nodes[0]?.attributes.get('a');

describe('a model', () => {
  it('has its versions, producer, inputs and outputs', () => {
    const model: OnnxModel = rightOf(
      readOnnx(
        modelProto(
          graphProto({
            nodes: [nodeProto('MatMul', ['x', 'w'], ['y'], { name: 'first' })],
            constants: [floatTensor('w', [1, 2])],
            inputs: [valueProto('x', ['batch', 2]), valueProto('w', [2])],
            outputs: [valueProto('y', [0, 1])],
          }),
          { opset: 20 },
        ),
        'm.onnx',
      ),
    );
    expect(model).toMatchObject({ irVersion: 8, opset: 20, producer: 'pytorch 2.0' });
    expect(model.graph.inputs).toEqual([{ name: 'x', element: 'float', shape: ['batch', 2] }]);
    expect(model.graph.outputs).toEqual([{ name: 'y', element: 'float', shape: [undefined, 1] }]);
    expect(model.graph.nodes).toEqual([
      { name: 'first', op: 'MatMul', domain: '', inputs: ['x', 'w'], outputs: ['y'], attributes: new Map() },
    ]);
  });

  it('names nodes without a name by their op and place', () => {
    const nodes = [nodeProto('Add', ['a', ''], ['b']), nodeProto('Exp', ['b'], ['c'], { domain: 'ai.onnx' })];
    const read = graphOf({ nodes }).nodes;
    expect(read.map(({ name, domain, inputs }) => [name, domain, inputs])).toEqual([
      ['Add#0', '', ['a', '']],
      ['Exp#1', '', ['b']],
    ]);
  });

  it.each<readonly [string, Bytes, OnnxAttribute]>([
    ['float', withFloat(message([1, 'a'], [20, 1]), 2, 0.5), { _tag: 'float', value: 0.5 }],
    ['float without a type', withFloat(message([1, 'a']), 2, 0.5), { _tag: 'float', value: 0.5 }],
    ['int', attributeProto('a', 2, [3, -7]), { _tag: 'int', value: -7 }],
    ['int that is left out, as zeros are', attributeProto('a', 2), { _tag: 'int', value: 0 }],
    [
      'int at the end of its range',
      attributeProto('a', 2, [3, 2n ** 63n - 1n]),
      { _tag: 'int', value: 2 ** 63 },
    ],
    ['string', attributeProto('a', 3, [4, 'NOTSET']), { _tag: 'string', value: 'NOTSET' }],
    ['floats', attributeProto('a', 6, [7, packedFloats([1, 2])]), { _tag: 'floats', value: [1, 2] }],
    ['ints', attributeProto('a', 7, [8, 1], [8, -1], [8, packed([3])]), { _tag: 'ints', value: [1, -1, 3] }],
    ['strings', attributeProto('a', 8, [9, 'x'], [9, 'yy']), { _tag: 'strings', value: ['x', 'yy'] }],
  ])('has attributes: %s', (_, bytes, value) => {
    expect(attributeOf(bytes)).toEqual(value);
  });

  it('has attributes that are tensors and graphs', () => {
    expect(attributeOf(attributeProto('a', 4, [5, floatTensor('', [3])]))).toMatchObject({
      _tag: 'tensor',
      value: { name: '', data: Float64Array.of(3) },
    });
    const inner = graphProto({ nodes: [nodeProto('Exp', ['outer'], ['y'])], outputs: [valueProto('y', [])] });
    expect(attributeOf(attributeProto('a', 5, [6, inner]))).toMatchObject({
      _tag: 'graph',
      value: { nodes: [{ op: 'Exp', inputs: ['outer'] }], outputs: [{ name: 'y' }] },
    });
    expect(attributeOf(attributeProto('a', 11))).toMatchObject({ _tag: 'other' });
  });

  it('is one message where its graph stands in two, as protobuf has it', () => {
    const half = (name: string) => graphProto({ nodes: [nodeProto('Exp', [name], [`${name}y`])] });
    const bytes = message([1, 8], [7, half('a')], [7, half('b')], [8, importProto(17)]);
    expect(rightOf(readOnnx(bytes, 'm')).graph.nodes.map(({ inputs }) => inputs)).toEqual([['a'], ['b']]);
  });

  it('is read around fields that nobody knows', () => {
    const unknown = new BinaryWriter();
    unknown.raw(modelProto(graphProto({ nodes: [nodeProto('Exp', ['x'], ['y'])] })));
    unknown
      .tag(900, WireType.Bit64)
      .double(1)
      .tag(901, WireType.Bit32)
      .float(1)
      .tag(902, WireType.Varint)
      .int64(-1);
    unknown.tag(903, WireType.StartGroup).tag(1, WireType.Varint).int64(1).tag(903, WireType.EndGroup);
    expect(rightOf(readOnnx(unknown.finish(), 'm')).graph.nodes).toHaveLength(1);
  });
});

const exp = nodeProto('Exp', ['x'], ['y']);
const nested = (depth: number): Bytes =>
  depth === 0
    ? graphProto({ nodes: [exp] })
    : graphProto({
        nodes: [nodeProto('If', [], ['y'], { attributes: [attributeProto('b', 5, [6, nested(depth - 1)])] })],
      });

/** A message with groups in groups. */
const groups = (depth: number): Bytes => {
  const writer = new BinaryWriter();
  writer.raw(message([1, 8], [7, graphProto({ nodes: [exp] })], [8, importProto(17)]));
  for (let k = 0; k < depth; k++) writer.tag(900, WireType.StartGroup);
  for (let k = 0; k < depth; k++) writer.tag(900, WireType.EndGroup);
  return writer.finish();
};

const model = (...parts: ReadonlyArray<Part>): Bytes => message([1, 8], ...parts);
const withGraph = (graph: Bytes): Bytes => model([7, graph], [8, importProto(17)]);
const ofNode = (...parts: ReadonlyArray<Part>): Bytes => withGraph(message([1, message(...parts)]));

describe('what is refused', () => {
  it.each<readonly [string, string, Bytes, string]>([
    ['K0117', 'no graph', model([8, importProto(17)]), 'no graph'],
    ['K0117', 'no operators', model([7, graphProto({})]), 'no version of operators'],
    [
      'K0117',
      'operators of others alone',
      model([7, graphProto({})], [8, importProto(3, 'ai.onnx.ml')]),
      'no version',
    ],
    ['K0119', 'old operators', model([7, graphProto({})], [8, importProto(10)]), 'opset 10'],
    [
      'K0119',
      'two versions',
      model([7, graphProto({})], [8, importProto(17)], [8, importProto(18, 'ai.onnx')]),
      'opset 17, and of 18',
    ],
    ['K0112', 'sparse constants', withGraph(message([15, message()])), 'sparse'],
    ['K0113', 'graphs in graphs', withGraph(nested(9)), 'deep'],
    ['K0117', 'groups in groups', groups(200), 'recursion'],
    [
      'K0117',
      'two constants of one name',
      withGraph(graphProto({ constants: [floatTensor('w', [1]), floatTensor('w', [2])] })),
      "two constants are named 'w'",
    ],
    [
      'K0117',
      'a constant without a name',
      withGraph(graphProto({ constants: [floatTensor('', [1])] })),
      'constant 0 has no name',
    ],
    [
      'K0117',
      'an attribute twice',
      ofNode([4, 'F'], [5, attributeProto('a', 2, [3, 1])], [5, attributeProto('a', 2, [3, 2])]),
      "the attribute 'a' twice",
    ],
    [
      'K0117',
      'a tensor that is not there',
      ofNode([4, 'F'], [5, attributeProto('a', 4)]),
      'a tensor that is not there',
    ],
    [
      'K0117',
      'a graph that is not there',
      ofNode([4, 'F'], [5, attributeProto('a', 5)]),
      'a graph that is not there',
    ],
    [
      'K0117',
      'an attribute of a function outside of one',
      ofNode([4, 'F'], [5, attributeProto('a', 2, [21, 'b'])]),
      'is in none',
    ],
    ['K0117', 'a name that is no UTF-8', ofNode([4, Uint8Array.of(0x41, 0xff)]), 'UTF-8'],
    ['K0117', 'a length beyond the message', withGraph(Uint8Array.of(0x0a, 100, 1)), 'the graph is damaged'],
    [
      'K0117',
      'a length of 4 GB',
      withGraph(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)),
      'the graph is damaged',
    ],
    ['K0117', 'a number that does not end', withGraph(Uint8Array.of(0x0a, 0x80)), 'the graph is damaged'],
    ['K0117', 'a field of number 0', withGraph(Uint8Array.of(0x02, 0)), 'the graph is damaged'],
    ['K0117', 'a group that ends without a start', withGraph(Uint8Array.of(0x0c)), 'the graph is damaged'],
  ])('%s: %s', (code, _, bytes, text) => {
    const read = readOnnx(bytes, 'm.onnx');
    expect(codeOf(read)).toBe(code);
    expect(messageOf(read)).toContain(text);
    expect(messageOf(read)).toContain('m.onnx');
  });

  it('graphs in graphs are read as deep as networks have them', () => {
    expect(codeOf(readOnnx(withGraph(nested(8)), 'm'))).toBe('ok');
  });

  it('more bytes than protobuf has in a message', () => {
    // Pages of such an array are never touched.
    const read = readOnnx(new Uint8Array(2 ** 31), 'm.onnx');
    expect(codeOf(read)).toBe('K0113');
    expect(messageOf(read)).toContain('external data');
  });

  it('a million nodes, soon', () => {
    const node = new BinaryWriter();
    for (let k = 0; k < 1e6; k++) node.tag(1, WireType.LengthDelimited).bytes(exp);
    const bytes = withGraph(node.finish());
    const start = process.cpuUsage();
    expect(codeOf(readOnnx(bytes, 'm'))).toBe('K0113');
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(3);
  });
});

const wild = (name: string): Bytes =>
  new Uint8Array(readFileSync(new URL(`../../../models/onnx-wild/${name}/model.onnx`, import.meta.url)));

describe('files of exporters', () => {
  it.each(['fastkan', 'tck_kajn_conv', 'wavkan_morlet', 'relukan'])('%s', (name) => {
    const bytes = wild(name);
    expect(isOnnx(bytes)).toBe(true);
    const { graph, producer, opset } = rightOf(readOnnx(bytes, name));
    expect(producer).toMatch(/pytorch/);
    expect(opset).toBeGreaterThan(10);
    // Every value that a node takes is made before it, or given.
    const known = new Set(['', ...graph.initializers.keys(), ...graph.inputs.map((v) => v.name)]);
    for (const { inputs, outputs } of graph.nodes) {
      expect(inputs.filter((v) => !known.has(v))).toEqual([]);
      for (const v of outputs) known.add(v);
    }
    expect(graph.outputs.every((v) => known.has(v.name))).toBe(true);
    expect(graph.nodes.every((node: OnnxNode) => node.name !== '' && node.references === undefined)).toBe(
      true,
    );
  });

  it('that were cut off anywhere are refused', () => {
    const bytes = wild('fastkan');
    for (let k = 1; k < 60; k++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * k) / 60));
      expect(codeOf(readOnnx(cut, 'm')), `${cut.length}`).toBe('K0117');
      expect(isOnnx(cut), `${cut.length}`).toBe(true);
    }
  });
});

describe('what is an ONNX file', () => {
  const bytes = modelProto(graphProto({ nodes: [exp] }));

  it('is told by its first fields', () => {
    expect(isOnnx(bytes)).toBe(true);
    expect(isOnnx(bytes.subarray(0, bytes.length - 3))).toBe(true);
    // What is damaged further on is told by the reader.
    expect(isOnnx(new Uint8Array([...bytes, 0xff, 0xff, 0xff]))).toBe(true);
    expect(isOnnx(message([1, 10], [8, importProto(20)], [7, graphProto({})]))).toBe(true);
  });

  it.each<readonly [string, Bytes]>([
    ['nothing', new Uint8Array(0)],
    ['a version alone', Uint8Array.of(8, 8)],
    ['a SavedModel', message([1, 1], [2, message([1, 'x'])])],
    ['a Core ML model', message([1, 4], [2, message([1, 'x'])], [500, message([1, 1])])],
    ['another protobuf', message([1, 5], [2, 'a name'], [3, 7])],
    ['a protobuf without a graph', message([1, 5], [2, 'a name'], [3, 'another'])],
    ['a field of another type', message([1, 8], [7, 1], [8, importProto(17)])],
    ['text', new TextEncoder().encode('\b\b is no model')],
    ['zeros', Uint8Array.of(8, 8, 0, 0, 0, 0)],
  ])('is not %s', (_, other) => {
    expect(isOnnx(other)).toBe(false);
  });
});
