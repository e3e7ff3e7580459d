import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf } from '../../../src/search/configuration.js';
import {
  DEFAULT_GRID,
  gridConfigurations,
  inShard,
  parseGrid,
  pointsOf,
} from '../../../src/search/sweep/points.js';
import { messageOf, rightOf } from '../../support/checked.js';

const LAYERS = [
  { name: 'a', first: true, hasBasis: true },
  { name: 'b', first: false, hasBasis: true },
];

const names = (text: string): ReadonlyArray<string> =>
  gridConfigurations(rightOf(parseGrid(text)), LAYERS).map(nameOf);

describe('parseGrid', () => {
  it('reads values and ranges, those behind a comma for the name before them', () => {
    expect(rightOf(parseGrid('act=2..4, 8, table=3,form=edge,basis'))).toEqual({
      form: ['edge', 'basis'],
      bits: { act: [2, 3, 4, 8], table: [3] },
    });
  });

  it.each([
    ['3,4', /'3' has no name/],
    ['bits=3', /nothing named 'bits'/],
    ['act=0', /act cannot be '0': bits go from 1 to 16/],
    ['table=1', /table cannot be '1'/],
    ['act=5..3', /act cannot be '5\.\.3'/],
    ['act=17', /act cannot be '17'/],
    ['act=4,act=5', /'act' is given twice/],
    ['form=round', /no form 'round'/],
    ['', /has no name/],
  ])('tells what is wrong with %j', (text, message) => {
    expect(messageOf(parseGrid(text))).toMatch(message);
    expect(messageOf(parseGrid(text))).toMatch(/^error K0801: option --grid/);
  });

  it('reads the default', () => {
    expect(names(DEFAULT_GRID)).toHaveLength(60);
  });
});

describe('gridConfigurations', () => {
  it('are all combinations, hidden as act where it is not given', () => {
    expect(names('act=2,4,table=3,8')).toEqual([
      'edge act=2 hidden=2 table=3',
      'edge act=2 hidden=2 table=8',
      'edge act=4 hidden=4 table=3',
      'edge act=4 hidden=4 table=8',
    ]);
  });
});

describe('pointsOf', () => {
  it('has every configuration once, in an order of its own', () => {
    const points = pointsOf(
      rightOf(parseGrid('act=8,hidden=8,table=3,8,coef=3,8,form=edge,basis')),
      true,
      LAYERS,
    );
    expect(points.map((p) => p.index)).toEqual(points.map((_, k) => k));
    expect(new Set(points.map((p) => p.name)).size).toBe(points.length);
    // The edge grid does not use coef: two of its four combinations are left.
    expect(points.slice(0, 4).map((p) => p.name)).toEqual([
      'edge act=8 hidden=8 table=3',
      'edge act=8 hidden=8 table=8',
      'basis act=8 hidden=8 coef=3 basis=8',
      'basis act=8 hidden=8 coef=8 basis=8',
    ]);
    const alone = points.flatMap((p) => (p.alone === undefined ? [] : [p.alone]));
    expect(alone).toContainEqual({ layer: 'b', form: 'edge', knob: 'table', bits: 3 });
    expect(alone).toContainEqual({ layer: 'a', form: 'basis', knob: 'coef', bits: 4 });
  });

  it('is dealt out to shards, each point to one', () => {
    const points = pointsOf(rightOf(parseGrid('act=2..8,table=3,4')), true, LAYERS);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (count) => {
        const shards = Array.from({ length: count }, (_, k) =>
          points.filter((p) => inShard({ index: k + 1, count }, p)),
        );
        expect(
          shards
            .flat()
            .map((p) => p.index)
            .sort((a, b) => a - b),
        ).toEqual(points.map((p) => p.index));
      }),
    );
  });
});
