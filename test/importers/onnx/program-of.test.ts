/** Programs of whole graphs: the number of samples, cuts, names, and what is told of wrong files. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../../src/importers/containers/onnx/model.js';
import {
  bakedBatch,
  declaredBatch,
  type ProgramOptions,
  programOf,
} from '../../../src/importers/onnx/index.js';
import { showTensorProgram } from '../../../src/tensor/print.js';
import { evaluated, f, i, modelOf, node, programFor, tensorOf } from './one-node.js';

/** y = (-x reshaped to `to`) w + 1, with a name for each step. */
const model = (batch: number | string | undefined, to: ReadonlyArray<number> = [-1, 3]): OnnxModel =>
  modelOf({
    name: 'small',
    nodes: [
      node('Neg', ['x'], ['negated']),
      node('Reshape', ['negated', 'to'], ['flat']),
      node('MatMul', ['flat', 'w'], ['product']),
      node('Add', ['product', 'one'], ['y']),
    ],
    initializers: new Map([
      ['to', tensorOf('to', i([to.length], to))],
      ['w', tensorOf('w', f([3, 2], [1, 2, 3, 4, 5, 6]))],
      ['one', tensorOf('one', f([], [1]))],
    ]),
    inputs: [{ name: 'x', element: 'float', shape: [batch, 3] }],
    outputs: [{ name: 'y' }],
  });

const told = (m: OnnxModel, options: ProgramOptions): string => {
  const program = programOf(m, options);
  if (E.isRight(program)) throw new Error('a program was made');
  const { code, message, expected, hint } = program.left[0];
  return [code, message, expected, hint].join(' | ');
};

describe('the number of samples', () => {
  it.each(['n', undefined])('takes the place of %s', (batch) => {
    const program = programFor(model(batch), 4);
    expect(program.samples).toBe(4);
    expect(program.nodes[program.inputs[0]!]!.type.shape).toEqual([4, 3]);
    expect(evaluated(program, [[1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]])[0]).toEqual({
      shape: [4, 2],
      data: [0, -1, -2, -3, -4, -5, -8, -11],
    });
    expect(declaredBatch(model(batch))).toBeUndefined();
    expect(bakedBatch(model(batch))).toBeUndefined();
  });

  it('may be fixed by the input', () => {
    expect(declaredBatch(model(8))).toBe(8);
    expect(bakedBatch(model(8))).toBe(8);
    expect(told(model(8), { samples: 4 })).toMatch(/^K0217 .*batches of 8.*8 samples instead of 4/);
    expect(programFor(model(8), 8).samples).toBe(8);
  });

  it('may be fixed by nodes, whatever the input says', () => {
    expect(bakedBatch(model('n', [5, 3]))).toBe(5);
    expect(told(model('n', [5, 3]), { samples: 4 })).toMatch(/^K0217 .*batches of 5.*the Reshape/);
    expect(programFor(model('n', [5, 3]), 5).samples).toBe(5);
    expect(told(model('n', [5, 4]), { samples: 4 })).toMatch(/^K0214 .*the Reshape/);
  });

  it('has a name that other dimensions may have too; what else is open is refused', () => {
    const two = (second: ReadonlyArray<number | string | undefined>): OnnxModel =>
      modelOf({
        nodes: [node('MatMul', ['b', 'a'], ['y'])],
        inputs: [
          { name: 'a', shape: ['n', 3] },
          { name: 'b', shape: second },
        ],
        outputs: [{ name: 'y' }],
      });
    const program = programFor(two([5, 'n']), 2);
    expect(program.nodes[program.outputs[0]!]!.type.shape).toEqual([5, 3]);
    expect(told(two([5, 'm']), { samples: 2 })).toMatch(
      /^K0215 .*Dimension 1 of the input "b" is "m".*fixed sizes/,
    );
    expect(told(two(['n', undefined]), { samples: 2 })).toMatch(/^K0215 .*unknown/);
    const shapeless = modelOf({ inputs: [{ name: 'a' }], outputs: [{ name: 'a' }] });
    expect(told(shapeless, { samples: 2 })).toMatch(/^K0215 .*"a"/);
  });
});

describe('cuts', () => {
  it('end at any value', () => {
    const program = programFor(model('n'), 1);
    const cut = programOf(model('n'), { samples: 1, outputs: ['negated', 'product'] });
    if (E.isLeft(cut)) throw new Error();
    expect(evaluated(cut.right, [[1, 2, 3]]).map((r) => r.data)).toEqual([
      [-1, -2, -3],
      [-22, -28],
    ]);
    expect(cut.right.nodes.length).toBeLessThan(program.nodes.length);
  });

  it('begin at any value, whose shape follows from the nodes before it', () => {
    const cut = programOf(model('n'), { samples: 2, inputs: ['flat'] });
    if (E.isLeft(cut)) throw new Error();
    expect(cut.right.inputs.map((o) => cut.right.nodes[o]!)).toMatchObject([
      { name: 'flat', type: { dtype: 'f32', shape: [2, 3] }, op: { kind: 'input' } },
    ]);
    expect(cut.right.nodes.map((n) => n.name)).not.toContain('negated');
    expect(evaluated(cut.right, [[1, 0, 0, 0, 1, 0]])[0]!.data).toEqual([2, 3, 4, 5]);
  });

  it('name values that the graph has', () => {
    expect(told(model('n'), { samples: 1, outputs: ['produkt'] })).toMatch(/^K0216 .*"produkt".*"product"/);
    expect(told(model('n'), { samples: 1, inputs: ['zzz'] })).toMatch(/^K0216 .*"zzz".*such as "x", "y"/);
    expect(told(model('n'), { samples: 1, inputs: ['flat'], outputs: ['negated'] })).toMatch(
      /^K0216 .*"x".*not among/,
    );
  });

  it('leave out nodes that are wrong or without a meaning', () => {
    const broken = model('n');
    const nodes = [
      ...broken.graph.nodes,
      node('MatMul', ['y', 'y'], ['z']),
      node('TopK', ['y', 'k'], ['t', 'u']),
    ];
    expect(programFor({ ...broken, graph: { ...broken.graph, nodes } }, 3).outputs.length).toBe(1);
  });
});

describe('wrong files', () => {
  it('are told by node and op', () => {
    const wrong = modelOf({
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      initializers: new Map([['w', tensorOf('w', f([2, 1], [1, 2]))]]),
      inputs: [{ name: 'x', shape: ['n', 3] }],
      outputs: [{ name: 'y' }],
    });
    expect(told(wrong, { samples: 2 })).toMatch(/^K0214 \| In node "the MatMul" \(MatMul\), .*\[2, 3\]/);
  });

  it('lack values and inputs', () => {
    const input = { name: 'x', shape: ['n', 3] };
    const y = { name: 'y' };
    const missing = modelOf({ nodes: [node('Neg', ['q'], ['y'])], inputs: [input], outputs: [y] });
    expect(told(missing, { samples: 2 })).toMatch(/"q" is computed by no node/);
    const short = modelOf({ nodes: [node('Add', ['x'], ['y'])], inputs: [input], outputs: [y] });
    expect(told(short, { samples: 2 })).toMatch(/input 2 is missing/);
    const typed = modelOf({
      nodes: [node('Softmax', ['x'], ['y'], { axis: 'last' })],
      inputs: [input],
      outputs: [y],
    });
    expect(told(typed, { samples: 2 })).toMatch(/"axis" is of the type string.*int/);
    const never = modelOf({ inputs: [input], outputs: [y] });
    expect(told(never, { samples: 2 })).toMatch(/"y"/);
    const circle = modelOf({
      nodes: [node('Add', ['x', 'y'], ['z']), node('Neg', ['z'], ['y'])],
      inputs: [input],
      outputs: [y],
    });
    expect(told(circle, { samples: 2 })).toMatch(/"y" is computed by no node before/);
    expect(told({ ...model('n'), opset: 6 }, { samples: 2 })).toMatch(/operator set 6.*7/);
  });
});

describe('text', () => {
  it('has a line for each value, and shows names only as what they are', () => {
    expect(showTensorProgram(programFor(model('n'), 2))).toBe(
      [
        'program "small" of 2 samples',
        '  %0 : f32[2, 3] = input   # x',
        '  %1 : f32[2, 3] = neg %0   # negated',
        '  %2 : f32[3, 2] = constant {1, 2, 3, 4, 5, 6}   # w',
        '  %3 : f32[2, 2] = contract %1, %2 {xy,yz->xz}   # product',
        '  %4 : f32[] = constant {1}   # one',
        '  %5 : f32[2, 2] = add %3, %4   # y',
        '  return %5',
        '',
      ].join('\n'),
    );
    const odd = modelOf({
      inputs: [{ name: 'x\n\u001b[2J', shape: [1] }],
      outputs: [{ name: 'x\n\u001b[2J' }],
    });
    expect(showTensorProgram(programFor(odd))).not.toContain('\u001b');
  });
});
