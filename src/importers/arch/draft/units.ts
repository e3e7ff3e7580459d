/**
 * Layers with the normalisations that belong to them. The order is that of the file; normalisations in a list of
 * their own (`layers.0`, `layers.1`, `bns.0`, `bns.1`) stand beside the layer of their number.
 */
import type { TensorFile } from '../../containers/tensor.js';
import { type FoundLayer, factsOf, type LayerFacts } from '../detect.js';

/** A layer that changes features or channels, and what stands around it. Only the first unit may have no layer. */
export interface Unit {
  readonly before: ReadonlyArray<FoundLayer>;
  readonly main?: FoundLayer;
  readonly facts: LayerFacts;
  readonly after: ReadonlyArray<FoundLayer>;
}

export interface Units {
  readonly units: ReadonlyArray<Unit>;
  /** How the places of norms were chosen, where the order of the file does not say them. */
  readonly moved: ReadonlyArray<string>;
}

const isMain = ({ type }: FoundLayer): boolean =>
  type !== 'batch-norm' && type !== 'layer-norm' && type !== 'prelu';

interface Slot {
  readonly main: FoundLayer;
  readonly facts: LayerFacts;
  readonly before: FoundLayer[];
  readonly after: FoundLayer[];
}

/** How many names of modules two prefixes have in common from their beginning on. */
const inCommon = (a: string, b: string): number => {
  const [x, y] = [a.split('.'), b.split('.')];
  let n = 0;
  while (n < x.length && n < y.length && x[n] === y[n]) n++;
  return n;
};

const numberOf = (prefix: string): number | undefined => {
  const match = /(\d{1,9})\D*$/.exec(prefix);
  return match === null ? undefined : Number(match[1]);
};

/** The length of the vectors of a normalisation. */
const widthOf = (file: TensorFile, { prefix }: FoundLayer): number | undefined => {
  const vector = ['weight', 'running_mean'].map((part) => file.tensors.get(`${prefix}.${part}`)?.shape[0]);
  return vector[0] ?? vector[1];
};

/** The layer beside which the norm at `index` of its run stands: by number, else by order; nearest names first. */
const partnerOf = (norm: FoundLayer, index: number, slots: ReadonlyArray<Slot>): Slot | undefined => {
  const number = numberOf(norm.prefix);
  const near = Math.max(0, ...slots.map(({ main }) => inCommon(main.prefix, norm.prefix)));
  const candidates = slots.filter(({ main }) => inCommon(main.prefix, norm.prefix) === near);
  const same = candidates.filter(({ main }) => number !== undefined && numberOf(main.prefix) === number);
  return same.length === 1 ? same[0] : candidates[index];
};

/** Norms that stand in a row, which no network has: they are a list of their own. */
const runsOf = (found: ReadonlyArray<FoundLayer>): ReadonlySet<FoundLayer> => {
  const runs = new Set<FoundLayer>();
  for (const [k, layer] of found.entries()) {
    const before = found[k - 1];
    // A batch norm and a PReLU behind it are no run.
    if (before === undefined || isMain(layer) || isMain(before) || layer.type === 'prelu') continue;
    if (before.type === 'prelu' && found[k - 2] !== undefined && isMain(found[k - 2]!)) continue;
    runs.add(before).add(layer);
  }
  return runs;
};

/** `side` is that of norms in lists of their own; before a layer where the sizes allow nothing else. */
export const unitsOf = (
  file: TensorFile,
  found: ReadonlyArray<FoundLayer>,
  side: 'after' | 'before',
): Units => {
  const slots = found
    .filter(isMain)
    .map((main): Slot => ({ main, facts: factsOf(file, main), before: [], after: [] }));
  const runs = runsOf(found);
  const leading: FoundLayer[] = [];
  const moved: string[] = [];
  let current: Slot | undefined;
  const lists = new Map<string, number>();
  for (const layer of found) {
    if (isMain(layer)) {
      current = slots.find(({ main }) => main === layer);
      continue;
    }
    const list = layer.prefix.replace(/\d+(\D*)$/, '#$1');
    const index = lists.get(list) ?? 0;
    lists.set(list, index + 1);
    const partner = runs.has(layer) ? partnerOf(layer, index, slots) : current;
    if (partner === undefined) {
      leading.push(layer);
      continue;
    }
    const isAfter = sideOf(file, layer, partner, runs.has(layer) ? side : 'after') === 'after';
    (isAfter ? partner.after : partner.before).push(layer);
    if (runs.has(layer)) {
      moved.push(`${layer.prefix} ${isAfter ? 'after' : 'before'} ${partner.main.prefix}`);
    }
  }
  const first: ReadonlyArray<Unit> =
    leading.length === 0 ? [] : [{ before: leading, facts: { takes: 'any' }, after: [] }];
  return { units: [...first, ...slots], moved };
};

const sideOf = (
  file: TensorFile,
  norm: FoundLayer,
  { facts }: Slot,
  wanted: 'after' | 'before',
): 'after' | 'before' => {
  const width = widthOf(file, norm);
  if (width === undefined || width === 1 || facts.inputs === facts.outputs) return wanted;
  if (wanted === 'after') return width === facts.outputs || width !== facts.inputs ? 'after' : 'before';
  return width === facts.inputs || width !== facts.outputs ? 'before' : 'after';
};
