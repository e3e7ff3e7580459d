/**
 * The points of a sweep, of a grid such as `act=2..8,hidden=4,6,8,table=3,4,form=edge`: a list that depends on the network
 * and the options alone, so that shards agree on it.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { FINE, knobsOf, ladder } from '../choices.js';
import {
  type Configuration,
  ConfigurationCodec,
  canonical,
  EIGHT,
  type Form,
  isForm,
  type Knob,
  type LayerShape,
  nameOf,
} from '../configuration.js';

/** The values of a sweep that is told none. */
export const DEFAULT_GRID = 'act=2,3,4,6,8,hidden=4,6,8,table=3,4,6,8,form=edge';

const BITS = ['act', 'hidden', 'table', 'coef', 'basis'] as const;
type Bits = (typeof BITS)[number];

export interface Grid {
  readonly form: ReadonlyArray<Form>;
  readonly bits: Readonly<Partial<Record<Bits, ReadonlyArray<number>>>>;
}

/** Fewest bits that the passes take. */
const FEWEST: Readonly<Record<Bits, number>> = { act: 1, hidden: 1, table: 2, coef: 2, basis: 1 };
const MOST = 16;

const isBits = (name: string): name is Bits => BITS.some((b) => b === name);

const wrong = (found: string): Checked<never> =>
  fail('K0801', found, {
    place: { option: '--grid' },
    expected: `values such as ${DEFAULT_GRID}, with the names ${[...BITS, 'form'].join(', ')}`,
  });

/** `4` or `2..8`. */
const readRange = (name: Bits, text: string): Checked<ReadonlyArray<number>> => {
  const parts = /^(\d{1,2})(?:\.\.(\d{1,2}))?$/.exec(text);
  const [from, to] = [Number(parts?.[1]), Number(parts?.[2] ?? parts?.[1])];
  if (!(from >= FEWEST[name] && from <= to && to <= MOST)) {
    return wrong(
      `${name} cannot be '${printable(text, 60)}': bits go from ${FEWEST[name]} to ${MOST}, ranges upwards`,
    );
  }
  return E.right(Array.from({ length: to - from + 1 }, (_, k) => from + k));
};

/** Values behind a comma belong to the name before them. K0801 on what is no grid. */
export const parseGrid = (text: string): Checked<Grid> => {
  const form: Form[] = [];
  const bits = new Map<Bits, number[]>();
  const names = new Set<string>();
  let name = '';
  for (const part of text.split(',').map((s) => s.trim())) {
    const cut = part.indexOf('=');
    if (cut >= 0) {
      name = part.slice(0, cut).trim();
      if (names.has(name)) return wrong(`'${printable(name, 60)}' is given twice`);
      names.add(name);
    }
    const value = part.slice(cut + 1).trim();
    if (name === 'form') {
      if (!isForm(value)) return wrong(`there is no form '${printable(value, 60)}'`);
      form.push(value);
    } else if (isBits(name)) {
      const range = readRange(name, value);
      if (E.isLeft(range)) return range;
      bits.set(name, [...(bits.get(name) ?? []), ...range.right]);
    } else {
      return wrong(
        name === ''
          ? `'${printable(part, 60)}' has no name`
          : `there is nothing named '${printable(name, 60)}'`,
      );
    }
  }
  return E.right({ form: form.length === 0 ? ['edge'] : form, bits: Object.fromEntries(bits) });
};

/**
 * All combinations, each once: those that differ only in bits that nothing uses are one. Forms vary slowest, then the
 * names in the order act, hidden, table, coef, basis; `hidden` is as `act` where it is not given, other bits 8.
 */
export const gridConfigurations = (
  grid: Grid,
  layers: ReadonlyArray<LayerShape>,
): ReadonlyArray<Configuration> => {
  const all = grid.form.flatMap((form) =>
    BITS.reduce<ReadonlyArray<Configuration>>(
      (sofar, name) => {
        const values = grid.bits[name];
        if (values !== undefined) return sofar.flatMap((c) => values.map((v) => ({ ...c, [name]: v })));
        return name === 'hidden' ? sofar.map((c) => ({ ...c, hidden: c.act })) : sofar;
      },
      [{ ...EIGHT, form }],
    ),
  );
  return all.map((c) => canonical(c, layers));
};

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
type Alone = t.TypeOf<typeof AloneCodec>;

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
