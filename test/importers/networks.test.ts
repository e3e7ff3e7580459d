/** Several networks in one file, and single layers: found, listed, chosen and connected alike for all families. */
import { describe, expect, it } from 'vitest';
import type { FileTensor } from '../../src/importers/containers/tensor.js';
import { type ImportOptions, importTensors } from '../../src/importers/index.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { type Random, randomOf } from '../support/random.js';
import { difference, f32, fileOf, run, uniform } from './arch/support.js';

type Tensors = Readonly<Record<string, FileTensor>>;
type Layer = (r: Random, prefix: string, inputs: number, outputs: number) => Tensors;

const ascending = (count: number): FileTensor =>
  f32(
    [count],
    Array.from({ length: count }, (_, k) => -2 + (4 * k) / (count - 1)),
  );

const fast: Layer = (r, prefix, inputs, outputs) => ({
  [`${prefix}layernorm.weight`]: uniform(r, [inputs]),
  [`${prefix}layernorm.bias`]: uniform(r, [inputs]),
  [`${prefix}rbf.grid`]: ascending(4),
  [`${prefix}spline_linear.weight`]: uniform(r, [outputs, inputs * 4]),
  [`${prefix}base_linear.weight`]: uniform(r, [outputs, inputs]),
  [`${prefix}base_linear.bias`]: uniform(r, [outputs]),
});

const efficient: Layer = (r, prefix, inputs, outputs) => ({
  [`${prefix}grid`]: f32([inputs, 12], new Array(inputs).fill([...ascending(12).data]).flat()),
  [`${prefix}base_weight`]: uniform(r, [outputs, inputs]),
  [`${prefix}spline_weight`]: uniform(r, [outputs, inputs, 8]),
  [`${prefix}spline_scaler`]: uniform(r, [outputs, inputs]),
});

const families: ReadonlyArray<readonly [string, Layer]> = [
  ['efficient-kan', efficient],
  ['fast-kan', fast],
];

const X = [0.1, -0.4, 0.9, 0.3, 0.2, -0.7];
const outputs = (tensors: Tensors, options: ImportOptions, x: ArrayLike<number> = X) =>
  run(rightOf(importTensors(fileOf(tensors), options)), x).get('outputs')!;

/** What a network under a prefix gives by itself, from a file that has nothing else. */
const byItself = (tensors: Tensors, prefix: string, x: ArrayLike<number>) => {
  const own = Object.entries(tensors).flatMap(([name, tensor]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
  );
  return outputs(Object.fromEntries(own), {}, x);
};

describe.each(families)('%s', (family, layer) => {
  const two: Tensors = {
    ...layer(randomOf(1), 'encoder.layers.0.', 3, 2),
    ...layer(randomOf(2), 'encoder.layers.1.', 2, 2),
    ...layer(randomOf(3), 'decoder.layers.0.', 2, 3),
  };

  it('K0208: several networks, with their prefixes and what to do', () => {
    const result = importTensors(fileOf(two));
    expect(codeOf(result)).toBe('K0208');
    expect(messageOf(result)).toMatch(/'encoder\.', 'decoder\.'.*--prefix encoder takes that one/);
    expect(codeOf(importTensors(fileOf(two), { ignoreExtra: true }))).toBe('K0208');
  });

  it('a prefix chooses one', () => {
    expect(outputs(two, { prefix: 'encoder' })).toEqual(byItself(two, 'encoder.', X));
    expect(outputs(two, { prefix: 'decoder.' })).toEqual(byItself(two, 'decoder.', X));
  });

  it('the architecture file of the hint runs one after the other', () => {
    const hint = /--arch with (\{.*\}), in the order/.exec(messageOf(importTensors(fileOf(two))))?.[1] ?? '';
    const text = hint.replace('[features]', '[3]');
    const chained = outputs(two, { architecture: { text, file: 'arch.json' } });
    const expected = byItself(two, 'decoder.', byItself(two, 'encoder.', X));
    expect(difference(chained, expected)).toBeLessThan(1e-6);
  });

  it('a layer by itself is a network of one layer, under a prefix or without', () => {
    const head = layer(randomOf(4), 'head.', 3, 2);
    const expected = outputs(layer(randomOf(4), 'layers.0.', 3, 2), {});
    expect(outputs(head, { prefix: 'head' })).toEqual(expected);
    expect(outputs(layer(randomOf(4), '', 3, 2), {})).toEqual(expected);
    expect(outputs(layer(randomOf(4), '', 3, 2), { family })).toEqual(expected);
    const beside = { ...head, 'conv.weight': f32([1], [1]) };
    expect(outputs(beside, { prefix: 'head' })).toEqual(expected);
    expect(messageOf(importTensors(fileOf(beside)))).toMatch(
      new RegExp(`K0201.*'head' \\(a layer of ${family}\\): --prefix head reads that one`),
    );
  });

  it('a layer by itself: what is wrong with it is told by the names of the file', () => {
    const head = Object.entries(layer(randomOf(4), 'head.', 3, 2));
    const [missing] = head.at(-2) ?? [''];
    const more = { ...Object.fromEntries(head), 'head.more': f32([1], [1]) };
    expect(messageOf(importTensors(fileOf(more), { prefix: 'head' }))).toMatch(/K0207.* head\.more \[1\]/);
    // A prefix that leads to the next error is no advice.
    const mixed = importTensors(fileOf({ ...more, 'conv.weight': f32([1], [1]) }));
    expect(messageOf(mixed)).toMatch('K0201');
    expect(messageOf(mixed)).not.toMatch('--prefix');
    const bent = { ...Object.fromEntries(head), [missing]: f32([1], [1]) };
    expect(messageOf(importTensors(fileOf(bent), { prefix: 'head' }))).toContain(`tensor ${missing}:`);
  });
});

it('pykan and cheby-kan under a prefix are found too', () => {
  const cheby = {
    'a.cheby_coeffs': uniform(randomOf(1), [3, 2, 4]),
    'b.cheby_coeffs': uniform(randomOf(2), [2, 2, 4]),
  };
  const both = Object.fromEntries(
    ['one', 'two'].flatMap((net) => Object.entries(cheby).map(([name, t]) => [`${net}.${name}`, t])),
  );
  expect(outputs(both, { prefix: 'two' })).toEqual(outputs(cheby, {}));
  const head = importTensors(fileOf({ 'net.act_fun.0.coef': f32([1], [1]), 'conv.weight': f32([1], [1]) }));
  expect(messageOf(head)).toMatch(/K0203: tensor net\.act_fun\.0\.coef: the tensor has shape \[1\]/);
});
