/** What is said of shapes, numbers made of numbers, and graphs inside nodes. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { programOf } from '../../../src/importers/onnx/index.js';
import {
  b,
  both,
  evaluated,
  f,
  fixed,
  type Given,
  graph,
  i,
  list,
  modelOf,
  node,
  type Options,
  oneNode,
  programFor,
  type Result,
  random,
  tensorOf,
} from './one-node.js';

const only = (op: string, operands: ReadonlyArray<Given | undefined>, options: Options = {}): Result => {
  const { varying, folded } = both(op, operands, options);
  expect(varying).toEqual(folded);
  return varying[0]!;
};

describe('shapes are constants', () => {
  const x = random([2, 3, 4]);
  it.each([
    [{}, [2, 3, 4]],
    [{ start: 1 }, [3, 4]],
    [{ start: -2, end: -1 }, [3]],
    [{ end: 9 }, [2, 3, 4]],
  ])('Shape %j', (attributes, data) => {
    const program = programFor(oneNode('Shape', [x], { attributes }, true), 2);
    expect(program.nodes.map((n) => n.op.kind)).toEqual(['input', 'constant']);
    expect(evaluated(program, [x.data])[0]).toEqual({ shape: [data.length], data });
  });

  it('Size', () => {
    expect(only('Size', [x])).toEqual({ shape: [], data: [24] });
  });
});

describe('numbers', () => {
  it('Constant in all its forms', () => {
    const value = tensorOf('', f([2], [0.1, 2]));
    expect(only('Constant', [], { attributes: { value } }).data).toEqual([Math.fround(0.1), 2]);
    expect(only('Constant', [], { attributes: { value_float: 0.25 } })).toEqual({ shape: [], data: [0.25] });
    expect(only('Constant', [], { attributes: { value_int: 7 } })).toEqual({ shape: [], data: [7] });
    expect(only('Constant', [], { attributes: { value_ints: [7, 8] } })).toEqual({
      shape: [2],
      data: [7, 8],
    });
    expect(only('Constant', [], { attributes: { value_floats: [0.5, 1.5] } }).data).toEqual([0.5, 1.5]);
  });

  it('integers of constants stay exact', () => {
    const value = tensorOf('', i([1], [2 ** 53 - 1]));
    expect(only('Constant', [], { attributes: { value } }).data).toEqual([2 ** 53 - 1]);
  });

  it('ConstantOfShape, EyeLike, Range', () => {
    expect(only('ConstantOfShape', [list(2, 2)])).toEqual({ shape: [2, 2], data: [0, 0, 0, 0] });
    const value = tensorOf('', i([1], [3]));
    expect(only('ConstantOfShape', [list(2)], { attributes: { value } }).data).toEqual([3, 3]);
    expect(only('EyeLike', [random([2, 3])], { attributes: { k: 1 } }).data).toEqual([0, 1, 0, 0, 0, 1]);
    expect(only('Range', [fixed(i([], [2])), fixed(i([], [9])), fixed(i([], [3]))]).data).toEqual([2, 5, 8]);
    expect(only('Range', [fixed(f([], [1])), fixed(f([], [0])), fixed(f([], [-0.25]))]).data).toEqual([
      1, 0.75, 0.5, 0.25,
    ]);
  });

  it('refuses tensors that cannot be made before it makes them', () => {
    for (const shape of [list(2 ** 20, 2 ** 20), list(-1)])
      expect(() => only('ConstantOfShape', [shape])).toThrow(/K0214.*cannot be made/);
    expect(() => only('Expand', [random([2, 1]), list(1, 2 ** 30)])).toThrow(/K0214.*cannot be made/);
    expect(() =>
      only(
        'Range',
        [0, 1e9, 1].map((v) => fixed(i([], [v]))),
      ),
    ).toThrow(/K0214.*cannot be made/);
  });

  it('NonZero of a constant, and of what varies not', () => {
    const mask = fixed(b([2, 3], [0, 1, 0, 1, 0, 1]));
    expect(only('NonZero', [mask])).toEqual({ shape: [2, 3], data: [0, 1, 1, 1, 0, 2] });
    expect(() => only('NonZero', [b([2], [0, 1])])).toThrow(/the shape of the result of NonZero is computed/);
  });

  it('OneHot, counting from the end too', () => {
    const values = fixed(f([2], [-1, 1]));
    const expected = { shape: [2, 3], data: [-1, -1, 1, -1, 1, -1] };
    expect(only('OneHot', [i([2], [2, -2]), fixed(i([], [3])), values])).toEqual(expected);
    const first = only('OneHot', [i([2], [0, 1]), fixed(i([], [3])), values], { attributes: { axis: 0 } });
    expect(first).toEqual({ shape: [3, 2], data: [1, -1, -1, 1, -1, -1] });
  });
});

describe('Cast', () => {
  const to = (number: number) => ({ attributes: { to: number } });
  it('cuts floats, tells truth, keeps numbers', () => {
    expect(only('Cast', [f([4], [1.9, -1.9, 0.2, 0])], to(7)).data).toEqual([1, -1, 0, 0]);
    expect(only('Cast', [f([3], [0, -0.5, 2])], to(9)).data).toEqual([0, 1, 1]);
    expect(only('Cast', [b([2], [0, 1])], to(1)).data).toEqual([0, 1]);
    expect(only('Cast', [i([1], [2 ** 24 + 1])], to(1)).data).toEqual([2 ** 24]);
    expect(only('CastLike', [f([2], [1.5, 2.5]), i([1], [0])]).data).toEqual([1, 2]);
  });

  it('wraps constants around in narrow integers, and has no meaning for what varies', () => {
    const x = i([3], [300, -1, 128]);
    expect(only('Cast', [fixed(x)], to(2)).data).toEqual([44, 255, 128]);
    expect(only('Cast', [fixed(x)], to(3)).data).toEqual([44, -1, -128]);
    expect(() => only('Cast', [x], to(3))).toThrow(/wraps around/);
  });
});

describe('DequantizeLinear', () => {
  it('of constants, for all or along an axis', () => {
    const x = fixed({ ...i([2, 2], [10, 20, 30, 40]), element: 'int8' });
    const all = [x, fixed(f([], [0.5])), fixed({ ...i([], [10]), element: 'int8' })];
    expect(only('DequantizeLinear', all).data).toEqual([0, 5, 10, 15]);
    expect(only('DequantizeLinear', [x, fixed(f([2], [0.5, 2]))]).data).toEqual([5, 40, 15, 80]);
    expect(only('DequantizeLinear', [x, fixed(f([2], [0.5, 2]))], { attributes: { axis: 0 } }).data).toEqual([
      5, 10, 60, 80,
    ]);
  });
});

describe('graphs in nodes', () => {
  const y = { name: 'y' };
  const x = { name: 'x', element: 'float', shape: ['n', 2] } as const;
  const branch = (op: string) => graph({ nodes: [node(op, ['x'], ['z'])], outputs: [{ name: 'z' }] });
  const branches = { then_branch: branch('Neg'), else_branch: branch('Abs') };

  it.each([
    [1, [-1, 2]],
    [0, [1, 2]],
  ])('If takes the branch of a constant: %i', (condition, data) => {
    const model = modelOf({
      nodes: [node('If', ['c'], ['y'], branches)],
      initializers: new Map([['c', tensorOf('c', b([], [condition]))]]),
      inputs: [x],
      outputs: [y],
    });
    expect(evaluated(programFor(model), [[1, -2]])[0]!.data).toEqual(data);
  });

  it('If on what varies has no meaning, and is no failure', () => {
    const model = modelOf({
      nodes: [node('Not', ['x'], ['c']), node('If', ['c'], ['y'], branches)],
      inputs: [x],
      outputs: [y],
    });
    const program = programFor(model);
    const { op, origin } = program.nodes[program.outputs[0]!]!;
    expect(op).toEqual({
      kind: 'opaque',
      why: 'the condition of If is computed from what the network is given',
    });
    expect(origin).toEqual({ node: 'the If', op: 'If' });
  });

  it('Loop of a constant length is written out, with what it collects', () => {
    const body = graph({
      nodes: [
        node('Identity', ['go'], ['next']),
        node('Mul', ['s', 'x'], ['t']),
        node('Cast', ['k'], ['kf'], { to: 1 }),
        node('Add', ['s', 'kf'], ['seen']),
      ],
      inputs: [{ name: 'k' }, { name: 'go' }, { name: 's' }],
      outputs: [{ name: 'next' }, { name: 't' }, { name: 'seen' }],
    });
    const model = modelOf({
      nodes: [node('Loop', ['m', '', 'x'], ['y', 'all'], { body })],
      initializers: new Map([['m', tensorOf('m', i([], [3]))]]),
      inputs: [x],
      outputs: [y, { name: 'all' }],
    });
    const [power, all] = evaluated(programFor(model), [[2, 3]]);
    expect(power).toEqual({ shape: [1, 2], data: [16, 81] });
    expect(all).toEqual({ shape: [3, 1, 2], data: [2, 3, 5, 10, 10, 29] });
  });

  it('Scan goes over the first axis', () => {
    const body = graph({
      nodes: [node('Add', ['s', 'row'], ['t']), node('Neg', ['t'], ['out'])],
      inputs: [{ name: 's' }, { name: 'row' }],
      outputs: [{ name: 't' }, { name: 'out' }],
    });
    const model = modelOf({
      nodes: [node('Scan', ['z', 'x'], ['last', 'y'], { body, num_scan_inputs: 1 })],
      initializers: new Map([['z', tensorOf('z', f([2], [0, 10]))]]),
      inputs: [x],
      outputs: [y, { name: 'last' }],
    });
    const [sums, last] = evaluated(programFor(model, 3), [[1, 2, 3, 4, 5, 6]]);
    expect(sums).toEqual({ shape: [3, 2], data: [-1, -12, -4, -16, -9, -22] });
    expect(last!.data).toEqual([9, 22]);
  });

  it('nested loops end before memory does', () => {
    const loop = (inner: ReturnType<typeof graph>) =>
      graph({
        nodes: [node('Identity', ['go'], ['next']), node('Loop', ['m', '', 's'], ['t'], { body: inner })],
        inputs: [{ name: 'k' }, { name: 'go' }, { name: 's' }],
        outputs: [{ name: 'next' }, { name: 't' }],
      });
    const innermost = graph({
      nodes: [node('Identity', ['go'], ['next']), node('Neg', ['s'], ['t'])],
      inputs: [{ name: 'k' }, { name: 'go' }, { name: 's' }],
      outputs: [{ name: 'next' }, { name: 't' }],
    });
    const model = modelOf({
      nodes: [node('Loop', ['m', '', 'x'], ['y'], { body: loop(loop(innermost)) })],
      initializers: new Map([['m', tensorOf('m', i([], [1000]))]]),
      inputs: [x],
      outputs: [y],
    });
    const program = programOf(model, { samples: 1 });
    expect(E.isLeft(program) && program.left[0].message).toMatch(/more than 65536 values/);
  });
});

describe('ops without a meaning', () => {
  it.each([
    ['TopK', [random([2, 5]), list(3)], 2, [2, 3]],
    ['ArgMax', [random([2, 5])], 1, [1, 5]],
    ['RandomNormalLike', [random([2, 5])], 1, [2, 5]],
    ['QuantizeLinear', [random([2, 5]), fixed(f([], [0.1]))], 1, [2, 5]],
    ['LSTM', [random([4, 2, 3]), fixed(random([1, 20, 3])), fixed(random([1, 20, 5]))], 3, [4, 1, 2, 5]],
  ])('%s is opaque and has a shape', (op, operands, outputs, shape) => {
    const attributes = op === 'LSTM' ? { hidden_size: 5 } : {};
    const model = oneNode(op, operands, { outputs, attributes }, true);
    const program = programFor(model, operands[0]!.shape[0]);
    const value = program.nodes[program.outputs[0]!]!;
    expect(value.op.kind).toBe('opaque');
    expect(value.type.shape).toEqual(shape);
    expect(() => evaluated(program, [operands[0]!.data])).toThrow(new RegExp(`the ${op}`));
  });

  it('an unknown op is opaque, and so is all that needs it; nothing else is', () => {
    const model = modelOf({
      nodes: [
        { ...node('Fancy', ['x'], ['u']), domain: 'com.example' },
        node('Relu', ['u'], ['v']),
        node('Neg', ['x'], ['w']),
      ],
      inputs: [{ name: 'x', shape: ['n', 3] }],
      outputs: [{ name: 'v' }, { name: 'w' }],
    });
    const program = programFor(model, 2);
    const [v, w] = program.outputs.map((o) => program.nodes[o]!);
    expect(v!.op).toEqual({
      kind: 'opaque',
      why: 'the op Fancy of the domain com.example has no meaning here',
    });
    expect(v!.origin.node).toBe('the Fancy');
    expect(w!.op.kind).toBe('map');
  });
});
