/** The points of a sweep: a list that depends on the network and the options alone, so that shards agree on it. */
import * as t from 'io-ts';
import { FINE, knobsOf, ladder } from '../choices.js';
import {
  type Configuration,
  ConfigurationCodec,
  canonical,
  EIGHT,
  type Form,
  type Knob,
  type LayerShape,
  nameOf,
} from '../configuration.js';
import { type Grid, gridConfigurations } from './grid.js';

/** One knob of one layer that differs from 8 bits everywhere. */
const AloneCodec = t.readonly(
  t.type({
    layer: t.string,
    form: t.keyof({ edge: null, basis: null }),
    knob: t.keyof({ act: null, table: null, coef: null, basis: null }),
    bits: t.number,
  }),
  'the knob that differs',
);

export const PointCodec = t.intersection([
  t.readonly(
    t.type({ index: t.number, name: t.string, configuration: ConfigurationCodec }),
    'a point of a sweep',
  ),
  /** What a point of the sensitivity tells of; a point may be of the grid too. */
  t.partial({ alone: AloneCodec }, 'a point of a sweep'),
]);

export type Point = t.TypeOf<typeof PointCodec>;
export type Alone = t.TypeOf<typeof AloneCodec>;

interface Draft {
  readonly configuration: Configuration;
  readonly alone?: Alone;
}

/** 8 bits everywhere, and then every knob of every layer alone, in each form that the grid names. */
const sensitivityDrafts = (
  forms: ReadonlyArray<Form>,
  layers: ReadonlyArray<LayerShape>,
): ReadonlyArray<Draft> => {
  const tables = [...new Set(forms.flatMap((f) => (f === 'auto' ? (['edge', 'basis'] as const) : [f])))];
  return tables.flatMap((form): ReadonlyArray<Draft> => {
    const base: Configuration = { ...EIGHT, form };
    const alone = layers.flatMap((layer) => {
      const own = form === 'basis' && layer.hasBasis ? 'basis' : 'edge';
      return knobsOf(own).flatMap((knob: Knob) =>
        ladder(knob, FINE, layers.length)
          .filter((bits) => bits < FINE[knob])
          .map(
            (bits): Draft => ({
              configuration: { ...base, layers: { [layer.name]: { [knob]: bits } } },
              alone: { layer: layer.name, form: own, knob, bits },
            }),
          ),
      );
    });
    return [{ configuration: base }, ...alone];
  });
};

/** The points in their order, each configuration once. */
export const pointsOf = (
  grid: Grid,
  sensitivity: boolean,
  layers: ReadonlyArray<LayerShape>,
): ReadonlyArray<Point> => {
  const drafts: ReadonlyArray<Draft> = [
    ...gridConfigurations(grid, layers).map((configuration) => ({ configuration })),
    ...(sensitivity ? sensitivityDrafts(grid.form, layers) : []),
  ];
  const byName = new Map<string, Draft>();
  for (const draft of drafts) {
    const configuration = canonical(draft.configuration, layers);
    const name = nameOf(configuration);
    const alone = byName.get(name)?.alone ?? draft.alone;
    byName.set(name, { configuration, ...(alone === undefined ? {} : { alone }) });
  }
  return [...byName].map(([name, draft], index) => ({ index, name, ...draft }));
};

export interface Shard {
  /** From 1 on. */
  readonly index: number;
  readonly count: number;
}

export const WHOLE: Shard = { index: 1, count: 1 };

/** Every `count`-th point: what takes long is often side by side in the list. */
export const inShard = ({ index, count }: Shard, point: Pick<Point, 'index'>): boolean =>
  point.index % count === index - 1;
