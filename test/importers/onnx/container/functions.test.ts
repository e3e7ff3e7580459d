/** Functions of ONNX files: what calls of them become. */
import { describe, expect, it } from 'vitest';
import { type OnnxNode, readOnnx } from '../../../../src/importers/containers/onnx/index.js';
import { codeOf, messageOf, rightOf } from '../../../support/checked.js';
import {
  attributeProto,
  type Bytes,
  functionProto,
  graphProto,
  modelProto,
  nodeProto,
  referenceTo,
  valueProto,
} from '../../../support/onnx-writer.js';

const call = (
  name: string,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
  ...attributes: ReadonlyArray<Bytes>
): Bytes => nodeProto(name, inputs, outputs, { domain: 'own', name: `call of ${name}`, attributes });

const modelOf = (nodes: ReadonlyArray<Bytes>, ...functions: ReadonlyArray<Bytes>) =>
  readOnnx(modelProto(graphProto({ nodes }), { functions }), 'm.onnx');

const inlined = (nodes: ReadonlyArray<Bytes>, ...functions: ReadonlyArray<Bytes>): ReadonlyArray<OnnxNode> =>
  rightOf(modelOf(nodes, ...functions)).graph.nodes;

/** Ops with the values that they take and give. */
const shown = (nodes: ReadonlyArray<OnnxNode>): ReadonlyArray<string> =>
  nodes.map(({ op, inputs, outputs }) => `${outputs.join(' ')} = ${op} ${inputs.join(' ')}`);

/** y = exp(x) + x */
const grow = functionProto(
  'grow',
  ['x'],
  ['y'],
  [nodeProto('Exp', ['x'], ['t'], { name: 'e' }), nodeProto('Add', ['t', 'x'], ['y'])],
);

describe('functions of a file', () => {
  it('are replaced by what they hold, under names of their own', () => {
    const nodes = inlined([call('grow', ['a'], ['b'])], grow);
    expect(shown(nodes)).toEqual(['call of grow/t = Exp a', 'b = Add call of grow/t a']);
    expect(nodes.map(({ name }) => name)).toEqual(['call of grow/e', 'call of grow/Add#1']);
  });

  it('have other values in every call, also where calls have one name or a value has theirs', () => {
    const nodes = inlined(
      [
        nodeProto('Exp', ['a'], ['call of grow/t']),
        call('grow', ['a'], ['b']),
        call('grow', ['b'], ['c']),
        nodeProto('Add', ['call of grow/t', 'c'], ['d']),
      ],
      grow,
    );
    expect(shown(nodes)).toEqual([
      'call of grow/t = Exp a',
      'call of grow/t~2 = Exp a',
      'b = Add call of grow/t~2 a',
      'call of grow/t~3 = Exp b',
      'c = Add call of grow/t~3 b',
      'd = Add call of grow/t c',
    ]);
  });

  it('call each other', () => {
    const twice = functionProto(
      'twice',
      ['x'],
      ['y'],
      [call('grow', ['x'], ['t']), call('grow', ['t'], ['y'])],
    );
    expect(shown(inlined([call('twice', ['a'], ['b'])], twice, grow))).toEqual([
      'call of twice/call of grow/t = Exp a',
      'call of twice/t = Add call of twice/call of grow/t a',
      'call of twice/call of grow/t~2 = Exp call of twice/t',
      'b = Add call of twice/call of grow/t~2 call of twice/t',
    ]);
  });

  it('take attributes of the call, else their own defaults, else none', () => {
    const f = functionProto(
      'f',
      ['x'],
      ['y'],
      [
        nodeProto('Softmax', ['x'], ['y'], {
          attributes: [
            referenceTo('axis', 2, 'dim'),
            referenceTo('other', 2, 'nothing'),
            attributeProto('own', 2, [3, 5]),
          ],
        }),
      ],
      { defaults: [attributeProto('dim', 2, [3, -1])] },
    );
    const attributes = (...given: ReadonlyArray<Bytes>) =>
      inlined([call('f', ['a'], ['b'], ...given)], f)[0]?.attributes;
    const int = (value: number) => ({ _tag: 'int', value });
    expect(attributes()).toEqual(
      new Map([
        ['own', int(5)],
        ['axis', int(-1)],
      ]),
    );
    expect(attributes(attributeProto('dim', 2, [3, 2]))).toEqual(
      new Map([
        ['own', int(5)],
        ['axis', int(2)],
      ]),
    );
  });

  it('pass attributes on', () => {
    const inner = functionProto(
      'inner',
      ['x'],
      ['y'],
      [nodeProto('LeakyRelu', ['x'], ['y'], { attributes: [referenceTo('alpha', 1, 'slope')] })],
    );
    const outer = functionProto(
      'outer',
      ['x'],
      ['y'],
      [nodeProto('inner', ['x'], ['y'], { domain: 'own', attributes: [referenceTo('slope', 1, 'by')] })],
    );
    const [node] = inlined([call('outer', ['a'], ['b'], attributeProto('by', 2, [3, 4]))], outer, inner);
    expect(node?.attributes).toEqual(new Map([['alpha', { _tag: 'int', value: 4 }]]));
  });

  it('leave out values as calls do', () => {
    const clip = functionProto(
      'clip',
      ['x', 'low', 'high'],
      ['y', 'unused'],
      [nodeProto('Clip', ['x', 'low', 'high'], ['y']), nodeProto('Not', ['y'], ['unused'])],
    );
    expect(shown(inlined([call('clip', ['a', '', 'c'], ['b'])], clip))).toEqual([
      'b = Clip a  c',
      'call of clip/unused = Not b',
    ]);
    expect(shown(inlined([call('clip', ['a'], ['b', ''])], clip))[0]).toBe('b = Clip a  ');
  });

  it('may give what they are given, or one value twice', () => {
    const same = functionProto('same', ['x'], ['x', 'y', 'y'], [nodeProto('Exp', ['x'], ['y'])]);
    expect(shown(inlined([call('same', ['a'], ['b', 'c', 'd'])], same))).toEqual([
      'c = Exp a',
      'b = Identity a',
      'd = Identity c',
    ]);
  });

  it('are called in graphs of nodes, and hold such', () => {
    const branch = (name: string, from: string): Bytes =>
      attributeProto(name, 5, [
        6,
        graphProto({ nodes: [call('grow', [from], ['t'])], outputs: [valueProto('t', [])] }),
      ]);
    const choose = functionProto(
      'choose',
      ['c', 'x'],
      ['y'],
      [
        nodeProto('Exp', ['x'], ['t2']),
        nodeProto('If', ['c'], ['y'], {
          attributes: [branch('then_branch', 'x'), branch('else_branch', 't2')],
        }),
      ],
    );
    const [, node] = inlined([call('choose', ['a', 'b'], ['d'])], choose, grow);
    const graphs = [...(node?.attributes.values() ?? [])].flatMap((a) =>
      a._tag === 'graph' ? [a.value] : [],
    );
    expect(graphs.map((g) => shown(g.nodes))).toEqual([
      ['call of choose/call of grow/t = Exp b', 'call of choose/t = Add call of choose/call of grow/t b'],
      [
        'call of choose/call of grow/t~2 = Exp call of choose/t2',
        'call of choose/t = Add call of choose/call of grow/t~2 call of choose/t2',
      ],
    ]);
    expect(graphs.map((g) => g.outputs.map((v) => v.name))).toEqual([
      ['call of choose/t'],
      ['call of choose/t'],
    ]);
    expect(node?.outputs).toEqual(['d']);
  });

  it('are told apart by domain and overload', () => {
    const of = (op: string, overload?: string): Bytes =>
      functionProto(
        'f',
        ['x'],
        ['y'],
        [nodeProto(op, ['x'], ['y'])],
        overload === undefined ? {} : { overload },
      );
    const nodes = [
      nodeProto('f', ['a'], ['b'], { domain: 'own' }),
      nodeProto('f', ['b'], ['c'], { domain: 'own', overload: 'two' }),
      nodeProto('f', ['c'], ['d'], { domain: 'other' }),
    ];
    const read = inlined(nodes, of('Exp'), of('Log', 'two'));
    expect(shown(read)).toEqual(['b = Exp a', 'c = Log b', 'd = f c']);
    expect(read.every((node) => !('overload' in node))).toBe(true);
  });
});

/** Functions of which each calls the next ten times. */
const tower = (levels: number, last: ReadonlyArray<Bytes>): ReadonlyArray<Bytes> =>
  Array.from({ length: levels }, (_, k) =>
    functionProto(
      `f${k}`,
      ['x'],
      ['y'],
      k === levels - 1 ? last : Array.from({ length: 10 }, (_v, i) => call(`f${k + 1}`, ['x'], [`v${i}`])),
    ),
  );

describe('functions that are refused', () => {
  it('call themselves', () => {
    const odd = functionProto('odd', ['x'], ['y'], [call('even', ['x'], ['y'])]);
    const even = functionProto('even', ['x'], ['y'], [call('odd', ['x'], ['y'])]);
    const read = modelOf([call('odd', ['a'], ['b'])], odd, even);
    expect(codeOf(read)).toBe('K0117');
    expect(messageOf(read)).toContain("'odd' calls itself");
  });

  it('become more nodes than any network has, whether or not something is left of them', () => {
    for (const last of [[nodeProto('Exp', ['x'], ['y'])], []]) {
      const start = process.cpuUsage();
      const read = modelOf([call('f0', ['a'], ['b'])], ...tower(12, last));
      expect(codeOf(read)).toBe('K0113');
      expect(process.cpuUsage(start).user / 1e6).toBeLessThan(3);
    }
  });

  it('call others without an end', () => {
    const chain = Array.from({ length: 5000 }, (_, k) =>
      functionProto(`f${k}`, ['x'], ['y'], [call(`f${k + 1}`, ['x'], ['y'])]),
    );
    const read = modelOf([call('f0', ['a'], ['b'])], ...chain);
    expect(codeOf(read)).toBe('K0113');
    expect(messageOf(read)).toContain('deep');
  });

  it('have long names, which do not grow with every call', () => {
    const long = 'n'.repeat(100_000);
    const f = functionProto(
      'f',
      ['x'],
      ['y'],
      [nodeProto('Exp', ['x'], [long]), nodeProto('Exp', [long], ['y'])],
    );
    const nodes = inlined(
      Array.from({ length: 3 }, (_, k) => call('f', ['a'], [`b${k}`])),
      f,
    );
    const made = nodes.flatMap(({ outputs }) => outputs);
    expect(new Set(made).size).toBe(6);
    expect(Math.max(...made.map((name) => name.length))).toBeLessThan(500);
  });

  it.each<readonly [string, Bytes, Bytes, string]>([
    ['more values', call('grow', ['a', 'b'], ['c']), grow, 'more values'],
    ['more results', call('grow', ['a'], ['b', 'c']), grow, 'more values'],
    [
      'another version',
      call('f', ['a'], ['b']),
      functionProto('f', ['x'], ['y'], [], { opset: 9 }),
      'opset 9',
    ],
  ])('%s', (_, node, f, text) => {
    const read = modelOf([node], f);
    expect(codeOf(read)).toMatch(/K0117|K0119/);
    expect(messageOf(read)).toContain(text);
  });

  it('of another version are no harm where nobody calls them', () => {
    const f = functionProto('f', ['x'], ['y'], [], { opset: 9 });
    expect(shown(inlined([nodeProto('Exp', ['a'], ['b'])], f))).toEqual(['b = Exp a']);
  });

  it('are there twice', () => {
    expect(messageOf(modelOf([], grow, grow))).toContain("two functions are named 'grow'");
  });
});
