/** A sum of terms as layers and residual additions. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import type { Cut, Definition, RowsTerm } from '../traced.js';
import { denseLayer } from './dense.js';
import { counting, inPlaces, layoutOf } from './layout.js';
import { affine } from './pointwise.js';
import { nodeOf } from './same.js';
import {
  type Built,
  f32,
  firstSample,
  flattened,
  gathered,
  type Lifting,
  reshaped,
  shapeOf,
} from './state.js';
import { type BuildCut, valueOfElements } from './values.js';
import { termForm } from './windows/find.js';
import { meanPool, type WindowLayer, windowLayer } from './windows/layer.js';
import { type Placed, placed, sameWindows } from './windows/place.js';

/** A part of the sum: element k of the sample is element position[k] of the value. */
interface Part {
  readonly value: ValueName;
  readonly position: Int32Array;
  /** Still to be added to each channel of the value. */
  readonly bias: Float64Array;
}

/** Edges up to which a layer without a pattern is written out with all its zeros. */
const DENSE_LIMIT = 2 ** 25;

/** The patches that elements read, each once. */
const patchesOf = (term: RowsTerm, elements: Int32Array): Int32Array => {
  const found = new Set<number>();
  for (const e of elements) if (term.patch[e]! >= 0) found.add(term.patch[e]!);
  return Int32Array.from(found);
};

/** The sources that patches read, and what part of all pairs of a patch and a source is there. */
const density = (
  { operand, offset, tap }: RowsTerm,
  patches: Int32Array,
): { sources: number; share: number } => {
  const all = new Set<number>();
  let pairs = 0;
  for (const p of patches) {
    const own = new Set<number>();
    for (const t of tap) {
      const s = operand.source[offset[p]! + t]!;
      if (s >= 0) own.add(s);
    }
    pairs += own.size;
    for (const s of own) all.add(s);
  }
  return { sources: all.size, share: pairs / Math.max(1, all.size * patches.length) };
};

/** The term over windows, if it is one. Where patches read most of all there is, no pattern is looked for. */
const asWindows = (
  l: Lifting,
  build: BuildCut,
  term: RowsTerm,
  elements: Int32Array,
): Checked<Placed | undefined> => {
  const patches = patchesOf(term, elements);
  if (patches.length < 2 || elements.some((e) => term.patch[e]! < 0)) return E.right(undefined);
  if (term.plane === undefined && density(term, patches).share > 0.5) return E.right(undefined);
  const form = termForm(l, build, term, patches);
  if (E.isLeft(form)) return form;
  return E.right(form.right === undefined ? undefined : placed(term, form.right, patches, elements));
};

const tooIrregular = (l: Lifting, cut: Cut, inputs: number, outputs: number): Checked<never> => {
  const { origin, name } = nodeOf(l, cut);
  return fail(
    'K0223',
    `${origin.op} '${origin.node}' sums ${inputs} values to ${outputs} without being a convolution or a full layer`,
    {
      place: { op: name },
      expected: `windows of an image, or at most ${DENSE_LIMIT} pairs of an input and an output`,
      hint: 'kanc import --describe tells what stands before it; --outputs compiles that part.',
    },
  );
};

/** The rows of a cut as layers: those over the same windows as one, those without a pattern as one. */
const layers = (
  l: Lifting,
  build: BuildCut,
  cut: Cut,
  terms: ReadonlyArray<RowsTerm>,
  elements: Int32Array,
): Checked<ReadonlyArray<Part>> => {
  const windows: Placed[][] = [];
  const loose: RowsTerm[] = [];
  for (const term of terms) {
    const found = asWindows(l, build, term, elements);
    if (E.isLeft(found)) return found;
    const { right } = found;
    if (right === undefined) loose.push(term);
    else {
      const group = windows.find(([first]) => sameWindows(first!, right));
      if (group === undefined) windows.push([right]);
      else group.push(right);
    }
  }
  const parts: Part[] = [];
  for (const group of windows) {
    const part = windowPart(l, build, group);
    if (E.isLeft(part)) return part;
    parts.push(part.right);
  }
  if (loose.length > 0) {
    const inputs = loose.reduce((n, t) => n + density(t, patchesOf(t, elements)).sources, 0);
    if (inputs * elements.length > DENSE_LIMIT) return tooIrregular(l, cut, inputs, elements.length);
    const dense = denseLayer(l, build, loose, elements, hintOf(l));
    if (E.isLeft(dense)) return dense;
    parts.push({ ...dense.right, position: counting(elements.length) });
  }
  return E.right(parts);
};

const hintOf = (l: Lifting): string => `layer${l.layers++}`;

const windowPart = (l: Lifting, build: BuildCut, group: ReadonlyArray<Placed>): Checked<Part> => {
  const first = group[0]!;
  const channels = first.form.groups * first.perGroup;
  const pooled = group.length === 1 ? meanPool(l, build, first, 'mean') : undefined;
  if (pooled !== undefined) {
    return E.map((value: ValueName): Part => {
      return { value, position: first.position, bias: new Float64Array(channels) };
    })(pooled);
  }
  const layer = windowLayer(l, build, group, hintOf(l));
  return E.map(({ value, bias }: WindowLayer): Part => {
    return { value, position: first.position, bias };
  })(layer);
};

/** A part whose elements lie as in `like`. */
const laidOut = (l: Lifting, part: Part, position: Int32Array, shape: ReadonlyArray<number>): ValueName => {
  if (part.position.every((p, k) => p === position[k])) return reshaped(l, part.value, shape);
  const from = new Int32Array(position.length);
  for (let k = 0; k < position.length; k++) from[position[k]!] = part.position[k]!;
  return reshaped(l, gathered(l, flattened(l, part.value), from), shape);
};

/** The bias of elements where they lie, by channel if all elements of one have the same. */
const biased = (l: Lifting, value: ValueName, bias: Float64Array): ValueName => {
  if (bias.every((b) => b === 0)) return value;
  const shape = shapeOf(l, value);
  const inner = bias.length / shape[0]!;
  const ones = (n: number): Float64Array => new Float64Array(n).fill(1);
  if (bias.every((b, e) => b === bias[Math.floor(e / inner) * inner])) {
    const channels = Float64Array.from({ length: shape[0]! }, (_, c) => bias[c * inner]!);
    return added(l, value, channels);
  }
  return reshaped(l, affine(l, flattened(l, value), ones(bias.length), bias), shape);
};

/** A layer takes its bias into itself. */
const added = (l: Lifting, value: ValueName, bias: Float64Array): ValueName => {
  const made = l.b.nodeOf(value);
  if (made?.op.kind === 'kan' && made.op.attrs.bias === undefined) {
    return l.b.add(
      `${value}_biased`,
      { kind: 'kan', attrs: { ...made.op.attrs, bias: f32([bias.length], bias) } },
      made.operands,
    );
  }
  return affine(l, value, new Float64Array(bias.length).fill(1), bias);
};

/** A cut that is a sum. */
export const buildSum = (
  l: Lifting,
  build: BuildCut,
  cut: Cut,
  definition: Extract<Definition, { readonly kind: 'sum' }>,
): Checked<Built> => {
  const elements = firstSample(cut);
  const rows = definition.terms.flatMap((t) => (t.kind === 'rows' ? [t] : []));
  const single = definition.terms.flatMap((t) => (t.kind === 'pointwise' ? [t] : []));
  const made = layers(l, build, cut, rows, elements);
  if (E.isLeft(made)) return made;
  const [first, ...others] = made.right;
  const layout =
    first === undefined
      ? layoutOf(
          l,
          build,
          single.map((t) => t.operand),
          elements,
        )
      : E.right({ position: first.position, shape: shapeOf(l, first.value) });
  if (E.isLeft(layout)) return layout;
  const { position, shape } = layout.right;
  const values = first === undefined ? [] : [first, ...others].map((p) => laidOut(l, p, position, shape));
  for (const term of single) {
    const value = valueOfElements(l, build, term.operand, inPlaces(elements, position), shape);
    if (E.isLeft(value)) return value;
    values.push(value.right);
  }
  const bias = new Float64Array(elements.length);
  for (const [k, e] of elements.entries()) bias[position[k]!]! += definition.bias?.[e] ?? 0;
  for (const part of made.right) addPartBias(l, bias, part, position);
  const [start, ...rest] = values;
  if (start === undefined)
    return fail('K0222', 'a value depends on no input', { place: { op: nodeOf(l, cut).name } });
  const withBias = biased(l, start, bias);
  l.origins.set(withBias, nodeOf(l, cut).origin.node);
  const total = rest.reduce((sum, v) => l.b.add('sum', { kind: 'add', attrs: {} }, [sum, v]), withBias);
  return E.right({ name: total, position });
};

const addPartBias = (l: Lifting, bias: Float64Array, part: Part, position: Int32Array): void => {
  const shape = shapeOf(l, part.value);
  const inner = position.length / shape[0]!;
  for (let k = 0; k < position.length; k++) {
    bias[position[k]!]! += part.bias[Math.floor(part.position[k]! / inner)] ?? 0;
  }
};
