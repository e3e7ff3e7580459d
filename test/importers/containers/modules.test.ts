/** Modules in pickles: the names of a state dict, what they tell, and files that are made to be large when written out. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/importers/containers/index.js';
import { select } from '../../../src/importers/containers/select.js';
import { messageOf, rightOf } from '../../support/checked.js';
import {
  bool,
  call,
  dict,
  type Fragment,
  floats,
  get,
  global,
  int,
  list,
  none,
  put,
  text,
  torchLegacy,
  torchZip,
  tuple,
  vector,
} from '../../support/pickle-writer.js';

const w = vector('0', 6);
const SIX = floats([1, 2, 3, 4, 5, 6]);

interface Parts {
  readonly parameters?: Readonly<Record<string, Fragment>>;
  readonly buffers?: Readonly<Record<string, Fragment>>;
  readonly modules?: Readonly<Record<string, Fragment>>;
  readonly others?: Readonly<Record<string, Fragment>>;
}

const made = (
  cls: Fragment,
  { parameters = {}, buffers = {}, modules = {}, others = {} }: Parts,
): Fragment => [
  ...cls,
  0x29,
  0x81,
  ...dict({
    training: bool(false),
    _parameters: dict(parameters),
    _buffers: dict(buffers),
    _modules: dict(modules),
    ...others,
  }),
  0x62,
];
const module = (name: string, parts: Parts): Fragment => made(global('own', name), parts);
const parameter = (value: Fragment): Fragment =>
  call(global('torch._utils', '_rebuild_parameter'), value, bool(true), none);
const open = (root: Fragment) => openCheckpoint(torchZip(root, { '0': SIX }), 'm.pt');
const fileOf = (root: Fragment, prefix?: string) => rightOf(select(rightOf(open(root)), prefix)).file;
const names = (root: Fragment): ReadonlyArray<string> => [...fileOf(root).tensors.keys()];

describe('names', () => {
  const layer = (others: Readonly<Record<string, Fragment>> = {}): Fragment =>
    module('Layer', { parameters: { w: parameter(w), bias: none }, buffers: { grid: w, kept: w }, others });

  it('are those of the state dict: own parameters, buffers, then modules; none for what is not persistent', () => {
    const skipped = { _non_persistent_buffers_set: call(global('builtins', 'set'), list(text('kept'))) };
    const root = module('Net', {
      parameters: { a: w },
      modules: { one: layer(skipped), two: layer(), act: none },
    });
    expect(names(root)).toEqual(['a', 'one.w', 'one.grid', 'two.w', 'two.grid', 'two.kept']);
    expect([...(fileOf(root).modules?.keys() ?? [])]).toEqual(['', 'one', 'two']);
    expect(fileOf(root).modules?.get('')?.children).toEqual(['one', 'two']);
  });

  it('leave out those of wrappers, in any nesting', () => {
    const inner = module('Fsdp', {
      modules: { _fsdp_wrapped_module: module('Net', { modules: { a: layer() } }) },
    });
    const shell = module('DataParallel', {
      modules: { module: module('Opt', { modules: { _orig_mod: inner } }) },
    });
    const averaged = module('Averaged', { buffers: { n_averaged: w }, modules: { module: shell } });
    expect(names(averaged)).toEqual(['n_averaged', 'a.w', 'a.grid', 'a.kept']);
    expect(fileOf(averaged).modules?.get('')?.type).toBe('own.Net');
  });

  it('of a module in dicts begin with its keys; a prefix chooses a part, and its modules', () => {
    const root = dict({ run: dict({ model: module('Net', { modules: { a: layer(), b: layer() } }) }) });
    const file = fileOf(root, 'run.model.b');
    expect([...file.tensors.keys()]).toEqual(['w', 'grid', 'kept']);
    expect([...(file.modules ?? [])].map(([path, { type }]) => [path, type])).toEqual([['', 'own.Layer']]);
  });

  it('of a class that the file makes itself, and of one that legacy files have with its source', () => {
    const cls = call(
      global('dill._dill', '_create_type'),
      global('builtins', 'type'),
      text('Kan'),
      tuple(),
      dict({}),
    );
    expect(fileOf(made(cls, { parameters: { w } })).modules?.get('')?.type).toBe('Kan');
    const source = [...tuple(text('module'), global('own', 'Net'), text('net.py'), text('class Net')), 0x51];
    const legacy = torchLegacy(made(source, { parameters: { w } }), [{ key: '0', elements: 6, bytes: SIX }]);
    const { file } = rightOf(select(rightOf(openCheckpoint(legacy, 'm.pt')), undefined));
    expect(file.modules?.get('')?.type).toBe('own.Net');
  });

  it('of plain attributes are told, and those that a weight norm computes are not', () => {
    const root = module('Net', { parameters: { w_g: w, w_v: w }, others: { w, centers: w } });
    expect(rightOf(open(root)).opaque.map(({ path }) => path)).toEqual(['centers']);
  });
});

describe('attributes', () => {
  it('are numbers, texts, names, and lists of them', () => {
    const others = {
      size: tuple(int(3), list(int(4))),
      f: global('torch.nn.functional', 'silu'),
      x: dict({}),
    };
    const { attributes } = fileOf(module('Net', { parameters: { w }, others })).modules!.get('')!;
    expect(attributes.get('size')).toEqual([3, [4]]);
    expect(attributes.get('f')).toEqual({ named: 'torch.nn.functional.silu' });
    expect(attributes.has('x')).toBe(false);
  });
});

describe('small files that are large when written out', () => {
  it('modules that have one module twice, over and over', () => {
    let inner = module('Layer', { parameters: { w } });
    for (let k = 0; k < 40; k++) {
      inner = module('Pair', { modules: { a: put(k, inner), b: get(k) } });
    }
    expect(messageOf(open(inner))).toMatch(/K0113.*more than 65536 modules/);
  });

  it('a module of many attributes that has many names', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, k) => [`a${k}`, int(k)]));
    const shared = put(1, module('Layer', { parameters: { w }, others: many }));
    const root = module('Net', {
      modules: {
        first: shared,
        ...Object.fromEntries(Array.from({ length: 300 }, (_, k) => [`m${k}`, get(1)])),
      },
    });
    expect(messageOf(open(root))).toMatch(/K0113.*tensors and attributes/);
  });

  it('lists in lists: what is beyond the budget is not told', () => {
    let value = list(...Array.from({ length: 1000 }, (_, k) => int(k)));
    for (let k = 0; k < 3; k++) value = list(put(k, value), ...Array.from({ length: 999 }, () => get(k)));
    const { modules, tensors } = fileOf(module('Net', { parameters: { w }, others: { value } }));
    expect(modules?.get('')?.attributes.has('value')).toBe(false);
    expect([...tensors.keys()]).toEqual(['w']);
  });
});
