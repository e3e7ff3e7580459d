/** What is wanted of every code point: bits, alignment to knots and kind of quantizer, from options of all layers and of single ones. */
import { hasBasisForm } from '../analyses/form-cost.js';
import { definitionsOf, type Graph, typesOf } from '../ir/graph.js';
import { isCodedInTables } from '../ir/ops/index.js';
import type { KanAttrs, Precision } from '../ir/ops/kan.js';
import { channelsOf } from '../ir/types.js';
import type { Wanted } from './choose-quantizer.js';
import type { CodePoint } from './code-points.js';
import { type LayerSettings, settingOf } from './layer-settings.js';
import { choiceOption, integerOption, type OptionSpec } from './options.js';

/** What `layers` sets of a layer. */
export const LAYER_KNOBS = {
  act: integerOption('bits of the codes it reads, 1 to 16', 1, 16, 8),
  table: integerOption('2 to 16', 2, 16, 8),
  coef: integerOption('2 to 16', 2, 16, 8),
  basis: integerOption('1 to 16', 1, 16, 8),
  quantizer: choiceOption('uniform or lloyd', ['uniform', 'lloyd']),
  align: choiceOption('free or knots', ['free', 'knots']),
} as const;

export interface PointOptions {
  readonly act: number | 'auto';
  readonly hidden: number | 'auto';
  readonly table: number;
  readonly coef: number;
  readonly basis: number;
  readonly budget: number;
  readonly align: 'free' | 'knots';
  readonly quantizer: 'uniform' | 'lloyd';
  readonly range: 'clamp' | 'extend';
  readonly layers: LayerSettings;
}

export interface PointChoice {
  readonly wanted: Wanted;
  readonly notes: ReadonlyArray<string>;
}

/** A setting of a layer, or undefined. */
const setOf = <A>(o: PointOptions, layer: string, knob: string, spec: OptionSpec<A>): A | undefined =>
  settingOf(o.layers, layer, knob, spec);

/** Bits of the tables of a layer. */
export const precisionOf = (o: PointOptions, layer: string): Precision => ({
  table: setOf(o, layer, 'table', LAYER_KNOBS.table) ?? o.table,
  coef: setOf(o, layer, 'coef', LAYER_KNOBS.coef) ?? o.coef,
  basis: setOf(o, layer, 'basis', LAYER_KNOBS.basis) ?? o.basis,
});

/** The choice of every code point, by its name. Points that are joined side by side have the most bits that one needs. */
export const pointChoices = (
  o: PointOptions,
  graph: Graph,
  points: ReadonlyArray<CodePoint>,
): ReadonlyMap<CodePoint['name'], PointChoice> => {
  const types = typesOf(graph);
  const definitions = definitionsOf(graph);
  const bitsOf = new Map<number, number>();
  const sizeOf = new Map<number, number>();
  for (const point of points) {
    const bits = wantedBits(o, point, channelsOf(types.get(point.name)!));
    bitsOf.set(point.group, Math.max(bitsOf.get(point.group) ?? 1, bits));
    sizeOf.set(point.group, (sizeOf.get(point.group) ?? 0) + 1);
  }
  return new Map(
    points.map((point) => {
      const bits = bitsOf.get(point.group) ?? 8;
      const made = definitions.get(point.name);
      const { quantizer, notes } = wantedQuantizer(o, point, made !== undefined && isCodedInTables(made.op));
      const align = wantedAlign(o, point);
      const unaligned =
        quantizer === 'lloyd' && align === 'knots'
          ? ['codes are of least error (lloyd) and not aligned to the knots, so that basis tables are larger']
          : [];
      const wanted: Wanted = {
        bits,
        quantizer,
        align: quantizer === 'lloyd' ? 'free' : align,
        allLevels: (sizeOf.get(point.group) ?? 1) > 1,
      };
      return [point.name, { wanted, notes: [...notes, ...unaligned, ...overruled(o, point, bits)] }];
    }),
  );
};

/** Layers whose own bits are not what they read. */
const overruled = (o: PointOptions, point: CodePoint, bits: number): ReadonlyArray<string> =>
  point.layers.flatMap(({ name }) => {
    const own = setOf(o, name, 'act', LAYER_KNOBS.act);
    return own === undefined || own === bits
      ? []
      : [
          `${name} was to read codes of ${own} bits; what else reads them, or stands beside them, needs ${bits}`,
        ];
  });

/** Aligned where all layers that read the codes want it; where none does, as it is said of all. */
const wantedAlign = (o: PointOptions, { layers }: CodePoint): 'free' | 'knots' => {
  const each = layers.map(({ name }) => setOf(o, name, 'align', LAYER_KNOBS.align) ?? o.align);
  return each.length === 0 ? o.align : each.every((align) => align === 'knots') ? 'knots' : 'free';
};

/** Lloyd's cells where all layers that read the codes want them and nothing speaks against it. */
const wantedQuantizer = (
  o: PointOptions,
  { layers }: CodePoint,
  behindNorm: boolean,
): { readonly quantizer: 'uniform' | 'lloyd'; readonly notes: ReadonlyArray<string> } => {
  const each = layers.map(({ name }) => setOf(o, name, 'quantizer', LAYER_KNOBS.quantizer) ?? o.quantizer);
  const asked = each.filter((quantizer) => quantizer === 'lloyd').length;
  if (asked === 0) return { quantizer: 'uniform', notes: [] };
  const against =
    asked < each.length
      ? 'another layer that reads them wants it so'
      : behindNorm
        ? 'the norm before them computes uniform codes'
        : o.range === 'extend'
          ? 'cells follow the data and do not reach over the grid, as range=extend wants'
          : undefined;
  return against === undefined
    ? { quantizer: 'lloyd', notes: [] }
    : { quantizer: 'uniform', notes: [`codes are uniform: ${against}`] };
};

/** Values that no layer reads are read once per element, so that their tables may be finer. */
const VALUE_BITS = 10;

const wantedBits = (o: PointOptions, point: CodePoint, channels: number): number => {
  const asked = point.first || o.hidden === 'auto' ? o.act : o.hidden;
  if (point.layers.length === 0) return asked !== 'auto' ? asked : channels <= 64 ? VALUE_BITS : 8;
  const each = point.layers.map(({ name, attrs }) => {
    const own = setOf(o, name, 'act', LAYER_KNOBS.act);
    return own ?? (asked === 'auto' ? activationBits(o, name, attrs) : asked);
  });
  return Math.max(...each);
};

/** Above this many bytes at 5 bits a layer is better served by the basis form, whose size codes do not change. */
const EDGE_LIMIT = 64 * 2 ** 20;

/** 8 bits, or as few as 5 where the edge table of the layer would outgrow the budget. */
const activationBits = (o: PointOptions, name: string, layer: KanAttrs): number => {
  const [inputs, , outputs] = layer.branches[0]!.weights.shape;
  const perCode = inputs! * outputs! * (precisionOf(o, name).table <= 8 ? 1 : 2);
  if (perCode * 2 ** 5 > EDGE_LIMIT && hasBasisForm(layer)) return 8;
  for (let bits = 8; bits > 5; bits--) {
    if (perCode * 2 ** bits <= o.budget) return bits;
  }
  return 5;
};
