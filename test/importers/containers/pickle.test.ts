import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPickle } from '../../../src/importers/containers/pickle/index.js';
import { findStateDicts } from '../../../src/importers/containers/torch/state-dict.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import {
  call,
  dict,
  type Fragment,
  get,
  global,
  int,
  list,
  orderedDict,
  pickle,
  put,
  text,
  tuple,
  vector,
} from '../../support/pickle-writer.js';

const read = (value: Fragment) => readPickle(Uint8Array.from(pickle(value)));
const raw = (...bytes: (number | string)[]) =>
  readPickle(Uint8Array.from(bytes.flatMap((b) => (typeof b === 'string' ? [...Buffer.from(b)] : [b]))));

describe('pickle', () => {
  test('plain values', () => {
    expect(
      rightOf(read(tuple(int(-3), text('é'), list(int(1)), [0x4e], [0x88], [0x8a, 1, 0xff]))).root,
    ).toEqual({
      tag: 'tuple',
      items: [
        { tag: 'int', value: -3 },
        { tag: 'string', value: 'é' },
        { tag: 'list', items: [{ tag: 'int', value: 1 }] },
        { tag: 'none' },
        { tag: 'bool', value: true },
        { tag: 'int', value: -1 },
      ],
    });
  });

  test('protocol 4: frames, memoize, stack globals', () => {
    const body = [
      0x8c,
      11,
      ...Buffer.from('collections'),
      0x94,
      0x8c,
      11,
      ...Buffer.from('OrderedDict'),
      0x93,
      0x29,
      0x52,
      0x2e,
    ];
    expect(rightOf(raw(0x80, 4, 0x95, body.length, 0, 0, 0, 0, 0, 0, 0, ...body)).root).toEqual({
      tag: 'dict',
      entries: [],
    });
  });

  test('the memo shares, it does not copy', () => {
    const { root } = rightOf(read(tuple(put(7, list(int(1))), get(7))));
    expect(root.tag === 'tuple' && root.items[0] === root.items[1]).toBe(true);
  });

  test.each([
    ['os.system', global('os', 'system')],
    ['posix.system', global('posix', 'system')],
    ['builtins.eval', global('builtins', 'eval')],
    ['__builtin__.exec', global('__builtin__', 'exec')],
    ['subprocess.Popen', [...text('subprocess'), ...text('Popen'), 0x93]],
    ['torch.os.system', global('torch.os', 'system')],
  ])('refuses %s by name', (name, callee) => {
    const result = read(call(callee, text('echo pwned')));
    expect(codeOf(result)).toBe('K0107');
    expect(messageOf(result)).toContain(name);
  });

  test.each([
    ['torch.storage._load_from_bytes', global('torch.storage', '_load_from_bytes')],
    ['torch.storage.TypedStorage', global('torch.storage', 'TypedStorage')],
    ['torch.nn.modules.linear.Linear', global('torch.nn.modules.linear', 'Linear')],
    ['torch.load', global('torch', 'load')],
    ['torch.toString', global('torch', 'toString')],
    ['numpy.core.multiarray.scalar', [...text('numpy.core.multiarray'), ...text('scalar'), 0x93]],
  ])('makes nothing of %s but an object with what lies in it', (name, callee) => {
    expect(rightOf(read(call(callee, text('x')))).root).toEqual({
      tag: 'object',
      name,
      parts: [{ tag: 'tuple', items: [{ tag: 'string', value: 'x' }] }],
    });
  });

  test('objects keep state, items and named arguments; what they give is an object too', () => {
    const namespace = [...global('argparse', 'Namespace'), 0x29, 0x81, ...dict({ lr: int(1) }), 0x62];
    const made = rightOf(read(namespace)).root;
    expect(made.tag === 'object' && [made.name, made.parts.length]).toEqual(['argparse.Namespace', 2]);
    const own = [...call(global('m', 'Dict')), 0x28, ...text('a'), ...int(1), 0x75];
    expect(rightOf(read(own)).root).toMatchObject({ tag: 'object', name: 'm.Dict', parts: { length: 3 } });
    const named = [...global('m', 'C'), 0x29, ...dict({ a: int(1) }), 0x92];
    expect(rightOf(read(named)).root).toMatchObject({ tag: 'object', name: 'm.C', parts: { length: 2 } });
    const rebuilt = call(
      global('copyreg', '_reconstructor'),
      global('m', 'D'),
      global('builtins', 'object'),
      [0x4e],
    );
    expect(rightOf(read(rebuilt)).root).toMatchObject({ tag: 'object', name: 'm.D' });
    const method = call(call(global('builtins', 'getattr'), global('m', 'C'), text('make')));
    expect(rightOf(read(method)).root).toMatchObject({ tag: 'object', name: 'builtins.getattr' });
    const set = [0x8f, 0x28, ...int(1), 0x90];
    expect(rightOf(read(set)).root).toMatchObject({
      tag: 'object',
      name: 'builtins.set',
      parts: { length: 1 },
    });
    const frozen = [0x28, ...int(1), 0x91];
    expect(rightOf(read(frozen)).root).toMatchObject({ tag: 'object', parts: { length: 1 } });
    const counts = [
      ...call(global('collections', 'defaultdict'), global('builtins', 'int')),
      0x28,
      ...text('a'),
      ...int(1),
      0x75,
    ];
    expect(rightOf(read(counts)).root).toMatchObject({ tag: 'dict', entries: { length: 1 } });
  });

  test.each([
    ['an unknown opcode', [0xff]],
    ['opcodes that build classes', [0x69]],
    ['extension codes', [0x82, 1]],
    ['a pop of nothing', [0x85]],
    ['a pop below a mark', [0x4e, 0x28, 0x85]],
    ['a mark that is not there', [0x74]],
    ['an unset memo', [0x68, 3]],
    ['an append to an int', [0x4b, 1, 0x4b, 1, 0x61]],
    ['items of an int', [0x4b, 1, 0x4b, 1, 0x4b, 1, 0x73]],
    ['an odd number of items', [0x7d, 0x28, 0x4e, 0x75]],
    ['a call of an int', [0x4b, 1, 0x29, 0x52]],
    ['a call of a storage class', [...global('torch', 'FloatStorage'), 0x29, 0x52]],
    ['text that is not UTF-8', [0x58, 1, 0, 0, 0, 0xff]],
    ['protocol 6', [0x80, 6]],
    ['an overlong name', [0x63, ...new Array<number>(600).fill(0x61)]],
  ])('refuses %s', (_, bytes) => expect(codeOf(read(bytes))).toBe('K0108'));

  test('lengths are believed only within the file', () => {
    expect(codeOf(read([0x58, 0xff, 0xff, 0xff, 0xff]))).toBe('K0103');
    expect(codeOf(read([0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBe('K0103');
    expect(codeOf(read([0x95, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBe('K0103');
    expect(codeOf(read([0x8b, 0xff, 0xff, 0xff, 0x7f]))).toBe('K0113');
    expect(codeOf(read([0x8b, 0x10, 0, 0, 0]))).toBe('K0103');
  });

  test('deep nesting: on the stack refused, in the tree harmless', () => {
    const deep = 100_000;
    const nest = (open: number, close: number) => [
      ...new Array<number>(deep).fill(open),
      ...new Array<number>(deep - 1).fill(close),
    ];
    expect(codeOf(read(nest(0x5d, 0x61)))).toBe('K0108');
    expect(codeOf(read(new Array<number>(deep).fill(0x28)))).toBe('K0108');
    const tuples = read([0x4e, ...new Array<number>(deep).fill(0x85)]);
    expect(codeOf(tuples)).toBe('ok');
    expect(codeOf(findStateDicts(rightOf(tuples).root))).toBe('K0113');
    // {'model': {'model': ...}}, from the outside in.
    const wrapped = (depth: number) =>
      findStateDicts(
        rightOf(
          read([
            ...new Array<number[]>(depth).fill([0x7d, ...text('model')]).flat(),
            ...dict({ w: vector('0', 1) }),
            ...new Array<number>(depth).fill(0x73),
          ]),
        ).root,
      );
    const [found] = rightOf(wrapped(60)).dicts;
    expect(found?.path).toBe(new Array<string>(60).fill('model').join('.'));
    expect([...(found?.tensors.keys() ?? [])]).toEqual(['w']);
    expect(codeOf(wrapped(20_000))).toBe('K0113');
  });

  test('a dict that would be exponentially large when written out is searched in no time', () => {
    let value: Fragment = put(0, dict({ lr: int(1) }));
    for (let level = 1; level <= 60; level++) {
      value = put(
        level,
        dict({ model: put(1000 + level, value), net: get(1000 + level), ema: get(1000 + level) }),
      );
    }
    expect(codeOf(findStateDicts(rightOf(read(value)).root))).toBe('K0201');
  });

  test('a dict within itself', () => {
    const self: Fragment = [...put(0, [0x7d]), ...text('model'), ...get(0), 0x73];
    expect(codeOf(findStateDicts(rightOf(read(self)).root))).toBe('K0201');
  });

  test('copies and opcodes are limited', () => {
    const pairs = put(0, list(...new Array<Fragment>(10_000).fill(tuple(text('a'), [0x4e]))));
    const copies = new Array<Fragment>(1000).fill(call(global('collections', 'OrderedDict'), get(0)));
    expect(codeOf(read(list(pairs, ...copies)))).toBe('K0113');
    const long = new Uint8Array(9_000_000);
    for (let i = 0; i < long.length; i += 2) long.set([0x4e, 0x30], i);
    expect(codeOf(readPickle(long))).toBe('K0113');
  });

  test('refuses every truncation', () => {
    const whole = Uint8Array.from(pickle(orderedDict({ w: vector('0', 3) })));
    for (let length = 0; length < whole.length; length++) {
      expect(codeOf(readPickle(whole.subarray(0, length)))).toBe('K0103');
    }
  });

  test('never throws', () => {
    const opcodes = [...'(012NGJKMXTUBC)]}latdeusbhjqrRcQ'].map((c) => c.charCodeAt(0));
    const likely = fc.oneof(
      fc.constantFrom(
        ...opcodes,
        0x80,
        0x81,
        0x85,
        0x86,
        0x87,
        0x88,
        0x89,
        0x8a,
        0x8b,
        0x8c,
        0x8e,
        0x93,
        0x94,
        0x95,
        0x96,
      ),
      fc.nat(4),
    );
    const whole = pickle(orderedDict({ w: vector('0', 3) }));
    fc.assert(
      fc.property(fc.array(likely, { maxLength: 60 }), fc.nat(), fc.nat(255), (bytes, at, byte) => {
        raw(...bytes, 0x2e);
        const bent = Uint8Array.from(whole);
        bent[at % bent.length] = byte;
        const result = readPickle(bent);
        if (result._tag === 'Right') findStateDicts(result.right.root);
      }),
      { numRuns: 2000 },
    );
  });
});
