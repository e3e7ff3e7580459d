/**
 * Weights that torch keeps in parts, put together again: what a module computes from them before it uses them.
 *
 *   prune            w_orig, w_mask                                w = w_orig * w_mask
 *   weight norm      w_g, w_v                                      w = v * (g / |v|)
 *                    parametrizations.w.original0, .original1
 *   spectral norm    w_orig, w_u, w_v                              w = w_orig / (u^T W v), W [rows, the rest]
 *                    parametrizations.w.original, .0._u, .0._v
 *
 * |v| is taken over all axes but the one that g has. Computed in double and rounded to f32 where torch has f32 values.
 * Other parametrisations are functions that no file holds; they are refused by their name.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { elementCount } from '../ir/constant.js';
import type { FileTensor, TensorFile } from './containers/tensor.js';
import { finiteTensor, numbersTensor } from './tensors.js';

type Kind = 'pruned' | 'weight norm' | 'spectral norm';

/** A weight and the tensors that make it, in the order of the formulas above. */
interface Parts {
  readonly kind: Kind;
  readonly target: string;
  readonly names: ReadonlyArray<string>;
}

export interface Folded {
  readonly file: TensorFile;
  /** For people: `layers.0.base_weight (weight norm)`. */
  readonly folded: ReadonlyArray<string>;
}

const PARAMETRISED = /^(.*\.)?parametrizations\.([^.]+)\.(.+)$/s;

/** Older parametrisations: the tensors stand beside each other, with the name of the weight before a suffix. */
const bySuffix = (tensors: TensorFile['tensors'], name: string): Parts | undefined => {
  const match = /^(.+)_(orig|g)$/s.exec(name);
  const target = match?.[1];
  if (target === undefined || tensors.has(target)) return undefined;
  const named = (...suffixes: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
    const names = suffixes.map((suffix) => `${target}_${suffix}`);
    return names.every((n) => tensors.has(n)) ? names : undefined;
  };
  if (match?.[2] === 'g') {
    const names = named('g', 'v');
    return names === undefined ? undefined : { kind: 'weight norm', target, names };
  }
  const pruned = named('orig', 'mask');
  if (pruned !== undefined) return { kind: 'pruned', target, names: pruned };
  const spectral = named('orig', 'u', 'v');
  return spectral === undefined ? undefined : { kind: 'spectral norm', target, names: spectral };
};

/** torch.nn.utils.parametrize: all tensors of a weight stand under one name. `parts` are theirs, without it. */
const byName = (target: string, at: string, parts: ReadonlyArray<string>): Parts | undefined => {
  const names = (order: ReadonlyArray<string>): ReadonlyArray<string> | undefined =>
    parts.length === order.length && order.every((p) => parts.includes(p))
      ? order.map((p) => at + p)
      : undefined;
  const normed = names(['original0', 'original1']);
  if (normed !== undefined) return { kind: 'weight norm', target, names: normed };
  const spectral = names(['original', '0._u', '0._v']);
  return spectral === undefined ? undefined : { kind: 'spectral norm', target, names: spectral };
};

/** All weights in parts; K0211 for parts that nobody can put together. */
const findParts = (tensors: TensorFile['tensors']): Checked<ReadonlyArray<Parts>> => {
  const found: Parts[] = [];
  const parametrised = new Map<string, { readonly at: string; readonly parts: string[] }>();
  for (const name of tensors.keys()) {
    const [, module = '', weight = '', part = ''] = PARAMETRISED.exec(name) ?? [];
    if (part !== '') {
      const at = `${module}parametrizations.${weight}.`;
      const group = parametrised.get(module + weight) ?? { at, parts: [] };
      parametrised.set(module + weight, group);
      group.parts.push(part);
      continue;
    }
    const parts = bySuffix(tensors, name);
    if (parts !== undefined) found.push(parts);
  }
  for (const [target, { at, parts }] of parametrised) {
    const known = byName(target, at, parts);
    if (known === undefined) return refuseParts(target, at, parts);
    found.push(known);
  }
  return E.right(found);
};

const refuseParts = (target: string, at: string, parts: ReadonlyArray<string>): Checked<never> => {
  const weight = target.slice(target.lastIndexOf('.') + 1);
  return fail(
    'K0211',
    `the weight is kept in the parts ${parts
      .slice(0, 4)
      .map((p) => printable(p, 60))
      .join(', ')} of a parametrisation`,
    {
      place: { tensor: printable(at, 100) },
      expected: 'plain weights, or those of pruning, weight norm or spectral norm',
      hint: `torch.nn.utils.parametrize.remove_parametrizations(module, '${printable(weight, 60)}') makes it plain; save after that.`,
    },
  );
};

const f32 = (shape: ReadonlyArray<number>, data: Float32Array): FileTensor => ({ dtype: 'F32', shape, data });

const masked = (weight: FileTensor, mask: FileTensor): FileTensor =>
  f32(
    weight.shape,
    Float32Array.from({ length: weight.data.length }, (_, e) => weight.data[e]! * mask.data[e]!),
  );

/** The only axis of `v` that `g` has, or -1 where g is one number; undefined where it does not fit. */
const axisOf = (g: FileTensor, v: FileTensor): number | undefined => {
  if (g.data.length === 1) return -1;
  const axis = g.shape.findIndex((d) => d > 1);
  const fits =
    g.shape.length === v.shape.length && g.shape.every((d, k) => d === (k === axis ? v.shape[k] : 1));
  return fits ? axis : undefined;
};

/** How many elements lie between neighbours of an axis. */
const strideOf = (shape: ReadonlyArray<number>, axis: number): number => elementCount(shape.slice(axis + 1));

const normalised = (g: FileTensor, v: FileTensor, axis: number): FileTensor => {
  const rows = g.data.length;
  const stride = axis < 0 ? v.data.length : strideOf(v.shape, axis);
  const rowOf = (e: number): number => Math.floor(e / stride) % rows;
  const squares = new Float64Array(rows);
  for (let e = 0; e < v.data.length; e++) squares[rowOf(e)]! += v.data[e]! ** 2;
  const factors = Float32Array.from(squares, (s, row) => g.data[row]! / Math.fround(Math.sqrt(s)));
  return f32(
    v.shape,
    Float32Array.from({ length: v.data.length }, (_, e) => v.data[e]! * factors[rowOf(e)]!),
  );
};

/** Divided by u^T W v; undefined where no axis of the weight has the length of u and the others that of v. */
const spectral = (weight: FileTensor, u: FileTensor, v: FileTensor): FileTensor | undefined => {
  const [rows, columns] = [u.data.length, v.data.length];
  const axis = weight.shape.findIndex((d) => d === rows && d * columns === weight.data.length);
  if (axis < 0) return undefined;
  const stride = strideOf(weight.shape, axis);
  let sigma = 0;
  for (let e = 0; e < weight.data.length; e++) {
    const row = Math.floor(e / stride) % rows;
    const column = Math.floor(e / (stride * rows)) * stride + (e % stride);
    sigma += u.data[row]! * weight.data[e]! * v.data[column]!;
  }
  const divisor = Math.fround(sigma);
  return f32(
    weight.shape,
    Float32Array.from({ length: weight.data.length }, (_, e) => weight.data[e]! / divisor),
  );
};

const misfit = (name: string, tensor: FileTensor, weight: FileTensor): Checked<never> =>
  fail('K0203', `the tensor has shape [${tensor.shape.join(', ')}]`, {
    place: { tensor: printable(name, 100) },
    expected: `a part of a weight of shape [${weight.shape.join(', ')}]`,
  });

const foldOne = (file: TensorFile, { kind, names }: Parts): Checked<FileTensor> => {
  const parts: FileTensor[] = [];
  for (const [k, name] of names.entries()) {
    const rank = file.tensors.get(name)?.shape.length ?? 0;
    const isMask = kind === 'pruned' && k === 1;
    const part = isMask ? numbersTensor(file, name, rank) : finiteTensor(file, name, rank);
    if (E.isLeft(part)) return part;
    parts.push(part.right);
  }
  const [a, b, c] = parts;
  if (a === undefined || b === undefined) return fail('K0202', 'the tensor is missing');
  if (kind === 'weight norm') {
    const axis = axisOf(a, b);
    return axis === undefined ? misfit(names[0]!, a, b) : E.right(normalised(a, b, axis));
  }
  if (kind === 'pruned') {
    const fits = a.shape.length === b.shape.length && a.shape.every((d, k) => d === b.shape[k]);
    return fits ? E.right(masked(a, b)) : misfit(names[1]!, b, a);
  }
  const whole = c === undefined ? undefined : spectral(a, b, c);
  return whole === undefined ? misfit(names[1]!, b, a) : E.right(whole);
};

/** One weight may be in the parts of several: a pruned `w_v` of a weight norm. */
const ROUNDS = 4;

/** The file with whole weights, each in the place of its first part. */
export const foldParts = (file: TensorFile): Checked<Folded> => {
  let now = file;
  const folded: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const found = findParts(now.tensors);
    if (E.isLeft(found)) return found;
    if (found.right.length === 0) break;
    const place = new Map([...now.tensors.keys()].map((name, k) => [name, k]));
    const whole = new Map<string, readonly [string, FileTensor] | undefined>();
    for (const parts of found.right) {
      const tensor = foldOne(now, parts);
      if (E.isLeft(tensor)) return tensor;
      const first = [...parts.names].sort((x, y) => (place.get(x) ?? 0) - (place.get(y) ?? 0))[0];
      for (const name of parts.names)
        whole.set(name, name === first ? [parts.target, tensor.right] : undefined);
      folded.push(`${printable(parts.target, 60)} (${parts.kind})`);
    }
    now = {
      ...now,
      tensors: new Map(
        [...now.tensors].flatMap(([name, tensor]) => {
          if (!whole.has(name)) return [[name, tensor] as const];
          const put = whole.get(name);
          return put === undefined ? [] : [put];
        }),
      ),
    };
  }
  return E.right({ file: now, folded });
};
