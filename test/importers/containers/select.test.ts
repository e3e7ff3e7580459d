/** Which of several dicts of tensors is the network, and how a prefix chooses another. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/importers/containers/index.js';
import { type Selected, select } from '../../../src/importers/containers/select.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import {
  bool,
  call,
  dict,
  type Fragment,
  floats,
  global,
  int,
  list,
  none,
  orderedDict,
  pickle,
  storage,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
  vector,
} from '../../support/pickle-writer.js';

const SIX = floats([1, 2, 3, 4, 5, 6]);
const open = (root: Fragment) => rightOf(openCheckpoint(torchZip(root, { '0': SIX }), 'm.pt'));
const choose = (root: Fragment, prefix?: string, whole = false) => select(open(root), prefix, whole);
const namesOf = ({ file }: Selected): ReadonlyArray<string> => [...file.tensors.keys()];
const names = (root: Fragment, prefix?: string) => namesOf(rightOf(choose(root, prefix)));
const message = (root: Fragment, prefix?: string): string => messageOf(choose(root, prefix));

/** A weight of two dimensions: what makes a dict of tensors a network. */
const w: Fragment = tensor({ key: '0', elements: 6, shape: [2, 3], strides: [3, 1] });
const loss = vector('0', 1);
const net = (...keys: string[]): Fragment => orderedDict(Object.fromEntries(keys.map((k) => [k, w])));

describe('without a prefix', () => {
  it.each([
    ['the file itself', net('a.w'), ['a.w']],
    ['a dict in dicts of any names', dict({ run: dict({ best: dict({ kan: net('a') }) }) }), ['a']],
    ['{state: {model}}', dict({ state: dict({ model: net('a') }), epoch: int(1) }), ['a']],
    ['{model_state, losses}', dict({ model_state: net('a'), losses: list(loss, loss) }), ['a']],
    ['{epoch, net, loss: tensor}', dict({ epoch: int(3), net: net('a'), loss }), ['a']],
    ['a list of one', list(net('a')), ['a']],
    [
      'beside an optimizer, whose tensors are none of the network',
      dict({
        kan: net('a'),
        opt: dict({ state: dict({ '0': dict({ exp_avg: w }) }), param_groups: list() }),
      }),
      ['a'],
    ],
  ])('%s', (_, root, expected) => {
    expect(names(root)).toEqual(expected);
  });

  it.each([
    ['model', 'ema'],
    ['model', 'model_ema'],
    ['state_dict', 'state_dict_ema'],
    ['model_state_dict', 'best_state_dict'],
    ['net', 'ema_model'],
  ])('{%s, %s}: the first in any order, and the other is told', (usual, other) => {
    for (const root of [
      dict({ [usual]: net('a'), [other]: net('b') }),
      dict({ [other]: net('b'), [usual]: net('a') }),
    ]) {
      const selected = rightOf(choose(root));
      expect(namesOf(selected)).toEqual(['a']);
      expect(selected.taken).toBe(usual);
      expect(selected.others.map(({ path }) => path)).toEqual([other]);
      expect(names(root, other)).toEqual(['b']);
      expect(names(root, usual)).toEqual(['a']);
    }
  });

  it.each([
    ['encoder', 'decoder'],
    ['teacher', 'student'],
    ['best_state_dict', 'last_state_dict'],
    ['model', 'net'],
  ])('K0208: {%s, %s} are both networks', (one, other) => {
    const root = dict({ [one]: net('a'), [other]: net('b', 'c') });
    expect(codeOf(choose(root))).toBe('K0208');
    expect(message(root)).toContain(`${one} (1 tensors), ${other} (2 tensors)`);
    expect(message(root)).toContain(`--prefix ${one}`);
    expect(names(root, other)).toEqual(['b', 'c']);
    expect(namesOf(rightOf(choose(root, undefined, true)))).toEqual([`${one}.a`, `${other}.b`, `${other}.c`]);
  });

  it('data beside the network are not taken for it', () => {
    expect(names(dict({ train_x: w, model: net('a.b') }))).toEqual(['a.b']);
    expect(names(dict({ 'layers.0.w': w, ema: net('a.b') }))).toEqual(['layers.0.w']);
    expect(codeOf(choose(dict({ train_x: w, my_net: net('a.b') })))).toBe('K0208');
  });

  it('K0208: a list of several', () => {
    const root = list(net('a'), net('b'));
    expect(codeOf(choose(root))).toBe('K0208');
    expect(names(root, '1')).toEqual(['b']);
  });
});

describe('a prefix', () => {
  const root = dict({ run: dict({ model: net('enc.a', 'dec.b'), ema: net('enc.c') }), epoch: int(1) });

  it('is the beginning of whole names: keys and names, joined by dots', () => {
    expect(names(root, 'run.ema')).toEqual(['enc.c']);
    expect(names(root, 'run.ema.enc.')).toEqual(['c']);
    expect(names(root, 'run.model.dec')).toEqual(['b']);
    expect(names(root, 'run')).toEqual(['model.enc.a', 'model.dec.b', 'ema.enc.c']);
    expect(names(root, '')).toEqual(['run.model.enc.a', 'run.model.dec.b', 'run.ema.enc.c']);
  });

  it('is looked for in the dict that is taken without one, too', () => {
    const wrapped = dict({ state_dict: net('enc.a', 'dec.b') });
    expect(names(wrapped, 'dec')).toEqual(['b']);
    expect(rightOf(choose(wrapped, 'dec')).start).toBe('dec.');
    expect(names(wrapped, 'state_dict.dec')).toEqual(['b']);
  });

  it('may be written with the names of wrappers, and without', () => {
    const wrapped = net('enc._orig_mod.a', 'enc._orig_mod.b', 'dec.module.c');
    for (const prefix of ['enc', 'enc._orig_mod']) expect(names(wrapped, prefix)).toEqual(['a', 'b']);
    for (const prefix of ['dec', 'dec.module']) expect(names(wrapped, prefix)).toEqual(['c']);
  });

  it('K0208: of no tensor', () => {
    expect(message(root, 'emma')).toMatch(/K0208.*'emma\.'.*begin with 'run\.model\.', 'run\.ema\.'/);
  });

  it('K0116: a key with a dot that reads like a dict in a dict', () => {
    const twice = dict({ 'x.y': net('a'), x: dict({ y: net('a') }) });
    expect(codeOf(choose(twice, 'x.y'))).toBe('K0116');
  });
});

/** An object of a class, with attributes. */
const object = (type: string, state: Fragment): Fragment => [
  ...global('trainer', type),
  0x29,
  0x81,
  ...state,
  0x62,
];

describe('what lies beside the weights', () => {
  const rngState = call(
    global('numpy.core.multiarray', '_reconstruct'),
    global('numpy', 'ndarray'),
    tuple(int(0)),
    text('b'),
  );
  const scalar = call(
    global('numpy._core.multiarray', 'scalar'),
    call(global('numpy', 'dtype'), text('f8'), bool(false), bool(true)),
    call(global('_codecs', 'encode'), text('abcdefgh'), text('latin1')),
  );

  it.each([
    ['a numpy number', scalar],
    ['the state of a generator', tuple(text('MT19937'), rngState, int(0))],
    ['a Namespace', [...global('argparse', 'Namespace'), 0x29, 0x81, ...dict({ lr: int(1) }), 0x62]],
    ['a path', call(global('pathlib', 'PosixPath'), text('/'), text('runs'))],
    ['a date', call(global('datetime', 'datetime'), text('x'))],
    ['a device', call(global('torch', 'device'), text('cuda'))],
    ['a partial', call(global('functools', 'partial'), global('torch.nn.functional', 'silu'))],
    ['a class', global('trainer', 'Config')],
  ])('%s is passed over, without a word', (_, value) => {
    const selected = rightOf(choose(dict({ state_dict: net('a'), beside: value })));
    expect(namesOf(selected)).toEqual(['a']);
    expect(selected.opaque).toEqual([]);
  });

  it('an object with tensors is told', () => {
    const root = dict({ state_dict: net('a'), optimizer: object('Adam', dict({ params: list(w, w) })) });
    const { opaque } = rightOf(choose(root));
    expect(opaque).toEqual([{ path: 'optimizer', parent: '', type: 'trainer.Adam', tensors: 2 }]);
  });

  it('K0114: an object that is no module, by itself, in a dict, or in a file of before torch 1.6', () => {
    const module = object('KAN', dict({ _modules: dict({ layer: object('Layer', net('a')) }) }));
    const args = call(global('argparse', 'Namespace'));
    for (const root of [module, dict({ args, model: module, epoch: int(1) })]) {
      for (const bytes of [
        torchZip(root, { '0': SIX }),
        torchLegacy(root, [{ key: '0', elements: 6, bytes: SIX }]),
      ]) {
        const result = openCheckpoint(bytes, 'm.pt');
        expect(codeOf(result)).toBe('K0114');
        expect(messageOf(result)).toMatch(
          /state dict: trainer\.KAN, trainer\.Layer\..*torch\.save\(model\.state_dict\(\)/,
        );
      }
    }
  });

  it('K0208: a module in place of the network, and another dict of tensors', () => {
    const root = dict({ model: object('KAN', net('a')), ema: net('b') });
    expect(message(root)).toMatch(/K0208.*ema \(1 tensors\), and model \(an object of trainer\.KAN\)/);
    expect(names(root, 'ema')).toEqual(['b']);
  });

  it('K0114: an object among the weights that has tensors in it', () => {
    const rebuilt = call(
      global('torch._utils', '_rebuild_qtensor'),
      storage({ key: '0', elements: 6, shape: [], strides: [] }),
      none,
    );
    const root = dict({ 'layers.0.w': w, 'layers.0.q': rebuilt });
    expect(message(root)).toMatch(/K0114.*layers\.0\.q is a quantized tensor.*dequantize/);
    expect(names(dict({ 'layers.0.w': w, 'layers.0.q': scalar }))).toEqual(['layers.0.w']);
  });

  it('K0114: a numpy array of no plain numbers among the weights; elsewhere it is passed over', () => {
    const root = dict({ 'layers.0.w': w, 'layers.0.scale': rngState });
    expect(message(root)).toMatch(/K0114.*layers\.0\.scale is a numpy array.*from_numpy/);
    expect(message(dict({ model: root }))).toMatch(/K0114.*model\.layers\.0\.scale is a numpy array/);
    const losses = dict({ model: net('a'), losses: rngState, best: dict({ scores: rngState }) });
    expect(rightOf(choose(losses)).opaque).toEqual([]);
    const told = dict({ model: net('a'), mean: w, std: rngState });
    expect(rightOf(choose(told)).opaque.map(({ path }) => path)).toEqual(['std']);
  });

  it('K0114: a class around a state dict', () => {
    const own = [...call(global('m', 'Weights')), 0x28, ...text('a'), ...w, 0x75];
    expect(messageOf(openCheckpoint(torchZip(own, { '0': SIX }), 'm.pt'))).toMatch(/K0114.*m\.Weights/);
    const hung = [...dict({ a: int(1) }), ...dict({ hidden: w }), 0x62];
    expect(codeOf(openCheckpoint(torchZip(hung, { '0': SIX }), 'm.pt'))).toBe('K0114');
  });

  it('K0201: numpy arrays of no plain numbers only, or nothing', () => {
    const arrays = dict({ weights: dict({ a: rngState }) });
    expect(messageOf(openCheckpoint(torchZip(arrays, {}), 'm.pt'))).toMatch(
      /K0201.*no named tensors \(found: weights\)/,
    );
    const nothing = dict({ epoch: int(1), history: list() });
    expect(messageOf(openCheckpoint(torchZip(nothing, {}), 'm.pt'))).toMatch(/K0201.*epoch, history/);
  });

  it('K0107: a command, wherever it stands', () => {
    const root = dict({ state_dict: net('a'), note: call(global('os', 'system'), text('echo pwned')) });
    const result = openCheckpoint(torchZip(root, { '0': SIX }), 'm.pt');
    expect(messageOf(result)).toMatch(/K0107.*os\.system.*nothing was executed/);
  });

  it('other pickles are told by their classes', () => {
    const metadata = pickle([...global('torch.distributed.checkpoint.metadata', 'Metadata'), 0x29, 0x81]);
    const distributed = openCheckpoint(Uint8Array.from(metadata), '.metadata');
    expect(messageOf(distributed)).toMatch(/K0104.*torch\.distributed\.checkpoint.*dcp_to_torch_save/);
    const forest = pickle([...global('sklearn.ensemble', 'Forest'), 0x29, 0x81]);
    expect(messageOf(openCheckpoint(Uint8Array.from(forest), 'x.pkl'))).toMatch(
      /K0104.*sklearn\.ensemble\.Forest/,
    );
  });
});
