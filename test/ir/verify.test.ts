/** The verifier: what it lets pass, and each rule that it must catch, one fault at a time. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import {
  builder,
  constant,
  F32,
  floatType,
  type Graph,
  int,
  type Level,
  type Node,
  type Op,
  toValueName,
  uint,
  type ValueName,
  type ValueType,
  valueType,
  verify,
} from '../../src/ir/index.js';
import { MOST_OF_VALUE } from '../../src/ir/verify.js';
import { codeOf, rightOf } from '../support/checked.js';
import { arbitraryGraph } from '../support/graphs.js';

const nameOf = (text: string): ValueName => {
  const name = toValueName(text);
  if (name === undefined) throw new Error(`'${text}' is no name`);
  return name;
};

const UNIFORM = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
const TABLE = Int8Array.of(1, -2, 3, -4, 5, -6, 7, -8);
const table = constant(int(8), [2, 4, 1], TABLE);
const EDGE = { table, scale: 0.5, acc: 8, lo: -16, hi: 7 };

/** x -> quantize -> table.edge -> requantize, and a second result. */
const sound = (): Graph => {
  const b = builder('g', 'table');
  const x = b.input('x', floatType([2]));
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer: UNIFORM, bits: 2, nan: 'zero' } }, [x]);
  const a = b.add('a', { kind: 'table.edge', attrs: { ...EDGE, lo: -12, hi: 10 } }, [q]);
  const r = b.add('r', { kind: 'requantize', attrs: { mul: 3, shift: 4, bits: 2, quantizer: UNIFORM } }, [a]);
  return rightOf(b.build([b.add('y', { kind: 'dequantize', attrs: {} }, [a]), r]));
};

const edited = (name: string, edit: (node: Node) => Node): Graph => {
  const graph = sound();
  return { ...graph, nodes: graph.nodes.map((node) => (node.name === name ? edit(node) : node)) };
};

const withType = (name: string, type: ValueType): Graph => edited(name, (node) => ({ ...node, type }));
const withOp = (name: string, op: Op): Graph => edited(name, (node) => ({ ...node, op }));

/** A graph whose one op was changed by untyped code. */
const untyped = (name: string, op: unknown): Graph => edited(name, (node) => ({ ...node, op: op as Op }));

const shown = (graph: Graph): ReadonlyArray<string> => {
  const result = verify(graph);
  return E.isLeft(result) ? result.left.map(showDiagnostic) : [];
};

const ACC = (lo: number, hi: number, bits = 8): ValueType =>
  valueType(int(bits), [1], { _tag: 'scaled', scale: 0.5, lo, hi });

/** Both the op's range and the type that records it. */
const withRange = (attrs: object, type: ValueType): Graph =>
  edited('a', (node) => ({ ...node, type, op: { kind: 'table.edge', attrs: { ...EDGE, ...attrs } } }));

type Case = readonly [what: string, graph: Graph, ...messages: ReadonlyArray<RegExp>];

const base = sound();
const onePast = { ...base, nodes: base.nodes.filter((n) => n.name === 'q') };

const CASES: ReadonlyArray<Case> = [
  [
    'a wrong element type',
    withType('q', valueType(uint(3), [2], UNIFORM)),
    /K0401: op %q: the type is recorded as u3\[n, 2\]<.*Expected u2\[n, 2\]/,
  ],
  [
    'a wrong shape',
    withType('q', valueType(uint(2), [3], UNIFORM)),
    /K0401: op %q: the type is recorded as/,
    /K0401: op %a: table\.edge tables for 2 inputs, but the operand has 3/,
  ],
  [
    'a wrong meaning',
    withType('q', valueType(uint(2), [2], { ...UNIFORM, lo: 1 })),
    /K0401: op %q: .*lo = 1.*Expected .*lo = 0/,
  ],
  [
    'a zero of the other sign',
    withType('q', valueType(uint(2), [2], { ...UNIFORM, lo: -0 })),
    /K0401: op %q: .*lo = -0.*Expected .*lo = 0/,
  ],
  [
    'a missing meaning',
    withType('q', valueType(uint(2), [2])),
    /K0401: op %q: the type is recorded as u2\[n, 2\]\. Expected/,
  ],
  [
    'a range that is too narrow',
    withRange({ lo: -12, hi: 9 }, ACC(-12, 9)),
    /^error K0402: op %a: table\.edge: partial sums reach \[-12, 10\], outside the declared \[-12, 9\]/,
  ],
  [
    'a range beyond the accumulator',
    withRange({ lo: -200, hi: 10 }, ACC(-200, 10)),
    /^error K0402: op %a: .*the range \[-200, 10\] does not fit i8/,
  ],
  ['a range without 0', withRange({ lo: 1, hi: 9 }, ACC(1, 9)), /K0401: op %a: .*does not hold 0/],
  [
    'an accumulator of 12 bits',
    withRange({ acc: 12, lo: -12, hi: 10 }, ACC(-12, 10, 12)),
    /K0401: op %a: .*acc must be 8, 16 or 32/,
  ],
  [
    'a table entry out of its bits',
    withOp('a', {
      kind: 'table.edge',
      attrs: { ...EDGE, lo: -12, hi: 10, table: constant(int(3), [2, 4, 1], TABLE) },
    }),
    /K0401: op %a: .*a constant of type i3\[2, 4, 1\] holds 5, which does not fit its bits/,
  ],
  [
    'a product of more than 31 bits',
    withOp('r', { kind: 'requantize', attrs: { mul: 2 ** 31 - 1, shift: 4, bits: 2, quantizer: UNIFORM } }),
    /^error K0402: op %r: .*need products of more than 31 bits/,
  ],
  [
    'a bias that overflows',
    withOp('r', {
      kind: 'requantize',
      attrs: {
        mul: 3,
        shift: 4,
        bits: 2,
        quantizer: UNIFORM,
        bias: constant(int(32), [1], Int32Array.of(2 ** 31 - 1)),
      },
    }),
    /^error K0402: op %r: .*bias 2147483647 overflows 32 bits/,
  ],
  [
    'a multiplier of 0',
    withOp('r', { kind: 'requantize', attrs: { mul: 0, shift: 4, bits: 2, quantizer: UNIFORM } }),
    /K0401: op %r: .*mul must be a positive integer, found 0/,
  ],
  [
    'levels beyond the bits',
    withOp('q', { kind: 'quantize', attrs: { quantizer: { ...UNIFORM, levels: 5 }, bits: 2, nan: 'zero' } }),
    /K0401: op %q: quantize 5 levels do not fit 2 bits/,
  ],
  [
    'an op at another level',
    { ...base, level: 'quantized' },
    /K0401: op %a: table\.edge does not stand at level quantized\. Expected .*stands at table/,
    /op %r: requantize does not stand/,
  ],
  ['a level that is none', { ...base, level: 'other' as Level }, /K0401: there is no level 'other'/],
  [
    'an undefined operand',
    edited('a', (n) => ({ ...n, operands: [nameOf('nowhere')] })),
    /K0401: op %a: table\.edge uses %nowhere, which is not defined before it/,
  ],
  [
    'an operand defined later',
    { ...base, nodes: [...base.nodes].reverse() },
    /op %r: requantize uses %a/,
    /op %y: dequantize uses %a/,
    /op %a: table\.edge uses %q/,
  ],
  [
    'too many operands',
    edited('y', (n) => ({ ...n, operands: [nameOf('a'), nameOf('a')] })),
    /op %y: dequantize takes 1 operand\(s\), found 2/,
  ],
  [
    'a name taken twice',
    { ...base, nodes: base.nodes.map((n) => (n.name === 'r' ? { ...n, name: nameOf('y') } : n)) },
    /op %y: %y is defined twice/,
    /%r is returned but not defined/,
  ],
  [
    'a name that is none',
    { ...base, nodes: base.nodes.map((n) => (n.name === 'r' ? { ...n, name: '1 r' as ValueName } : n)) },
    /'1 r' is not a value name/,
    /%r is returned/,
  ],
  ['no output', { ...base, outputs: [] }, /K0401: the graph has no output/],
  ['no input', { ...onePast, inputs: [], outputs: [nameOf('q')] }, /the graph has no input/, /uses %x/],
  ['an undefined output', { ...base, outputs: [nameOf('z')] }, /%z is returned but not defined/],
  [
    'an input without features',
    { ...base, inputs: [{ name: nameOf('x'), type: floatType([0]) }] },
    /op %x: the shape \[0\] is not made of positive integers/,
    /uses %x/,
  ],
  [
    'an input too large to index',
    { ...base, inputs: [{ name: nameOf('x'), type: floatType([2 ** 20, 2 ** 20]) }] },
    /K0113: op %x: a value of the shape .* has 1099511627776 elements/,
  ],
  [
    'a float with a quantizer',
    { ...base, inputs: [{ name: nameOf('x'), type: valueType(F32, [2], UNIFORM) }] },
    /only unsigned codes have a quantizer/,
    /uses %x/,
  ],
  [
    'codes with a scale',
    {
      ...base,
      inputs: [
        { name: nameOf('x'), type: valueType(uint(4), [1], { _tag: 'scaled', scale: 1, lo: 0, hi: 1 }) },
      ],
    },
    /only signed accumulators have a scale/,
    /uses %x/,
  ],
  [
    'attributes that are missing',
    untyped('a', { kind: 'table.edge', attrs: {} }),
    /K0401: op %a: the attributes of table\.edge are malformed: table: expected int constant of rank 3, found nothing/,
  ],
  ['attributes that are none', untyped('a', { kind: 'table.edge', attrs: null }), /malformed/],
  ['an unknown attribute', untyped('y', { kind: 'dequantize', attrs: { scale: 1 } }), /unknown key 'scale'/],
  [
    'an unknown op',
    untyped('y', { kind: 'sort', attrs: {} }),
    /K0401: op %y: there is no op 'sort'\. Expected one of activate/,
  ],
  [
    'a constant in the wrong array',
    untyped('a', {
      kind: 'table.edge',
      attrs: { ...EDGE, table: { ...table, data: Int16Array.from(TABLE) } },
    }),
    /is not stored in the array of its type/,
  ],
  [
    'a constant without data',
    untyped('a', { kind: 'table.edge', attrs: { ...EDGE, table: { ...table, data: undefined } } }),
    /is not stored in the array of its type/,
  ],
  [
    'a constant too short',
    untyped('a', { kind: 'table.edge', attrs: { ...EDGE, table: { ...table, data: TABLE.slice(1) } } }),
    /holds 7 elements/,
  ],
  [
    'a constant of no type',
    untyped('a', { kind: 'table.edge', attrs: { ...EDGE, table: { _tag: 'Constant' } } }),
    /a constant has no valid type/,
  ],
];

describe('verify', () => {
  it('lets every sound graph pass', () => {
    expect(shown(sound())).toStrictEqual([]);
    fc.assert(fc.property(arbitraryGraph(), (graph) => codeOf(verify(graph)) === 'ok'));
  });

  it.each(CASES.map(([what, graph, ...messages]) => ({ what, graph, messages })))(
    'catches $what',
    ({ graph, messages }) => {
      const found = shown(graph);
      for (const message of messages)
        expect(
          found.some((f) => message.test(f)),
          found.join('\n'),
        ).toBe(true);
    },
  );

  it('tells all faults at once', () => {
    const graph = {
      ...base,
      nodes: base.nodes.map((n) => ({ ...n, operands: [nameOf('nowhere')] })),
      outputs: [],
    };
    expect(shown(graph)).toHaveLength(base.nodes.length + 1);
  });

  it('tells one fault once', () => {
    expect(shown(withRange({ lo: -12, hi: 9 }, ACC(-12, 9)))).toHaveLength(1);
  });

  it('takes no time for a shape alone', () => {
    const type = valueType(int(32), [MOST_OF_VALUE], { _tag: 'scaled', scale: 1, lo: 0, hi: 9 });
    const b = builder('wide', 'table');
    const x = b.input('x', type);
    const graph = b.build([
      b.add('r', { kind: 'requantize', attrs: { mul: 1, shift: 1, bits: 2, quantizer: UNIFORM } }, [x]),
    ]);
    const start = performance.now();
    expect(codeOf(verify(rightOf(graph)))).toBe('ok');
    expect(performance.now() - start).toBeLessThan(200);
  });
});
