/** A configuration: bits and table form of every layer. It has one name, and says what the passes are to be asked for. */
import * as t from 'io-ts';
import { hasBasisForm } from '../analyses/form-cost.js';
import { networkFacts } from '../analyses/layer-facts.js';
import type { Graph } from '../ir/graph.js';
import type { PassCall } from '../passes/pipeline-text.js';

/** Bits of activations that a layer reads, of edge-table entries, of coefficients and of basis values. */
export const KNOBS = ['act', 'table', 'coef', 'basis'] as const;
export type Knob = (typeof KNOBS)[number];

const FormCodec = t.keyof({ auto: null, edge: null, basis: null });
const LayerFormCodec = t.keyof({ edge: null, basis: null });
const AutoBits = t.union([t.number, t.literal('auto')]);

const OwnSettingsCodec = t.readonly(
  t.partial({
    form: LayerFormCodec,
    act: t.number,
    table: t.number,
    coef: t.number,
    basis: t.number,
    /** Of the activations that the layer reads; absent: what the options of the pass say. */
    quantizer: t.keyof({ uniform: null, lloyd: null }),
  }),
  'settings of a layer',
);

export const ConfigurationCodec = t.readonly(
  t.type({
    form: FormCodec,
    /** Of the values that the first layers read, and of all others; as the options of `quantize`. */
    act: AutoBits,
    hidden: AutoBits,
    table: t.number,
    coef: t.number,
    basis: t.number,
    /** Symmetric codes have one level less: 7 of 3 bits, which is an eighth of an edge table. */
    symmetry: t.keyof({ affine: null, symmetric: null }),
    /** What single layers have of their own, by name. */
    layers: t.readonly(t.record(t.string, OwnSettingsCodec), 'settings of layers'),
  }),
  'a configuration',
);

export type Configuration = t.TypeOf<typeof ConfigurationCodec>;
export type OwnSettings = t.TypeOf<typeof OwnSettingsCodec>;
export type Form = Configuration['form'];
export const isForm = FormCodec.is;

/** Bits up to which a refit is worth its seconds: above, accuracy stays the same within chance. */
export const COARSE = { act: 4, hidden: 4, table: 4, coef: 5, basis: 3 } as const;

/** What a configuration needs to know of a layer. */
export interface LayerShape {
  readonly name: string;
  /** No layer stands before it: its activations have the bits `act`, those of others `hidden`. */
  readonly first: boolean;
  readonly hasBasis: boolean;
}

/** The KAN layers of a float graph, in order. */
export const layerShapes = (graph: Graph): ReadonlyArray<LayerShape> => {
  return networkFacts(graph).layers.map(({ name, first }) => {
    const op = graph.nodes.find((node) => node.name === name)?.op;
    return { name, first, hasBasis: op?.kind === 'kan' && hasBasisForm(op.attrs) };
  });
};

/** 8 bits everywhere. */
export const EIGHT: Configuration = {
  form: 'edge',
  act: 8,
  hidden: 8,
  table: 8,
  coef: 8,
  basis: 8,
  symmetry: 'affine',
  layers: {},
};

/** What a layer has in the end. */
interface Resolved {
  readonly form: Form;
  readonly act: number | 'auto';
  readonly table: number;
  readonly coef: number;
  readonly basis: number;
}

export const resolve = (c: Configuration, layer: LayerShape): Resolved => {
  const own = c.layers[layer.name] ?? {};
  return {
    form: layer.hasBasis ? (own.form ?? c.form) : 'edge',
    act: own.act ?? (layer.first ? c.act : c.hidden),
    table: own.table ?? c.table,
    coef: own.coef ?? c.coef,
    basis: own.basis ?? c.basis,
  };
};

/** Whether a knob does anything in a form; `auto` may become either. */
export const matters = (knob: Knob, form: Form): boolean =>
  knob === 'act' || form === 'auto' || (knob === 'table') === (form === 'edge');

const sorted = <A>(record: Readonly<Record<string, A>>): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * The same configuration without what changes nothing, so that two that are alike are equal: settings of layers that
 * are those of all, and bits that no layer's form uses (which become 8).
 */
export const canonical = (c: Configuration, shapes: ReadonlyArray<LayerShape>): Configuration => {
  const resolved = shapes.map((layer) => resolve(c, layer));
  const used = (knob: Knob): boolean => resolved.some(({ form }) => matters(knob, form));
  const form = resolved.every((r) => r.form === 'edge') ? 'edge' : c.form;
  const common = {
    form,
    act: c.act,
    hidden: c.hidden,
    table: used('table') ? c.table : EIGHT.table,
    coef: used('coef') ? c.coef : EIGHT.coef,
    basis: used('basis') ? c.basis : EIGHT.basis,
    symmetry: c.symmetry,
  };
  const own = shapes.flatMap((layer, k): ReadonlyArray<readonly [string, OwnSettings]> => {
    const [mine, all] = [resolved[k]!, resolve({ ...common, layers: {} }, layer)];
    const bits = KNOBS.flatMap((knob): ReadonlyArray<readonly [Knob, number]> => {
      const value = mine[knob];
      return matters(knob, mine.form) && value !== 'auto' && value !== all[knob] ? [[knob, value]] : [];
    });
    const formOf = mine.form !== all.form && mine.form !== 'auto' ? { form: mine.form } : {};
    const quantizer = c.layers[layer.name]?.quantizer;
    const settings: OwnSettings = {
      ...formOf,
      ...Object.fromEntries(bits),
      ...(quantizer === undefined ? {} : { quantizer }),
    };
    return Object.keys(settings).length === 0 ? [] : [[layer.name, settings]];
  });
  return { ...common, layers: sorted(Object.fromEntries(own)) };
};

/** `name.form=basis name.act=4`: settings of layers as the passes read them. */
const settingsText = (c: Configuration, wanted: (key: string) => boolean): string =>
  Object.entries(c.layers)
    .flatMap(([name, own]) =>
      Object.entries(own).flatMap(([key, value]) => (wanted(key) ? [`${name}.${key}=${value}`] : [])),
    )
    .join(' ');

/** The name of a canonical configuration: `edge act=6 hidden=8 table=8 layer0.act=4`. */
export const nameOf = (c: Configuration): string => {
  const forms = new Set([c.form, ...Object.values(c.layers).flatMap((own) => own.form ?? [])]);
  const words = [
    c.form,
    `act=${c.act}`,
    `hidden=${c.hidden}`,
    // A layer without a basis form has edge tables whatever the form of all: their bits show where they are not 8.
    ...KNOBS.filter((k) => k !== 'act' && (c[k] !== EIGHT[k] || [...forms].some((f) => matters(k, f)))).map(
      (k) => `${k}=${c[k]}`,
    ),
  ];
  const own = settingsText(c, () => true);
  if (c.symmetry === 'symmetric') words.push(c.symmetry);
  return [...words, ...(own === '' ? [] : [own])].join(' ');
};

/** What the tables are refit on: the name of data, and how many samples (all that `tabulate` chooses when absent). */
interface RefitOn {
  readonly data: string;
  readonly samples?: number;
}

const optional = (name: string, value: string): Readonly<Record<string, string>> =>
  value === '' ? {} : { [name]: value };

/** Basis tables split a code into interval and fraction, so that their codes are aligned to the knots. */
const alignment = (c: Configuration, shapes: ReadonlyArray<LayerShape>): Readonly<Record<string, string>> => {
  const aligned = shapes.filter((layer) => resolve(c, layer).form === 'basis');
  const layers = [
    settingsText(c, (key) => key !== 'form'),
    ...(aligned.length === shapes.length ? [] : aligned.map(({ name }) => `${name}.align=knots`)),
  ];
  return {
    ...(aligned.length > 0 && aligned.length === shapes.length ? { align: 'knots' } : {}),
    ...optional('layers', layers.filter((text) => text !== '').join(' ')),
  };
};

/**
 * The passes of a pipeline with the options of `quantize` and `tabulate` set to a canonical configuration. Options that
 * it says nothing about stay as they are.
 */
export const withConfiguration = (
  calls: ReadonlyArray<PassCall>,
  c: Configuration,
  shapes: ReadonlyArray<LayerShape>,
  refit: RefitOn | undefined,
): ReadonlyArray<PassCall> => {
  const { act, hidden, table, coef, basis } = c;
  const bits = Object.entries({ act, hidden, table, coef, basis }).map(([k, v]) => [k, String(v)]);
  const forms = optional(
    'layers',
    settingsText(c, (key) => key === 'form'),
  );
  const samples = refit?.samples === undefined ? {} : { samples: String(refit.samples) };
  return calls.map(({ name, options }) => {
    switch (name) {
      case 'quantize':
        return {
          name,
          options: {
            ...options,
            ...Object.fromEntries(bits),
            ...(c.symmetry === 'symmetric' ? { symmetry: c.symmetry } : {}),
            ...alignment(c, shapes),
          },
        };
      case 'tabulate': {
        const fitting = refit === undefined ? {} : { data: refit.data, ...samples };
        return { name, options: { ...options, form: c.form, ...forms, ...fitting } };
      }
      default:
        return { name, options };
    }
  });
};
