import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILTIN_PASSES, bindPipeline } from '../../src/passes/index.js';
import {
  type Configuration,
  canonical,
  EIGHT,
  type LayerShape,
  nameOf,
  type OwnSettings,
  resolve,
  withConfiguration,
} from '../../src/search/configuration.js';
import { rightOf } from '../support/checked.js';

const SHAPES: ReadonlyArray<LayerShape> = [
  { name: 'a.0', first: true, hasBasis: true },
  { name: 'b', first: false, hasBasis: true },
  { name: 'c', first: false, hasBasis: false },
];

const bits = fc.integer({ min: 2, max: 5 });
const own: fc.Arbitrary<OwnSettings> = fc.record(
  { form: fc.constantFrom('edge', 'basis'), act: bits, table: bits, coef: bits, basis: bits },
  { requiredKeys: [] },
);
const configurations: fc.Arbitrary<Configuration> = fc.record({
  form: fc.constantFrom('auto', 'edge', 'basis'),
  act: fc.oneof(bits, fc.constant('auto' as const)),
  hidden: fc.oneof(bits, fc.constant('auto' as const)),
  table: bits,
  coef: bits,
  basis: bits,
  symmetry: fc.constantFrom('affine', 'symmetric'),
  layers: fc
    .array(fc.tuple(fc.constantFrom(...SHAPES.map((s) => s.name)), own), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries)),
});

/** What matters of each layer: the settings that its form uses. */
const meaning = (c: Configuration) => [
  c.symmetry,
  ...SHAPES.map((shape) => {
    const r = resolve(c, shape);
    return [
      r.form,
      r.act,
      ...(r.form === 'basis' ? [] : [r.table]),
      ...(r.form === 'edge' ? [] : [r.coef, r.basis]),
    ].join(' ');
  }),
];

describe('canonical', () => {
  it('changes nothing that any layer uses, and has one form', () => {
    fc.assert(
      fc.property(configurations, (c) => {
        const once = canonical(c, SHAPES);
        expect(meaning(once)).toEqual(meaning(c));
        expect(canonical(once, SHAPES)).toEqual(once);
      }),
    );
  });

  it('gives different names to what differs', () => {
    fc.assert(
      fc.property(configurations, configurations, (a, b) => {
        if (meaning(a).join() === meaning(b).join()) return;
        expect(nameOf(canonical(a, SHAPES))).not.toBe(nameOf(canonical(b, SHAPES)));
      }),
    );
  });

  it('leaves out bits that no form uses', () => {
    const name = (c: Configuration): string => nameOf(canonical(c, SHAPES.slice(0, 2)));
    expect(name({ ...EIGHT, coef: 3, basis: 2 })).toBe('edge act=8 hidden=8 table=8');
    expect(name({ ...EIGHT, form: 'basis', table: 3 })).toBe('basis act=8 hidden=8 coef=8 basis=8');
    expect(name({ ...EIGHT, layers: { b: { act: 4, table: 8 } } })).toBe(
      'edge act=8 hidden=8 table=8 b.act=4',
    );
  });
});

describe('withConfiguration', () => {
  const calls = ['quantize', 'tabulate', 'fold'].map((name) => ({ name, options: {} }));

  it('gives options that the passes take', () => {
    fc.assert(
      fc.property(configurations, (c) => {
        const made = withConfiguration(calls, canonical(c, SHAPES), SHAPES, { data: 'x', samples: 9 });
        expect(rightOf(bindPipeline(made, BUILTIN_PASSES, 'float')).files).toEqual(['x']);
      }),
    );
  });

  it('keeps other options, and aligns the codes of basis tables to the knots', () => {
    const given = [
      { name: 'quantize', options: { range: 'extend' } },
      { name: 'tabulate', options: { cells: 'value' } },
    ];
    const mixed = canonical({ ...EIGHT, layers: { b: { form: 'basis', coef: 4 } } }, SHAPES);
    expect(withConfiguration(given, mixed, SHAPES, undefined)).toEqual([
      {
        name: 'quantize',
        options: {
          range: 'extend',
          act: '8',
          hidden: '8',
          table: '8',
          coef: '8',
          basis: '8',
          layers: 'b.coef=4 b.align=knots',
        },
      },
      { name: 'tabulate', options: { cells: 'value', form: 'edge', layers: 'b.form=basis' } },
    ]);
    const [quantize] = withConfiguration(
      given,
      canonical({ ...EIGHT, form: 'basis' }, SHAPES.slice(0, 2)),
      SHAPES.slice(0, 2),
      undefined,
    );
    expect(quantize?.options).toMatchObject({ align: 'knots' });
  });
});
