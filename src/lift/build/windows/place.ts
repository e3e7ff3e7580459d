/** Outputs of a term that reads windows: which is which channel of the result, and where in it. */
import type { RowsTerm } from '../../traced.js';
import { type Axis, axisOf, type WindowForm } from './form.js';

export interface Placed {
  readonly term: RowsTerm;
  readonly form: WindowForm;
  readonly vertical: Axis;
  readonly horizontal: Axis;
  /** Channels of the result in each group of the form. */
  readonly perGroup: number;
  /** Groups of the layer: one where groups of the form read the same channels, each through functions of its own. */
  readonly groups: number;
  /** Channels of the result in each group of the layer. */
  readonly width: number;
  /** For each channel of the result its row of weights and factor, by group. */
  readonly rows: Int32Array;
  readonly factors: Float64Array;
  /** For each element its place in the result [channels, OH, OW]. */
  readonly position: Int32Array;
}

/** The form with the channels of each group side by side, in the order of groups; undefined where groups share channels. */
const grouped = (form: WindowForm): WindowForm | undefined => {
  const order: number[] = [];
  const owner = new Int32Array(form.channels).fill(-1);
  for (let g = 0; g < form.groups; g++) {
    const own = form.channel.subarray(g * form.taps, (g + 1) * form.taps);
    for (const c of [...new Set(own)].sort((a, b) => a - b)) {
      if (owner[c]! >= 0) return undefined;
      owner[c] = g;
      order.push(c);
    }
  }
  // Channels that nobody reads stay with the last group, as inputs without weights, where there is one group only.
  for (let c = 0; c < form.channels; c++) {
    if (owner[c]! >= 0) continue;
    if (form.groups > 1) return undefined;
    order.push(c);
    owner[c] = 0;
  }
  const each = form.channels / form.groups;
  for (let g = 0; g < form.groups; g++) {
    if (owner.reduce((n, o) => n + (o === g ? 1 : 0), 0) !== each) return undefined;
  }
  if (form.groups === 1) return form;
  const now = new Int32Array(form.channels);
  const area = form.height * form.width;
  const sources = new Int32Array(form.sources.length);
  for (const [at, c] of order.entries()) {
    now[c] = at;
    sources.set(form.sources.subarray(c * area, (c + 1) * area), at * area);
  }
  return { ...form, sources, channel: form.channel.map((c) => now[c]!) };
};

/** The elements in their places; undefined where they are not all outputs of all windows. */
export const placed = (
  term: RowsTerm,
  given: WindowForm,
  patches: Int32Array,
  elements: Int32Array,
): Placed | undefined => {
  const apart = grouped(given);
  const form = apart ?? given;
  const vertical = axisOf(form.y, form.dy, form.height);
  const horizontal = axisOf(form.x, form.dx, form.width);
  if (vertical === undefined || horizontal === undefined) return undefined;
  const area = vertical.count * horizontal.count;
  const perGroup = elements.length / (area * form.groups);
  if (!Number.isInteger(perGroup)) return undefined;
  const numbers = new Map(Array.from(patches, (p, i) => [p, i]));
  const channels = Array.from({ length: form.groups }, () => new Map<string, number>());
  const rows = new Int32Array(form.groups * perGroup);
  const factors = new Float64Array(form.groups * perGroup);
  const position = new Int32Array(elements.length);
  const seen = new Uint8Array(elements.length);
  for (const [k, e] of elements.entries()) {
    const i = numbers.get(term.patch[e]!);
    if (i === undefined) return undefined;
    const g: number = form.group[i]!;
    const factor = term.factor?.[e] ?? 1;
    const key = `${term.row[e]} ${factor}`;
    let c = channels[g]!.get(key);
    if (c === undefined) {
      c = channels[g]!.size;
      if (c === perGroup) return undefined;
      channels[g]!.set(key, c);
      rows[g * perGroup + c] = term.row[e]!;
      factors[g * perGroup + c] = factor;
    }
    const at =
      (g * perGroup + c) * area +
      vertical.indexOf(form.y[i]!) * horizontal.count +
      horizontal.indexOf(form.x[i]!);
    if (seen[at] === 1) return undefined;
    seen[at] = 1;
    position[k] = at;
  }
  const groups = apart === undefined ? 1 : form.groups;
  const width = (form.groups * perGroup) / groups;
  return { term, form, vertical, horizontal, perGroup, groups, width, rows, factors, position };
};

const sameAxis = (a: Axis, b: Axis): boolean =>
  a.kernel === b.kernel &&
  a.stride === b.stride &&
  a.padding === b.padding &&
  a.dilation === b.dilation &&
  a.count === b.count;

const sameIntegers = (a: Int32Array, b: Int32Array): boolean =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** Whether two terms can be branches of one layer. */
export const sameWindows = (a: Placed, b: Placed): boolean =>
  (a.form.outside === 'either' || b.form.outside === 'either' || a.form.outside === b.form.outside) &&
  a.groups === b.groups &&
  a.width === b.width &&
  sameAxis(a.vertical, b.vertical) &&
  sameAxis(a.horizontal, b.horizontal) &&
  sameIntegers(a.form.sources, b.form.sources) &&
  sameIntegers(a.position, b.position);
